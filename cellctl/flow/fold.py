"""`apply`: what an event makes of the state. Total: an event that was journaled once is applied the same for ever."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from cellctl.flow.events import (
    Answered,
    Corrected,
    Decided,
    Dispatched,
    Drained,
    FlowEvent,
    JournalAccepted,
    JournalSeen,
    LineEntered,
    LineTaken,
    LotLoaded,
    ModuleIn,
    ModuleOut,
    Moved,
    OrderCancelled,
    OrderPrioritised,
    OrderTaken,
    PartBorn,
    PartEnded,
    PartWithdrawn,
    RecipeTaken,
    Snapshot,
)
from cellctl.flow.routes import after_failure, reset_from, scrapped
from cellctl.flow.state import Asking, Component, FlowState, Job, Lot, Order, Part
from cellctl.messages import GONE, LOST, UNKNOWN_END, Head, Item, Move

REMEMBERED = 500  # finished orders whose ids are still known when they come again

K = TypeVar("K")
V = TypeVar("V")


def fold(events: Iterable[FlowEvent], state: FlowState | None = None) -> FlowState:
    """The state after all events."""
    state = state or FlowState()
    for event in events:
        state = apply(state, event)
    return state


def apply(state: FlowState, event: FlowEvent) -> FlowState:
    """The state after one event."""
    match event:
        case Dispatched():
            return _dispatched(state, event)
        case Moved(number, index, move, head):
            return _moved(state, number, index, move, head)
        case Answered():
            return _answered(state, event)
        case PartBorn():
            return _born(state, event)
        case PartEnded(part, verdict):
            return _ended(state, part, verdict)
        case PartWithdrawn(module, number):
            return _withdrawn(state, module, number)
        case Decided(part, choice):
            return _with_part(state, decided(state, state.parts[part], choice))
        case Corrected(item, place):
            return _corrected(state, item, place)
        case OrderTaken(id_, recipe, quantity, priority, parts):
            order = Order(
                id_, recipe, quantity, priority, parts=parts, recipes=event.recipes, turns=event.turns
            )
            return replace(state, orders={**state.orders, id_: order})
        case OrderCancelled(id_):
            return _with_order(state, replace(state.orders[id_], cancelled=True))
        case OrderPrioritised(id_, priority):
            return _with_order(state, replace(state.orders[id_], priority=priority))
        case RecipeTaken(digest, executable):
            return replace(state, recipes={**state.recipes, digest: executable})
        case LotLoaded(station, _, lot, quantity):
            lots = {**state.lots, station: (*state.lots.get(station, ()), Lot(lot, quantity))}
            return replace(state, lots=lots, empty=_without_name(state.empty, station))
        case ModuleOut(module):
            return replace(state, out=(*_without_name(state.out, module), module))
        case ModuleIn(module):
            return replace(state, out=_without_name(state.out, module))
        case Drained(draining):
            return replace(state, draining=draining)
        case LineEntered(entered, mode):
            return replace(state, packml=entered, mode=mode, starting=event.starting)
        case LineTaken(_, digest):
            return replace(state, line=digest)
        case JournalSeen(module, head):
            return _seen(state, module, head)
        case JournalAccepted(modules, _, _, lost, gives_up):
            for number in gives_up:
                state = _given_up(state, number)
            return _accepted(state, modules, lost)
        case Snapshot(whole):
            return whole


# --- parts and commands -----------------------------------------------------------------------------------------


def _born(state: FlowState, event: PartBorn) -> FlowState:
    order = state.orders[event.order]
    given = order.parts[order.begun] if order.begun < len(order.parts) else {}
    part = Part(
        event.part,
        event.order,
        order.recipe_of(order.begun),
        event.place,
        given={**given, **event.given},
        announcer=event.announcer,
        announcement=event.announcement,
        found_at=event.place,
        number=order.begun,
    )
    if event.announcer:
        state = replace(state, announced={**state.announced, event.announcer: event.announcement})
    state = _with_order(state, replace(order, begun=order.begun + 1))
    return replace(_with_part(state, part), next_part=state.next_part + 1)


def _withdrawn(state: FlowState, module: str, number: int) -> FlowState:
    """What was found under this number, or before it, is announced no more; the part of it has left."""
    last = max(number, state.announced.get(module, 0))
    state = replace(state, announced={**state.announced, module: last})
    part = state.found_as(module, number)
    return _with_part(state, replace(part, withdrawn=True)) if part is not None else state


def _dispatched(state: FlowState, event: Dispatched) -> FlowState:
    components, next_component = state.components, state.next_component
    item = event.items[0] if event.items else Item("")
    if not event.step and item.material:  # a feed brings a component into being, on its way to the station
        components = {**components, item.id: Component(item.id, item.material)}
        next_component += 1
    job = Job(
        event.job,
        event.number,
        event.module,
        event.skill,
        event.step,
        event.parts,
        event.items,
        event.modules,
        event.phase,
        event.visit,
        event.attempt,
        event.parameters,
        at=event.at,
    )
    parts = state.parts
    if event.phase == 0 and event.parts:
        parts = dict(parts)
        for name in event.parts:
            part = parts[name]
            visits = {**part.visits, event.step: part.visits.get(event.step, 0) + 1}
            parts[name] = replace(part, job=event.job, visits=visits)
    return replace(
        state,
        jobs={**state.jobs, event.job: job},
        parts=parts,
        components=components,
        next_component=next_component,
        next_command=event.number + 1,
    )


def _moved(state: FlowState, number: int, index: int, move: Move, head: Head) -> FlowState:
    job = state.command(number)
    if job is None or index != job.seen:
        return state
    state = _seen(_place(state, job, move), job.module, head)
    return replace(state, jobs={**state.jobs, job.number: replace(job, seen=index + 1)})


def _answered(state: FlowState, event: Answered) -> FlowState:
    job = state.command(event.number)
    if job is None:
        return state
    state = _seen(state, event.module, event.head)
    for move in event.moves[job.seen :]:
        state = _place(state, job, move)
    if not job.step:
        return _fed(state, job, event)
    if job.corrected and event.outcome != "cancelled":
        return _ended_by_hand(state, job, event)
    if event.outcome == "done" and job.phase + 1 < _phases(state, job):
        waiting = replace(job, is_between=True, seen=0)
        return _with_results(replace(state, jobs={**state.jobs, job.number: waiting}), job, event)
    state = replace(state, jobs=_without(state.jobs, job.number))
    state = _with_results(state, job, event)
    for name in job.parts:
        part = replace(state.parts[name], job=0)
        step = state.executable(part).step(job.step)
        if event.outcome == "done":
            part = replace(part, done=(*part.done, job.step), failures=_cleared(part, job.step))
            if part.asking is not None:  # since before the answer: about the step that follows
                part = _in_question(state, replace(part, asking=None))
        elif event.outcome != "cancelled":
            part = after_failure(state, part, step, event.outcome, event.detail)
        state = _with_part(state, part)
    return state


def _ended_by_hand(state: FlowState, job: Job, event: Answered) -> FlowState:
    """Whatever the command ended with, hands were in it: a person says how its parts go on."""
    detail = f"{' and '.join(job.corrected)} was put right by hand before it ended ({event.outcome})"
    state = replace(state, jobs=_without(state.jobs, job.number))
    for name in job.parts:
        part = replace(state.parts[name], job=0, asking=Asking(job.step, "corrected", detail))
        state = _with_part(state, part)
    return state


def _fed(state: FlowState, job: Job, event: Answered) -> FlowState:
    state = replace(state, jobs=_without(state.jobs, job.number))
    item = job.items[0]
    if item.id in job.corrected:
        return state
    if not item.material:  # an empty carrier that went on
        is_stuck = event.outcome not in ("done", "cancelled")
        return replace(state, stuck=(*state.stuck, item.id)) if is_stuck else state
    if event.outcome != "done":
        empty = state.empty
        if event.outcome == "empty":
            empty = (*_without_name(empty, item.target), item.target)
        return replace(state, components=_without(state.components, item.id), empty=empty)
    lots = state.lots.get(item.target, ())
    if not lots:
        return state
    component = replace(state.components[item.id], lot=lots[0].lot)
    left = replace(lots[0], remaining=lots[0].remaining - 1)
    rest = (left, *lots[1:]) if left.remaining > 0 or len(lots) == 1 else lots[1:]
    components = {**state.components, item.id: component}
    return replace(state, components=components, lots={**state.lots, item.target: rest})


def _place(state: FlowState, job: Job, move: Move) -> FlowState:
    """An item came to a place; at its target a component joins the part that it was picked for.

    What a person put right since stays where the person says.
    """
    if move.item in job.corrected:
        return state
    if move.item in state.carriers:
        return replace(state, carriers={**state.carriers, move.item: move.place})
    if move.item in state.parts:
        return _with_part(state, replace(state.parts[move.item], place=move.place))
    component = state.components.get(move.item)
    if component is None:
        return state
    item = _item(job, move.item)
    if item is not None and item.into and move.place == item.target:
        return _joined(state, component, item)
    moved = replace(component, place=move.place)
    return replace(state, components={**state.components, moved.id: moved})


def _joined(state: FlowState, component: Component, item: Item) -> FlowState:
    part = state.parts[item.into]
    lots = {**part.lots, f"{component.material} {component.id}": component.lot}
    place = item.target if part.place == GONE else part.place
    state = _with_part(state, replace(part, lots=lots, place=place))
    return replace(state, components=_without(state.components, component.id))


def _ended(state: FlowState, name: str, verdict: str) -> FlowState:
    part = state.parts[name]
    order = state.orders[part.order]
    match verdict:
        case "good":
            order = replace(order, good=order.good + 1)
        case "scrap":
            order = replace(order, scrapped=order.scrapped + 1)
        case "withdrawn":
            order = replace(order, begun=order.begun - 1)
        case _:
            order = replace(order, removed=order.removed + 1)
    return _pruned(_with_order(replace(state, parts=_without(state.parts, name)), order))


def _pruned(state: FlowState) -> FlowState:
    """Without the oldest of many finished orders, and the recipes that nothing is made by any more."""
    finished = [order.id for order in state.orders.values() if order.is_complete]
    if len(finished) <= 2 * REMEMBERED:
        return state
    forgotten = set(finished[:-REMEMBERED])
    orders = {name: order for name, order in state.orders.items() if name not in forgotten}
    used = {digest for order in orders.values() for digest in (order.recipe, *order.made_by)}
    used |= {part.recipe for part in state.parts.values()}
    recipes = {digest: recipe for digest, recipe in state.recipes.items() if digest in used}
    return replace(state, orders=orders, recipes=recipes)


def decided(state: FlowState, part: Part, choice: str) -> Part:
    """How a part goes on after an operator's word."""
    asking, part = part.asking, replace(part, asking=None)
    match choice:
        case "retry":
            return part
        case "scrap":
            return scrapped(state.executable(part), part)
        case "remove":
            return replace(part, removed=True)
        case "next" if asking is not None:
            return replace(part, done=(*part.done, asking.step))
        case _:
            return reset_from(state, part, choice)


def _corrected(state: FlowState, item: str, place: str) -> FlowState:
    for job in state.commands().values():
        if _item(job, item) is not None and item not in job.corrected:
            marked = replace(job, corrected=(*job.corrected, item))
            state = replace(state, jobs={**state.jobs, job.number: marked})
    if item in state.parts:
        return _with_part(state, replace(state.parts[item], place=place))
    if item in state.carriers:
        stuck = _without_name(state.stuck, item)
        return replace(state, carriers={**state.carriers, item: place}, stuck=stuck)
    if item in state.components:
        component = replace(state.components[item], place=place)
        if place == GONE:
            return replace(state, components=_without(state.components, item))
        return replace(state, components={**state.components, item: component})
    return state


# --- journals ---------------------------------------------------------------------------------------------------


def _seen(state: FlowState, module: str, head: Head) -> FlowState:
    if head.sequence <= state.heads.get(module, Head()).sequence:
        return state
    return replace(state, heads={**state.heads, module: head})


def _given_up(state: FlowState, number: int) -> FlowState:
    """What a command was to move is nobody knows where; its parts ask a person."""
    job = state.command(number)
    if job is None:
        return state
    for item in job.items:
        if item.target not in ("", item.origin):
            state = _place(state, job, Move(item.id, LOST))
    detail = f"{job.module} lost records: nobody knows what it did"
    return _answered(state, Answered(number, UNKNOWN_END, module=job.module, detail=detail))


def _accepted(state: FlowState, modules: tuple[str, ...], lost: int) -> FlowState:
    """Every number takes a record, so that none of the lost records had one above the new.

    Where the runner's own journal lost them, a part may be farther than it says: each asks a person.
    """
    return replace(
        state,
        parts={part.id: _in_question(state, part) if lost else part for part in state.parts.values()},
        heads={module: head for module, head in state.heads.items() if module not in modules},
        next_command=state.next_command + lost,
        next_part=state.next_part + lost,
        next_component=state.next_component + lost,
    )


def _in_question(state: FlowState, part: Part) -> Part:
    following = next((step.name for step in state.route(part) if step.name not in part.done), "")
    if part.asking is not None or part.removed or not following:
        return part
    detail = "The runner lost records: this step, and later ones, may be done already"
    return replace(part, asking=Asking(following, UNKNOWN_END, detail))


# --- small steps ------------------------------------------------------------------------------------------------


def _phases(state: FlowState, job: Job) -> int:
    return max(1, len(state.executable(state.parts[job.parts[0]]).step(job.step).phases))


def _item(job: Job, name: str) -> Item | None:
    return next((item for item in job.items if item.id == name), None)


def _with_results(state: FlowState, job: Job, event: Answered) -> FlowState:
    if not event.results:
        return state
    results = {f"{job.step}.{name}": value for name, value in event.results.items()}
    for name in job.parts:
        part = state.parts[name]
        state = _with_part(state, replace(part, results={**part.results, **results}))
    return state


def _cleared(part: Part, step: str) -> dict[str, int]:
    return {key: count for key, count in part.failures.items() if not key.startswith(f"{step}:")}


def _with_part(state: FlowState, part: Part) -> FlowState:
    return replace(state, parts={**state.parts, part.id: part})


def _with_order(state: FlowState, order: Order) -> FlowState:
    return replace(state, orders={**state.orders, order.id: order})


def _without(mapping: dict[K, V], key: K) -> dict[K, V]:
    return {k: v for k, v in mapping.items() if k != key}


def _without_name(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(n for n in names if n != name)
