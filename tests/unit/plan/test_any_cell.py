"""Whatever the cell, the checker accepts the schedule that the search finds, and no faster one of the same shape."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from cellctl.plan.bounds import lower_bounds
from cellctl.plan.errors import BadPlan, NoSchedule
from cellctl.plan.schedule import best_schedule
from cellctl.plan.schedule_check import check_schedule
from cellctl.plan.transport import Exchange, Robot, Route, Stay, Track, TransportCell


@st.composite
def routes(draw, names: list[str], name: str, most: int) -> Route:
    """Any way through the stations, also back to one; windows down to no-wait and to no stay at all."""
    onward = draw(st.lists(st.integers(1, len(names) - 1), min_size=1, max_size=most - 1))
    order = [names[sum(onward[:k]) % len(names)] for k in range(len(onward) + 1)]
    least = draw(st.lists(st.integers(0, 25), min_size=len(order), max_size=len(order)))
    slack = draw(st.lists(st.sampled_from([0, 10, math.inf]), min_size=len(order), max_size=len(order)))
    stays = tuple(Stay(s, a, a + b) for s, a, b in zip(order, least, slack, strict=True))
    return Route(name, stays, returns=len(order) > 2 and order[0] != order[-1] and draw(st.booleans()))


@st.composite
def cells(draw) -> TransportCell:
    """Few stations, one or two robots that may share them, with or without a rail, and at most five moves."""
    count = draw(st.integers(2, 4))
    names = [f"s{k}" for k in range(count)]
    x = np.array(draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)), float)
    empty = np.abs(x[:, None] - x[None, :])
    pick, place = draw(st.sampled_from([(0.0, 0.0), (1.0, 2.0)]))
    reach = st.sets(st.sampled_from(names), min_size=2).map(frozenset)
    everywhere = st.just(frozenset(names))
    robots = draw(st.lists(st.one_of(everywhere, reach), min_size=1, max_size=2))
    both = draw(st.booleans())
    try:
        return TransportCell(
            stations={name: draw(st.sampled_from([1, 1, 2])) for name in names},
            routes=(
                draw(routes(names, "p", 3 if both else 5)),
                *([draw(routes(names, "q", 3))] if both else []),
            ),
            robots=tuple(Robot(f"r{k}", own) for k, own in enumerate(robots)),
            loaded=empty * draw(st.sampled_from([1.0, 1.5])) + pick + place + 1.0,
            empty=empty,
            pick=pick,
            place=place,
            exchange=draw(st.sampled_from(Exchange)),
            track=draw(st.sampled_from([None, Track(dict(zip(names, x, strict=True)), 1.0, 2.0)])),
        )
    except BadPlan:  # a move that no robot can make
        reject()


def holds(cell: TransportCell) -> None:
    try:
        schedule = best_schedule(cell)
    except NoSchedule:
        return
    assert check_schedule(cell, schedule, 4) is None
    assert lower_bounds(cell)[0].period <= schedule.period * (1 + 1e-9)
    for factor in (0.7, 0.98):
        faster = replace(schedule, period=schedule.period * factor)
        assert check_schedule(cell, faster, 4) is not None
        squeezed = tuple(replace(move, start=move.start * factor) for move in schedule.moves)
        assert check_schedule(cell, replace(faster, moves=squeezed), 4) is not None


def cell_at_which_the_solver_fails() -> TransportCell:
    """HiGHS 1.12 ends with an error of its own after its presolve."""
    both = frozenset({"s0", "s1", "s2"})
    stays = (Stay("s0", 0, 10), Stay("s1", 0, math.inf), Stay("s2", 6, 16))
    far = np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    return TransportCell(
        stations={"s0": 1, "s1": 1, "s2": 1},
        routes=(Route("p", stays, returns=True),),
        robots=(Robot("r0", both), Robot("r1", both)),
        loaded=np.array([[1.0, 4.0, 4.0], [4.0, 1.0, 1.0], [4.0, 1.0, 1.0]]),
        empty=far,
        exchange=Exchange.SWAP,
    )


def test_a_cell_at_which_the_solver_fails_is_solved_without_its_presolve():
    cell = cell_at_which_the_solver_fails()
    holds(cell)
    assert best_schedule(cell).period == pytest.approx(7.0)


@settings(max_examples=40, deadline=None)
@given(cells())
def test_a_schedule_can_be_carried_out_and_none_of_its_shape_is_faster(cell):
    holds(cell)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=1000, deadline=None)
@given(cells())
def test_a_long_search_finds_no_cell_that_is_scheduled_wrongly(cell):
    holds(cell)
