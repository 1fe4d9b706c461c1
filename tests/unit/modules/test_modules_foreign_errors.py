"""What a driver raises that it must not is an alarm of its module; and however a process ends, nothing moves on."""

import asyncio
from collections.abc import Awaitable
from types import ModuleType
from typing import Any

import pytest

from cellctl.messages import Accepted, Cancel, Event
from cellctl.modules.conveyor import Conveyor
from cellctl.modules.recorder import Recorder
from cellctl.packml import State, StateCommand
from cellctl_sim.loop import nanoseconds


class Mistake(Exception):
    """Not of our tree."""


def failing(self: Any, *_: object) -> Awaitable[None]:
    raise Mistake("a bug in the driver")


def begin(run: Any, client: Any) -> None:
    """Until the first command is in hand and the belt runs."""
    run.until(lambda: any(isinstance(m, Accepted) for m in client.heard))
    run.pause(0.5)


def alarms(client: Any) -> dict[tuple[str, str], str]:
    heard = [m.alarm for m in client.heard if isinstance(m, Event) and m.alarm is not None]
    return {(alarm.code, alarm.source): alarm.text for alarm in heard}


def test_a_halt_that_fails_in_a_foreign_way_ends_in_aborted_with_its_words(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE], clears=False)
    with bench.Run(built, client) as run:
        begin(run, client)
        monkeypatch.setattr(bench.fakes.FakeDrive, "halt", failing)
        client.instruct(StateCommand.ABORT)
        run.until_state(State.ABORTED)
        assert "a bug in the driver" in alarms(client)["M011", "belt"]
        monkeypatch.undo()
        client.instruct(StateCommand.CLEAR)
        run.until_done()
    assert client.answers[1].outcome == "done"


def test_a_belt_that_cannot_be_stopped_when_it_is_idle_aborts_its_module_only(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE], clears=False)
    monkeypatch.setattr(bench.fakes.FakeDrive, "stop", failing)
    with bench.Run(built, client) as run:
        run.until_state(State.ABORTED)
    assert "a bug in the driver" in alarms(client)["M011", "belt"]


@pytest.mark.parametrize("which", ["FakeDrive", "FakeIO"])
def test_a_device_that_fails_to_open_in_a_foreign_way_is_an_alarm_and_tried_again(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    monkeypatch.setattr(getattr(bench.fakes, which), "open", failing, raising=False)
    with bench.Run(built, client) as run:
        run.pause(3.0)
        found = [alarm.text for alarm in run.inquire().alarms if alarm.code == "M003"]
        assert found
        assert "a bug in the driver" in found[0]
        monkeypatch.undo()
        run.until_done()
    assert client.answers[1].outcome == "done"


def cause_of_the_end(run: Any) -> BaseException | None:
    """Why the process ended."""
    with pytest.raises(Exception, match="cell failed") as caught:
        run.pause(5.0)
    return caught.value.__cause__


def test_a_process_that_is_told_to_end_stops_its_devices_first(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    with bench.Run(built, client) as run:
        begin(run, client)
        assert built.world.speed > 0
        run.universe._node("cell").task.cancel()  # as its signal handler does
        assert isinstance(cause_of_the_end(run), asyncio.CancelledError)
    assert built.world.speed == 0.0


def test_a_process_that_fails_stops_its_devices_first_whatever_one_of_them_raises(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    belt, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    with bench.Run(belt, client) as run:
        begin(run, client)
        monkeypatch.setattr(bench.fakes.FakeIO, "halt", failing)
        monkeypatch.setattr(Recorder, "_apply", failing)
        client.instruct(StateCommand.HOLD)
        assert isinstance(cause_of_the_end(run), Mistake)
    assert belt.world.speed == 0.0


def test_a_kind_that_cannot_halt_does_not_hide_why_its_process_ends(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    with bench.Run(built, client) as run:
        begin(run, client)
        monkeypatch.setattr(Conveyor, "halt", failing)
        run.universe._node("cell").task.cancel()
        assert isinstance(cause_of_the_end(run), asyncio.CancelledError)


def test_a_device_that_cannot_be_halted_leaves_no_other_moving(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, client = bench.an_arm(), bench.Client([bench.TRANSFER], clears=False)
    monkeypatch.setattr(bench.fakes.FakeArm, "halt", failing)
    with bench.Run(built, client) as run:
        run.until_state(State.EXECUTE)
        client.instruct(StateCommand.ABORT)
        run.until_state(State.ABORTED)
    assert built.world.count["arm.gripper halted"] == 1


# --- a slow journal -----------------------------------------------------------------------------------------------


def slow(run: Any) -> None:
    """From now on a sync takes four seconds."""
    run.universe.disk("cell").spells.begin("slow_disk", 4.0, nanoseconds(run.universe.now + 60.0))


def test_an_abort_waits_for_no_record_that_came_before_it(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE], clears=False)
    with bench.Run(built, client) as run:
        begin(run, client)
        assert built.world.speed > 0
        slow(run)
        client.send(Cancel("belt", client.epoch, 50))  # answered when it is on record
        run.pause(0.1)
        client.instruct(StateCommand.ABORT)
        run.pause(0.1)
        assert client.view.state is State.ABORTING
        assert built.world.speed == 0.0


def test_what_came_before_a_stop_that_overtook_it_is_not_the_last_word(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    with bench.Run(built, client) as run:
        run.until_done()
        client.press_on = lambda: None
        run.pause(1.0)
        slow(run)
        for number in (50, 51):
            client.send(Cancel("belt", client.epoch, number))
        client.instruct(StateCommand.RESET)
        run.pause(0.1)
        client.instruct(StateCommand.STOP)
        run.pause(40.0)
        states = [view.state for view in client.views]
        assert State.RESETTING in states[-4:]
        assert client.view.state is State.STOPPED
