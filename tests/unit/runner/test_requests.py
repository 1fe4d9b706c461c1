"""What people ask of the runner is checked before anything is journaled."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cellctl.errors import Refused, UnknownName
from cellctl.flow.events import LineTaken, PartBorn
from cellctl.flow.fold import fold
from cellctl.flow.state import Component, FlowState, Order
from cellctl.line.model import Carrier, Station
from cellctl.runner.requests import VERBS
from cellctl.runner.shell import Runner

STATIONS = {
    "belt.load": Station("belt.load", "belt"),
    "tray.rack": Station("tray.rack", "tray", capacity=2),
    "arm.bin": Station("arm.bin", "arm", sink=True),
}


class Line:
    name, digest, stations, carriers = "small", "new", STATIONS, (Carrier("P1", 2, "belt.load"),)

    def station(self, name: str) -> Station:
        if name not in STATIONS:
            raise UnknownName("station", name, STATIONS)
        return STATIONS[name]


def runner_with(**places: str) -> SimpleNamespace:
    components = {name: Component(name, "lid", place) for name, place in places.items()}
    recorded: list[object] = []
    return SimpleNamespace(
        state=FlowState(components=components),
        line=Line(),
        fleet=[],
        runtime=SimpleNamespace(utc=lambda: 1.0),
        record=recorded.append,
        recorded=recorded,
    )


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        ("belt.lod", UnknownName, "belt.load"),
        ("tray.rack#5", UnknownName, "tray.rack#0"),
        ("P1#7", UnknownName, "P1#1"),
        ("P1", UnknownName, "P1#0"),
        ("belt.load", Refused, "taken by c2"),
        ("tray.rack#1", Refused, "taken by c3"),
    ],
)
def test_an_item_is_not_put_where_it_cannot_be(place, error, said):
    runner = runner_with(c1="?", c2="belt.load", c3="tray.rack#1")
    with pytest.raises(error, match=said):
        VERBS["correct"](runner, "me", {"item": "c1", "place": place})
    assert runner.recorded == []


@pytest.mark.parametrize("place", ["", "arm.bin", "tray.rack#0", "P1#0"])
def test_an_item_is_put_where_it_can_be(place):
    runner = runner_with(c1="?", c3="tray.rack#1", c4="arm.bin")
    VERBS["correct"](runner, "me", {"item": "c1", "place": place})
    assert runner.recorded[0].place == place


@pytest.mark.parametrize("command", ["suspend", "unsuspend", "complete"])
def test_a_line_is_not_told_what_only_modules_do_by_themselves(command):
    runner = runner_with()
    with pytest.raises(Refused, match="a line is not told"):
        VERBS["command"](runner, "me", {"command": command})


def test_an_order_with_fields_that_nobody_checks_is_refused():
    body = {
        "order": "o1",
        "text": "",
        "source": "x",
        "variant": "",
        "quantity": 1,
        "parts": [{"press.force": 99}],
    }
    with pytest.raises(Refused, match="parts"):
        VERBS["order"](runner_with(), "me", body)


def changed(state: FlowState) -> None:
    Runner._check_changed_line(SimpleNamespace(line=Line()), state)  # type: ignore[arg-type]


def test_another_line_file_is_taken_when_the_line_is_empty():
    changed(fold([LineTaken("small", "old")]))
    changed(FlowState(components={"c1": Component("c1", "lid", "tray.rack#0")}))


@pytest.mark.parametrize(
    "state",
    [
        FlowState(orders={"o1": Order("o1", "d", 2)}),
        fold([PartBorn("p1", "o1")], FlowState(orders={"o1": Order("o1", "d", 1)})),
        FlowState(components={"c1": Component("c1", "lid", "feeder.gone")}),
    ],
)
def test_another_line_file_is_refused_while_the_old_one_has_something_to_finish(state):
    with pytest.raises(Refused, match="changed"):
        changed(state)
