"""Orders of work where a step is longer the farther its arm comes: against all orders, one by one."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.plan.errors import NoSchedule
from cellctl.plan.line_cycle import LineStep, Order, Turn, cycle_time
from cellctl.plan.line_order import best_line_cycle
from cellctl.plan.ways import Ways, in_order, least_round

STEPS = ("in", "over", "out")


def tended(first: float, second: float, move: float) -> list[LineStep]:
    """One robot tends two machines in a row; like a command, each move takes the robot and gives it back."""
    return [
        LineStep("in", move, (), (), ("A", "robot"), ("robot",)),
        LineStep("a", first, (), ("in",), ("first",), ("first",)),
        LineStep("over", move, (), ("a",), ("B", "robot"), ("A", "robot")),
        LineStep("b", second, (), ("over",), ("second",), ("second",)),
        LineStep("out", move, (), ("b",), ("robot",), ("B", "robot")),
    ]


def ways_of(numbers: list[int]) -> Ways:
    given = iter(numbers)
    return {"robot": {row: {before: float(next(given)) for before in STEPS} for row in STEPS}}


def orders() -> list[Order]:
    found: list[Order] = []
    for (then, last), lags in product(permutations(["over", "out"]), product(range(3), repeat=2)):
        behind = dict(zip(("over", "out"), lags, strict=True))
        found.append({"robot": (Turn("in"), Turn(then, behind[then]), Turn(last, behind[last]))})
    return found


durations = st.integers(1, 20).map(float)


@settings(max_examples=15, deadline=None)
@given(durations, durations, st.lists(st.integers(0, 5), min_size=9, max_size=9))
def test_no_order_beats_the_best_whatever_the_ways(first, second, numbers):
    steps, ways = tended(first, second, 3.0), ways_of(numbers)
    periods = []
    for order in orders():
        try:
            periods.append(cycle_time(in_order(steps, ways, order), order=order).period)
        except NoSchedule:
            continue
    best = best_line_cycle(steps, ways=ways)
    assert best.period == pytest.approx(min(periods), rel=1e-6)
    assert best.bound == pytest.approx(best.period, rel=1e-6)


def test_a_step_is_as_long_as_it_is_behind_the_one_before_it():
    ways = ways_of([0, 1, 2, 3, 4, 5, 6, 7, 8])
    order = {"robot": (Turn("in"), Turn("out", 1), Turn("over"))}
    made = {step.name: step.duration for step in in_order(tended(1, 1, 3.0), ways, order)}
    assert made == {"in": 4.0, "a": 1.0, "over": 8.0, "b": 1.0, "out": 9.0}


def test_a_single_step_of_a_module_is_behind_itself():
    steps = [LineStep("in", 3.0, ("robot",))]
    ways = {"robot": {"in": {"in": 2.0}}}
    assert in_order(steps, ways, {})[0].duration == 5.0
    assert least_round(ways["robot"]) == 2.0


@given(st.lists(st.integers(0, 9), min_size=9, max_size=9))
def test_no_order_has_shorter_ways_than_the_least_round(numbers):
    own = ways_of(numbers)["robot"]
    rounds = [
        sum(own[row][before] for before, row in zip(order, (*order[1:], order[0]), strict=True))
        for order in permutations(STEPS)
    ]
    assert least_round(own) <= min(rounds) + 1e-9
