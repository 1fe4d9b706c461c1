"""What schedules and cycles look like: the rows of their Gantt pictures, some periods of the steady state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from cellctl.plan.gantt import Bar, Row
from cellctl.plan.line_cycle import LineCycle, LineStep
from cellctl.plan.schedule import CyclicSchedule, ScheduledMove
from cellctl.plan.transport import TransportCell


def schedule_rows(cell: TransportCell, schedule: CyclicSchedule, periods: int = 2) -> tuple[Row, ...]:
    """A row for each robot with its loaded moves, and for each station with the parts that stay there."""
    bars: dict[str, list[Bar]] = {
        name: [] for name in (*(robot.name for robot in cell.robots), *cell.stations)
    }
    for move in schedule.moves:
        label = f"{move.origin} → {move.target}"
        bars[move.robot] += _repeated(
            move.start, move.start + move.duration, label, move.route, schedule, periods
        )
    for station, begin, end, route in _stays(cell, schedule):
        bars[station] += _repeated(begin, end, route, route, schedule, periods)
    return tuple(Row(name, tuple(own)) for name, own in bars.items() if own)


def line_rows(steps: Sequence[LineStep], cycle: LineCycle, periods: int = 2) -> tuple[Row, ...]:
    """A row for each module of a line with the steps that it serves."""
    bars: dict[str, list[Bar]] = {}
    for step in steps:
        begin = cycle.starts[step.name]
        for module in step.modules:
            own = _repeated(begin, begin + step.duration, step.name, step.name, cycle, periods)
            bars.setdefault(module, []).extend(own)
    return tuple(Row(name, tuple(own)) for name, own in bars.items())


def _repeated(
    begin: float, end: float, label: str, group: str, cycle: CyclicSchedule | LineCycle, periods: int
) -> Iterator[Bar]:
    """The bar of every part that falls into the periods shown, cut at their ends; labelled with the part."""
    first, last = math.floor(-end / cycle.period), math.ceil(periods - begin / cycle.period)
    for part in range(first, last + 1):
        offset = part * cycle.period
        start, stop = max(begin + offset, 0.0), min(end + offset, periods * cycle.period)
        if stop > start:
            yield Bar(start, stop, label, f"{group} {part % 2}")


def _stays(cell: TransportCell, schedule: CyclicSchedule) -> Iterator[tuple[str, float, float, str]]:
    """Station, begin, end [s] and route of every stay of part 0 that has both."""
    by_route: Mapping[str, list[ScheduledMove]] = {route.name: [] for route in cell.routes}
    for move in schedule.moves:
        by_route[move.route].append(move)
    for name, moves in by_route.items():
        for bring, fetch in pairwise(moves):
            yield fetch.origin, bring.start + bring.duration, fetch.start, name
        if carriers := schedule.carriers.get(name):
            again = moves[0].start + carriers * schedule.period
            yield moves[0].origin, moves[-1].start + moves[-1].duration, again, name
