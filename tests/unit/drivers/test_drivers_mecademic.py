"""The Meca500 driver and its gripper against a scripted controller."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import pytest

from cellctl.device import Pose, Recovery, Settlement
from cellctl.errors import DeviceError, DeviceFault, DeviceRefused, DeviceSilent, LimitExceeded
from cellctl_drivers.mecademic import Mecademic, MecademicOptions
from cellctl_drivers.megp25 import Megp25, Megp25Options

ADDRESS = "tcp://bench:10000"
POSE = Pose(0.2, -0.11, 0.03, math.pi, 0.0, 0.0)
Messages = Sequence[tuple[float, str]]


class Controller:
    """Knows the commands that the driver sends; a motion takes a second, the gripper 0.2 s."""

    def __init__(self, texts_link: Any) -> None:
        self.link = texts_link(self.answer)
        self.activated = self.homed = True
        self.error = self.paused = False
        self.firmware, self.fails, self.loses = "v11.3.0", "", False
        self.gripper = "open"  # open, closed, holding, between, moving
        self.part = True
        self.tool = "1,0,0"  # homed, error, overheat
        self.queue: list[str] = []
        self.moves_until = 0.0
        self.takes = 1.0  # [s] a motion

    def answer(self, text: str) -> Messages:
        name, _, arguments = text.partition("(")
        arguments = arguments.rstrip(")")
        match name:
            case "GetFwVersion":
                return [(0.001, f"[2081][{self.firmware}]")]
            case "GetStatusRobot":
                stands = asyncio.get_running_loop().time() >= self.moves_until
                flags = (self.activated, self.homed, False, self.error, self.paused, stands, stands)
                return [(0.001, f"[2007][{','.join(str(int(flag)) for flag in flags)}]")]
            case "ClearMotion" | "PauseMotion":
                self.paused, self.queue = True, []
                return [(0.001, "[2044][Cleared]" if name == "ClearMotion" else "[2042][Paused]")]
            case "ResumeMotion":
                self.paused = False
                return [(0.001, "[2043][Resumed]")]
            case "ResetError":
                self.error, self.paused = False, True
                return [(0.001, "[2005][Reset]")]
            case "ActivateRobot":
                self.activated = True
                return [(2.0, "[2000][Activated]")]
            case "Home":
                self.homed = True
                return [(3.0, "[2002][Homed]")]
            case "GetRtExtToolStatus":
                return [(0.001, f"[2300][1,0,10,{self.tool}]")]
            case "GetRtGripperState":
                state = {"open": "0,1,0,1", "closed": "0,1,1,0", "holding": "1,0,0,0", "between": "0,0,0,0"}
                return [(0.001, f"[2320][1,{state.get(self.gripper, '0,0,0,0')}]")]
            case "SetCheckpoint":
                return self.reach(arguments)
            case "ConnectionWatchdog" | "SetEob":
                return []
        self.queue.append(text)
        return []

    def reach(self, mark: str) -> Messages:
        if self.fails:
            self.error = True
            return [(0.1, self.fails)]
        if self.loses:
            self.moves_until = math.inf
            return []
        moves = any(text.startswith("Move") for text in self.queue)
        for text in self.queue:
            if text in ("GripperClose", "GripperOpen"):
                ends = "open" if text == "GripperOpen" else "holding" if self.part else "closed"
                asyncio.get_running_loop().call_later(0.2, setattr, self, "gripper", ends)
        self.queue = []
        seconds = self.takes if moves else 0.001
        self.moves_until = asyncio.get_running_loop().time() + seconds
        return [(seconds, f"[3030][{mark}]")]

    @property
    def sent(self) -> list[str]:
        texts: list[str] = self.link.sent
        return texts

    def actuations(self) -> list[str]:
        return [text for text in self.sent if text.startswith(("Move", "Gripper", "Home", "Activate"))]


@pytest.fixture
def controller(texts_link: Any, rack: Any) -> Controller:
    made = Controller(texts_link)
    rack.links[ADDRESS] = made.link
    return made


@pytest.fixture
def arm(rack: Any, controller: Controller) -> Mecademic:
    made: Mecademic = rack.add(Mecademic("arm.controller", MecademicOptions(address=ADDRESS), rack))
    return made


@pytest.fixture
def gripper(rack: Any, arm: Mecademic) -> Megp25:
    return Megp25("arm.gripper", Megp25Options(controller="arm.controller"), rack)


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
        DeviceSilent, match=rf"arm.controller at {ADDRESS}: no reply to GetFwVersion within 2 s"
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
    assert "device spoke unreadably" in rack.runtime.log.warnings


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


# --- the gripper ------------------------------------------------------------------------------------------------


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
