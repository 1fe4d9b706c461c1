"""Acts: what a skill makes its devices do, one action after another, journaled before and after.

On a second run, after a crash, an abort or a person's word, the skill starts from the top: an `Act` gives back the
results on record, settles the one unfinished action as its driver declared, and the skill goes on from there.

A result does not wait until it is durable: it is journaled in one append with what the skill does next, the start of
another action or its answer, and neither has an effect before that append is durable. A crash in between leaves the
action unfinished on record, as one right before its end would have, and it is settled.

A recorded *repeatable* action directly before the first one that is now really performed is performed again: what it
brought about, an arm in place or a running belt, may not stand any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from cellctl.device import Action, Recovery, Settlement
from cellctl.errors import CellctlError, PlugInError
from cellctl.journal import ActionBegan
from cellctl.messages import Move, Question
from cellctl.modules.aftermath import Aftermath
from cellctl.modules.ledger import Ledger, PastAction, Unfinished, ended
from cellctl.modules.recorder import Recorder
from cellctl.runtime import Runtime

T = TypeVar("T")

DONE, NOT_STARTED, FAILED = "done", "not started", "failed"

CHOICES = {
    DONE: "it was done: go on after it",
    NOT_STARTED: "it was not begun: do it now",
    FAILED: "it was begun and did not work, or nobody can say: give the command up",
}
_EITHER = {DONE: "go on as the journal has it", FAILED: CHOICES[FAILED]}
_ONLY_FAILED = {FAILED: CHOICES[FAILED]}


class InDoubt(CellctlError):
    """Only a person can say how it goes on. `question` is new, or None when one is open already."""

    def __init__(self, question: Question | None) -> None:
        self.question = question
        super().__init__(question.text if question else "a question is open")


def no_moves(result: object) -> Sequence[Move]:
    """Nothing changes its place."""
    return ()


class CommandAct:
    """The `Act` of one run of one command."""

    def __init__(
        self,
        runtime: Runtime,
        record: Recorder,
        ledger: Ledger,
        entry: Unfinished,
        next_action: Callable[[], int],
        aftermath: Aftermath,
    ) -> None:
        self._runtime, self._record, self._ledger, self._entry = runtime, record, ledger, entry
        self._next_action, self._aftermath = next_action, aftermath
        self.began = 0.0
        self.moves = list(entry.moves)  # those on their way to the record, too
        self.device_time = entry.device_time  # [s]
        self._index = 0
        self._replayed: tuple[Action[Any], PastAction] | None = None  # repeatable, directly before this one

    async def __call__(self, action: Action[T], moves: Callable[[T], Sequence[Move]] = no_moves) -> T:
        """The action's result. `moves(result)` are the changes of place that come true with it.

        Raises InDoubt when nobody but a person can know, and whatever the driver raises.
        """
        index, self._index = self._index, self._index + 1
        past = self._entry.actions.get(index)
        self.began = self._runtime.utc() if past is None else past.at
        if past is None:
            self._aftermath.goes_on()
            if action.recovery is not Recovery.REPEATABLE:
                await self._establish()
            number = await self._begin(action, index)
            return await self._perform(action, number, moves)
        self._check_same(past, action)
        if past.ended:
            self._aftermath.found(past, action.recovery is Recovery.REPEATABLE)
            self._replayed = (action, past) if action.recovery is Recovery.REPEATABLE else None
            return cast(T, past.result)
        return await self._settle(action, past, index, moves)

    def check_complete(self) -> None:
        """Raise InDoubt when the skill ended before all that is on record was asked for."""
        rest = [past for index, past in sorted(self._entry.actions.items()) if index >= self._index]
        if rest and self._ledger.told.get(rest[0].number) != DONE:
            raise self._doubt(
                rest[0], f"{rest[0].name} of {rest[0].device} is on record, but not asked for", _EITHER
            )
        self._aftermath.ended()

    # --- an unfinished action -------------------------------------------------------------------------------------

    async def _settle(
        self, action: Action[T], past: PastAction, index: int, moves: Callable[[T], Sequence[Move]]
    ) -> T:
        told = self._ledger.told.get(past.number)
        if told == DONE:
            return self._end(past.number, cast(T, action.done_value), moves, 0.0)
        if told == NOT_STARTED:  # a new number: a device with a handshake may have taken the old one
            await self._establish()
            return await self._perform(action, await self._begin(action, index), moves)
        if past.number in self._ledger.questions:
            raise InDoubt(None)
        if action.recovery is Recovery.IN_DOUBT:
            self._aftermath.settled(past, Settlement.UNKNOWN, "it leaves no evidence")
            raise self._doubt(past, f"was {past.name!r} of {past.device} done?")
        if action.settle is None:
            self._aftermath.goes_on()
            return await self._perform(action, past.number, moves)
        settled = await action.settle(past.number)
        self._aftermath.settled(past, settled.settlement, settled.why)
        match settled.settlement:
            case Settlement.DONE:
                return self._end(past.number, cast(T, settled.value), moves, 0.0)
            case Settlement.NOT_STARTED:
                await self._establish()
                return await self._perform(action, past.number, moves)
            case Settlement.RUNNING:
                return await self._perform(action, past.number, moves)
            case Settlement.UNKNOWN:
                raise self._doubt(past, f"was {past.name!r} of {past.device} done? {settled.why}".rstrip())

    async def _establish(self) -> None:
        """Perform the replayed repeatable action before this one again. Raises InDoubt for another result."""
        if self._replayed is None:
            return
        (action, past), self._replayed = self._replayed, None
        result = await action.perform(past.number)
        if result != past.result and self._ledger.told.get(past.number) != DONE:
            why = f"{past.name!r} of {past.device} gave {past.result}, and now gives {result}"
            raise self._doubt(past, why, _EITHER)

    # --- performing -----------------------------------------------------------------------------------------------

    async def _begin(self, action: Action[T], index: int) -> int:
        number = self._next_action()
        command = self._entry.command
        began = ActionBegan(
            command.module, command.number, number, index, action.device, action.name, self._runtime.utc()
        )
        await self._record(began)
        return number

    async def _perform(self, action: Action[T], number: int, moves: Callable[[T], Sequence[Move]]) -> T:
        self._replayed = None
        started = self._runtime.now()
        result = await action.perform(number)
        return self._end(number, result, moves, self._runtime.now() - started)

    def _end(self, number: int, result: T, moves: Callable[[T], Sequence[Move]], device_time: float) -> T:
        self._replayed = None
        command, moved = self._entry.command, tuple(moves(result))
        self._record.soon(ended(command.module, command.number, number, result, moved, device_time))
        self.moves += moved
        self.device_time += device_time
        return result

    # --- doubt ----------------------------------------------------------------------------------------------------

    def _check_same(self, past: PastAction, action: Action[Any]) -> None:
        if (past.device, past.name) == (action.device, action.name):
            return
        why = f"on record is {past.name!r} of {past.device}, but now {action.name!r} of {action.device} is asked for"
        raise self._doubt(past, why, _ONLY_FAILED)

    def _doubt(self, past: PastAction, text: str, choices: dict[str, str] = CHOICES) -> InDoubt:
        self._aftermath.doubted(text)
        if past.number in self._ledger.questions:
            return InDoubt(None)
        command = self._entry.command.number
        return InDoubt(Question(past.number, command, past.name, text, choices, self._runtime.utc()))


class ErrandAct:
    """The `Act` of what belongs to no command: preparing the devices, stopping an idle belt, moving by hand.

    Nobody settles such an action after a crash, so it must be repeatable; but not `by_hand`, where a person looks on.
    """

    def __init__(
        self,
        runtime: Runtime,
        record: Recorder,
        module: str,
        next_action: Callable[[], int],
        by_hand: bool = False,
    ) -> None:
        self._runtime, self._record, self._module = runtime, record, module
        self._next_action, self._by_hand = next_action, by_hand
        self.began = 0.0

    async def __call__(self, action: Action[T], moves: Callable[[T], Sequence[Move]] = no_moves) -> T:
        """Journal and perform. Raises PlugInError for an action that is not repeatable."""
        if action.recovery is not Recovery.REPEATABLE and not self._by_hand:
            raise PlugInError(
                f"{action.device}: {action.name} is {action.recovery}, but outside a command only repeatable "
                "actions may be performed"
            )
        number = self._next_action()
        self.began = self._runtime.utc()
        await self._record(ActionBegan(self._module, 0, number, 0, action.device, action.name, self.began))
        started = self._runtime.now()
        result = await action.perform(number)
        seconds = self._runtime.now() - started
        self._record.soon(ended(self._module, 0, number, result, (), seconds))
        return result
