"""`decide`: what happens next, as events to journal. Pure; the same question from the same state has one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter, is_

from cellctl.flow.binding import bind, continued, next_steps
from cellctl.flow.carriers import Needs, carrier_move
from cellctl.flow.claims import Claims, claims, held_modules
from cellctl.flow.events import Dispatched, FlowEvent, PartBorn, PartEnded
from cellctl.flow.fold import apply, fold
from cellctl.flow.safe_states import SafeStates
from cellctl.flow.state import FlowState, Order, Part
from cellctl.line.model import Line, Station, station_of
from cellctl.line.once import once
from cellctl.messages import GONE, Item
from cellctl.recipe.executable import Executable, Step
from cellctl.skill import Works

Lets = Callable[
    [FlowState, Dispatched], bool
]  # whether a command may begin, for a reason beyond what is free


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `decide` was given besides the state."""

    line: Line
    ready: frozenset[str]
    at: float
    known: SafeStates | None
    lets: Lets

    def bind(self, state: FlowState, taken: Claims, parts: tuple[Part, ...], step: Step) -> Dispatched | None:
        """The command that does a step on these parts now, if there is one and it may begin."""
        event = bind(state, self.line, self.ready, parts, step, self.at, self.known, taken)
        return event if isinstance(event, Dispatched) and self.lets(state, event) else None


@dataclass(frozen=True)
class _Now:
    """What is free in one state: few modules at most times, so seldom anything else has to be worked out."""

    state: FlowState
    asked: _Asked

    @cached_property
    def free(self) -> frozenset[str]:
        """The modules that can begin something."""
        held = held_modules(self.state, self.asked.line)
        return self.asked.ready.difference(held, self.state.out)

    @cached_property
    def taken(self) -> Claims:
        return claims(self.state, self.asked.line)

    @cached_property
    def wanted(self) -> Counter[str]:
        return wanted(self.state)

    @cached_property
    def supply(self) -> Counter[str]:
        return _supply(self.state, self.asked.line)

    def lacks(self, material: str) -> bool:
        """Whether more components of a material are wanted than there are."""
        count = self.wanted[material]
        return count > 0 and count > self.supply[material]

    def has_modules_for(self, step: Step) -> bool:
        """Whether for each role of a step there is a free module."""
        return not any(map(self.free.isdisjoint, step.modules.values()))


def decide(
    state: FlowState,
    line: Line,
    ready: frozenset[str],
    at: float,
    known: SafeStates | None = None,
    lets: Lets = lambda state, command: True,
) -> tuple[FlowEvent, ...]:
    """Everything that may happen now, in order: parts that end, commands to send, parts to begin.

    `ready` are the modules that take commands; `at` is only stamped on the events (UTC [s]). `known` are the states of
    the line for which it is known exactly whether it can jam; for others, and without it, the banker's rule decides.
    `lets` is asked about each command that works on parts, in the state that has them; see `cellctl.flow.turns`.
    """
    asked = _Asked(line, ready, at, known, lets)
    decided: list[FlowEvent] = []
    while True:
        events = _next(state, asked)
        if not events:
            return tuple(decided)
        state = fold(events, state)
        decided += events


_what_matters = attrgetter(*(name for name in FlowState.__struct_fields__ if name != "heads"))


def are_alike(a: FlowState, b: FlowState) -> bool:
    """Whether `decide` says the same in both, since nothing but how far journals were seen differs."""
    return a is b or all(map(is_, _what_matters(a), _what_matters(b)))


def _next(state: FlowState, asked: _Asked) -> list[FlowEvent]:
    events = _ends(state, asked.at)
    if events or not asked.ready:
        return events
    now = _Now(state, asked)
    return _continues(state, asked) or _works(now) or _feeds(now) or _begins(now) or _carriers(state, asked)


# --- parts that are through -------------------------------------------------------------------------------------


def _ends(state: FlowState, at: float) -> list[FlowEvent]:
    for part in state.parts.values():
        if not part.job and (verdict := verdict_on(state, part)):
            return [PartEnded(part.id, verdict, at)]
    return []


def verdict_on(state: FlowState, part: Part) -> str:
    """How a part has ended: "good", "scrap", "removed" or "withdrawn"; empty while it has not."""
    if part.removed:
        return "removed"
    if part.has_left:
        return "removed" if part.done else "withdrawn"
    if part.asking is not None:
        return ""
    if part.scrapping and part.place == GONE:  # nothing of it stands anywhere: nothing to take away
        return "scrap"
    if all(step.name in part.done for step in state.route(part)):
        return "scrap" if part.scrapping else "good"
    return ""


# --- commands ---------------------------------------------------------------------------------------------------


def _continues(state: FlowState, asked: _Asked) -> list[FlowEvent]:
    for job in state.jobs.values():
        if job.is_between:
            event = continued(state, job.number, asked.at)
            if event.module in asked.ready:
                return [event]
    return []


def _works(now: _Now) -> list[FlowEvent]:
    for part in by_urgency(now.state):
        if not is_waiting(part):
            continue
        for step in filter(now.has_modules_for, next_steps(now.state, part)):
            parts = _gathered(now.state, part, step)
            if parts is None:
                continue
            event = now.asked.bind(now.state, now.taken, parts, step)
            if event is not None:
                return [event]
    return []


def by_urgency(state: FlowState) -> list[Part]:
    """The parts on the line, those of the most urgent order first, then the oldest."""
    return sorted(
        state.parts.values(), key=lambda part: (-state.orders[part.order].priority, int(part.id[1:]))
    )


def is_waiting(part: Part) -> bool:
    """Whether a part waits for its next step, and for nobody's word."""
    return not part.job and part.asking is None and not part.removed


def _gathered(state: FlowState, part: Part, step: Step) -> tuple[Part, ...] | None:
    """The parts that one command works on; None while more of them are still to come."""
    if step.parts == 1:
        return (part,)
    there = [
        p
        for p in by_urgency(state)
        if p.recipe == part.recipe and is_waiting(p) and step in next_steps(state, p)
    ]
    if len(there) >= step.parts:
        return tuple(there[: step.parts])
    coming = any(
        step.name not in p.done and p not in there for p in state.parts.values() if p.recipe == part.recipe
    ) or any(part.recipe in order.to_come for order in state.orders.values())
    return None if coming else tuple(there)


# --- feeding ----------------------------------------------------------------------------------------------------


def _feeds(now: _Now) -> list[FlowEvent]:
    state, line = now.state, now.asked.line
    lying = [station_of(component.place) for component in state.components.values()]
    for station in _sources(line):
        if (
            station.module in now.free
            and lying.count(station.name) < station.capacity
            and station.name not in state.empty
            and now.lacks(station.source)
            and now.taken.used[station.name] < station.capacity
        ):
            return [_feed(state, station, now.asked.at)]
    return []


@once
def _sources(line: Line) -> tuple[Station, ...]:
    return tuple(station for station in line.stations.values() if station.source)


def wanted(state: FlowState) -> Counter[str]:
    """How many components of each material the parts on the line and on order still take."""
    count: Counter[str] = Counter()
    for part in state.parts.values():
        for step in state.route(part):
            if step.take and step.name not in part.done and not _has_joined(state, part, step):
                count[step.take] += 1
    if not state.draining:
        for order in state.orders.values():
            for digest, parts in order.to_come.items():
                for step in state.recipes[digest].steps:
                    if step.take:
                        count[step.take] += parts
    return count


def _has_joined(state: FlowState, part: Part, step: Step) -> bool:
    """Whether the component of a step under way has joined the part already, its answer still to come."""
    job = state.jobs.get(part.job)
    if job is None or job.step != step.name:
        return False
    return not any(item.id in state.components for item in job.items)


def _supply(state: FlowState, line: Line) -> Counter[str]:
    """The components that parts will get: those in a job, and those that lie at a source.

    A lost one, or one left in a gripper, waits for a person; meanwhile another is fed.
    """
    in_jobs = {item.id for job in state.jobs.values() for item in job.items}
    return Counter(
        component.material
        for component in state.components.values()
        if component.id in in_jobs or _lies_ready(line, component.place)
    )


def _lies_ready(line: Line, place: str) -> bool:
    station = line.stations.get(station_of(place))
    return station is not None and bool(station.source)


def _feed(state: FlowState, station: Station, at: float) -> Dispatched:
    number = state.next_command
    item = Item(f"c{state.next_component}", GONE, station.name, station.source)
    return Dispatched(
        number, number, station.module, "feed", items=(item,), modules={"": station.module}, at=at
    )


# --- beginning parts --------------------------------------------------------------------------------------------


def _begins(now: _Now) -> list[FlowEvent]:
    state = now.state
    if state.draining or _is_full(state, now.asked.line):
        return []
    waiting: set[tuple[str, int]] = (
        set()
    )  # recipes, and numbers of parts, of which it is known that they wait
    for order in sorted(state.orders.values(), key=lambda order: -order.priority):
        if not order.open:
            continue
        digest = order.recipe_of(order.begun)
        executable = state.recipes[digest]
        if executable.announced or not now.has_modules_for(_first(executable)):
            continue
        alike = (digest, _count(order, executable))
        if alike in waiting and not order.turns:
            continue
        events = _begin(now, order, executable)
        if events:
            return events
        waiting.add(alike)
    return []


def _begin(now: _Now, order: Order, executable: Executable) -> list[FlowEvent]:
    """The birth of a part together with its first command; nothing while that must wait."""
    first = _first(executable)
    events: list[FlowEvent] = []
    born = now.state
    for _ in range(_count(order, executable)):
        birth = PartBorn(f"p{born.next_part}", order.id, at=now.asked.at)
        born = apply(born, birth)
        events.append(birth)
    parts = tuple(born.parts[event.part] for event in events if isinstance(event, PartBorn))
    command = now.asked.bind(born, now.taken, parts, first)  # who is only just born takes no place
    return [*events, command] if command is not None else []


def _count(order: Order, executable: Executable) -> int:
    """How many parts the first command of an order's next one makes."""
    first = _first(executable)
    return min(first.parts, order.alike) if first.works is Works.MAKES else 1


# --- empty carriers ---------------------------------------------------------------------------------------------


def _carriers(state: FlowState, asked: _Asked) -> list[FlowEvent]:
    if not asked.line.carriers:
        return []
    needs: Needs = [
        (part, step) for part in by_urgency(state) if is_waiting(part) for step in next_steps(state, part)
    ]
    if not state.draining and not _is_full(state, asked.line):
        orders = sorted(state.orders.values(), key=lambda order: -order.priority)
        needs += [
            (None, _first(state.recipes[order.recipe_of(order.begun)])) for order in orders if order.open
        ]
    move = carrier_move(state, asked.line, asked.ready, needs, asked.at)
    return [move] if move is not None else []


def _is_full(state: FlowState, line: Line) -> bool:
    return bool(line.work_in_process) and len(state.parts) >= line.work_in_process


def _first(executable: Executable) -> Step:
    return next(step for step in executable.steps if not step.needs)
