"""The steady cycle of a line: how often a part leaves it, what sets that pace, and the best order of the work.

Every part goes through the same table of steps; a step occupies modules while it lasts and moves the part between
stations. In which order a module serves its steps, and for which of the parts on the line, is the order: the cycle
time is the max-plus eigenvalue of its event graph. `cellctl.plan.line_order` finds the best order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cellctl.errors import UnknownName
from cellctl.plan.errors import BadPlan
from cellctl.plan.event_graph import Constraint, least_period


@dataclass(frozen=True, slots=True)
class LineStep:
    """What is done once to every part.

    Args:
        name: unique in its table.
        duration: [s].
        modules: each is busy with it from its begin to its end.
        after: steps of the same part, above it in the table, that have ended before it begins.
        takes: stations that have room when it begins; the part's from then on.
        frees: stations that the part has left when it ends.
    """

    name: str
    duration: float
    modules: tuple[str, ...]
    after: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    frees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A module does this step, for the part that was begun `behind` rounds before the newest one."""

    step: str
    behind: int = 0


Order = Mapping[str, tuple[Turn, ...]]
"""The turns of a round, by module; and by station, where parts come more than once, those of the taking steps."""


@dataclass(frozen=True, slots=True)
class LineCycle:
    """A line in its steady state.

    Args:
        period: from one part to the next [s].
        starts: begin of each step for one part, the first at 0 [s].
        utilisation: share of the period in which each module is busy, 0 to 1.
        occupancy: mean number of parts at each station.
        order: the turns of every module, and of stations to which a part comes more than once.
        critical: the waits that follow one another once around and together make the period.
        bound: no order has a period below this [s].
    """

    period: float
    starts: Mapping[str, float]
    utilisation: Mapping[str, float]
    occupancy: Mapping[str, float]
    order: Order
    critical: tuple[str, ...]
    bound: float


@dataclass(frozen=True, slots=True)
class StationVisit:
    """A part's stay at a station: from the begin of the step that takes it to the end of the one that frees it."""

    station: str
    takes: int
    frees: int


def cycle_time(
    steps: Sequence[LineStep], capacities: Mapping[str, int] | None = None, order: Order | None = None
) -> LineCycle:
    """The cycle of a line whose modules serve in a given order.

    A module that `order` does not name serves its steps in the order of the table, all for one part and then for the
    next. Stations hold one part unless `capacities` says more.

    Raises:
        NoSchedule: the order makes things wait for each other in a circle; the error names them.
        BadPlan: the table contradicts itself.
        UnknownName: a step that is not in the table.
    """
    line = LineTable(steps, capacities or {})
    turns = line.complete(order or {})
    exact = least_period(len(steps), [*line.sequence(), *line.turns(turns), *line.single_stays()])
    starts = exact.times - exact.times.min()
    return line.cycle(exact.period, [float(x) for x in starts], turns, [one.why for one in exact.critical])


class LineTable:
    """The steps of a line by number, who serves them, and the stays of a part at its stations."""

    def __init__(self, steps: Sequence[LineStep], capacities: Mapping[str, int]) -> None:
        self.steps, self.capacities = tuple(steps), capacities
        self.number = {step.name: k for k, step in enumerate(steps)}
        _check_steps(self.steps, self.number)
        self.before = _predecessors(self.steps, self.number)
        self.visits = tuple(self._visits())
        self.by_module: dict[str, list[int]] = {}
        for k, step in enumerate(self.steps):
            for module in step.modules:
                self.by_module.setdefault(module, []).append(k)
        self.by_station: dict[str, list[StationVisit]] = {}
        for visit in self.visits:
            self.by_station.setdefault(visit.station, []).append(visit)
        for station, visits in self.by_station.items():
            if len(visits) > 1 and self.capacity(station) > 1:
                raise BadPlan(
                    station, "parts come more than once, and it holds several", "make it several stations"
                )

        if not self.bound() > 0.0:
            raise BadPlan("line", "nothing limits the pace", "give each step the modules that do it")

    def capacity(self, station: str) -> int:
        return self.capacities.get(station, 1)

    def _visits(self) -> Iterator[StationVisit]:
        """Each taking step is matched with the first freeing step that comes after it."""
        for k, step in enumerate(self.steps):
            for station in step.takes:
                later = (n for n in self._from(k) if station in self.steps[n].frees)
                if (frees := next(later, None)) is None:
                    raise BadPlan(
                        step.name, f"takes {station}, and no later step frees it", "let one free it"
                    )
                yield StationVisit(station, k, frees)

    def _from(self, step: int) -> Iterator[int]:
        """The step itself and those that need it, nearest first in the order of the table."""
        return (n for n in range(len(self.steps)) if n == step or step in self.before[n])

    # --- what must hold -----------------------------------------------------------------------------------

    def sequence(self) -> Iterator[Constraint]:
        for k, step in enumerate(self.steps):
            for name in step.after:
                first = self.number[name]
                yield Constraint(first, k, self.steps[first].duration, 0, f"{name}, then {step.name}")

    def single_stays(self) -> Iterator[Constraint]:
        """Where parts come once, a part takes a place when the one so many parts ahead has left it."""
        for station, visits in self.by_station.items():
            if len(visits) == 1:
                (visit,) = visits
                why = self.why_full(visit, visit)
                gone = self.steps[visit.frees].duration
                yield Constraint(visit.frees, visit.takes, gone, self.capacity(station), why)

    def turns(self, order: Order) -> Iterator[Constraint]:
        for name, turns in order.items():
            for k, turn in enumerate(turns):
                following = turns[(k + 1) % len(turns)]
                shift = turn.behind - following.behind + (k + 1 == len(turns))
                yield self._turn(name, self.number[turn.step], self.number[following.step], shift)

    def _turn(self, name: str, first: int, then: int, shift: int) -> Constraint:
        if name in self.by_module:
            why = f"{name}: {self.steps[first].name}, then {self.steps[then].name}"
            return Constraint(first, then, self.steps[first].duration, shift, why)
        leaving = next(visit for visit in self.by_station[name] if visit.takes == first)
        coming = next(visit for visit in self.by_station[name] if visit.takes == then)
        gone = self.steps[leaving.frees].duration
        return Constraint(leaving.frees, then, gone, shift, self.why_full(leaving, coming))

    def why_full(self, leaving: StationVisit, coming: StationVisit) -> str:
        return f"{coming.station}: {self.steps[coming.takes].name} waits for {self.steps[leaving.frees].name}"

    # --- orders and results -------------------------------------------------------------------------------

    def complete(self, order: Order) -> dict[str, tuple[Turn, ...]]:
        """The order of every module, and of every station to which a part comes more than once."""
        needed = dict(self.by_module)
        needed |= {
            name: [v.takes for v in visits] for name, visits in self.by_station.items() if len(visits) > 1
        }
        for name in order:
            if name not in needed:
                raise UnknownName("module or station with an order", name, needed)
        turns = {
            name: order.get(name) or tuple(Turn(self.steps[k].name) for k in own)
            for name, own in needed.items()
        }
        for name, own in needed.items():
            if sorted(turn.step for turn in turns[name]) != sorted(self.steps[k].name for k in own):
                raise BadPlan(name, "its order leaves out a step, or has one that is not its own")
        return turns

    def bound(self) -> float:
        """The greatest load of a module, or of a place of a station [s]."""
        loads = [math.fsum(self.steps[k].duration for k in own) for own in self.by_module.values()]
        for station, visits in self.by_station.items():
            stays = (
                self.steps[v.takes].duration + (v.takes != v.frees) * self.steps[v.frees].duration
                for v in visits
            )
            loads.append(math.fsum(stays) / self.capacity(station))
        return max(loads, default=0.0)

    def cycle(
        self, period: float, starts: Sequence[float], order: Order, critical: Sequence[str]
    ) -> LineCycle:
        busy = {
            name: math.fsum(self.steps[k].duration for k in own) / period
            for name, own in self.by_module.items()
        }
        stayed = {
            name: math.fsum(starts[v.frees] + self.steps[v.frees].duration - starts[v.takes] for v in visits)
            / period
            for name, visits in self.by_station.items()
        }
        named = {step.name: start for step, start in zip(self.steps, starts, strict=True)}
        return LineCycle(period, named, busy, stayed, order, tuple(critical), min(self.bound(), period))


def _check_steps(steps: Sequence[LineStep], number: Mapping[str, int]) -> None:
    if not steps:
        raise BadPlan("line", "no steps")
    if len(number) < len(steps):
        raise BadPlan("line", "two steps have one name")
    for k, step in enumerate(steps):
        if not (math.isfinite(step.duration) and step.duration >= 0.0):
            raise BadPlan(step.name, f"a duration of {step.duration:g} s")
        for name in step.after:
            if name not in number:
                raise UnknownName("step", name, number)
            if number[name] >= k:
                raise BadPlan(
                    step.name, f"needs {name}, which stands below it", "put each step below what it needs"
                )


def _predecessors(steps: Sequence[LineStep], number: Mapping[str, int]) -> list[frozenset[int]]:
    """All that must have ended before each step, directly or not."""
    before: list[frozenset[int]] = []
    for step in steps:
        direct = [number[name] for name in step.after]
        before.append(frozenset(direct).union(*(before[k] for k in direct)))
    return before
