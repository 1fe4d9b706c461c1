"""Parts that nobody wants, and parts that leave, on the moving belt in virtual time: somebody is told, nothing jams."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from floor import Floor

from cellctl.flow.events import PartBorn, PartEnded, PartWithdrawn
from cellctl.line.model import Line

CELL = Path(__file__).parent / "moving-belt"


async def order(floor: Floor, name: str, quantity: int) -> None:
    await floor.order(quantity, name, CELL / "recipe.yaml", variant="")


def withdraw_after(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the tracker say of each part, so long after it saw it, that it has left."""

    async def watch(self: Any, announce: Any) -> None:
        camera, runtime = self._own.device("camera"), self._own._rack.runtime
        while True:
            seen = await camera.next_sighting()
            where = {"pick.x": seen.x, "pick.turn": seen.turn}
            await announce(self._window, given=where, mark=seen.mark)
            await camera.confirm(seen)
            await runtime.sleep(seconds)
            await announce.withdraw(self._window, seen.mark)

    monkeypatch.setattr(import_module("cellctl_example.tracker").Tracker, "watch", watch)


def test_a_part_that_no_order_wants_has_an_alarm_until_one_comes_that_takes_it(moving_belt: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.say("start")
        status = await floor.until(lambda status: "R023" in status.codes)
        [alarm] = [alarm for alarm in status["alarms"] if alarm["code"] == "R023"]
        assert (alarm["source"], "picker.window" in alarm["text"]) == ("picker", True)
        await order(floor, "late", 1)
        await floor.until(lambda status: "R023" not in status.codes)
        await floor.until(lambda status: status.is_complete)

    births = [
        event for event in Floor(moving_belt, pucks=0).play(script).events if isinstance(event, PartBorn)
    ]
    assert [birth.order for birth in births] == ["late"]


def test_an_unwanted_part_that_leaves_takes_its_alarm_with_it(
    moving_belt: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw_after(4.0, monkeypatch)

    async def script(floor: Floor) -> None:
        await floor.say("start")
        for _ in range(2):
            await floor.until(lambda status: "R023" in status.codes)
            await floor.until(lambda status: "R023" not in status.codes)

    events = Floor(moving_belt, pucks=0).play(script).events
    withdrawn = [event.number for event in events if isinstance(event, PartWithdrawn)]
    assert len(withdrawn) >= 2
    assert withdrawn == sorted(set(withdrawn))


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_an_order_gets_its_parts_although_some_leave_at_any_time(
    moving_belt: Line, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    withdraw_after(seconds, monkeypatch)

    async def script(floor: Floor) -> None:
        await floor.say("start")
        await order(floor, "o", 3)
        status = await floor.until(lambda status: status.is_complete)
        assert status["orders"][0]["good"] == 3

    events = Floor(moving_belt, pucks=0).play(script).events
    assert any(isinstance(event, PartWithdrawn) for event in events)
    verdicts = [event.verdict for event in events if isinstance(event, PartEnded)]
    assert set(verdicts) <= {"good", "withdrawn"}
    assert len({e.announcement for e in events if isinstance(e, PartBorn)}) == len(verdicts)


def test_a_window_that_is_full_by_the_part_map_takes_no_more_and_says_so(moving_belt: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.say("start")
        await order(floor, "many", 30)
        await floor.until(lambda status: status["state"] == "execute")
        await floor.say("command", module="arm", command="hold")  # the tray fills up, then the window
        status = await floor.until(lambda status: "R024" in status.codes)
        [alarm] = [alarm for alarm in status["alarms"] if alarm["code"] == "R024"]
        there = [part["part"] for part in status["parts"] if part["place"] == "picker.window"]
        assert len(there) == 8
        assert all(part in alarm["text"] for part in there)
        await floor.say("command", module="arm", command="unhold")
        await floor.until(lambda status: "R024" not in status.codes)

    Floor(moving_belt, pucks=0).play(script)
