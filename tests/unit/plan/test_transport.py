"""A cell whose figures contradict each other is refused, with the figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cellctl.errors import UnknownName
from cellctl.plan.errors import BadPlan
from cellctl.plan.transport import Robot, Route, Stay, Track, TransportCell


@pytest.fixture
def cell(robotic_cell) -> TransportCell:
    return robotic_cell([10, 20], 1, 2)


def route(*stays: Stay, **more) -> tuple[Route, ...]:
    return (Route("part", stays, **more),)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"routes": ()}, "missing"),
        ({"routes": route(Stay("in"))}, "two stays"),
        ({"routes": route(Stay("in"), Stay("m1", 5, 4), Stay("out"))}, "5 s to 4 s is no window"),
        ({"routes": route(Stay("in"), Stay("in"), Stay("out"))}, "in follows itself"),
        ({"routes": route(Stay("in"), Stay("out"), carriers=2)}, "2 carriers"),
        ({"routes": route(Stay("in"), Stay("out")) * 2}, "used twice"),
        ({"stations": {"in": 1, "m1": 0, "m2": 1, "out": 1}}, "capacity 0"),
        ({"loaded": np.ones((3, 3))}, "there are 4 stations"),
        ({"loaded": np.full((4, 4), -1.0)}, "negative"),
        ({"loaded": np.full((4, 4), np.nan)}, "in to m1 is needed and missing"),
        ({"empty": np.full((4, 4), np.nan)}, "an entry is missing"),
        ({"loaded": np.full((4, 4), 0.5)}, "longer than picking and placing, and than empty"),
        ({"pick": 3.0, "place": 3.0}, "longer than picking and placing"),
        ({"pick": -1.0}, "negative time"),
        ({"robots": (Robot("left", frozenset({"in", "m1"})),)}, "m1 to m2: no robot reaches both"),
        ({"track": Track({"in": 0.0}, 1.0)}, "no position for m1, m2, out"),
        ({"track": Track(dict.fromkeys(["in", "m1", "m2", "out"], 0.0), 0.0)}, "speed 0"),
        ({"track": Track({"in": 0.0, "m1": 9.0, "m2": 9.0, "out": 9.0}, 1.0)}, "in to m1 is faster"),
    ],
)
def test_a_contradiction_is_named(cell, change, words):
    with pytest.raises(BadPlan, match=words):
        replace(cell, **change)


def test_a_way_that_is_longer_than_with_a_part_on_it_is_refused(cell):
    empty = cell.empty.copy()
    empty[2, 0] = 100.0  # from m2 to in, though m1 lies on the way and the robot is there with a part
    with pytest.raises(BadPlan, match="m2 to in takes longer than"):
        replace(cell, empty=empty, loaded=np.full((4, 4), 101.0) * (cell.loaded > 100) + cell.loaded)


def test_a_station_that_is_not_there_is_answered_with_the_nearest(cell):
    with pytest.raises(UnknownName, match="did you mean m1"):
        replace(cell, routes=route(Stay("in"), Stay("mm1"), Stay("out")))


def test_a_cell_with_several_parts_a_period_has_a_route_for_each(cell):
    assert [one.name for one in cell.repeated(3).routes] == ["part#1", "part#2", "part#3"]
    assert cell.repeated(1) is cell
    with pytest.raises(BadPlan, match="0 parts"):
        cell.repeated(0)
