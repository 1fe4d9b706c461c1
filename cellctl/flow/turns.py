"""An order's turns: which step, and for which of its parts, a shared module does next. Pure.

Turns are an order of precedence, not clock times. A module waits for its next turn, though it could do something else,
as long as the turn comes by itself: without this module beginning anything else meanwhile. Where it does not, because
a part left the pattern, a module is held or something ran out, the module works on as it comes. Which turn is the next
follows from the state alone, so a line gets into step again by itself, after a crash too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from cellctl.flow.decide import decide
from cellctl.flow.events import Answered, Dispatched, FlowEvent
from cellctl.flow.fold import fold
from cellctl.flow.safe_states import SafeStates
from cellctl.flow.state import FlowState, Job, Order, Part
from cellctl.line.model import Line
from cellctl.messages import Move
from cellctl.recipe.executable import Step

MOST = 100  # rounds of commands that are looked ahead

Due = tuple[str, int]  # a step, for the part of this number in its order


def decide_by_turns(
    state: FlowState, line: Line, ready: frozenset[str], at: float, known: SafeStates | None = None
) -> tuple[FlowEvent, ...]:
    """As `decide`, with the modules of orders that have turns serving in them.

    Where nothing is under way and the turns let nothing begin, they are passed over: they never stop a line.
    """
    if not any(order.turns for order in state.orders.values()):
        return decide(state, line, ready, at, known)
    decided = decide(state, line, ready, at, known, _Turns(line, ready, known).let)
    after = fold(decided, state)
    if any(job.module in ready for job in after.commands().values()):
        return decided
    return (*decided, *decide(after, line, ready, at, known))


def next_turn(state: FlowState, order: Order, module: str) -> Due | None:
    """The first turn of a module that is still to be served; None where it has none, or none any more.

    A part that ended or left the pattern has no turns, nor has one that will not be begun. Of those that will, only the
    next counts: a round has each step for a part before it has that step for the one after.
    """
    turns = order.turns.get(module, ())
    own = {part.number: part for part in state.parts.values() if part.order == order.id}
    first = min(own, default=order.begun)
    end = order.begun + (order.open > 0 and not state.draining)
    for round_ in range(first, end + max((turn.behind for turn in turns), default=0)):
        for turn in turns:
            number = round_ - turn.behind
            if first <= number < end and _is_due(state, order, turn.step, number, own.get(number)):
                return turn.step, number
    return None


def is_in_step(part: Part) -> bool:
    """Whether a part goes its way as planned: nothing was done twice, and it goes on to its good end."""
    is_off = part.scrapping or part.asking is not None or part.removed or part.withdrawn
    return not is_off and all(count == 1 for count in part.visits.values())


def _is_due(state: FlowState, order: Order, step: str, number: int, part: Part | None) -> bool:
    if part is None:
        return number >= order.begun and _has(state.recipes[order.recipe_of(number)].steps, step)
    if not is_in_step(part) or step in part.done or not _has(state.route(part), step):
        return False
    return not part.job or state.jobs[part.job].step != step


def _has(route: tuple[Step, ...], step: str) -> bool:
    return any(each.name == step for each in route)


@dataclass(frozen=True, slots=True)
class _Turns:
    """One decision's view of the turns."""

    line: Line
    ready: frozenset[str]
    known: SafeStates | None

    def let(self, state: FlowState, command: Dispatched) -> bool:
        """Whether no module of a command has to wait for its turn instead."""
        before = _unborn(state, command)
        return not any(self._comes_by_itself(before, turn) for turn in _turns_before(state, command))

    def _comes_by_itself(self, state: FlowState, turn: _Ahead) -> bool:
        """Whether a turn is served, all going well, when until then its module begins nothing, and others keep theirs.

        Whoever waits for it therefore waits for something that is under way, or that is let begin now.
        """

        def lets(then: FlowState, command: Dispatched) -> bool:
            part = then.parts[command.parts[0]]
            if turn.module in command.modules.values():
                return part.order == turn.order and (command.step, part.number) == turn.due
            if _is_newborn(part) and part.order != turn.order:
                return False
            return not any(_turns_before(then, command))

        for _ in range(MOST):
            ended = self._all_end(state)
            events = decide(ended, self.line, self.ready, 0.0, self.known, lets)
            if any(isinstance(e, Dispatched) and e.phase == 0 and _is_for(e, turn) for e in events):
                return True
            after = fold(events, ended)
            if after is state:
                return False
            state = after
        return False

    def _all_end(self, state: FlowState) -> FlowState:
        """What is in hand of modules that work ends well."""
        in_hand = [job for job in state.commands().values() if job.module in self.ready]
        return fold(map(_ends_well, in_hand), state)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A turn that comes before some command on one of its modules."""

    order: str
    module: str
    due: Due


def _turns_before(state: FlowState, command: Dispatched) -> Iterator[_Ahead]:
    """The turns due on a command's modules, where they are not this command: of the part's own order if it is in step,
    and, for a part that the command begins, of those orders that begin theirs first."""
    part = state.parts[command.parts[0]]
    before = _unborn(state, command)
    own = before.orders[part.order]
    concerned = [own] if own.turns and is_in_step(part) else []
    if _is_newborn(part):
        urgent = sorted(before.orders.values(), key=lambda order: -order.priority)
        concerned += [order for order in urgent[: urgent.index(own)] if order.turns and order.open]
    for order in concerned:
        mine = (command.step, part.number) if order is own else None
        for module in dict.fromkeys(command.modules.values()):
            due = next_turn(before, order, module)
            if due not in (None, mine):
                yield _Ahead(order.id, module, due)


def _is_newborn(part: Part) -> bool:
    """Whether a part is only begun by the command that is asked about."""
    return not part.visits and not part.announcer


def _unborn(state: FlowState, command: Dispatched) -> FlowState:
    """The state before the parts of a command that it begins."""
    born = [state.parts[name] for name in command.parts if _is_newborn(state.parts[name])]
    if not born:
        return state
    order = state.orders[born[0].order]
    order = replace(order, begun=order.begun - len(born))
    parts = {name: part for name, part in state.parts.items() if part not in born}
    return replace(state, parts=parts, orders={**state.orders, order.id: order})


def _is_for(command: Dispatched, turn: _Ahead) -> bool:
    return turn.module in command.modules.values() and bool(command.step)


def _ends_well(job: Job) -> Answered:
    moves = tuple(Move(item.id, item.target) for item in job.items if item.target)
    return Answered(job.command, "done", moves)
