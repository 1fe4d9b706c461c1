"""The exact answer to whether a line can jam, as a table of states; made by `cellctl.plan.deadlock`, asked here.

A state is one integer: the sum over the parts of what their stages add. A job may end in several stages, and a person
may scrap what waits for a word, so a state of the line stands for all the integers that it may yet come to; it is safe
when each of them is. Where the table does not know one, it has no answer, and the banker's rule decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from cellctl.flow.events import Dispatched
from cellctl.flow.fold import apply
from cellctl.flow.stage import Stage, stage_before, stage_of, stages_after_asking
from cellctl.flow.state import FlowState, Job, Part
from cellctl.line.model import Line, station_of

MOST_ENDS = 1024  # ways in which all that is under way may end together; beyond, the table is not asked

Work = tuple[Stage, str, str]  # a part in this stage, this step, to this station ("": it stays)


@dataclass(frozen=True)
class SafeStates:
    """`of_stage`: what a part in a stage adds. `after_work`: what it adds after a step, for each outcome."""

    of_stage: Mapping[Stage, int]
    after_work: Mapping[Work, tuple[int, ...]]
    nobody: int  # the line without parts
    safe: frozenset[int]
    unsafe: frozenset[int]

    def permits(self, state: FlowState, line: Line, event: Dispatched) -> bool | None:
        """Whether all parts can still be finished after the command, however it and all others end; None: unknown.

        Where that is no longer certain even before it (a person put something in the way), there is no answer either.
        """
        after = self.is_safe(apply(state, event), line)
        if after is False and self.is_safe(state, line) is not True:
            return None
        return after

    def is_safe(self, state: FlowState, line: Line) -> bool | None:
        """Whether all parts can still be finished, however all that is under way ends; None where it is unknown."""
        ends = self._ends(state, line)
        if ends is None:
            return None
        if any(end in self.unsafe for end in ends):
            return False
        return True if all(end in self.safe for end in ends) else None

    def _ends(self, state: FlowState, line: Line) -> set[int] | None:
        """The integers that the state may come to when nothing else is begun."""
        if _has_stray_components(state, line):
            return None
        choices = [self._at_rest(state, part) for part in state.parts.values() if not part.job]
        choices += [self._at_work(state, job) for job in state.jobs.values() if job.step]
        if any(not choice for choice in choices) or prod(map(len, choices)) > MOST_ENDS:
            return None
        return {self.nobody + sum(ends) for ends in product(*choices)}

    def _at_rest(self, state: FlowState, part: Part) -> set[int]:
        if part.removed:
            return {0}
        if part.asking is None:
            return self._added([stage_of(state, part)])
        return self._added(stages_after_asking(state, part))

    def _added(self, stages: Iterable[Stage]) -> set[int]:
        found = [self.of_stage.get(stage) if stage.is_begun else 0 for stage in stages]
        return set() if None in found else {added for added in found if added is not None}

    def _at_work(self, state: FlowState, job: Job) -> set[int]:
        """What the parts of a job may add after it; none where that is not known."""
        if job.corrected:
            return set()
        target = state.station_of(job.items[0].target) if job.items and job.items[0].target else ""
        ends = []
        for name in job.parts:
            after = self.after_work.get((stage_before(state, job, state.parts[name]), job.step, target))
            if after is None:
                return set()
            ends.append(after)
        return {sum(together) for together in zip(*ends, strict=True)}


def _has_stray_components(state: FlowState, line: Line) -> bool:
    """Whether a component lies where a part may want to go."""
    busy = {item.id for job in state.jobs.values() for item in job.items}
    for component in state.components.values():
        station = line.stations.get(station_of(component.place))
        if station is not None and component.id not in busy and not station.source and not station.sink:
            return True
    return False
