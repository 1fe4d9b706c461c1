"""The simulated Meca500 before the maker's own client, mecademicpy, and before bare sockets."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mecademicpy.robot import Robot
from mecademicpy.robot_classes import MecademicException

from cellctl.motion.profile import synchronised
from cellctl.motion.robots import robot
from cellctl_sim.devices.mecademic import MecademicDevice
from cellctl_sim.devices.mecademic_controller import MecademicProperties
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.gripper import Fixings, Gripper

Serve = Any


def arm(firmware: str = "11.1.4") -> MecademicDevice:
    """An arm with a gripper, quick to activate."""
    agenda = Agenda()
    properties = MecademicProperties(firmware=firmware, activation_time=0.05, homing_time=0.05)
    device = MecademicDevice("arm", agenda, properties)
    device.gripper = Gripper("gripper", "arm", agenda, Fixings(), device.where, random.Random(1))
    return device


def with_sdk(serve: Serve, work: Callable[[Robot], Any], device: MecademicDevice | None = None) -> Any:
    """What `work(robot)` returns, with mecademicpy connected to a served arm."""

    def talk(port: int) -> Any:
        client = Robot()
        client.Connect(f"127.0.0.1:{port}", disconnect_on_exception=False)
        try:
            return work(client)
        finally:
            client.Disconnect()

    async def run() -> Any:
        async with serve(device or arm()) as port:
            return await asyncio.to_thread(talk, port)

    return asyncio.run(run())


def ready(client: Robot) -> None:
    client.ActivateRobot()
    client.WaitActivated(5)
    client.Home()
    client.WaitHomed(5)
    client.SetJointVel(100)


@pytest.mark.parametrize("firmware", ["9.3.0", "11.1.4"])
def test_the_makers_client_connects_activates_homes_and_moves(serve_device: Serve, firmware: str) -> None:
    def work(client: Robot) -> tuple[str, list[float]]:
        ready(client)
        client.MoveJoints(10, 20, -20, 0, 30, 0)
        client.WaitIdle(10)
        return str(client.GetRobotInfo().version), client.GetJoints()

    version, joints = with_sdk(serve_device, work, arm(firmware))
    assert version.startswith(firmware)
    assert joints == pytest.approx([10, 20, -20, 0, 30, 0], abs=1e-4)


def test_a_checkpoint_comes_after_the_time_that_the_motion_core_predicts(serve_device: Serve) -> None:
    meca = robot("meca500")
    goal = np.radians([60, 20, -20, 0, 30, 0])
    predicted = float(synchronised(goal, meca.v_max, meca.a_max, meca.j_max).duration.max())

    def work(client: Robot) -> float:
        ready(client)
        began = time.monotonic()
        client.MoveJoints(60, 20, -20, 0, 30, 0)
        client.SetCheckpoint(7).wait(10)
        return time.monotonic() - began

    took = with_sdk(serve_device, work)
    assert predicted <= took < predicted + 0.2


def test_straight_moves_end_where_they_should(serve_device: Serve) -> None:
    def work(client: Robot) -> tuple[list[float], list[float]]:
        ready(client)
        client.MovePose(200, 0, 200, 0, 180, 0)
        client.WaitIdle(10)
        client.MoveLinRelWrf(0, 30, -20, 0, 0, 0)
        client.WaitIdle(10)
        world = client.GetPose()
        client.MoveLinRelTrf(0, 0, 20, 0, 0, 0)
        client.WaitIdle(10)
        return world, client.GetPose()

    world, tool = with_sdk(serve_device, work)
    assert world[:3] == pytest.approx([200, 30, 180], abs=1e-3)
    assert tool[:3] == pytest.approx([200, 30, 160], abs=1e-3)  # the tool points down


def test_a_joint_beyond_its_limit_is_an_error_until_it_is_reset(serve_device: Serve) -> None:
    def work(client: Robot) -> tuple[bool, list[float]]:
        ready(client)
        client.MoveJoints(176, 0, 0, 0, 0, 0)
        with pytest.raises(MecademicException):
            client.WaitIdle(3)
        in_error = client.GetStatusRobot(synchronous_update=True).error_status
        client.ResetError()
        client.WaitErrorReset(3)
        client.ResumeMotion()
        client.WaitMotionResumed(3)
        client.MoveJoints(5, 0, 0, 0, 30, 0)
        client.WaitIdle(5)
        return in_error, client.GetJoints()

    in_error, joints = with_sdk(serve_device, work)
    assert in_error
    assert joints[0] == pytest.approx(5, abs=1e-4)


def test_a_paused_motion_stands_and_goes_on_to_its_end(serve_device: Serve) -> None:
    def work(client: Robot) -> tuple[list[float], list[float], list[float]]:
        ready(client)
        client.MoveJoints(90, 0, 0, 0, 30, 0)
        time.sleep(0.3)
        client.PauseMotion()
        client.WaitMotionPaused(3)
        time.sleep(0.4)
        first = client.GetJoints()
        time.sleep(0.2)
        second = client.GetJoints()
        client.ResumeMotion()
        client.WaitIdle(5)
        return first, second, client.GetJoints()

    first, second, end = with_sdk(serve_device, work)
    assert 0 < first[0] < 90
    assert second == first
    assert end[0] == pytest.approx(90, abs=1e-4)


def test_a_cleared_motion_is_forgotten_and_its_checkpoint_discarded(serve_device: Serve) -> None:
    def work(client: Robot) -> tuple[bool, float]:
        ready(client)
        client.MoveJoints(90, 0, 0, 0, 30, 0)
        checkpoint = client.SetCheckpoint(3)
        time.sleep(0.1)
        client.ClearMotion()
        client.WaitMotionCleared(3)
        time.sleep(0.4)
        with pytest.raises(MecademicException):
            checkpoint.wait(0.2)
        client.ResumeMotion()
        client.WaitMotionResumed(3)
        client.WaitIdle(3)
        return client.GetStatusRobot(synchronous_update=True).end_of_block_status, client.GetJoints()[0]

    done, joint = with_sdk(serve_device, work)
    assert done
    assert 0 < joint < 30


def test_the_gripper_closes_on_nothing_and_opens(serve_device: Serve) -> None:
    def work(client: Robot) -> list[tuple[bool, bool, bool]]:
        ready(client)
        seen = []
        for move in (client.GripperClose, client.GripperOpen):
            move()
            client.WaitGripperMoveCompletion(3)
            state = client.GetRtGripperState(synchronous_update=True)
            seen.append((state.holding_part, state.closed, state.opened))
        return seen

    assert with_sdk(serve_device, work) == [(False, True, False), (False, False, True)]


def test_the_connection_watchdog_stops_the_arm_and_closes_the_connection(serve_device: Serve) -> None:
    device = arm()

    async def run() -> tuple[bytes, tuple[int, ...]]:
        async with serve_device(device) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"ActivateRobot\0")
            await asyncio.sleep(0.15)
            writer.write(b"Home\0")
            await asyncio.sleep(0.15)
            writer.write(b"ConnectionWatchdog(0.2)\0MoveJoints(90,0,0,0,30,0)\0")
            async with asyncio.timeout(3):
                heard = await reader.read(-1)  # until the controller closes
            writer.close()
            device.next_change(60.0)  # by then it has braked
            return heard, device.status()

    heard, status = asyncio.run(run())
    assert b"[2177][0.20000]" in heard
    assert heard.endswith(b"[3086][1]\0")
    assert status[4:6] == (1, 1)  # paused, nothing left to do


def test_a_second_client_is_told_and_refused(serve_device: Serve) -> None:
    async def run() -> tuple[bytes, bytes]:
        async with serve_device(arm()) as port:
            first, first_writer = await asyncio.open_connection("127.0.0.1", port)
            greeting = await first.readuntil(b"\0")
            second, second_writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(3):
                refusal = await second.read(-1)
            first_writer.close()
            second_writer.close()
            return greeting, refusal

    greeting, refusal = asyncio.run(run())
    assert greeting == b"[3000][Connected to Meca500 R3 v11.1.4]\0"
    assert refusal.startswith(b"[3001]")


def test_a_client_that_goes_away_leaves_its_place_to_the_next(serve_device: Serve) -> None:
    async def run() -> bytes:
        async with serve_device(arm()) as port:
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                greeting = await reader.readuntil(b"\0")
                writer.close()
                await writer.wait_closed()
                await asyncio.sleep(0.05)
            return greeting

    assert asyncio.run(run()).startswith(b"[3000]")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"MoveJoints(0,0,0,0,0,0)", b"1005"),
        (b"Home", b"1005"),
        (b"Fly(1)", b"1001"),
        (b"MoveJoints(1,2", b"1002"),
        (b"SetEob(maybe)", b"1003"),
        (b"x" * 5000, b"3003"),
        (b"getstatusROBOT\n", b"2007"),
    ],
)
def test_each_command_gets_its_code(serve_device: Serve, message: bytes, code: bytes) -> None:
    async def run() -> bytes:
        async with serve_device(arm()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readuntil(b"\0")
            writer.write(message + b"\0")
            async with asyncio.timeout(3):
                answer = await reader.readuntil(b"\0")
            writer.close()
            return answer

    assert asyncio.run(run())[1:5] == code
