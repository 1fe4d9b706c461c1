"""Every path of a recipe on one line, followed through `cellctl.flow` itself: what may stick, stay or be left behind.

One batch of parts is alone on the empty line with all modules ready. Each command branches into every outcome that
its skill declares, with the item where the outcome may leave it; retries, rework, scrap and a person's answers are
followed. Breadth first, those paths last on which a person must answer, so the first of its kind is the plainest.

Every path ends: `done` always goes on, and an outcome that leads back to where the search was is not followed twice.
Not asked here: whether parts of several orders jam, and in which order answers come; see `cellctl.flow.safety`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

from cellctl.compile.belts import why_not_carried
from cellctl.compile.branches import (
    afterwards,
    answers,
    elsewhere,
    endings,
    is_endless,
    joined_again,
    mishaps,
    told,
    unattended,
)
from cellctl.compile.found import Followed, Found, Leg, Trouble
from cellctl.compile.situation import lies_ready, situation
from cellctl.flow.binding import bind, next_steps
from cellctl.flow.decide import decide, is_waiting
from cellctl.flow.events import Answered, Dispatched, OrderTaken, PartBorn, PartEnded
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import FlowState, Job, Part
from cellctl.line.model import Line, station_of
from cellctl.messages import LOST
from cellctl.recipe.executable import Executable, Step

MOST = 1000  # decisions asked of flow for one recipe, about half a second; none that is shipped takes more than 120
CROWD, LONG = 10, 40  # so many parts on the line, or steps of the recipe, make a decision count once more
ORDER = "order"
OTHERS_FIRST = "other parts are to come first, and do not"


@dataclass(slots=True)
class _Node:
    """A state that the search comes to, and the way there."""

    state: FlowState
    leg: Leg | None = None
    before: _Node | None = None
    is_attended: bool = False  # a person answered on the way

    @property
    def path(self) -> tuple[Leg, ...]:
        """How the steps ended on the way here, the first first."""
        legs: list[Leg] = []
        node: _Node | None = self
        while node is not None:
            legs += [node.leg] if node.leg else []
            node = node.before
        return tuple(reversed(legs))


def follow(executable: Executable, line: Line) -> Followed:
    """Follow every path of `executable` on `line`."""
    return _Search(executable, line).followed()


@dataclass(slots=True)
class _Search:
    executable: Executable
    line: Line
    ready: frozenset[str] = field(init=False)
    calm: deque[_Node] = field(default_factory=deque)
    attended: deque[_Node] = field(default_factory=deque)
    seen: set[Hashable] = field(default_factory=set)
    ended: set[Hashable] = field(default_factory=set)
    done: set[str] = field(default_factory=set)  # steps that some path comes to
    found: dict[tuple[Trouble, str], Found] = field(default_factory=dict)
    decisions: int = 0

    def __post_init__(self) -> None:
        self.ready = frozenset(self.line.modules)

    def followed(self) -> Followed:
        for state in _beginnings(self.executable, self.line):
            self._put(_Node(state))
        while (self.calm or self.attended) and self.decisions < MOST:
            self._expand(self.calm.popleft() if self.calm else self.attended.popleft())
        is_whole = not (self.calm or self.attended) and self.decisions < MOST
        steps = (*self.executable.steps, *self.executable.scrap)
        idle = tuple(step.name for step in steps if step.name not in self.done) if is_whole else ()
        return Followed(tuple(self.found.values()), idle, is_whole)

    def _put(self, node: _Node) -> bool:
        """Take up a node unless the search was there before; whether it is new."""
        key = situation(node.state, self.line)
        if key in self.seen:
            return False
        self.seen.add(key)
        (self.attended if node.is_attended else self.calm).append(node)
        return True

    def _note(self, node: _Node, trouble: Trouble, step: str, why: str, place: str = "") -> None:
        self.found.setdefault((trouble, step), Found(trouble, step, why, node.path, place))

    # --- from one node to those after it ------------------------------------------------------------------------

    def _expand(self, node: _Node) -> None:
        if any(part.asking is not None for part in node.state.parts.values()):
            self._ask(node)
            return
        for state in self._settled(node):
            jobs = [job for job in state.jobs.values() if not job.is_between]
            if jobs:
                self._branch(node, state, min(jobs, key=lambda job: job.command))
            elif state.parts or any(order.open for order in state.orders.values()):
                self._explain(node, state)
            else:
                self._leave(node, state)

    def _settled(self, node: _Node) -> Iterator[FlowState]:
        """The states in which all is sent that can be, one for each choice of targets; what needs no part is done."""
        waiting = [node.state]
        while waiting and self.decisions < MOST:
            state = waiting.pop()
            self.decisions += 1 + len(state.parts) // CROWD + len(self.executable.steps) // LONG
            for event in decide(state, self.line, self.ready, 0.0):
                if isinstance(event, Dispatched) and event.step:
                    self.done.add(event.step)
                    if event.phase == 0:
                        others = elsewhere(state, self.line, event, self.ready)
                        waiting += [apply(state, other) for other in others]
                elif isinstance(event, PartEnded):
                    self._check_end(node, state, event)
                state = apply(state, event)
            alone = [job for job in state.jobs.values() if not job.step]
            if not alone:
                yield state
            else:
                waiting.append(fold((unattended(self.line, job) for job in alone), state))

    def _branch(self, node: _Node, state: FlowState, job: Job) -> None:
        for item in job.items:
            if why := why_not_carried(
                self.line, job.module, state.station_of(item.origin), station_of(item.target)
            ):
                self._note(node, Trouble.BACK, job.step, why, station_of(item.target))
                return
        for answer in endings(self.line, job):
            for after in self._after(node, state, job, answer):
                self._put(after)
        for answer in mishaps(self.line, job):
            for after in self._after(node, state, job, answer, leaves_astray=True):
                if not any(part.asking is not None for part in after.state.parts.values()):
                    self._put(after)

    def _after(
        self, node: _Node, state: FlowState, job: Job, answer: Answered, leaves_astray: bool = False
    ) -> Iterator[_Node]:
        for times, after in afterwards(state, job, answer):
            leg = Leg(job.step, answer.outcome, times=times, leaves_astray=leaves_astray)
            reached = _Node(after, leg, node, node.is_attended)
            for step, is_half in joined_again(state, after, job, answer):
                self._note(reached, Trouble.TWICE if is_half else Trouble.AGAIN, step.name, "")
            if not leaves_astray and is_endless(state, after, job, answer, times):
                self._note(reached, Trouble.ENDLESS, job.step, "")
            yield reached

    def _ask(self, node: _Node) -> None:
        """A person answers what lets the part go on, and takes it away by hand where nothing does."""
        goes_on = False
        for choice in answers(node.state, self.line):
            after = self._answered(node, choice)
            if situation(after.state, self.line) in self.seen or self._goes_on(after):
                goes_on = True
                self._put(after)
        if not goes_on and self.decisions < MOST:
            retried = self._answered(node, "retry")
            self._explain(retried, retried.state)
            self._put(self._answered(node, "remove"))

    def _answered(self, node: _Node, choice: str) -> _Node:
        leg = replace(node.leg, answer=choice) if node.leg else None
        return _Node(told(node.state, choice), leg, node.before, True)

    def _goes_on(self, node: _Node) -> bool:
        """Whether something is done for a part, or one ends, after a person's answer."""
        return any(state.jobs or len(state.parts) < len(node.state.parts) for state in self._settled(node))

    # --- what is wrong ------------------------------------------------------------------------------------------

    def _explain(self, node: _Node, state: FlowState, trouble: Trouble = Trouble.STUCK) -> None:
        """Nothing more can happen: note the first step that waits, and why."""
        if not state.parts:
            birth = PartBorn(f"p{state.next_part}", next(reversed(state.orders)))
            state = apply(state, birth)
        if trouble is Trouble.STUCK and self._is_in_nobodys_hands(state):
            trouble = Trouble.HANDS
        waiting = [(p, s) for p in state.parts.values() if is_waiting(p) for s in next_steps(state, p)]
        reasons = [_why(state, self.line, self.ready, part, step) for part, step in waiting]
        first = next((place for place, why in enumerate(reasons) if why != OTHERS_FIRST), 0)
        if waiting:
            part, step = waiting[first]
            self._note(node, trouble, step.name, reasons[first], state.station_of(part.place))

    def _is_in_nobodys_hands(self, state: FlowState) -> bool:
        """Whether an item is where only a person can take it from: lost, or left in a gripper."""
        tools = {tool.name for module in self.line.modules.values() for tool in module.tools}
        return any(place == LOST or place in tools for place in state.places().values())

    def _check_end(self, node: _Node, state: FlowState, event: PartEnded) -> None:
        """A part that ends by itself has left the line."""
        part = state.parts[event.part]
        station = self.line.stations.get(state.station_of(part.place))
        if event.verdict in ("good", "scrap") and station is not None and not station.sink:
            last = node.leg.step if node.leg else ""
            self._note(node, Trouble.STAYS, last, event.verdict, station.name)

    def _leave(self, node: _Node, state: FlowState) -> None:
        """All parts have ended: nothing lies about, and a next part can begin."""
        left = [c for c in state.components.values() if not lies_ready(c, self.line)]
        for component in left:
            last = node.leg.step if node.leg else ""
            self._note(node, Trouble.LEFT, last, component.material, component.place)
        key = (tuple(state.carriers.values()), tuple(component.place for component in left))
        if self.executable.announced or key in self.ended or not any(key):
            return
        self.ended.add(key)
        state = apply(state, OrderTaken("next", "", _batch(self.executable)))
        following = list(self._settled(_Node(state, before=node)))
        if following and not any(each.jobs for each in following):
            self._explain(node, following[0], Trouble.NEXT)


# --- beginnings and reasons -----------------------------------------------------------------------------------------


def _batch(executable: Executable) -> int:
    """As many parts as the step takes that works on most of them at once."""
    return max((step.parts for step in (*executable.steps, *executable.scrap)), default=1)


def _beginnings(executable: Executable, line: Line) -> Iterator[FlowState]:
    """The empty line with its order; for parts that modules find, one for each place where they do."""
    state = FlowState(
        recipes={"": executable}, carriers={carrier.id: carrier.home for carrier in line.carriers}
    )
    state = apply(state, OrderTaken(ORDER, "", 1 if executable.announced else _batch(executable)))
    if not executable.announced:
        yield state
    for name in executable.arrives:
        station = line.stations[name]
        place = name if station.capacity == 1 else f"{name}#0"
        yield apply(state, PartBorn("p1", ORDER, place, announcer=station.module, announcement=1))


def _why(state: FlowState, line: Line, ready: frozenset[str], part: Part, step: Step) -> str:
    why = bind(state, line, ready, (part,), step, 0.0)
    if isinstance(why, Dispatched):
        return OTHERS_FIRST
    return why.removeprefix(f"{step.name}: ")
