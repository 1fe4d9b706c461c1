"""The best cyclic order of a line's work: which step a module serves next, and for which of the parts on the line.

The whole numbers of the program are the rounds in which a part gets to each step, and who comes first where two steps
want one module or one station. The cycle that belongs to the order is then computed as for any given order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from cellctl.plan.cyclic import CyclicProgram, Whole
from cellctl.plan.line_cycle import LineCycle, LineStep, LineTable, StationVisit, Turn, cycle_time


def best_line_cycle(
    steps: Sequence[LineStep], capacities: Mapping[str, int] | None = None, time_limit: float = math.inf
) -> LineCycle:
    """The cycle of the best order, or of the best that was found within the time limit [s].

    Raises:
        NoSchedule: no order keeps the line going.
        NotProved: nothing was found within the time limit.
    """
    line = LineTable(steps, capacities or {})
    program = CyclicProgram(len(line.steps), line.bound())
    most = _most_rounds(line)
    rounds = [program.whole(-most if k else 0, most if k else 0) for k in range(len(line.steps))]
    for one in (*line.sequence(), *line.single_stays()):
        shift = rounds[one.after] - rounds[one.before] + one.shift
        program.require(one.before, one.after, one.delay, shift, one.why)
    for name, own in line.by_module.items():
        _take_turns(program, line, name, own)
    for visits in line.by_station.values():
        for first, second in combinations(visits, 2):
            _keep_apart(program, line, rounds, first, second)
    found = program.solve(time_limit)
    order = _order_of(line, [float(x) for x in found.times], [one.value(found.wholes) for one in rounds])
    exact = cycle_time(line.steps, line.capacities, order)
    return replace(exact, bound=min(found.bound, exact.period))


def _most_rounds(line: LineTable) -> int:
    """More rounds than lie between any two steps of a part: it waits at most one for each turn and each place."""
    working = math.fsum(step.duration for step in line.steps) / line.bound()
    return math.ceil(working) + len(line.steps) + sum(line.capacity(name) for name in line.by_station)


def _take_turns(program: CyclicProgram, line: LineTable, module: str, own: Sequence[int]) -> None:
    for k in own:
        program.require(k, k, line.steps[k].duration, Whole(1), module)
    for a, b in combinations(own, 2):
        later = program.whole(-1, 0)  # 0 if b comes after a in a round
        program.require(a, b, line.steps[a].duration, -later, module)
        program.require(b, a, line.steps[b].duration, later + 1, module)


def _keep_apart(
    program: CyclicProgram,
    line: LineTable,
    rounds: Sequence[Whole],
    first: StationVisit,
    second: StationVisit,
) -> None:
    """Two stays at a station for one part, of any two parts, do not overlap."""
    most = 2 * _most_rounds(line) + 1
    later = program.whole(-most, most)
    for leaving, coming, shift in ((first, second, -later), (second, first, later + 1)):
        between = rounds[coming.takes] - rounds[leaving.frees] + shift
        gone = line.steps[leaving.frees].duration
        program.require(leaving.frees, coming.takes, gone, between, first.station)


def _order_of(line: LineTable, phases: Sequence[float], rounds: Sequence[int]) -> dict[str, tuple[Turn, ...]]:
    """The turns as they come in one period; a step that a part meets in a later round is that many parts behind."""
    shared = {name: [v.takes for v in visits] for name, visits in line.by_station.items() if len(visits) > 1}
    return {
        name: tuple(Turn(line.steps[k].name, rounds[k]) for k in sorted(own, key=lambda k: (phases[k], k)))
        for name, own in (line.by_module | shared).items()
    }
