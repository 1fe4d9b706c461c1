"""The Meca500 moved by hand, against a scripted controller, and its geometry against scipy's rotations."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scripted_meca500 import Controller

from cellctl.device import JoggedArm, Pose, Recovery
from cellctl.modules.arm_by_hand import in_base_axes
from cellctl_drivers import mecademic_steps as steps
from cellctl_drivers.mecademic import DECLARATION, Mecademic


def said_to(controller: Controller) -> list[str]:
    """The settings and motions that it was sent."""
    quiet = ("Get", "Clear", "Connection", "SetCheckpoint", "SetEob", "Resume")
    return [text for text in controller.sent if not text.startswith(quiet)]


def test_a_step_leads_from_the_controllers_target_to_one_absolute_pose(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> None:
        await arm.open()
        arm.set_tool(0.065, 0.09)
        await arm.step(Pose(0.0, 0.0, 0.005), 0.02).perform(1)

    leap(run())
    told = ["SetTrf(0,0,65,0,0,0)", "SetBlending(0)", "SetCartLinVel(20)", "SetCartAngVel(30)"]
    assert said_to(controller) == [*told, "MoveLin(200,-110,35,180,0,0)"]


def test_a_joint_turns_no_faster_than_asked_whichever_revision_the_arm_is(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> None:
        await arm.open()
        await arm.turn_joint(2, math.radians(-10.0), math.radians(22.5)).perform(1)

    leap(run())
    assert said_to(controller) == ["SetBlending(0)", "SetJointVel(10)", "MoveJoints(10,20,20,40,50,60)"]


def test_a_step_that_is_broken_off_stops_the_arm(leap: Any, arm: Mecademic, controller: Controller) -> None:
    async def run() -> None:
        await arm.open()
        task = asyncio.ensure_future(arm.step(Pose(0.0, 0.0, 0.05), 0.02).perform(1))
        await asyncio.sleep(0.5)  # its settings are said, and it moves
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    leap(run())
    assert [text for text in controller.sent if text.endswith("Motion")][-2:] == [
        "PauseMotion",
        "ClearMotion",
    ]


def test_an_interrupted_step_is_nothing_that_is_simply_repeated(arm: Mecademic) -> None:
    assert isinstance(arm, JoggedArm)
    assert DECLARATION.recovery_of("step") is Recovery.IN_DOUBT


angles = st.floats(-1.5, 1.5)
poses = st.builds(Pose, *[st.floats(-0.3, 0.3)] * 3, *[angles] * 3)


def turn(pose: Pose) -> Rotation:
    return Rotation.from_euler("XYZ", [pose.alpha, pose.beta, pose.gamma])


@given(poses, poses)
@settings(max_examples=50)
def test_a_step_turns_about_the_axes_of_the_base_around_the_tool_point(here: Pose, by: Pose) -> None:
    after = steps.stepped(here, by)
    assert (after.x, after.y, after.z) == pytest.approx((here.x + by.x, here.y + by.y, here.z + by.z))
    assert (turn(after) * (turn(by) * turn(here)).inv()).magnitude() < 1e-9


@given(poses, poses)
@settings(max_examples=50)
def test_a_step_along_the_lines_axes_is_the_same_step_seen_from_the_base(by: Pose, base: Pose) -> None:
    seen = in_base_axes(by, base)
    R = turn(base)
    assert R.apply([seen.x, seen.y, seen.z]) == pytest.approx([by.x, by.y, by.z], abs=1e-12)
    assert (R * turn(seen) * R.inv() * turn(by).inv()).magnitude() < 1e-9
