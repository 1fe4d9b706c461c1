"""What clients may ask of the runner, by verb. A verb checks, records flow events, and gives the body of the reply;
the reply leaves after the events are durable.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

import msgspec

from cellctl.compile.order import OrderText, PartGiven, compile_order
from cellctl.errors import Refused, UnknownName
from cellctl.flow.events import (
    Corrected,
    Decided,
    Drained,
    LotLoaded,
    ModuleIn,
    ModuleOut,
    OrderCancelled,
    OrderPrioritised,
    OrderTaken,
    RecipeTaken,
)
from cellctl.flow.state import Part, Turn
from cellctl.line.model import Line
from cellctl.messages import Instruct, Settle, Value
from cellctl.packml import NEEDS_NO_LEASE, Mode, State, StateCommand
from cellctl.recipe.executable import Executable
from cellctl.runner.bodies import (
    MOST_TURNS,
    AcceptBody,
    Body,
    CommandBody,
    CorrectBody,
    DecideBody,
    DrainBody,
    LoadBody,
    ModeBody,
    Nothing,
    OfModule,
    OfOrder,
    OrderBody,
    PriorityBody,
    SettleBody,
    read,
)
from cellctl.runner.corrections import check_may_end, check_place
from cellctl.runner.replies import Awaited, heeded
from cellctl.runner.shell import Runner, Verb
from cellctl.runner.status import part_map, status

OF_A_LINE = tuple(
    c for c in StateCommand if c not in (StateCommand.SUSPEND, StateCommand.UNSUSPEND, StateCommand.COMPLETE)
)
E = TypeVar("E", bound=StrEnum)


@lru_cache(maxsize=32)
def _compiled(order: bytes, line: Line) -> tuple[Executable, tuple[PartGiven, ...]]:
    """`compile_order` of an encoded order; the same one comes again from a client that had no reply, and in every run
    of a crash search. Raises RecipeRefused."""
    asked = msgspec.json.decode(order, type=OrderBody)
    text = OrderText(asked.text, asked.source, asked.variant, asked.included, asked.parts, asked.parts_source)
    return compile_order(text, line, asked.quantity)


def order(runner: Runner, who: str, body: Body) -> Body:
    """Take an order. The same id again is the same order: nothing happens and the reply is the same."""
    asked = read(OrderBody, body)
    known = runner.state.orders.get(asked.order)
    executable, parts = _compiled(msgspec.json.encode(asked), runner.line)
    digest, digests = executable.digest, tuple(part.executable.digest for part in parts)
    if known is not None:
        if (known.recipe, known.quantity, known.recipes) != (digest, asked.quantity, digests):
            raise Refused(
                f"order {asked.order} exists already and asks for something else; choose another id"
            )
        return {"order": asked.order, "known": True}
    if asked.quantity < 1:
        raise Refused(f"order {asked.order} asks for {asked.quantity} parts; at least 1")
    _check_turns(runner, asked.turns, executable)
    taken = {digest: executable} | {part.executable.digest: part.executable for part in parts}
    for each, made in taken.items():
        if each not in runner.state.recipes:
            runner.record(RecipeTaken(each, made))
    given = tuple(dict[str, Value](part.values) for part in parts)
    runner.record(
        OrderTaken(
            asked.order,
            digest,
            asked.quantity,
            asked.priority,
            given,
            who,
            runner.runtime.utc(),
            digests,
            asked.turns,
        )
    )
    return {"order": asked.order, "known": False}


def _check_turns(runner: Runner, turns: dict[str, tuple[Turn, ...]], executable: Executable) -> None:
    """Raises UnknownName, Refused for turns that are not of this line and recipe."""
    steps = [step.name for step in executable.steps]
    for module, own in turns.items():
        runner.line.module(module)
        for turn in own:
            if turn.step not in steps:
                raise UnknownName("step", turn.step, steps)
            if not 0 <= turn.behind <= MOST_TURNS:
                raise Refused(f"{module}: {turn.step} {turn.behind} parts behind; from 0 to {MOST_TURNS}")


def cancel(runner: Runner, who: str, body: Body) -> Body:
    """Begin no more parts of an order; those on the line are finished."""
    asked = read(OfOrder, body)
    runner.record(OrderCancelled(_order_id(runner, asked.order), who, runner.runtime.utc()))
    return {}


def priority(runner: Runner, who: str, body: Body) -> Body:
    """Give an order another priority; higher goes first."""
    asked = read(PriorityBody, body)
    order_id = _order_id(runner, asked.order)
    runner.record(OrderPrioritised(order_id, asked.priority, who, runner.runtime.utc()))
    return {}


def drain(runner: Runner, who: str, body: Body) -> Body:
    """Begin no parts (or, with `off`, begin them again)."""
    runner.record(Drained(not read(DrainBody, body).off, who, runner.runtime.utc()))
    return {}


def load(runner: Runner, who: str, body: Body) -> Body:
    """Say that material was put into a feeder."""
    asked = read(LoadBody, body)
    station = runner.line.station(asked.station)
    if station.source != asked.material:
        raise Refused(f"{asked.station} yields {station.source or 'no material'}, not {asked.material}")
    if asked.quantity < 1:
        raise Refused(f"a lot of {asked.quantity} pieces; at least 1")
    event = LotLoaded(asked.station, asked.material, asked.lot, asked.quantity, who, runner.runtime.utc())
    runner.record(event)
    return {}


def out(runner: Runner, who: str, body: Body) -> Body:
    """Take a module out of use; another does its work where one can."""
    name = _module(runner, read(OfModule, body).module)
    runner.record(ModuleOut(name, who, runner.runtime.utc()))
    runner.comparison.void(runner.fleet[name].seen)
    return {}


def back_in(runner: Runner, who: str, body: Body) -> Body:
    """Bring a module back into use."""
    name = _module(runner, read(OfModule, body).module)
    runner.record(ModuleIn(name, who, runner.runtime.utc()))
    runner.fleet[name].is_compared = False  # what its sensors say counts again
    return {}


def command(runner: Runner, who: str, body: Body) -> Body | Awaited:
    """A PackML command to the line, or with `module` to one module, whose own word is the reply."""
    said = read(CommandBody, body)
    asked = _choice(StateCommand, said.command)
    if not said.module and asked not in OF_A_LINE:
        raise Refused(f"a line is not told to {asked}; it is told to {', '.join(OF_A_LINE)}")
    if said.module:
        remote = runner.fleet[_module(runner, said.module)]
        if not remote.alive:
            raise Refused(f"{remote.name} does not answer")
        if asked not in NEEDS_NO_LEASE and not remote.epoch and not remote.is_in_hands:
            why = remote.refusal or "the runner has not got its lease yet; try again"
            raise Refused(f"{remote.name} takes only hold, stop and abort now: {why}")
        runner.clearance.check_module(asked, remote.name)
        runner.line_state.note(remote.name, asked)
        return heeded(runner.fleet, remote, Instruct(remote.name, who, asked, epoch=remote.epoch))
    runner.line_state.command(asked, who)
    return {"state": str(runner.state.packml)}


def mode(runner: Runner, who: str, body: Body) -> Awaited:
    """Another mode for one module: production, maintenance or manual; the reply is the module's own word."""
    said = read(ModeBody, body)
    remote = runner.fleet[_module(runner, said.module)]
    asked = _choice(Mode, said.mode)
    if not remote.alive:
        raise Refused(f"{remote.name} does not answer")
    return heeded(runner.fleet, remote, Instruct(remote.name, who, mode=asked, epoch=remote.epoch))


def settle(runner: Runner, who: str, body: Body) -> Awaited:
    """An operator's word on a question that a module asked; the reply is the module's."""
    asked = read(SettleBody, body)
    remote = runner.fleet[_module(runner, asked.module)]
    questions = {q.number: q for q in remote.view.questions} if remote.view else {}
    question = questions.get(asked.question)
    if question is None:
        raise UnknownName("question", str(asked.question), map(str, questions))
    if asked.choice not in question.choices:
        raise UnknownName("answer", asked.choice, question.choices)
    if not remote.alive:
        raise Refused(f"{remote.name} does not answer")
    word = Settle(remote.name, question.number, asked.choice, who, asked.note)
    return heeded(runner.fleet, remote, word)


def decide(runner: Runner, who: str, body: Body) -> Body:
    """How a part that waits for a person goes on."""
    asked = read(DecideBody, body)
    part, choice = _part(runner, asked.part), asked.choice
    executable = runner.state.executable(part)
    route = executable.scrap if part.scrapping else executable.steps
    choices = ["retry", "scrap", "next", "remove", *(step.name for step in route)]
    if part.job:
        raise Refused(f"{part.id} is being worked on; decide when it waits")
    if choice not in choices:
        raise UnknownName("choice", choice, choices)
    if choice == "scrap" and not executable.scrap:
        raise Refused(f"{executable.recipe} has no scrap steps; take {part.id} away and say `remove`")
    if choice == "next" and part.asking is None:
        raise Refused(f"{part.id} does not wait for a decision, so there is no step to pass over")
    runner.record(Decided(part.id, choice, who, runner.runtime.utc()))
    return {}


def correct(runner: Runner, who: str, body: Body) -> Body:
    """Put the part map right: an item is at a place ("" = it is not on the line)."""
    asked = read(CorrectBody, body)
    item, place = asked.item, asked.place
    places = runner.state.places()
    if item not in places:
        raise UnknownName("part, component or carrier", item, places)
    for job in runner.state.jobs.values():
        if item in (i.id for i in job.items):
            check_may_end(runner, item, job)
    if place:
        check_place(runner, item, place)
    runner.record(Corrected(item, place, who, asked.note, runner.runtime.utc()))
    look(runner, who, {})
    return {"item": item, "place": place}


def accept(runner: Runner, who: str, body: Body) -> Awaited:
    """Go on with a module although its journal, or the runner's, lost records that the other has seen.

    The reply comes when the modules have granted their leases anew.
    """
    asked = read(AcceptBody, body)
    modules = runner.trust.accept(_module(runner, asked.module), who, asked.note)
    return Awaited(
        lambda: {"modules": list(modules)} if runner.trust.has_again(modules) else None,
        f"it is on record that you accept {', '.join(modules)}, but the lease is not granted yet: "
        "look with `cellctl status`",
    )


def look(runner: Runner, who: str, body: Body) -> Body:
    """Have every module read its sensors now. The reply says when it was asked; `map` says when each was read."""
    read(Nothing, body)
    for remote in runner.fleet:
        if remote.alive:
            runner.fleet.inquire(remote)
    return {"asked": runner.runtime.utc()}


def start_line(runner: Runner, who: str, body: Body) -> Body:
    """Bring the line to Execute from wherever that is legal: clear, reset, start or unhold, one after another.

    On a line that executes, `modules` of the reply are those that stood since their process ended, and come along now.
    """
    read(Nothing, body)
    if runner.state.packml is State.EXECUTE:
        return {"state": str(State.EXECUTE), "modules": runner.line_state.bring_along(who)}
    if runner.state.packml in (State.STARTING, State.RESETTING, State.UNHOLDING):
        return {"state": str(runner.state.packml)}
    first = {
        State.ABORTED: StateCommand.CLEAR,
        State.STOPPED: StateCommand.RESET,
        State.COMPLETE: StateCommand.RESET,
        State.IDLE: StateCommand.START,
        State.HELD: StateCommand.UNHOLD,
        State.SUSPENDED: StateCommand.UNSUSPEND,
    }.get(runner.state.packml)
    if first is None:
        raise Refused(f"the line is {runner.state.packml}; wait until that is over")
    runner.line_state.start(first, who)
    return {"state": str(runner.state.packml)}


def show_status(runner: Runner, who: str, body: Body) -> Body:
    """Everything a display shows."""
    read(Nothing, body)
    return status(runner)


def show_part_map(runner: Runner, who: str, body: Body) -> Body:
    """Every item, where the journal has it, what the sensors say, and what waits for a person."""
    read(Nothing, body)
    return part_map(runner)


VERBS: dict[str, Verb] = {
    "order": order,
    "cancel": cancel,
    "priority": priority,
    "drain": drain,
    "load": load,
    "out": out,
    "in": back_in,
    "command": command,
    "start": start_line,
    "mode": mode,
    "settle": settle,
    "decide": decide,
    "correct": correct,
    "accept": accept,
    "look": look,
    "status": show_status,
    "map": show_part_map,
}


# --- reading ----------------------------------------------------------------------------------------------------


def _choice(kind: type[E], text: str) -> E:
    names = [str(member) for member in kind]
    if text not in names:
        raise UnknownName("mode" if kind is Mode else "command", text, names)
    return kind(text)


def _order_id(runner: Runner, name: str) -> str:
    if name not in runner.state.orders:
        raise UnknownName("order", name, runner.state.orders)
    return name


def _module(runner: Runner, name: str) -> str:
    return runner.line.module(name).name


def _part(runner: Runner, name: str) -> Part:
    if name not in runner.state.parts:
        raise UnknownName("part on the line", name, runner.state.parts)
    return runner.state.parts[name]
