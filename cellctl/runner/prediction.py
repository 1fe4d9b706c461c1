"""What each command on record should have taken, by the plan's durations: to hold against what it did take. Pure.

The commands are gone through as they were dispatched, so that each arm stands where it really stood. A command that did
not end well is passed over.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import mean

from cellctl.errors import CellctlError
from cellctl.flow.events import Answered, Dispatched, FlowEvent
from cellctl.flow.fold import apply
from cellctl.flow.state import FlowState
from cellctl.line.model import Line
from cellctl.plan.courses import Asked, Course, Timed
from cellctl.plan.durations import timed
from cellctl.plan.timing import USUAL, Talk, Timings


def predicted_times(line: Line, events: Iterable[FlowEvent], talk: Talk = USUAL) -> dict[str, float]:
    """Step -> what its commands that ended well should have taken on average [s]; only steps of which that is known."""
    replay = _Replay(line, talk)
    for event in events:
        replay.take(event)
    return {step: mean(times) for step, times in replay.times.items()}


class _Replay:
    def __init__(self, line: Line, talk: Talk) -> None:
        self._line, self._talk, self._timings = line, talk, Timings(line, talk)
        self._units: dict[str, Timed] = {}
        self._open: dict[int, tuple[Dispatched, Course | None, float]] = {}
        self._in_hand: Counter[str] = Counter()
        self._free_at: dict[str, float] = {}
        self._state = FlowState(carriers={carrier.id: carrier.home for carrier in line.carriers})
        self.times: dict[str, list[float]] = defaultdict(list)

    def take(self, event: FlowEvent) -> None:
        if self._line.carriers:  # where they stand is what nests' poses depend on
            self._state = apply(self._state, event)
        if isinstance(event, Dispatched):
            self._in_hand[event.module] += 1
            waited = max(self._free_at.get(event.module, 0.0) - event.at - self._talk.order, 0.0)
            self._open[event.number] = event, self._course(event, waited), waited
        elif isinstance(event, Answered) and event.number in self._open:
            self._answered(*self._open.pop(event.number), event)

    def _answered(self, command: Dispatched, course: Course | None, waited: float, answer: Answered) -> None:
        module = command.module
        self._in_hand[module] -= 1
        if course is None:
            return
        if not self._in_hand[module]:
            self._free_at[module] = self._units[module].rest(answer.ended)
        if command.step and answer.outcome == "done" and not course.is_guess:
            self.times[command.step].append(waited + course.takes(self._talk).likely)

    def _course(self, command: Dispatched, waited: float) -> Course | None:
        begins = command.at + self._talk.order + waited
        asked = Asked(command.skill, command.items, command.parameters, self._state.carriers)
        try:
            return self._unit(command.module).course(asked, begins)
        except CellctlError:  # nobody knows: a driver that says nothing, a motion that cannot be computed
            return None

    def _unit(self, module: str) -> Timed:
        if module not in self._units:
            self._units[module] = timed(self._line, self._line.module(module), self._timings)
        return self._units[module]
