"""The puck line whose journals lose records while a process is down: nothing is done twice, and a person goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cellctl.flow.events import Dispatched, JournalAccepted
from cellctl.line.model import Line
from cellctl.runtime import Peer
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import Order, ask, journal_of, start_line
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"


class Cell:
    """The running line, its order of one puck, and the word of an operator."""

    def __init__(self, line: Line, longest_journal: int = 20_000) -> None:
        self.universe = Universe(seed=1)
        self.universe.__enter__()
        self.plant = Plant(line, self.universe.random)
        self.universe.install(self.plant)
        start_line(self.universe, line, longest_journal=longest_journal)
        self._asked: list[tuple[str, dict[str, Any]]] = []
        self._replies: list[dict[str, Any]] = []
        self.universe.start("operator", self._operate)
        self.order("o1")
        self.ask("start")

    async def _operate(self, runtime: SimRuntime) -> None:
        async with runtime.connect("runner") as runner:
            await self._serve(runtime, runner)

    async def _serve(self, runtime: SimRuntime, runner: Peer) -> None:
        while True:
            while self._asked:
                self._replies.append(await ask(runtime, runner, *self._asked.pop(0)))
            await runtime.sleep(0.02)

    def order(self, name: str) -> None:
        self.ask("order", **Order(name, RECIPE.read_text(), RECIPE.name, "indoor", 1).body)

    def ask(self, verb: str, **body: Any) -> dict[str, Any]:
        count = len(self._replies)
        self._asked.append((verb, body))
        self.until(lambda: len(self._replies) > count)
        return self._replies[-1]

    def until(self, holds: Callable[[], bool], limit: float = 60.0) -> None:
        end = self.universe.now + limit
        while not holds():
            assert self.universe.now < end, f"not so within {limit} s"
            self.pause(0.05)

    def pause(self, seconds: float) -> None:
        self.universe.run(self.universe.now + seconds)

    def lose(self, process: str, rows: int) -> None:
        """A process is killed and starts again without the last rows of its journal."""
        self.universe.kill(process)
        durable = self.universe.disk(process).durable
        del durable[len(durable) - rows :]
        self.universe.restart(process)

    def new_journal(self, process: str) -> None:
        disk = self.universe.disk(process)
        self.universe.kill(process)
        disk.durable.clear()
        disk.archived.clear()
        self.universe.restart(process)

    @property
    def pressings(self) -> int:
        self.plant.advance(self.universe.now)
        return self.plant.counters().get("press.plc.started", 0)

    def alarms(self) -> set[tuple[str, str]]:
        return {(alarm["code"], alarm["source"]) for alarm in self.ask("status")["alarms"]}

    def is_complete(self, name: str = "o1") -> bool:
        return any(o["order"] == name and o["complete"] for o in self.ask("status")["orders"])


@pytest.fixture
def cell(puck_line: Line) -> Iterator[Cell]:
    cell = Cell(puck_line)
    yield cell
    cell.universe.close()


@pytest.mark.parametrize(
    "loss",
    [lambda cell: cell.lose("press", 2), lambda cell: cell.new_journal("press")],
    ids=["its last two", "all"],
)
def test_a_press_that_lost_records_presses_nothing_until_a_person_has_accepted_it(
    cell: Cell, loss: Callable[[Cell], None]
) -> None:
    cell.until(lambda: cell.pressings == 1)
    loss(cell)
    cell.pause(20.0)
    cell.universe.restart("runner")  # what was seen of the press is in its journal
    cell.pause(20.0)
    assert ("R011", "press") in cell.alarms()
    assert cell.ask("map")["journals"][0]["module"] == "press"
    assert cell.ask("accept", module="press", note="looked")["modules"] == ["press"]
    cell.until(lambda: bool(cell.ask("map")["decisions"]))
    assert ("R011", "press") not in cell.alarms()
    assert (cell.pressings, cell.is_complete()) == (1, False)
    cell.ask("decide", part="p1", choice="next")
    cell.ask("start")
    cell.until(cell.is_complete)
    assert cell.pressings == 1
    cell.order("o2")
    cell.until(lambda: cell.is_complete("o2"))
    assert cell.pressings == 2


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_a_runner_that_lost_records_and_writes_new_ones_gives_no_command(cell: Cell, rows: int) -> None:
    cell.until(lambda: cell.pressings == 1)
    last = max(e.number for e in journal_of(cell.universe) if isinstance(e, Dispatched))
    cell.lose("runner", rows)
    for priority in range(8):
        cell.ask("priority", order="o1", priority=priority)
    assert ("R014", "press") in cell.alarms()
    cell.pause(20.0)
    assert not cell.is_complete()
    cell.ask("accept", module="press", note="looked")
    cell.ask("start")
    cell.until(lambda: not any(m["doing"] for m in cell.ask("status")["modules"]))
    [asked] = cell.ask("map")["decisions"]
    assert (asked["part"], asked["outcome"]) == ("p1", "unknown")
    cell.ask("decide", part="p1", choice="next")
    cell.until(cell.is_complete)
    events = journal_of(cell.universe)
    begins = next(n for n, e in enumerate(events) if isinstance(e, JournalAccepted))
    assert all(e.number > last for e in events[begins:] if isinstance(e, Dispatched))
    assert not any(code in ("R014", "M030") for code, _ in cell.alarms())
    assert cell.pressings == 1


def test_a_runner_that_lost_records_and_began_its_journal_again_gives_no_command(puck_line: Line) -> None:
    cell = Cell(puck_line, longest_journal=120)
    try:
        cell.until(lambda: cell.pressings == 1)
        cell.lose("runner", 5)
        for priority in range(150):  # so many records that those of before are archived
            cell.ask("priority", order="o1", priority=priority)
        assert cell.universe.disk("runner").archived
        assert ("R014", "press") in cell.alarms()
        cell.pause(20.0)
        assert not cell.is_complete()
        assert cell.pressings == 1
    finally:
        cell.universe.close()


def test_a_press_that_did_action_two_of_another_journal_does_that_of_the_new_one(cell: Cell) -> None:
    cell.until(cell.is_complete)
    for process in ("belt", "arm", "press", "gauge", "io2", "runner"):
        cell.new_journal(process)
    cell.order("o2")
    cell.ask("start")
    cell.until(lambda: cell.is_complete("o2"))
    assert cell.pressings == 2
