"""Periodic events that must keep distances from one another, and the least period at which they can.

Event i happens at x_i + k C for every whole k, with C the period. A constraint says: x_after + shift C is at least
`delay` later than x_before. Where all shifts have one sign this is the max-plus eigenvalue problem; with both signs
(a part must not stay *longer* than so) it is the parametric critical path problem of V. Kats and E. Levner, "A
strongly polynomial algorithm for no-wait cyclic robotic flowshop scheduling", Operations Research Letters 21 (1997).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.plan.errors import BadPlan, NoSchedule
from cellctl.plan.maxplus import NEVER, Array, product, star

ROUNDING = 1e-10  # of the greatest delay: a constraint broken by no more is kept


@dataclass(frozen=True, slots=True)
class Constraint:
    """x[after] + shift * period >= x[before] + delay, delay in [s], which may be negative; `why` in words."""

    before: int
    after: int
    delay: float
    shift: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Timetable:
    """The least period [s], the earliest times (n,) [s] that keep it, and the constraints that forbid a shorter one.

    The constraints of `critical` form a circuit: their delays together, over their shifts together, are the period.
    """

    period: float
    times: Array
    critical: tuple[Constraint, ...]


def least_period(events: int, constraints: Sequence[Constraint], at_least: float = 0.0) -> Timetable:
    """The shortest period not below `at_least` [s] at which all constraints can be kept, exactly, with its times.

    From below: at a period that is too short some circuit of constraints cannot be kept; the period is raised to
    what that circuit needs, until none is left. At least one constraint is needed.

    Raises:
        NoSchedule: no period satisfies the constraints; the error names a circuit that contradicts itself.
    """
    if not constraints:
        raise BadPlan("event graph", "no constraint", "without one, no period is the shortest")
    arcs = _Arcs.of(constraints)
    tolerance = ROUNDING * max(1.0, float(np.max(np.abs(arcs.delay))), at_least)
    period = at_least
    critical: tuple[Constraint, ...] = ()
    while True:
        times, broken = _longest_ways(events, arcs, period, tolerance)
        if not broken:
            return Timetable(period, times, critical)
        critical = tuple(constraints[i] for i in broken)
        shifts = sum(constraint.shift for constraint in critical)
        if shifts <= 0:
            raise NoSchedule("these cannot all be kept", [one.why for one in critical if one.why])
        period = sum(constraint.delay for constraint in critical) / shifts


def matrix(events: int, constraints: Sequence[Constraint]) -> Array:
    """The max-plus matrix A with x(k+1) = A (x) x(k), shape (events, events) [s], of constraints shifted by 0 or 1.

    A = A0* (x) A1, with A0 what events of one round wait for in the same round, A1 in the round before.
    """
    same, last = np.full((2, events, events), NEVER)
    for one in constraints:
        if one.shift not in (0, 1):
            raise BadPlan("event graph", f"a shift of {one.shift}", "as a matrix it can only be 0 or 1")
        table = last if one.shift else same
        table[one.after, one.before] = max(table[one.after, one.before], one.delay)
    return product(star(same), last)


@dataclass(frozen=True, slots=True, eq=False)
class _Arcs:
    """The constraints as columns, sorted by `after`, so that the latest time of each event is one reduction."""

    before: npt.NDArray[np.intp]
    after: npt.NDArray[np.intp]
    delay: Array
    shift: Array
    index: npt.NDArray[np.intp]  # where the constraint stands in what was given
    first: npt.NDArray[np.intp]  # of each event that has any

    @classmethod
    def of(cls, constraints: Sequence[Constraint]) -> _Arcs:
        after = np.array([one.after for one in constraints])
        index = np.argsort(after, kind="stable")
        after = after[index]
        return cls(
            before=np.array([one.before for one in constraints])[index],
            after=after,
            delay=np.array([one.delay for one in constraints], float)[index],
            shift=np.array([one.shift for one in constraints], float)[index],
            index=index,
            first=np.flatnonzero(np.diff(after, prepend=-1)),
        )


def _longest_ways(events: int, arcs: _Arcs, period: float, tolerance: float) -> tuple[Array, list[int]]:
    """Earliest times from 0 by Bellman and Ford, or the indices of constraints on a circuit that cannot be kept."""
    times = np.zeros(events)
    waits_for = np.full(events, -1)  # the arc that set the time
    weight = arcs.delay - arcs.shift * period
    heads = arcs.after[arcs.first]
    for _ in range(events + 1):
        candidates = times[arcs.before] + weight
        latest = np.maximum.reduceat(candidates, arcs.first)
        later = latest > times[heads] + tolerance
        if not np.any(later):
            return times, []
        for group in np.flatnonzero(later):
            stop = arcs.first[group + 1] if group + 1 < len(arcs.first) else len(candidates)
            waits_for[heads[group]] = arcs.first[group] + np.argmax(candidates[arcs.first[group] : stop])
        times[heads[later]] = latest[later]
        if circuit := _circuit(waits_for, arcs.before):
            return times, [int(arcs.index[arc]) for arc in circuit]
    raise AssertionError("a circuit of waiting events shows within as many rounds as there are events")


def _circuit(waits_for: npt.NDArray[np.intp], before: npt.NDArray[np.intp]) -> list[int]:
    """The arcs of a circuit in which each event waits for the one before it, in their order, or nothing."""
    colour = np.full(len(waits_for), -1)
    for start in range(len(waits_for)):
        node, way = start, []
        while waits_for[node] >= 0 and colour[node] < 0:
            colour[node] = start
            way.append(node)
            node = int(before[waits_for[node]])
        if way and waits_for[node] >= 0 and colour[node] == start:
            circuit = [int(waits_for[i]) for i in way[way.index(node) :]]
            return circuit[::-1]
    return []
