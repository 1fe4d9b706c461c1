"""A run of the line on paper: what `cellctl.flow` decides, with predicted durations instead of modules that work.

The order in which a line serves its parts is the flow's, so nothing but the flow itself tells how long they take
together. Everything goes well: no outcome but `done`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal

from cellctl.flow.events import (
    Answered,
    Dispatched,
    FlowEvent,
    Moved,
    OrderTaken,
    PartBorn,
    PartEnded,
    RecipeTaken,
)
from cellctl.flow.fold import apply, fold
from cellctl.flow.safe_states import SafeStates
from cellctl.flow.state import FlowState, Turn
from cellctl.flow.turns import decide_by_turns
from cellctl.line.model import Line
from cellctl.messages import Move
from cellctl.plan.courses import Asked, Course, Timed
from cellctl.plan.durations import timed
from cellctl.plan.errors import BadPlan
from cellctl.plan.timing import USUAL, Duration, Talk, Timings
from cellctl.recipe.executable import Executable

Which = Literal["least", "likely", "most"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many parts of a variant, served in turns where some are given (`cellctl.flow.turns`)."""

    executable: Executable
    quantity: int
    turns: Mapping[str, tuple[Turn, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A command: when it came to its module, what it did there, when it ended [s].

    It `waited` until the module, which had nothing else to do, had come to rest.
    """

    command: Dispatched
    began: float
    ended: float
    course: Course
    waited: float = 0.0

    def takes(self, talk: Talk) -> Duration:
        """From its arrival to its end there."""
        return self.course.takes(talk) + self.waited


@dataclass(slots=True)
class FlowRun:
    """What became of the orders; times in [s] from the first decision. `waiting` is empty when all were made."""

    done: list[Done] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)  # part -> its order, in which they were begun
    ended: list[PartEnded] = field(default_factory=list)
    waiting: tuple[str, ...] = ()

    @property
    def makespan(self) -> float:
        """From the first command's begin to the last one's end."""
        return max((d.ended for d in self.done), default=0.0) - min((d.began for d in self.done), default=0.0)

    @property
    def cycle_time(self) -> float | None:
        """From part to part, mean over the run; None with fewer than two parts."""
        times = [event.at for event in self.ended]
        return (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else None

    @property
    def steady_cycle(self) -> float | None:
        """From part to part in the middle half of the run, without its begin and its end; None with few parts."""
        times = [event.at for event in self.ended]
        first, last = len(times) // 4, len(times) * 3 // 4
        return (times[last] - times[first]) / (last - first) if len(times) > 3 else None

    def busy(self) -> dict[str, float]:
        """The share of the makespan in which each module has a command in hand, 0 to 1."""
        found: dict[str, tuple[float, float]] = {}  # module -> time covered, up to when
        for each in sorted(self.done, key=lambda done: done.began):
            covered, reached = found.get(each.command.module, (0.0, float("-inf")))
            covered += max(0.0, each.ended - max(each.began, reached))
            found[each.command.module] = covered, max(reached, each.ended)
        return {name: covered / self.makespan for name, (covered, _) in sorted(found.items())}


def flow_run(
    line: Line,
    wanted: Sequence[Wanted],
    known: SafeStates | None = None,
    which: Which = "likely",
    talk: Talk = USUAL,
) -> FlowRun:
    """Run the orders to their end, all durations at their least, likely or greatest.

    Raises BadPlan, MotionError, NoStraightWay for a command that cannot be predicted.
    """
    return _Run(line, wanted, known, which, talk).run()


class _Run:
    def __init__(
        self, line: Line, wanted: Sequence[Wanted], known: SafeStates | None, which: Which, talk: Talk
    ) -> None:
        self._line, self._known, self._which, self._talk = line, known, which, talk
        self._timings = Timings(line, talk)
        self._units: dict[str, Timed] = {}
        at_home = FlowState(carriers={carrier.id: carrier.home for carrier in line.carriers})
        self._state = fold(_ordered(wanted), at_home)
        self._coming: list[
            tuple[float, int, FlowEvent | str]
        ] = []  # what happens when; a name: it has ended one
        self._sequence = 0
        self._in_hand: Counter[str] = Counter()  # commands, by module
        self._free_at: dict[str, float] = {}  # a module that rests takes no command before
        self.found = FlowRun()

    def run(self) -> FlowRun:
        self._decide(0.0)
        while self._coming:
            at = self._coming[0][0]
            while self._coming and self._coming[0][0] <= at:
                self._happens(at, heappop(self._coming)[2])
            self._decide(at)
        self.found.waiting = _waiting(self._state)
        return self.found

    def _happens(self, at: float, what: FlowEvent | str) -> None:
        if not isinstance(what, str):
            self._state = apply(self._state, what)
            return
        self._in_hand[what] -= 1
        if not self._in_hand[what]:
            self._free_at[what] = self._unit(what).rest(at)

    def _decide(self, at: float) -> None:
        ready = frozenset(self._line.modules)
        for event in decide_by_turns(self._state, self._line, ready, at, self._known):
            if isinstance(event, Dispatched):
                self._dispatch(event, at)
            elif isinstance(event, PartBorn):
                self.found.orders[event.part] = event.order
            elif isinstance(event, PartEnded):
                self.found.ended.append(event)
            self._state = apply(self._state, event)

    def _dispatch(self, command: Dispatched, at: float) -> None:
        talk, module = self._talk, command.module
        taken = at + talk.record + talk.message
        waited = max(self._free_at.get(module, 0.0) - taken - talk.record, 0.0)
        ends = taken + talk.record + waited
        self._in_hand[module] += 1
        course = self._unit(module).course(self._asked(command), ends)
        moves: list[Move] = []
        for act in course.acts:
            ends += float(getattr(act.takes, self._which)) + talk.action
            for index, move in enumerate(act.moves, start=len(moves)):
                self._push(ends + talk.answer, Moved(command.number, index, move))
            moves += act.moves
        self.found.done.append(Done(command, taken, ends, course, waited))
        answer = Answered(command.number, "done", tuple(moves), module=module, started=taken, ended=ends)
        self._push(ends + talk.answer, answer)
        self._push(ends + talk.record, module)

    def _push(self, at: float, what: FlowEvent | str) -> None:
        self._sequence += 1
        heappush(self._coming, (round(at, 9), self._sequence, what))

    def _unit(self, module: str) -> Timed:
        if module not in self._units:
            self._units[module] = timed(self._line, self._line.modules[module], self._timings)
        return self._units[module]

    def _asked(self, command: Dispatched) -> Asked:
        return Asked(command.skill, command.items, command.parameters, self._state.carriers)


def _ordered(wanted: Sequence[Wanted]) -> list[FlowEvent]:
    events: list[FlowEvent] = []
    for number, each in enumerate(wanted, start=1):
        if each.executable.announced:
            raise BadPlan(
                each.executable.recipe, "its parts come when a module finds them: no order sets their pace"
            )
        digest = each.executable.digest
        taken = OrderTaken(str(number), digest, each.quantity, turns=dict(each.turns))
        events += [RecipeTaken(digest, each.executable), taken]
    return events


def _waiting(state: FlowState) -> tuple[str, ...]:
    left = [f"{part.id} at {part.place or 'no place'}" for part in state.parts.values()]
    return tuple(
        left + [f"{order.open} of order {order.id}" for order in state.orders.values() if order.open]
    )
