"""The shortest period of events that repeat, where their order is still open: a mixed-integer linear program.

With times in seconds the program is bilinear (an unknown period times an unknown number of rounds). Divided by the
period it is linear: the unknowns are the phase of each event, between 0 and 1, and the rate, 1 / period, which is made
as great as can be (P. Brucker, T. Kampmeyer, "A general model for cyclic machine scheduling problems", Discrete
Applied Mathematics 156 (2008) 2561-2572). So no constant has to be "big". The program decides the order; the period
and the times that belong to the order then come exact, from the event graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import csr_array

from cellctl.plan.errors import BadPlan, NoSchedule, NotProved
from cellctl.plan.event_graph import Constraint, least_period
from cellctl.plan.maxplus import Array

PRECISE = 1e-9  # relative gap between schedule and bound at which the search ends
PROVED = 1e-6  # relative; the search's own rounding, a bound as near as this is the period
CONTRADICTION = 1e-4  # relative; beyond the rounding of any search, so one of two computations would be wrong
SLOWEST = 1e-7  # a rate below this part of the greatest thinkable one is none
OPTIMAL, INFEASIBLE, FAILED = 0, 2, 4  # status of scipy.optimize.milp


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number still unknown, or a sum of such: constant + sum of coefficient * variable."""

    constant: int = 0
    terms: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: Whole | int) -> Whole:
        other = other if isinstance(other, Whole) else Whole(other)
        variables = self.terms.keys() | other.terms.keys()
        terms = {v: self.terms.get(v, 0) + other.terms.get(v, 0) for v in variables}
        return Whole(self.constant + other.constant, {v: c for v, c in sorted(terms.items()) if c})

    def __mul__(self, factor: int) -> Whole:
        return Whole(self.constant * factor, {v: c * factor for v, c in self.terms.items()})

    def __neg__(self) -> Whole:
        return self * -1

    def __sub__(self, other: Whole | int) -> Whole:
        return self + -(other if isinstance(other, Whole) else Whole(other))

    def value(self, values: Array) -> int:
        """The number, once the variables are known."""
        return self.constant + sum(c * round(float(values[v])) for v, c in self.terms.items())


@dataclass(frozen=True, slots=True)
class _Row:
    """x[after] + shift * period >= x[before] + delay, unless `waived` is positive."""

    before: int
    after: int
    delay: float
    shift: Whole
    why: str
    waived: Whole


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """A shortest cycle: its period [s], the phase of each event in [0, period] [s], the whole numbers, and why.

    No schedule whatever has a period below `bound` [s]; it is the period itself when the search came to its end.
    """

    period: float
    times: Array
    wholes: Array
    critical: tuple[Constraint, ...]
    bound: float


class CyclicProgram:
    """Events that repeat with one period, and what must hold between them. Event 0 stands at time 0.

    Args:
        at_least: a period that cannot be undercut, positive [s]; the better it is, the shorter the search.
    """

    def __init__(self, events: int, at_least: float) -> None:
        if events < 1 or not (math.isfinite(at_least) and at_least > 0.0):
            raise BadPlan(
                "cyclic program", f"{events} events, least period {at_least:g} s", "both must be positive"
            )
        self.events, self.at_least = events, at_least
        self._lower: list[int] = []
        self._upper: list[int] = []
        self._rows: list[_Row] = []
        self._sums: list[tuple[Whole, int]] = []

    def whole(self, lower: int, upper: int) -> Whole:
        """A new whole number between two bounds, to be decided."""
        self._lower.append(lower)
        self._upper.append(upper)
        return Whole(0, {len(self._lower) - 1: 1})

    def require(
        self, before: int, after: int, delay: float, shift: Whole, why: str, waived: Whole | None = None
    ) -> None:
        """Event `after`, `shift` rounds later, is at least `delay` [s] behind event `before`.

        Where `waived` comes out positive the constraint is not asked for; it must never be negative.
        """
        self._rows.append(_Row(before, after, delay, shift, why, waived or Whole()))

    def require_sum(self, total: Whole, at_least: int) -> None:
        """A sum of whole numbers is not below a number."""
        self._sums.append((total, at_least))

    def solve(self, time_limit: float = math.inf) -> Cycle:
        """The shortest cycle, or the shortest found within the time limit [s], with the bound that is proved.

        Raises:
            NoSchedule: no period satisfies the constraints.
            NotProved: nothing was found within the time limit.
        """
        values, bound = self._search(time_limit)
        kept = [row for row in self._rows if row.waived.value(values) <= 0]
        constraints = [
            Constraint(row.before, row.after, row.delay, row.shift.value(values), row.why) for row in kept
        ]
        for event in range(1, self.events):  # the rounds are counted from phases between 0 and 1
            constraints += [Constraint(0, event, 0.0, 0), Constraint(event, 0, 0.0, 1)]
        exact = least_period(self.events, constraints)
        times = exact.times - exact.times[0]
        assert bound <= exact.period * (1.0 + CONTRADICTION), (bound, exact.period)
        proved = exact.period if bound > exact.period * (1.0 - PROVED) else bound
        return Cycle(exact.period, times, values, exact.critical, proved)

    def _search(self, time_limit: float) -> tuple[Array, float]:
        """The whole numbers of the best cycle, and the least period that is not excluded [s]."""
        matrix, least = self._matrix()
        count = matrix.shape[1]
        lower, upper, gain = np.zeros(count), np.ones(count), np.zeros(count)
        upper[0] = 0.0
        lower[self.events + 1 :], upper[self.events + 1 :] = self._lower, self._upper
        gain[self.events] = -1.0

        def solved(presolve: bool) -> OptimizeResult:
            return milp(
                gain,
                integrality=(np.arange(count) > self.events).astype(int),
                bounds=Bounds(lower, upper),
                constraints=LinearConstraint(matrix, least, np.inf),
                options={"mip_rel_gap": PRECISE, "time_limit": time_limit, "presolve": presolve},
            )

        found = solved(presolve=True)
        if found.status == FAILED:  # HiGHS 1.12 loses its way in what it made simpler, seldom
            found = solved(presolve=False)
        if found.status == INFEASIBLE:
            raise NoSchedule("no order keeps every limit")
        if found.x is None or (found.status != OPTIMAL and found.x[self.events] < SLOWEST):
            raise NotProved(time_limit)
        if found.x[self.events] < SLOWEST:
            raise NoSchedule("no period is long enough")
        dual = found.mip_dual_bound  # none where no number is open
        bound = self.at_least / max(found.x[self.events], -math.inf if dual is None else -dual)
        return np.round(found.x[self.events + 1 :]), float(bound)

    def _enough(self, row: _Row) -> int:
        """The rounds that waive a constraint whatever the phases, 0 to 1, and the whole numbers may be."""
        least = sum(min(c * self._lower[v], c * self._upper[v]) for v, c in row.shift.terms.items())
        return max(0, math.ceil(max(row.delay, 0.0) / self.at_least) + 1 - row.shift.constant - least)

    def _matrix(self) -> tuple[csr_array, Array]:
        """Rows of coefficients and their lower limits; columns: phases, rate (times `at_least`), whole numbers."""
        entries: list[tuple[int, int, float]] = []
        least: list[float] = []
        first_whole = self.events + 1
        for number, row in enumerate(self._rows):
            shift = row.shift + row.waived * self._enough(row)
            entries += [(number, row.after, 1.0), (number, row.before, -1.0)]
            entries += [(number, self.events, -row.delay / self.at_least)]
            entries += [(number, first_whole + v, c) for v, c in shift.terms.items()]
            least.append(-shift.constant)
        for number, (total, at_least) in enumerate(self._sums, start=len(self._rows)):
            entries += [(number, first_whole + v, c) for v, c in total.terms.items()]
            least.append(at_least - total.constant)
        rows, columns, values = zip(*entries, strict=True)
        shape = (len(least), first_whole + len(self._lower))
        return csr_array((values, (rows, columns)), shape=shape), np.array(least, float)
