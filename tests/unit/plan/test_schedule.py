"""The best cyclic schedule, against published optima, closed forms, all orders of the moves, and the checker."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cellctl.plan.bounds import gap, lower_bounds
from cellctl.plan.errors import NoSchedule
from cellctl.plan.schedule import best_schedule
from cellctl.plan.schedule_check import Rule, check_schedule
from cellctl.plan.transport import Exchange, Robot, Route, Stay, Track, TransportCell

STRICT, SWAP = Exchange


# --- published optima and closed forms ---------------------------------------------------------------------


def test_phillips_and_unger_take_521(phillips_unger):
    schedule = best_schedule(phillips_unger)
    assert schedule.period == pytest.approx(521.0, abs=1e-9)
    assert schedule.bound == schedule.period
    assert check_schedule(phillips_unger, schedule, cycles=12) is None


def two_machines(p1: float, p2: float, eps: float, delta: float) -> float:
    """The better cycle: S. P. Sethi et al., Int. Journal of Flexible Manufacturing Systems 4 (1992) 331-358."""
    forward = p1 + p2 + 6 * eps + 6 * delta
    reverse = 6 * eps + 8 * delta + max(0.0, max(p1, p2) - 2 * eps - 4 * delta)
    return min(forward, reverse)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 5), st.integers(1, 8))
def test_two_machines_and_a_robot_take_the_better_of_two_closed_forms(robotic_cell, p1, p2, eps, delta):
    cell = robotic_cell([p1, p2], eps, delta)
    assert best_schedule(cell).period == pytest.approx(two_machines(p1, p2, eps, delta), abs=1e-9)


@pytest.mark.parametrize(
    ("work", "eps", "delta", "reverse_is_best"),
    [
        ([70, 40, 57], 4, 2, True),
        ([31, 42, 87, 49, 56], 2, 1, True),
        ([29, 46, 48, 83, 34, 55], 2, 1, True),
        ([24, 39, 54, 53, 28, 88], 3, 7, False),
    ],
)
def test_more_machines_never_take_longer_than_the_reverse_cycle(
    robotic_cell, work, eps, delta, reverse_is_best
):
    # M. Dawande, H. N. Geismar, S. P. Sethi, C. Sriskandarajah, Journal of Scheduling 8 (2005) 387-426
    machines = len(work)
    reverse = max(2 * (machines + 1) * eps + 4 * machines * delta, max(work) + 4 * eps + 4 * delta)
    period = best_schedule(robotic_cell(work, eps, delta)).period
    assert period == pytest.approx(reverse, abs=1e-9) if reverse_is_best else period < reverse


def test_carriers_that_return_are_counted(carrier_line):
    # TORSCHE Scheduling Toolbox, demonstration of one hoist: J. Liu, Y. Jiang, Z. Zhou, "Cyclic scheduling of a
    # single hoist in extended electroplating lines", IIE Transactions 34 (2002) 905-914
    four = carrier_line([30, 100, 30, 125], [1000, 110, 60, 130], [10, 10, 10, 20], [0, 5, 10, 15])
    schedule = best_schedule(four)
    assert (schedule.period, schedule.carriers) == (200.0, {"carrier": 2})
    three = carrier_line([4, 6, 6], [5, 7, 7], [1, 1, 2], [0, 1, 2])
    assert best_schedule(three).period == 10.0


def test_the_number_of_carriers_can_be_given(carrier_line):
    line = carrier_line([10, 10, 10, 10], [1e3] * 4, [2, 2, 2, 6], [0, 1, 2, 3])
    periods = {}
    for carriers in (1, 2, 3):
        cell = replace(line, routes=(replace(line.routes[0], carriers=carriers),))
        schedule = best_schedule(cell)
        assert schedule.carriers == {"carrier": carriers}
        assert check_schedule(cell, schedule, 6) is None
        periods[carriers] = schedule.period
    assert periods[1] == 52.0  # alone it waits for nobody: four stays, four moves
    assert best_schedule(line).period == min(periods.values())


# --- what may happen at one instant ------------------------------------------------------------------------


def test_a_robot_with_one_gripper_takes_80_where_an_instant_swap_would_take_66(robotic_cell):
    strict, swap = (robotic_cell([28, 31], 4, 7, exchange) for exchange in Exchange)
    assert best_schedule(strict).period == 80.0
    schedule = best_schedule(swap)
    assert schedule.period == 66.0
    assert check_schedule(swap, schedule) is None
    assert check_schedule(strict, schedule).rule is Rule.STATION


# --- all orders of the moves -------------------------------------------------------------------------------


def best_by_enumeration(cell: TransportCell) -> float:
    """One robot, one part, one place a station: the least period over every cyclic order of the moves."""
    moves = cell.moves()
    periods = [
        period
        for rest in permutations(range(1, len(moves)))
        if (period := least_period_of(cell, (0, *rest))) is not None
    ]
    return min(periods, default=math.inf)


def least_period_of(cell: TransportCell, order: tuple[int, ...]) -> float | None:
    """Of one order, by linear programming over the times and the period."""
    moves, stays = cell.moves(), cell.routes[0].stays
    count = len(moves)
    rows, limits = [], []

    def later(first: int, then: int, delay: float, wraps: bool) -> None:
        row = np.zeros(count + 1)
        row[first] += 1.0
        row[then] -= 1.0
        row[count] -= wraps
        rows.append(row)
        limits.append(-delay)

    for first, then in [*pairwise(order), (order[-1], order[0])]:
        travel = cell.empty_time(moves[first].target, moves[then].origin)
        later(first, then, moves[first].duration + travel, then == order[0])
    for k in range(1, count):
        wraps = order.index(k) < order.index(k - 1)
        later(k - 1, k, moves[k - 1].duration + stays[k].least, wraps)
        if math.isfinite(stays[k].most):
            row = -rows[-1]
            rows.append(row)
            limits.append(moves[k - 1].duration + stays[k].most)
    found = linprog(np.eye(count + 1)[count], A_ub=np.array(rows), b_ub=limits, bounds=(0, None))
    return float(found.fun) if found.status == 0 else None


@st.composite
def small_cells(draw) -> TransportCell:
    """One robot on a line of stations, windows down to no-wait."""
    count = draw(st.integers(2, 4))
    where = draw(st.lists(st.integers(0, 12), min_size=count + 2, max_size=count + 2))
    names = ["in", *(f"s{k}" for k in range(count)), "out"]
    x = np.array(where, float)
    empty = np.abs(x[:, None] - x[None, :])
    stays = []
    for name in names[1:-1]:
        least = draw(st.integers(0, 40))
        stays.append(Stay(name, least, least + draw(st.sampled_from([0, 5, 30, math.inf]))))
    return TransportCell(
        stations=dict.fromkeys(names, 1),
        routes=(Route("part", (Stay("in"), *stays, Stay("out"))),),
        robots=(Robot("robot", frozenset(names)),),
        loaded=empty + draw(st.integers(1, 6)),
        empty=empty,
    )


@settings(max_examples=25, deadline=None)
@given(small_cells())
def test_the_search_finds_the_best_of_all_orders(cell):
    schedule = best_schedule(cell)
    assert schedule.period == pytest.approx(best_by_enumeration(cell), rel=1e-6)
    assert check_schedule(cell, schedule, cycles=5) is None
    assert lower_bounds(cell)[0].period <= schedule.period * (1 + 1e-9)
    assert len(schedule.critical) > 0


@settings(max_examples=25, deadline=None)
@given(small_cells(), st.sampled_from([0.5, 0.9, 0.99]), st.booleans())
def test_no_schedule_with_a_shorter_period_is_accepted(cell, factor, squeezed):
    schedule = best_schedule(cell)
    scale = factor if squeezed else 1.0
    moves = tuple(replace(move, start=move.start * scale) for move in schedule.moves)
    assert (
        check_schedule(cell, replace(schedule, period=schedule.period * factor, moves=moves), 5) is not None
    )


@settings(max_examples=12, deadline=None)
@given(small_cells())
def test_two_parts_that_alternate_never_take_longer_than_two_alike(cell):
    one, two = best_schedule(cell), best_schedule(cell.repeated(2))
    assert two.period <= 2 * one.period * (1 + 1e-6)
    assert check_schedule(cell.repeated(2), two, cycles=4) is None


def test_two_parts_that_alternate_can_be_faster_than_two_alike():
    # three no-wait machines: alone each part hinders the next, in pairs they fit (found by a search of random cells)
    stays = [Stay("s1", 26, 26), Stay("s2", 15, 15), Stay("s3", 18, 18)]
    cell = line_of(range(5), stays, handling=3.0)
    assert best_schedule(cell).period == pytest.approx(56.0)
    pairs = best_schedule(cell.repeated(2))
    assert pairs.period / 2 == pytest.approx(46.0)
    assert check_schedule(cell.repeated(2), pairs, 6) is None


# --- several robots ----------------------------------------------------------------------------------------


def line_of(positions, stays, handling: float, robots=None, track=None, **more) -> TransportCell:
    """Stations s0, s1 ... at positions [m], speed 1 m/s, half of `handling` to pick and half to place."""
    names = [f"s{k}" for k in range(len(positions))]
    x = np.array(positions, float)
    empty = np.abs(x[:, None] - x[None, :])
    return TransportCell(
        stations=dict.fromkeys(names, 1) | more.pop("capacities", {}),
        routes=(Route("part", (Stay("s0"), *stays, Stay(names[-1]))),),
        robots=robots or (Robot("robot", frozenset(names)),),
        loaded=empty + handling,
        empty=empty,
        track=track and Track(dict(zip(names, map(float, positions), strict=True)), 1.0, track),
        pick=handling / 2,
        place=handling / 2,
        **more,
    )


LEFT_AND_RIGHT = (Robot("left", frozenset({"s0", "s1"})), Robot("right", frozenset({"s1", "s2"})))


def test_robots_with_zones_of_their_own_work_at_the_same_time():
    cell = line_of([0, 10, 20], [Stay("s1")], handling=2.0, robots=LEFT_AND_RIGHT)
    schedule = best_schedule(cell)
    assert schedule.period == 22.0  # each goes 10 m there with a part, 10 m back, and picks and places
    assert check_schedule(cell, schedule, 5) is None
    assert {move.robot for move in schedule.moves} == {"left", "right"}


@pytest.mark.parametrize(("spacing", "period"), [(1.0, 22.0), (10.0, 22.0), (12.0, 27.0), (15.0, 33.0)])
def test_robots_on_one_rail_wait_until_the_other_is_out_of_the_way(spacing, period):
    # Beyond the 10 m between stations: left ends at s1, right is there d later, is at s2 until 12 s after that, and
    # d - 10 later left may be at s1, 1 s before it ends: 2 d + 3
    cell = line_of([0, 10, 20], [Stay("s1")], handling=2.0, robots=LEFT_AND_RIGHT, track=spacing)
    schedule = best_schedule(cell)
    assert schedule.period == pytest.approx(period, abs=1e-9)
    assert check_schedule(cell, schedule, 5) is None


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=3, max_size=3), st.integers(0, 6), st.integers(1, 9))
def test_on_a_rail_no_schedule_of_a_grid_beats_the_search(positions, stay, spacing):
    cell = line_of(positions, [Stay("s1", stay)], 2.0, LEFT_AND_RIGHT, track=float(spacing))
    schedule = best_schedule(cell)
    assert check_schedule(cell, schedule, 4) is None
    first, then = schedule.moves
    for waits in range(0, 20, 2):
        later = replace(then, start=first.start + first.duration + stay + waits)
        for less in (0.25, 1.0, 3.0):
            other = replace(schedule, period=schedule.period - less, moves=(first, later))
            assert check_schedule(cell, other, 4) is not None


def test_a_second_robot_that_reaches_everything_is_put_to_use():
    stays = [Stay("s1", 5, 40), Stay("s2", 5, 40)]
    alone = line_of([0, 6, 12, 18], stays, handling=2.0)
    both = tuple(Robot(name, frozenset(alone.stations)) for name in ("a", "b"))
    shared = line_of([0, 6, 12, 18], stays, handling=2.0, robots=both, track=2.0)
    one, two = best_schedule(alone), best_schedule(shared)
    assert check_schedule(shared, two, 6) is None
    assert two.period < one.period
    assert len({move.robot for move in two.moves}) == 2


def test_a_station_with_two_places_halves_what_it_takes():
    slow = [Stay("s1", 60)]
    one, two = (line_of([0, 2, 4], slow, 2.0, capacities={"s1": places}) for places in (1, 2))
    assert (
        best_schedule(one).period == 72.0
    )  # 60, then: take it away 4, come back 4 to the source, bring the next 4
    schedule = best_schedule(two)
    assert schedule.period == 36.0
    assert check_schedule(two, schedule, 6) is None
    assert check_schedule(one, schedule, 6).rule is Rule.STATION
    assert [bound.period for bound in lower_bounds(two)[:2]] == [36.0, 12.0]


def test_routes_share_a_robot_and_a_station():
    cell = line_of([0, 2, 4], [Stay("s1", 10)], 2.0)
    other = Route("other", (Stay("s0"), Stay("s1", 20), Stay("s2")))
    both = replace(cell, routes=(*cell.routes, other))
    schedule = best_schedule(both)
    assert schedule.period == 54.0  # 10 + 20, and twice 12 to change the part
    assert check_schedule(both, schedule, 5) is None


# --- bounds, and what cannot be done -----------------------------------------------------------------------


def test_the_bottleneck_is_the_station_or_the_robot_that_bounds_the_period(robotic_cell):
    slow_machine, slow_robot = robotic_cell([200, 10], 1, 1), robotic_cell([1, 1], 4, 9)
    for cell, who in ((slow_machine, "m1"), (slow_robot, "robot")):
        greatest = lower_bounds(cell)[0]
        assert greatest.who == who
        assert gap(best_schedule(cell).period, greatest.period) >= -1e-9
    assert gap(best_schedule(slow_machine).period, lower_bounds(slow_machine)[0].period) == pytest.approx(0.0)


def test_the_critical_circuit_names_what_makes_the_period(robotic_cell):
    critical = best_schedule(robotic_cell([200, 10], 1, 1)).critical
    assert "m1: at least 200 s" in critical


def test_windows_that_no_period_can_keep_are_reported():
    # both stays are no-wait, and the second needs the robot while it is under way with the part itself
    cell = line_of([0, 5, 10], [Stay("s1", 0, 0)], 2.0)
    assert check_schedule(cell, best_schedule(cell)) is None
    with pytest.raises(NoSchedule):
        best_schedule(replace(cell, routes=(Route("loop", (Stay("s0", 5, 5), Stay("s1", 5, 5)), True, 2),)))
