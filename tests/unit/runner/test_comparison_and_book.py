"""One reading proves nothing; and nothing leaves the runner before its journal has what it follows from."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from cellctl.errors import StoreError
from cellctl.flow.events import Drained
from cellctl.flow.state import Component, FlowState, Job
from cellctl.line.model import Station
from cellctl.messages import Item
from cellctl.runner.book import Book
from cellctl.runner.comparison import Comparison

LINE = SimpleNamespace(
    stations={
        "belt.load": Station("belt.load", "belt"),
        "feeder.pick": Station("feeder.pick", "feeder", source="lid"),
        "bin": Station("bin", "arm", sink=True),
    },
    carriers=(),
    module=lambda name: SimpleNamespace(tools=()),
    modules={"arm": SimpleNamespace(tools=())},
)
LID = FlowState(components={"c1": Component("c1", "lid", "belt.load")})
NOTHING = FlowState()


class Board:
    def __init__(self) -> None:
        self.standing: set[tuple[str, str]] = set()

    def raise_alarm(self, code: str, source: str, text: str) -> None:
        self.standing.add((code, source))

    def clear(self, code: str, source: str) -> None:
        self.standing.discard((code, source))


@pytest.fixture
def comparison() -> Comparison:
    return Comparison(LINE, Board())  # type: ignore[arg-type]


def test_what_agrees_is_no_contradiction(comparison):
    assert not comparison.compare(LID, {"belt.load": True, "feeder.pick": False, "bin": True})
    assert comparison.doubtful == frozenset()


def test_one_reading_asks_for_another_and_begins_nothing_meanwhile(comparison):
    assert comparison.compare(LID, {"belt.load": False})
    assert comparison.doubtful == {"belt.load"}
    assert comparison.contradictions == {}


def test_the_second_reading_decides_and_raises_the_alarm(comparison):
    comparison.compare(LID, {"belt.load": False})
    assert not comparison.compare(LID, {"belt.load": False})
    assert str(comparison.contradictions["belt.load"]) == (
        "belt.load: the journal has c1 there, the sensor sees nothing"
    )
    assert comparison._alarms.standing == {("R012", "belt.load")}


def test_a_reading_that_was_on_its_way_is_forgotten(comparison):
    comparison.compare(NOTHING, {"belt.load": True})
    assert not comparison.compare(LID, {"belt.load": True})
    assert comparison.doubtful == frozenset()


def test_a_contradiction_is_over_when_map_and_sensor_agree_again(comparison):
    comparison.compare(LID, {"belt.load": False})
    comparison.compare(LID, {"belt.load": False})
    comparison.compare(NOTHING, {"belt.load": False})
    assert comparison.doubtful == frozenset()
    assert comparison._alarms.standing == set()


def test_the_stations_of_a_command_under_way_are_left_out(comparison):
    item = Item("c1", "belt.load", "bin")
    job = Job(1, 1, "arm", "transfer", "bin", ("p1",), (item,), {"": "arm"}, 0, 1, 1, {})
    moving = FlowState(components=LID.components, jobs={1: job})
    assert not comparison.compare(moving, {"belt.load": False})
    assert comparison.doubtful == frozenset()


def test_a_component_that_lies_ready_unasked_is_welcome(comparison):
    assert not comparison.compare(NOTHING, {"feeder.pick": True})


class Store:
    """Rows in memory; `broken` makes every append fail."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.broken = False

    async def append(self, rows: list[bytes]) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise StoreError("the disk is full")
        self.rows += rows

    def replay(self):
        return iter(self.rows)


def test_what_follows_from_an_event_leaves_after_the_event_is_durable():
    store, left = Store(), []
    book = Book(store, LINE)
    book.record(Drained(True, "me"))
    book.afterwards(lambda: left.append(len(store.rows)))
    assert left == []
    asyncio.run(book.make_durable())
    assert left == [1]
    assert Book(store, LINE).state.draining


def test_nothing_leaves_when_the_journal_cannot_be_written():
    store, left = Store(), []
    book = Book(store, LINE)
    book.record(Drained(True, "me"))
    book.afterwards(lambda: left.append("command"))
    store.broken = True
    with pytest.raises(StoreError):
        asyncio.run(book.make_durable())
    assert left == []
