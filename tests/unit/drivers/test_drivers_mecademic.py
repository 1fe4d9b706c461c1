"""The Meca500 driver against a scripted controller: how it is made ready, moved and stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted_meca500 import POSE, Controller

from cellctl.device import Recovery
from cellctl.errors import LimitExceeded
from cellctl_drivers.mecademic import Mecademic


def test_opening_moves_nothing_and_forgets_what_was_queued(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    leap(arm.open())
    assert controller.sent == ["GetFwVersion", "ClearMotion"]


def test_preparing_resets_activates_and_homes_once(
    leap: Any, arm: Mecademic, controller: Controller, act: Any
) -> None:
    controller.activated = controller.homed = False
    controller.error = True

    async def run() -> None:
        await arm.open()
        await arm.prepare(act)
        await arm.prepare(act)

    leap(run())
    assert controller.actuations() == ["ActivateRobot", "Home"]
    assert controller.sent.count("ResetError") == 1
    assert not controller.paused
    assert act.names[:4] == ["reset_error", "activate", "home", "ready"]


def test_a_motion_ends_when_its_checkpoint_is_reached(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> float:
        await arm.open()
        began = asyncio.get_running_loop().time()
        await arm.move_to(POSE, straight=False, speed=1.0).perform(1)
        await arm.move_to(POSE, straight=True, speed=0.5).perform(2)
        return asyncio.get_running_loop().time() - began

    assert 2.0 <= leap(run()) < 2.1
    assert controller.actuations() == ["MovePose(200,-110,30,180,0,0)", "MoveLin(200,-110,30,180,0,0)"]
    assert "SetJointVel(100)" in controller.sent
    assert "SetCartLinVel(250)" in controller.sent
    assert [text for text in controller.sent if "Checkpoint" in text] == [
        "SetCheckpoint(1)",
        "SetCheckpoint(2)",
    ]


def test_what_the_controller_has_done_once_is_not_said_again(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> list[str]:
        await arm.open()
        controller.takes = 0.5
        await arm.move_to(POSE, straight=True, speed=1.0).perform(1)
        before = len(controller.sent)
        await arm.move_to(POSE, straight=True, speed=1.0).perform(2)
        await arm.move_to(POSE, straight=True, speed=0.5).perform(3)
        return [text for text in controller.sent[before:] if not text.startswith("Connection")]

    move = "MoveLin(200,-110,30,180,0,0)"
    slower = ["SetCartLinVel(250)", "SetCartAngVel(90)"]
    assert leap(run()) == [move, "SetCheckpoint(2)", *slower, move, "SetCheckpoint(3)"]


@pytest.mark.parametrize(("firmware", "has"), [("v11.3.0", True), ("v9.3.0", False)])
def test_the_watchdog_runs_while_it_moves_where_the_firmware_has_it(
    leap: Any, arm: Mecademic, controller: Controller, firmware: str, has: bool
) -> None:
    controller.firmware = firmware

    async def run() -> None:
        await arm.open()
        for number in (1, 2):
            await arm.move_to(POSE, straight=False, speed=1.0).perform(number)
        await asyncio.sleep(1.0)

    leap(run())
    watchdog = [text for text in controller.sent if text.startswith("ConnectionWatchdog")]
    if has:  # 1 s long, wound up every half of it during the two seconds, and stopped after them
        assert watchdog == ["ConnectionWatchdog(1)"] * 5 + ["ConnectionWatchdog(0)"]
    else:
        assert watchdog == []


def test_the_watchdog_runs_again_for_a_motion_after_a_loss_or_a_rest(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> list[list[str]]:
        await arm.open()
        said = []
        for is_lost in (True, False, False):
            before = len(controller.sent)
            await arm.move_to(POSE, straight=False, speed=1.0).perform(1)
            said.append([text for text in controller.sent[before:] if text.startswith("Connection")])
            if is_lost:
                controller.link.cut()
            await asyncio.sleep(0.01 if is_lost else 5.0)
        return said

    assert all(said[0] == "ConnectionWatchdog(1)" for said in leap(run()))


def test_breaking_off_brakes_and_forgets_the_motion(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> None:
        await arm.open()
        task = asyncio.ensure_future(arm.move_to(POSE, straight=False, speed=1.0).perform(1))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    leap(run())
    assert [text for text in controller.sent if text.endswith("Motion")][-2:] == [
        "PauseMotion",
        "ClearMotion",
    ]


def test_halt_before_open_does_nothing(leap: Any, arm: Mecademic, controller: Controller) -> None:
    leap(arm.halt())
    assert controller.sent == []


def test_a_payload_beyond_the_limit_is_refused(arm: Mecademic, rack: Any) -> None:
    arm.set_payload(0.05)
    assert arm.move_to(POSE, True, 1.0).recovery is Recovery.REPEATABLE
    arm.set_tool(0.065, 0.1)
    with pytest.raises(LimitExceeded, match=r"payload besides the tool 0.45 kg is outside 0 kg to 0.4 kg"):
        arm.set_payload(0.45)
    with pytest.raises(LimitExceeded, match=r"tool mass 0.6 kg"):
        arm.set_tool(0.065, 0.6)


def test_poses_are_of_the_point_of_the_tool(leap: Any, arm: Mecademic, controller: Controller) -> None:
    async def run() -> None:
        await arm.open()
        arm.set_tool(0.065, 0.1)
        await arm.move_to(POSE, straight=False, speed=1.0).perform(1)

    leap(run())
    assert "SetTrf(0,0,65,0,0,0)" in controller.sent


@pytest.mark.parametrize("speed", [0.0, -1.0, 1.1])
def test_a_speed_outside_of_nought_to_one_is_refused(arm: Mecademic, speed: float) -> None:
    with pytest.raises(LimitExceeded):
        arm.move_to(POSE, True, speed)
