"""A line and what is made on it as one resource allocation system: any number of parts of each recipe.

Resources are the stations that are no sinks, and the greatest number of parts where the line has one. Arms, grippers,
zones and modules are none: no part keeps one while it waits, since a command begins only when its target is free, and
all that a command keeps comes free when it ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cellctl.flow.safe_states import Work
from cellctl.flow.stage import Stage
from cellctl.line.model import Line
from cellctl.messages import GONE
from cellctl.plan import resources
from cellctl.plan.merging import merged
from cellctl.plan.resources import Move, ResourceSystem
from cellctl.plan.stages import Done, Journey, has_ended, journey
from cellctl.recipe.executable import Executable

PARTS = "parts on the line"


@dataclass(frozen=True, slots=True)
class LineSystem:
    """`of_stage`: the system's stage for each of flow's; None for a part that holds nothing: gone, or not begun."""

    system: ResourceSystem
    of_stage: dict[Stage, int | None]
    after_work: dict[Work, tuple[Stage, ...]]


def line_system(line: Line, executables: Iterable[Executable], work_in_process: int = 0) -> LineSystem:
    """The system for parts of these recipes; `work_in_process` 0 is as many as there is room for.

    Raises NotModelled for what the search does not follow, BadPlan where any number of parts could wait somewhere.
    """
    journeys = [journey(executable, line) for executable in executables]
    return _Building(line, journeys, work_in_process).whole()


class _Building:
    def __init__(self, line: Line, journeys: Sequence[Journey], work_in_process: int) -> None:
        self.line, self.journeys, self.work_in_process = line, journeys, work_in_process
        self.stages: list[resources.Stage] = []
        self.number: dict[Stage, int | None] = {}

    def whole(self) -> LineSystem:
        for each in self.journeys:
            self._number_stages(each)
        moves = tuple(move for each in self.journeys for move in self._moves(each))
        capacity = {s.name: s.capacity for s in self.line.stations.values() if not s.sink}
        if self.work_in_process:
            capacity[PARTS] = self.work_in_process
        used = {name for stage in self.stages for name in stage.holds} | {n for m in moves for n in m.room}
        capacity = {name: count for name, count in capacity.items() if name in used}
        system, of_stage = merged(ResourceSystem(capacity, tuple(self.stages), moves))
        numbers = {stage: None if n is None else of_stage[n] for stage, n in self.number.items()}
        after_work = dict(w for each in self.journeys for w in _works(each) if self._is_numbered(w[1]))
        return LineSystem(system, numbers, after_work)

    def _is_numbered(self, stages: tuple[Stage, ...]) -> bool:
        return all(stage in self.number or not stage.is_begun for stage in stages)

    def _number_stages(self, each: Journey) -> None:
        for stage in each.goes_on:
            if has_ended(each.executable, stage):
                self.number[stage] = None
                continue
            self.number[stage] = len(self.stages)
            self.stages.append(resources.Stage(_title(each.executable), stage.station, self._holds(stage)))

    def _holds(self, stage: Stage) -> Counter[str]:
        station = self.line.stations.get(stage.station)
        holds = Counter({station.name: 1} if station and not station.sink else {})
        return holds + self._begun(1)

    def _begun(self, parts: int) -> Counter[str]:
        return Counter({PARTS: parts} if self.work_in_process else {})

    def _moves(self, each: Journey) -> Iterator[Move]:
        for done in each.begins:
            yield self._move(done, (), self._begun(done.parts))
        for stage in each.arrives:
            room = self._holds(stage)
            arrived = resources.Outcome("done", self._numbers((stage,)))
            yield Move(
                f"{_title(each.executable)} is found", (), room, (arrived,), stage.station, is_ours=False
            )
        for stage, steps in each.goes_on.items():
            number = self.number[stage]
            for done in steps if number is not None else ():
                yield self._move(done, (number,) if number is not None else (), Counter())

    def _move(self, done: Done, takes: tuple[int, ...], begun: Counter[str]) -> Move:
        outcomes = tuple(resources.Outcome(name, self._numbers(stages)) for name, stages, _ in done.ends)
        return Move(done.step, takes, Counter(done.room) + begun, outcomes, done.target)

    def _numbers(self, stages: tuple[Stage, ...]) -> tuple[int, ...]:
        found = (self.number[stage] for stage in stages if stage.is_begun)
        return tuple(n for n in found if n is not None)


def _works(each: Journey) -> Iterator[tuple[Work, tuple[Stage, ...]]]:
    """What each step may make of one part."""
    begin = Stage(each.executable.digest, GONE, frozenset())
    for stage, steps in [(begin, each.begins), *each.goes_on.items()]:
        for done in steps:
            yield (stage, done.step, done.target), tuple(end.stages[0] for end in done.ends)


def _title(executable: Executable) -> str:
    return f"{executable.recipe}/{executable.variant}" if executable.variant else executable.recipe
