"""The least period of periodic constraints, against linear programming and the eigenvalue."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cellctl.plan.errors import BadPlan, NoSchedule
from cellctl.plan.event_graph import Constraint, least_period, matrix
from cellctl.plan.maxplus import eigenvalue

EVENTS = 5
constraints = st.lists(
    st.builds(
        Constraint,
        before=st.integers(0, EVENTS - 1),
        after=st.integers(0, EVENTS - 1),
        delay=st.integers(-30, 30).map(float),
        shift=st.integers(-1, 2),
    ),
    min_size=1,
    max_size=14,
)


def least_by_linear_program(given_constraints) -> float | None:
    """Minimise the period over all times: the definition, by another solver."""
    rows = np.zeros((len(given_constraints), EVENTS + 1))
    for row, one in zip(rows, given_constraints, strict=True):
        row[one.before] += 1.0
        row[one.after] -= 1.0
        row[EVENTS] -= one.shift
    cost = np.eye(EVENTS + 1)[EVENTS]
    limits = [(None, None)] * EVENTS + [(0.0, None)]
    found = linprog(cost, A_ub=rows, b_ub=[-one.delay for one in given_constraints], bounds=limits)
    return float(found.fun) if found.status == 0 else None


@settings(max_examples=150, deadline=None)
@given(constraints)
def test_the_least_period_is_that_of_the_linear_program_and_its_critical_circuit_makes_it(given_constraints):
    expected = least_by_linear_program(given_constraints)
    if expected is None:
        with pytest.raises(NoSchedule):
            least_period(EVENTS, given_constraints)
        return
    found = least_period(EVENTS, given_constraints)
    assert found.period == pytest.approx(expected, abs=1e-6)
    for one in given_constraints:
        late = found.times[one.after] + one.shift * found.period - found.times[one.before]
        assert late >= one.delay - 1e-6
    if found.critical:
        together = sum(one.delay for one in found.critical) / sum(one.shift for one in found.critical)
        assert found.period == pytest.approx(together, rel=1e-12)
        befores = [one.before for one in found.critical]
        assert [one.after for one in found.critical] == befores[1:] + befores[:1]


def test_the_period_is_the_eigenvalue_of_the_event_graph_as_a_matrix():
    ring = [Constraint(0, 1, 4.0), Constraint(1, 2, 3.0), Constraint(2, 0, 2.0, 1), Constraint(1, 1, 5.0, 1)]
    assert least_period(3, ring).period == 9.0
    assert eigenvalue(matrix(3, ring)) == 9.0
    two_pallets = [*ring[:2], Constraint(2, 0, 2.0, 2), ring[3]]
    assert least_period(3, two_pallets).period == 5.0
    with pytest.raises(BadPlan, match="shift of 2"):
        matrix(3, two_pallets)


def test_a_period_is_not_made_shorter_than_asked_for():
    assert least_period(1, [Constraint(0, 0, 3.0, 1)], at_least=8.0).period == 8.0


def test_constraints_that_contradict_each_other_are_named():
    windows = [Constraint(0, 1, 10.0, why="at least 10 s"), Constraint(1, 0, -8.0, why="at most 8 s")]
    with pytest.raises(NoSchedule, match="at least 10 s") as caught:
        least_period(2, windows)
    assert set(caught.value.circuit) == {"at least 10 s", "at most 8 s"}


def test_no_constraint_means_no_shortest_period():
    with pytest.raises(BadPlan):
        least_period(3, [])
