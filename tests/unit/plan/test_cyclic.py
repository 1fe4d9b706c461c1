"""The cyclic program by itself: phases within the period, waived constraints, whole numbers, limits."""

from __future__ import annotations

import numpy as np
import pytest

from cellctl.plan.cyclic import CyclicProgram, Whole
from cellctl.plan.errors import BadPlan, NoSchedule


def pulse(program: CyclicProgram, period: float) -> None:
    """Event 0 comes at most once in a period."""
    program.require(0, 0, period, Whole(1), "pulse")


def test_whole_numbers_add_up_term_by_term():
    a, b = Whole(0, {0: 1}), Whole(2, {1: 3})
    total = (a + b - a) * 2 - 1
    assert total == Whole(3, {1: 6})
    assert total.value(np.array([9.0, 2.0])) == 15


def test_the_order_with_the_shorter_period_is_chosen():
    program = CyclicProgram(2, at_least=1.0)
    first = program.whole(-1, 0)
    program.require(0, 1, 4.0, -first, "0 before 1")
    program.require(1, 0, 6.0, first + 1, "1 before 0")
    found = program.solve()
    assert found.period == found.bound == 10.0
    assert {one.why for one in found.critical} == {"0 before 1", "1 before 0"}
    assert first.value(found.wholes) == 0


def test_phases_stay_between_nought_and_the_period():
    # Event 1 may not slip before event 0, although the period could be 10 if it did: rounds are counted from phases
    program = CyclicProgram(3, at_least=10.0)
    pulse(program, 10.0)
    program.require(1, 2, 8.0, Whole(), "1, then 2")
    program.require(2, 0, 4.0, Whole(1), "2, then 0 of the next round")
    found = program.solve()
    assert found.period == 12.0
    assert found.times == pytest.approx([0.0, 0.0, 8.0])


@pytest.mark.parametrize("rounds", [-3, 0, 2])
def test_a_waived_constraint_is_not_asked_for_however_hard_it_is(rounds):
    program = CyclicProgram(2, at_least=10.0)
    pulse(program, 10.0)
    program.require(0, 1, 95.0, program.whole(rounds, rounds), "waived", waived=program.whole(1, 1))
    assert program.solve().period == 10.0


def test_a_constraint_that_is_not_waived_holds():
    program = CyclicProgram(2, at_least=10.0)
    pulse(program, 10.0)
    program.require(0, 1, 95.0, Whole(), "not waived", waived=program.whole(0, 0))
    assert program.solve().period == 95.0


def test_a_sum_that_cannot_be_kept_leaves_no_schedule():
    program = CyclicProgram(1, at_least=1.0)
    pulse(program, 5.0)
    program.require_sum(program.whole(0, 1) - 2, 0)
    with pytest.raises(NoSchedule, match="no order keeps every limit"):
        program.solve()


@pytest.mark.parametrize(("events", "at_least"), [(0, 1.0), (1, 0.0), (1, float("inf"))])
def test_a_program_without_events_or_bound_is_refused(events, at_least):
    with pytest.raises(BadPlan, match="both must be positive"):
        CyclicProgram(events, at_least)
