"""Parts that nobody wants, and parts that leave, on the moving belt in virtual time: somebody is told, nothing jams."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cellctl.findings import Report
from cellctl.flow.events import FlowEvent, PartBorn, PartEnded, PartWithdrawn
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import Order, ask, journal_of, start_line
from cellctl_sim.universe import Universe

CELL = Path(__file__).parent / "moving-belt"

Ask = Callable[..., Awaitable[dict[str, Any]]]
Script = Callable[[SimRuntime, Ask], Awaitable[None]]


@pytest.fixture(name="line")
def moving_belt(example_on_path: Any) -> Line:
    report = Report()
    line = load_line(CELL / "line.yaml", report, *example_on_path)
    assert line is not None, report.render()
    return line


def play(line: Line, script: Script) -> list[FlowEvent]:
    """Start the line and do what `script` says; the runner's journal."""
    with Universe(seed=5) as universe:
        universe.install(Plant(line, universe.random))
        start_line(universe, line)
        done: list[bool] = []

        async def work(runtime: SimRuntime) -> None:
            async with runtime.connect("runner") as runner:

                async def asked(verb: str, **body: Any) -> dict[str, Any]:
                    return await ask(runtime, runner, verb, body)

                await asked("start")
                await script(runtime, asked)
            done.append(True)
            universe.stop()

        universe.start("operator", work)
        universe.run(600.0)
        assert done
        return journal_of(universe)


async def order(asked: Ask, name: str, quantity: int) -> None:
    text = (CELL / "recipe.yaml").read_text()
    await asked("order", **Order(name, text, "recipe.yaml", "", quantity).body)


async def until(runtime: SimRuntime, asked: Ask, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    ends = runtime.now() + 300.0
    while not holds(status := await asked("status")):
        assert runtime.now() < ends, status
        await runtime.sleep(0.25)
    return status


def codes(status: dict[str, Any]) -> set[str]:
    return {alarm["code"] for alarm in status["alarms"]}


def is_complete(status: dict[str, Any], name: str) -> bool:
    return any(each["order"] == name and each["complete"] for each in status["orders"])


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


def test_a_part_that_no_order_wants_has_an_alarm_until_one_comes_that_takes_it(line: Line) -> None:
    async def script(runtime: SimRuntime, asked: Ask) -> None:
        status = await until(runtime, asked, lambda status: "R023" in codes(status))
        [alarm] = [alarm for alarm in status["alarms"] if alarm["code"] == "R023"]
        assert (alarm["source"], "picker.window" in alarm["text"]) == ("picker", True)
        await order(asked, "late", 1)
        await until(runtime, asked, lambda status: "R023" not in codes(status))
        await until(runtime, asked, lambda status: is_complete(status, "late"))

    births = [event for event in play(line, script) if isinstance(event, PartBorn)]
    assert [birth.order for birth in births] == ["late"]


def test_an_unwanted_part_that_leaves_takes_its_alarm_with_it(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw_after(4.0, monkeypatch)

    async def script(runtime: SimRuntime, asked: Ask) -> None:
        for _ in range(2):
            await until(runtime, asked, lambda status: "R023" in codes(status))
            await until(runtime, asked, lambda status: "R023" not in codes(status))

    events = play(line, script)
    withdrawn = [event.number for event in events if isinstance(event, PartWithdrawn)]
    assert len(withdrawn) >= 2
    assert withdrawn == sorted(set(withdrawn))


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_an_order_gets_its_parts_although_some_leave_at_any_time(
    line: Line, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    withdraw_after(seconds, monkeypatch)

    async def script(runtime: SimRuntime, asked: Ask) -> None:
        await order(asked, "o", 3)
        status = await until(runtime, asked, lambda status: is_complete(status, "o"))
        assert status["orders"][0]["good"] == 3

    events = play(line, script)
    assert any(isinstance(event, PartWithdrawn) for event in events)
    verdicts = [event.verdict for event in events if isinstance(event, PartEnded)]
    assert set(verdicts) <= {"good", "withdrawn"}
    assert len({e.announcement for e in events if isinstance(e, PartBorn)}) == len(verdicts)


def test_a_window_that_is_full_by_the_part_map_takes_no_more_and_says_so(line: Line) -> None:
    async def script(runtime: SimRuntime, asked: Ask) -> None:
        await order(asked, "many", 30)
        await until(runtime, asked, lambda status: status["state"] == "execute")
        await asked("command", module="arm", command="hold")  # the tray fills up, then the window
        status = await until(runtime, asked, lambda status: "R024" in codes(status))
        [alarm] = [alarm for alarm in status["alarms"] if alarm["code"] == "R024"]
        there = [part["part"] for part in status["parts"] if part["place"] == "picker.window"]
        assert len(there) == 8
        assert all(part in alarm["text"] for part in there)
        await asked("command", module="arm", command="unhold")
        await until(runtime, asked, lambda status: "R024" not in codes(status))

    play(line, script)
