"""The checker accepts schedules found elsewhere, and names the first thing that goes wrong in others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cellctl.plan.schedule import CyclicSchedule, ScheduledMove
from cellctl.plan.schedule_check import Rule, check_schedule
from cellctl.plan.transport import Robot, Route, Stay, Track, TransportCell


def schedule_of(cell: TransportCell, period: float, starts, robots=None, carriers=None) -> CyclicSchedule:
    """The moves of the first route at given times."""
    route = cell.routes[0]
    targets = (*route.stays[1:], *route.stays[:1]) if route.returns else route.stays[1:]
    robots = robots or [cell.robots[0].name] * len(starts)
    moves = [
        ScheduledMove(
            route.name,
            stage,
            robot,
            begin.station,
            end.station,
            float(start),
            float(cell.loaded[cell.index(begin.station), cell.index(end.station)]),
        )
        for stage, (begin, end, start, robot) in enumerate(
            zip(route.stays, targets, starts, robots, strict=False)
        )
    ]
    return CyclicSchedule(period, tuple(moves), carriers or {}, 0.0)


@pytest.fixture
def line() -> TransportCell:
    """in at 0, a at 5, b at 10, out at 15; three robots on a rail."""
    names = ["in", "a", "b", "out"]
    x = 5.0 * np.arange(4)
    empty = np.abs(x[:, None] - x[None, :])
    return TransportCell(
        stations=dict.fromkeys(names, 1),
        routes=(Route("part", (Stay("in"), Stay("a", 10, 30), Stay("b", 10, 30), Stay("out"))),),
        robots=(
            Robot("left", frozenset(names)),
            Robot("right", frozenset(names)),
            Robot("third", frozenset(names)),
        ),
        loaded=empty + 2,
        empty=empty,
        pick=1.0,
        place=1.0,
        track=Track(dict(zip(names, x, strict=True)), speed=1.0, spacing=1.0),
    )


def test_published_schedules_are_accepted(carrier_line):
    # removal times of the TORSCHE demonstrations, each within its period
    four = carrier_line([30, 100, 30, 125], [1000, 110, 60, 130], [10, 10, 10, 20], [0, 5, 10, 15])
    assert (
        check_schedule(four, schedule_of(four, 200.0, [0, 110, 150, 285], carriers={"carrier": 2}), 12)
        is None
    )
    three = carrier_line([4, 6, 6], [5, 7, 7], [1, 1, 2], [0, 1, 2])
    assert check_schedule(three, schedule_of(three, 10.0, [0, 7, 14], carriers={"carrier": 2}), 12) is None


def test_a_schedule_that_can_be_carried_out_is_accepted(line):
    assert check_schedule(line, schedule_of(line, 60.0, [0, 17, 34], ["left", "left", "right"]), 5) is None


@pytest.mark.parametrize(
    ("period", "starts", "robots", "rule", "words"),
    [
        (60.0, [0, 16, 34], ["left", "left", "right"], Rule.WINDOW, "stays at a for 9 s, not 10 s to 30 s"),
        (60.0, [0, 17, 55], ["left", "left", "right"], Rule.WINDOW, "stays at b for 31 s"),
        (30.0, [0, 17, 34], ["left", "left", "left"], Rule.ROBOT, "left cannot be at"),
        (19.0, [0, 27, 44], ["left", "right", "third"], Rule.STATION, "comes to a, where part"),
        (60.0, [0, 17, 34], ["left", "left", "nobody"], Rule.MOVES, "nobody does not reach both"),
        (0.0, [0, 17, 34], ["left", "left", "right"], Rule.MOVES, "a period of 0 s"),
    ],
)
def test_each_rule_is_broken_by_its_own_mistake(line, period, starts, robots, rule, words):
    apart = replace(line, track=None)
    found = check_schedule(apart, schedule_of(apart, period, starts, robots), 5)
    assert found.rule is rule
    assert words in found.what


def test_one_period_is_enough_to_see_what_parts_begun_before_are_in_the_way_of(line):
    apart = replace(line, track=None)
    found = check_schedule(apart, schedule_of(apart, 19.0, [0, 27, 44], ["left", "right", "third"]), cycles=1)
    assert found.rule is Rule.STATION


def test_robots_that_would_have_to_pass_each_other_collide(line):
    # left ends at 15 m after 41 s, right is at 0 m again after a period
    starts, robots = [0, 17, 34], ["right", "left", "left"]
    assert check_schedule(line, schedule_of(line, 60.0, starts, robots), 5) is None
    found = check_schedule(line, schedule_of(line, 50.0, starts, robots), 5)
    assert found.rule is Rule.TRACK
    assert "collide, 7 m too near" in found.what
    assert check_schedule(replace(line, track=None), schedule_of(line, 50.0, starts, robots), 5) is None


def test_a_move_that_is_missing_or_not_as_long_as_the_cell_says_is_named(line):
    good = schedule_of(line, 60.0, [0, 17, 34], ["left", "left", "right"])
    shortened = replace(good, moves=(replace(good.moves[0], duration=5.0), *good.moves[1:]))
    assert "it takes 7 s" in check_schedule(line, shortened).what
    assert "not those of the route" in check_schedule(line, replace(good, moves=good.moves[1:])).what


def test_another_robot_enters_a_station_only_after_the_pick():
    names = ["in", "nest", "out"]
    empty = np.zeros((3, 3))
    cell = TransportCell(
        stations=dict.fromkeys(names, 1),
        routes=(Route("part", (Stay("in"), Stay("nest", 0, 20), Stay("out"))),),
        robots=(Robot("one", frozenset({"in", "nest"})), Robot("other", frozenset({"nest", "out"}))),
        loaded=empty + 5.0,
        empty=empty,
        pick=1.0,
        place=2.0,
    )
    assert check_schedule(cell, schedule_of(cell, 10.0, [0, 12], ["one", "other"]), 4) is None
    found = check_schedule(cell, schedule_of(cell, 10.0, [0, 12.5], ["one", "other"]), 4)
    assert found.rule is Rule.STATION


def test_the_first_violation_in_time_is_the_one_that_is_named(line):
    both = check_schedule(line, schedule_of(line, 200.0, [0, 16, 80], ["left", "left", "left"]), 1)
    assert "stays at a for 9 s" in both.what
    assert str(both).startswith("at ")
