"""The gripper MEGP 25 against a scripted controller: what it does, holds, and how an unfinished action is settled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted_meca500 import Controller

from cellctl.device import Recovery, Settlement
from cellctl.errors import DeviceError, DeviceFault
from cellctl_drivers.mecademic import Mecademic
from cellctl_drivers.megp25 import Megp25, Megp25Options


@pytest.fixture
def gripper(rack: Any, arm: Mecademic) -> Megp25:
    return Megp25("arm.gripper", Megp25Options(controller="arm.controller"), rack)


async def _opened(arm: Mecademic, gripper: Megp25) -> None:
    await arm.open()
    await gripper.open()


@pytest.mark.parametrize(("part", "held"), [(True, True), (False, False)])
def test_gripping_tells_whether_something_is_held(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller, part: bool, held: bool
) -> None:
    controller.part = part

    async def run() -> tuple[bool, bool | None]:
        await _opened(arm, gripper)
        return await gripper.grip().perform(1), await gripper.holds()

    assert leap(run()) == (held, held)
    assert controller.actuations() == ["GripperClose"]
    assert "SetGripperForce(40)" in controller.sent


def test_releasing_ends_when_the_fingers_are_open(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller
) -> None:
    controller.gripper = "holding"

    async def run() -> float:
        await _opened(arm, gripper)
        await gripper.release(holding=True).perform(1)
        return asyncio.get_running_loop().time()

    assert leap(run()) >= 0.2
    assert controller.gripper == "open"


def test_fingers_that_are_open_already_are_left_alone(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller
) -> None:
    async def run() -> None:
        await _opened(arm, gripper)
        await gripper.release(holding=False).perform(1)

    leap(run())
    assert controller.actuations() == []


def test_fingers_that_do_not_get_anywhere_are_a_fault(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller
) -> None:
    async def run() -> None:
        await _opened(arm, gripper)
        controller.gripper = "between"
        controller.reach = lambda mark: [(0.001, f"[3030][{mark}]")]  # type: ignore[method-assign]
        with pytest.raises(DeviceFault, match=r"arm.gripper at .*its fingers do not close within 3 s"):
            await gripper.grip().perform(1)

    leap(run())


@pytest.mark.parametrize(
    ("state", "tool", "settlement", "value"),
    [
        ("holding", "1,0,0", Settlement.DONE, True),
        ("closed", "1,0,0", Settlement.DONE, False),
        ("open", "1,0,0", Settlement.NOT_STARTED, None),
        ("between", "1,0,0", Settlement.UNKNOWN, None),
        ("holding", "0,0,0", Settlement.UNKNOWN, None),  # not homed: it lost its power
        ("holding", "1,1,0", Settlement.UNKNOWN, None),
    ],
)
def test_how_an_unfinished_grip_is_settled(
    leap: Any,
    arm: Mecademic,
    gripper: Megp25,
    controller: Controller,
    state: str,
    tool: str,
    settlement: Settlement,
    value: bool | None,
) -> None:
    controller.gripper, controller.tool = state, tool

    async def run() -> Any:
        await _opened(arm, gripper)
        action = gripper.grip()
        assert action.settle is not None
        return await action.settle(1)

    found = leap(run())
    assert (found.settlement, found.value) == (settlement, value)
    assert found.why
    assert controller.actuations() == []


@pytest.mark.parametrize(
    ("state", "settlement"),
    [
        ("open", Settlement.DONE),
        ("holding", Settlement.NOT_STARTED),
        ("closed", Settlement.UNKNOWN),
        ("between", Settlement.UNKNOWN),
    ],
)
def test_how_an_unfinished_release_of_a_part_is_settled(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller, state: str, settlement: Settlement
) -> None:
    controller.gripper = state

    async def run() -> Any:
        await _opened(arm, gripper)
        action = gripper.release(holding=True)
        assert action.settle is not None
        return await action.settle(1)

    assert leap(run()).settlement is settlement
    assert controller.actuations() == []


def test_fingers_that_still_move_are_waited_for(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller
) -> None:
    controller.gripper = "moving"

    async def run() -> Any:
        await _opened(arm, gripper)
        asyncio.get_running_loop().call_later(0.5, setattr, controller, "gripper", "holding")
        action = gripper.grip()
        assert action.settle is not None
        return await action.settle(1)

    assert leap(run()).value is True


def test_an_empty_gripper_may_open_again(gripper: Megp25) -> None:
    assert gripper.release(holding=False).recovery is Recovery.REPEATABLE
    assert gripper.release(holding=True).recovery is Recovery.OBSERVABLE


def test_a_gripper_that_cannot_tell_does_not_guess(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller
) -> None:
    controller.tool = "0,0,0"

    async def run() -> bool | None:
        await _opened(arm, gripper)
        return await gripper.holds()

    assert leap(run()) is None


def test_an_error_of_the_gripper_is_told(
    leap: Any, arm: Mecademic, gripper: Megp25, controller: Controller
) -> None:
    controller.tool = "1,0,1"

    async def run() -> str:
        await _opened(arm, gripper)
        return await gripper.fault()

    assert "too hot" in leap(run())


def test_a_controller_that_is_none_is_refused(leap: Any, rack: Any, gripper: Megp25) -> None:
    rack.devices["arm.controller"] = gripper
    with pytest.raises(DeviceError, match="is no Mecademic controller"):
        leap(gripper.open())
