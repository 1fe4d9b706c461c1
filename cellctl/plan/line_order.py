"""The best cyclic order of a line's work: which step a module serves next, and for which of the parts on the line.

The whole numbers of the program are the rounds in which a part gets to each step, and who comes first where two steps
want one module or one station. The cycle that belongs to the order is then computed as for any given order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from cellctl.plan.cyclic import Cycle, CyclicProgram, Whole
from cellctl.plan.line_cycle import LineCycle, LineStep, LineTable, StationVisit, Turn, cycle_time
from cellctl.plan.ways import Ways, in_order


def best_line_cycle(
    steps: Sequence[LineStep],
    capacities: Mapping[str, int] | None = None,
    time_limit: float = math.inf,
    ways: Ways | None = None,
) -> LineCycle:
    """The cycle of the best order, or of the best that was found within the time limit [s].

    Raises:
        NoSchedule: no order keeps the line going.
        NotProved: nothing was found within the time limit.
    """
    line = LineTable(steps, capacities or {})
    search = _Search(line, ways or {})
    found = search.program.solve(time_limit)
    order = search.order(found)
    exact = cycle_time(in_order(line.steps, ways or {}, order), line.capacities, order)
    return replace(exact, bound=min(found.bound, exact.period))


def _most_rounds(line: LineTable) -> int:
    """More rounds than lie between any two steps of a part: it waits at most one for each turn and each place."""
    working = math.fsum(step.duration for step in line.steps) / line.bound()
    return math.ceil(working) + len(line.steps) + sum(line.capacity(name) for name in line.by_station)


class _Search:
    """The cyclic program of a line; the methods are the kinds of constraint."""

    def __init__(self, line: LineTable, ways: Ways) -> None:
        self.line, self.program = line, CyclicProgram(len(line.steps), line.bound())
        most = _most_rounds(line)
        self.rounds = [
            self.program.whole(-most if k else 0, most if k else 0) for k in range(len(line.steps))
        ]
        self.longer: dict[
            int, list[tuple[Whole, float]]
        ] = {}  # step -> how much, and not where that is positive
        for own in ways.values():
            self._come_from_before(own)
        for one in (*line.sequence(), *line.single_stays()):
            shift = self.rounds[one.after] - self.rounds[one.before] + one.shift
            self._behind(one.before, one.after, shift, one.why)
        for name, steps in line.by_module.items():
            self._take_turns(name, steps)
        for visits in line.by_station.values():
            for first, second in combinations(visits, 2):
                self._keep_apart(first, second)

    def _behind(self, before: int, after: int, shift: Whole, why: str) -> None:
        """A step, so many rounds later, begins when another has ended, however long that takes."""
        seconds = self.line.steps[before].duration
        self.program.require(before, after, seconds, shift, why)
        for waived, more in self.longer.get(before, ()):
            self.program.require(before, after, seconds + more, shift, why, waived)

    def _come_from_before(self, own: Mapping[str, Mapping[str, float]]) -> None:
        """Each step of a module is as long as it is behind the one before it: the next lower phase, and one wraps."""
        numbers = [self.line.number[name] for name in own]
        if len(numbers) < 2:
            return
        least = self.program.require_sum
        ordered = {pair: self._phase_order(*pair) for pair in combinations(numbers, 2)}
        ordered |= {(b, a): Whole(1) - is_later for (a, b), is_later in ordered.items()}
        next_to = {pair: self.program.whole(0, 1) for pair in ordered}
        wraps = {pair: self.program.whole(0, 1) for pair in ordered}
        for pair, is_next in next_to.items():
            least(ordered[pair] + wraps[pair] - is_next, 0)
            least(is_next - wraps[pair], 0)
        self._exactly_one(wraps.values())
        for k in numbers:
            self._exactly_one(is_next for (_, b), is_next in next_to.items() if b == k)
            self._exactly_one(is_next for (a, _), is_next in next_to.items() if a == k)
        for (a, b), is_next in next_to.items():
            more = own[self.line.steps[b].name][self.line.steps[a].name]
            self.longer.setdefault(b, []).append((Whole(1) - is_next, more))

    def _phase_order(self, a: int, b: int) -> Whole:
        """1 if b begins later in the period than a."""
        is_later = self.program.whole(0, 1)
        self.program.require(a, b, 0.0, Whole(1) - is_later, "the order of phases")
        self.program.require(b, a, 0.0, is_later, "the order of phases")
        return is_later

    def _exactly_one(self, wholes: Iterable[Whole]) -> None:
        total = sum(wholes, Whole())
        self.program.require_sum(total, 1)
        self.program.require_sum(-total, -1)

    def _take_turns(self, module: str, own: Sequence[int]) -> None:
        for k in own:
            self._behind(k, k, Whole(1), module)
        for a, b in combinations(own, 2):
            later = self.program.whole(-1, 0)  # 0 if b comes after a in a round
            self._behind(a, b, -later, module)
            self._behind(b, a, later + 1, module)

    def _keep_apart(self, first: StationVisit, second: StationVisit) -> None:
        """Two stays at a station for one part, of any two parts, do not overlap."""
        most = 2 * _most_rounds(self.line) + 1
        later = self.program.whole(-most, most)
        for leaving, coming, shift in ((first, second, -later), (second, first, later + 1)):
            between = self.rounds[coming.takes] - self.rounds[leaving.frees] + shift
            self._behind(leaving.frees, coming.takes, between, first.station)

    def order(self, found: Cycle) -> dict[str, tuple[Turn, ...]]:
        """The turns as they come in one period; a step that a part meets in a later round is that many parts behind."""
        line, rounds = self.line, [one.value(found.wholes) for one in self.rounds]
        shared = {
            name: [v.takes for v in visits] for name, visits in line.by_station.items() if len(visits) > 1
        }
        return {
            name: tuple(
                Turn(line.steps[k].name, rounds[k]) for k in sorted(own, key=lambda k: (found.times[k], k))
            )
            for name, own in (line.by_module | shared).items()
        }
