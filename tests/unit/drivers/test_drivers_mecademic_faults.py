"""The Meca500 driver against a scripted controller: errors, losses, and what others do to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted_meca500 import POSE, Controller

from cellctl.errors import DeviceFault, DeviceRefused, DeviceSilent
from cellctl_drivers.mecademic import Mecademic

LINES = ["SetTrf(0,0,0,0,0,0)", "SetBlending(0)", "SetCartLinVel(500)", "SetCartAngVel(180)"]


@pytest.mark.parametrize(
    "disturb", ["a loss", "a loss unnoticed", "an error", "a stop that ended", "a halt", "a new activation"]
)
def test_after_anything_uncertain_all_is_asked_and_said_again(
    leap: Any, arm: Mecademic, controller: Controller, disturb: str
) -> None:
    """A controller that booted, or lost power at its joints, has the settings of the factory again."""

    async def happen() -> None:
        match disturb:
            case "a loss":
                controller.link.cut()
            case "a loss unnoticed":
                controller.link.cut(greets=False)
            case "an error":
                controller.link.say("[1040][Command failed.]")
            case "a stop that ended":
                controller.link.say("[3070][1]")
                controller.link.say("[3070][0]")
            case "a halt":
                await arm.halt()
            case _:
                controller.activated = False
                await arm.activate().perform(2)
        await asyncio.sleep(0.01)

    async def run() -> list[str]:
        await arm.open()
        await arm.move_to(POSE, straight=True, speed=1.0).perform(1)
        await happen()
        before = len(controller.sent)
        await arm.move_to(POSE, straight=True, speed=1.0).perform(3)
        return controller.sent[before:]

    said = leap(run())
    assert "GetStatusRobot" in said
    assert [text for text in said if text.startswith("Set")][-5:-1] == LINES


def test_a_motion_that_somebody_paused_is_a_fault(leap: Any, arm: Mecademic, controller: Controller) -> None:
    async def run() -> None:
        await arm.open()
        await arm.move_to(POSE, straight=True, speed=1.0).perform(1)
        controller.paused = controller.loses = True
        with pytest.raises(DeviceFault, match="paused its motions; reset"):
            await arm.move_to(POSE, straight=True, speed=1.0).perform(2)

    leap(run())


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("[1016][Out of reach]", 1016, "the pose is out of its reach"),
        ("[1012][Singularity]", 1012, "singularity"),
        ("[3041][1]", 3041, "it would collide"),
        ("[3070][1]", 3070, "emergency stop is active"),
        ("[1999][?]", 1999, "it reports an error"),
    ],
)
def test_an_error_ends_the_motion_with_words_and_remedy(
    leap: Any, arm: Mecademic, controller: Controller, message: str, code: int, words: str
) -> None:
    async def run() -> str:
        await arm.open()
        controller.fails = message
        with pytest.raises(DeviceFault, match=words) as caught:
            await arm.move_to(POSE, straight=True, speed=1.0).perform(1)
        assert caught.value.code == code
        assert caught.value.device == "arm.controller"
        return await arm.fault()

    assert words in leap(run())


def test_a_stop_that_has_ended_is_no_fault(leap: Any, arm: Mecademic, controller: Controller) -> None:
    async def run() -> list[str]:
        await arm.open()
        controller.link.say("[3069][1]")
        await asyncio.sleep(0.1)
        during = await arm.fault()
        controller.link.say("[3069][0]")
        await asyncio.sleep(0.1)
        return [during, await arm.fault()]

    during, after = leap(run())
    assert "protective stop 1" in during
    assert after == ""


def test_a_stop_of_which_the_end_may_have_been_lost_is_a_fault_no_longer(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> str:
        await arm.open()
        controller.link.say("[3032][1]")
        await asyncio.sleep(0.1)
        answers, controller.link.answer = controller.link.answer, lambda text: []
        with pytest.raises(DeviceSilent):
            await (await arm.conversation()).ask("GetStatusRobot", 2007)
        controller.link.answer = answers
        return await arm.fault()

    assert leap(run()) == ""


@pytest.mark.parametrize(("activated", "homed", "code"), [(False, False, 1005), (True, False, 1006)])
def test_an_arm_that_is_not_ready_is_not_moved(
    leap: Any, arm: Mecademic, controller: Controller, activated: bool, homed: bool, code: int
) -> None:
    controller.activated, controller.homed = activated, homed

    async def run() -> None:
        await arm.open()
        with pytest.raises(DeviceFault, match="reset the module") as caught:
            await arm.move_to(POSE, straight=True, speed=1.0).perform(1)
        assert caught.value.code == code

    leap(run())
    assert controller.actuations() == []


def test_a_motion_that_somebody_else_cleared_is_a_fault(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    async def run() -> None:
        await arm.open()
        controller.loses = True
        asyncio.get_running_loop().call_later(0.5, controller.link.say, "[3040][1]")
        with pytest.raises(DeviceFault, match="cleared"):
            await arm.move_to(POSE, straight=False, speed=1.0).perform(1)

    leap(run())


@pytest.mark.parametrize("greets", [True, False])
def test_a_lost_connection_ends_the_motion_and_is_set_up_again_without_moving(
    leap: Any, arm: Mecademic, controller: Controller, greets: bool
) -> None:
    async def run() -> list[str]:
        await arm.open()
        task = asyncio.ensure_future(arm.move_to(POSE, straight=False, speed=1.0).perform(1))
        await asyncio.sleep(0.5)
        controller.link.cut(greets)
        with pytest.raises(DeviceSilent, match=r"arm.controller at .*: the connection was lost"):
            await task
        before = len(controller.sent)
        assert await arm.fault() == ""
        again = controller.sent[before:]
        await arm.move_to(POSE, straight=False, speed=1.0).perform(1)
        return again

    again = leap(run())
    assert again == ["GetFwVersion", "ClearMotion", "GetStatusRobot"]
    assert len(controller.actuations()) == 2


def test_two_who_come_after_a_loss_set_it_up_once(leap: Any, arm: Mecademic, controller: Controller) -> None:
    async def run() -> list[str]:
        await arm.open()
        controller.link.cut()
        await asyncio.sleep(0.1)
        before = len(controller.sent)
        await asyncio.gather(arm.fault(), arm.fault(), arm.status())
        return controller.sent[before:]

    assert leap(run()).count("ClearMotion") == 1


def test_a_controller_that_somebody_else_controls_says_so(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    controller.link.answer = lambda text: [(0.001, "[3001][Another user is already connected]")]
    with pytest.raises(DeviceRefused, match="somebody else controls it"):
        leap(arm.open())


def test_a_controller_that_does_not_answer_is_silent(
    leap: Any, arm: Mecademic, controller: Controller
) -> None:
    controller.link.answer = lambda text: []
    with pytest.raises(
        DeviceSilent,
        match=rf"arm.controller at {controller.link.address}: no reply to GetFwVersion within 2 s",
    ):
        leap(arm.open())


def test_unreadable_messages_are_logged_and_skipped(
    leap: Any, arm: Mecademic, controller: Controller, rack: Any
) -> None:
    async def run() -> str:
        await arm.open()
        controller.link.say("gibberish")
        return await arm.fault()

    assert leap(run()) == ""
    assert ("warning", "device spoke unreadably") in rack.runtime.log.lines
