"""Bugs to be planted into the program: each takes away one thing that nothing-lost, nothing-twice rests upon."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

import cellctl.modules.recorder as recorder_module
import cellctl_sim.disk as disk_module
from cellctl.device import Recovery, Settled, Settlement
from cellctl.flow.events import Answered, Dispatched
from cellctl.journal import ActionBegan, Journal, LeaseTaken
from cellctl.journal import Answered as ModuleAnswered
from cellctl.messages import Answer, Command, Head
from cellctl.modules.act import CommandAct
from cellctl.modules.commands import Commands
from cellctl.modules.lease import Lease
from cellctl.modules.recorder import Recorder
from cellctl.runner.book import Book
from cellctl.runner.dialogue import Dialogue
from cellctl.runner.fleet import Fleet
from cellctl_drivers.handshake_machine import HandshakeMachine
from cellctl_drivers.megp25 import Megp25
from cellctl_sim.tail import WORD, rows_of

# --- what is durable before what -----------------------------------------------------------------------------------


def acts_before_the_intent_is_durable(patch: pytest.MonkeyPatch) -> None:
    async def begin(self: Any, action: Any, index: int) -> int:
        number: int = self._next_action()
        self.has_begun = True
        command = self._entry.command
        began = ActionBegan(command.module, command.number, number, index, action.device, action.name)
        self._record._inbox.send(((began,), self._runtime.event()))
        return number

    patch.setattr(CommandAct, "_begin", begin)


def answers_before_the_answer_is_durable(patch: pytest.MonkeyPatch) -> None:
    journals_first = Commands._answer

    async def answer(self: Any, answer: Any) -> None:
        if self._lease.peer:
            self._reply(self._lease.peer, self._with_head(answer))
        await journals_first(self, answer)

    patch.setattr(Commands, "_answer", answer)


def does_not_journal_answers(patch: pytest.MonkeyPatch) -> None:
    async def answer(self: Any, answer: Any) -> None:
        self._context.ledger.unfinished.pop(answer.number, None)
        self._reply(self._lease.peer, self._with_head(answer))

    patch.setattr(Commands, "_answer", answer)


def resends_under_a_new_number(patch: pytest.MonkeyPatch) -> None:
    send = Fleet.send
    seen: set[int] = set()

    def renumbered(self: Any, remote: Any, message: Any) -> None:
        if isinstance(message, Command) and message.number in seen:
            message = msgspec.structs.replace(message, number=message.number + 1000)
        elif isinstance(message, Command):
            seen.add(message.number)
        send(self, remote, message)

    patch.setattr(Fleet, "send", renumbered)


def sends_before_the_intent_is_durable(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Book, "afterwards", lambda self, leave: leave())


def checks_no_epoch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lease, "allows", lambda self, *_: True)


def ignores_the_handshake(patch: pytest.MonkeyPatch) -> None:
    """After a crash it starts the program again, under a number that the PLC has not seen."""
    start = HandshakeMachine._start
    run_once = HandshakeMachine.run

    def run(self: Any, program: int, values: Any, results: Any) -> Any:
        action = run_once(self, program, values, results)

        async def settle(number: int) -> Settled[Any]:
            return Settled(Settlement.NOT_STARTED)

        async def perform(number: int) -> Any:
            unit = self._unit()
            found = await unit.read(*_report())
            if found.raw(_report()[0]) == number:
                number += 1_000_000
            await start(self, unit, found, number, program, values)
            await self._ended(unit, number)
            return {"code": 0, **dict.fromkeys(results, 0.0)}

        return replace(action, perform=perform, settle=settle)

    patch.setattr(HandshakeMachine, "run", run)


def _report() -> Any:
    from cellctl_drivers.maps import handshake_machine as plc

    return (plc.ACK, *(register for register in plc.REPORT if register is not plc.ACK))


def retries_what_is_in_doubt(patch: pytest.MonkeyPatch) -> None:
    settle = CommandAct._settle

    async def retried(self: Any, action: Any, past: Any, index: int, moves: Any) -> Any:
        settled = await action.settle(past.number) if action.settle else None
        if settled is not None and settled.settlement is Settlement.UNKNOWN:
            return await self._perform(action, await self._begin(action, index), moves)
        return await settle(self, action, past, index, moves)

    patch.setattr(CommandAct, "_settle", retried)


def accepts_a_shortened_journal(patch: pytest.MonkeyPatch) -> None:
    def believe(peer: str, seen: Head, now: Head) -> None:
        pass

    patch.setattr("cellctl.runner.trust.check_not_shorter", believe)
    patch.setattr("cellctl.modules.lease.check_not_shorter", believe)
    patch.setattr(Recorder, "has", lambda self, head: True)


def opens_the_gripper_on_opening(patch: pytest.MonkeyPatch) -> None:
    only_looks = Megp25.open

    async def open_(self: Any) -> None:
        await only_looks(self)
        await self._arm().run(self._settings(), "GripperOpen")

    patch.setattr(Megp25, "open", open_)


def frees_a_station_on_a_timeout(patch: pytest.MonkeyPatch) -> None:
    take_back = Dialogue._take_back

    def freed(self: Any, remote: Any, numbers: Any) -> None:
        before = set(remote.cancelled)
        take_back(self, remote, numbers)
        for number in set(remote.cancelled) - before:
            self._book.record(Answered(number, "cancelled", module=remote.name))

    patch.setattr(Dialogue, "_take_back", freed)


def cancels_what_has_begun(patch: pytest.MonkeyPatch) -> None:
    take_back = Commands.cancel

    async def cancel(self: Any, peer: str, wanted: Any) -> None:
        hand = self.in_hand.get(wanted.number)
        if hand is None or not hand.entry.actions:
            await take_back(self, peer, wanted)
            return
        self._break_off(hand)
        await self._answer(Answer(self._context.name, wanted.number, "cancelled"))

    patch.setattr(Commands, "cancel", cancel)


# --- what is remembered --------------------------------------------------------------------------------------------


def forgets_the_epoch_of_its_lease(patch: pytest.MonkeyPatch) -> None:
    journal = Recorder.__call__

    async def unless_of_a_lease(self: Any, *records: Any) -> None:
        for record in records:
            if isinstance(record, LeaseTaken):
                self._book.apply(record)
            else:
                await journal(self, record)

    patch.setattr(Recorder, "__call__", unless_of_a_lease)


def journals_no_intent(patch: pytest.MonkeyPatch) -> None:
    record = Book.record

    def recorded(self: Any, event: Any) -> None:
        record(self, event)
        if isinstance(event, Dispatched):
            self._pending.pop()

    patch.setattr(Book, "record", recorded)


def takes_forgotten_commands_for_new_ones(patch: pytest.MonkeyPatch) -> None:
    take = Commands.take

    async def taken(self: Any, peer: str, command: Any) -> None:
        if command.number < self._context.ledger.below:
            await self._take_new(peer, command)
        else:
            await take(self, peer, command)

    patch.setattr(Commands, "take", taken)


def begins_its_journal_again_without_its_answers(patch: pytest.MonkeyPatch) -> None:
    say = recorder_module.says_the_same

    def says_less(book: Any) -> tuple[Any, ...]:
        return tuple(record for record in say(book) if not isinstance(record, ModuleAnswered))

    patch.setattr(recorder_module, "says_the_same", says_less)


def archives_before_the_new_beginning_is_durable(patch: pytest.MonkeyPatch) -> None:
    async def begin_again(self: Any, *records: Any) -> None:
        await self._store.archive(self._sequence + 1)
        await self.append(*records)
        self.length = len(records)

    patch.setattr(Journal, "begin_again", begin_again)


# --- what a disk leaves --------------------------------------------------------------------------------------------


def keeps_the_whole_rows_of_a_torn_commit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(disk_module, "recovered", lambda tail: tuple(rows_of(tail[WORD:])))


def keeps_a_torn_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(disk_module, "recovered", lambda tail: (tail[2 * WORD :],) if tail[2 * WORD :] else ())


# --- how an unfinished action is settled ---------------------------------------------------------------------------


def takes_what_it_began_for_done(patch: pytest.MonkeyPatch) -> None:
    settle = CommandAct._settle

    async def settled(self: Any, action: Any, past: Any, index: int, moves: Any) -> Any:
        if action.recovery is Recovery.OBSERVABLE:
            return self._end(past.number, action.done_value, moves, 0.0)
        return await settle(self, action, past, index, moves)

    patch.setattr(CommandAct, "_settle", settled)
