"""The commands of one module: taken, run through its kind, answered; and what is in hand now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from cellctl.errors import CellctlError, DeviceError, Refused, StoreError, UnknownName
from cellctl.journal import Answered, Asked, Forgot, Taken
from cellctl.messages import (
    LOST,
    Accepted,
    Answer,
    Cancel,
    Command,
    Message,
    Move,
    Question,
    Refusal,
    TooLate,
)
from cellctl.modules.act import CHOICES, CommandAct, InDoubt
from cellctl.modules.context import Context
from cellctl.modules.kind import Ran
from cellctl.modules.lease import Lease
from cellctl.modules.ledger import Unfinished
from cellctl.modules.turn import Turn
from cellctl.modules.work import Work
from cellctl.runtime import Event
from cellctl.skill import Holds, Skill, Works


@dataclass(slots=True)
class InHand:
    """A command that is being done."""

    entry: Unfinished
    act: CommandAct
    work: Work | None = None


class Commands:
    """Takes, runs and answers. `must_hold` and `must_abort` tell the module what to do about doubts and faults."""

    def __init__(
        self,
        context: Context,
        lease: Lease,
        is_executing: Callable[[], bool],
        must_hold: Callable[[], None],
        must_abort: Callable[[], None],
    ) -> None:
        self._context, self._lease, self._is_executing = context, lease, is_executing
        self._must_hold, self._must_abort = must_hold, must_abort
        self.in_hand: dict[int, InHand] = {}
        self.settled: list[str] = []  # how each command stood that was left unfinished
        self._floor = Turn(context.runtime)  # a command begins, or the module goes idle: not both
        self._is_resting = True

    # --- taking ---------------------------------------------------------------------------------------------------

    async def take(self, peer: str, command: Command) -> None:
        """Accept a command, durable before it is said; refuse it; or give the answer it already has."""
        ledger, number = self._context.ledger, command.number
        if number < ledger.below:
            self._refuse(peer, number, f"commands below {ledger.below} are answered and forgotten")
        elif number in ledger.answers:
            self._reply(peer, self._with_head(ledger.answers[number]))
        elif number in ledger.unfinished:
            self._reply(peer, Accepted(self._context.name, number, self._context.recorder.head))
        else:
            await self._take_new(peer, command)

    async def _take_new(self, peer: str, command: Command) -> None:
        try:
            if not self._is_executing():
                raise Refused("it is not in execute, in production mode")
            self._check(command)
        except CellctlError as error:
            self._refuse(peer, command.number, str(error))
            return
        except Exception as error:  # of a kind: it must not take the other modules with it
            self._context.runtime.log.error("check failed", module=self._context.name, error=repr(error))
            self._refuse(peer, command.number, f"it cannot be checked: {error!r}")
            return
        ledger = self._context.ledger
        forgot = [Forgot(self._context.name, command.oldest)] if command.oldest > ledger.below else []
        await self._context.record(Taken(command, self._context.runtime.utc()), *forgot)
        self._reply(peer, Accepted(self._context.name, command.number, self._context.recorder.head))
        if self._is_executing():  # else it was stopped meanwhile, and the command waits on record
            self.start(ledger.unfinished[command.number], is_new=True)

    def _check(self, command: Command) -> None:
        skill = self._skill(command)
        for other in self.in_hand.values():
            if Holds.MODULE in (skill.holds, self._skill(other.entry.command).holds):
                raise Refused(f"it is busy with command {other.entry.command.number}")
        self._context.kind.check(command)

    def _skill(self, command: Command) -> Skill:
        kind = self._context.module.kind
        skill = kind.skill(command.skill)
        if skill is None:
            raise UnknownName(f"skill of a {kind.name}", command.skill, (s.name for s in kind.skills))
        return skill

    async def cancel(self, peer: str, cancel: Cancel) -> None:
        """Answer "cancelled" while no action has begun; else it is too late."""
        ledger, number = self._context.ledger, cancel.number
        hand, entry = self.in_hand.get(number), ledger.unfinished.get(number)
        if cancel.by_hand and entry is not None and hand is None:
            ran = Ran("failed", detail="a person ended it")
            await self._answer(self._answer_of(entry, ran, entry.moves, entry.device_time))
            return
        if number in ledger.answers or (entry and entry.actions):
            self._reply(peer, TooLate(self._context.name, number))
            if number in ledger.answers:
                self._reply(peer, self._with_head(ledger.answers[number]))
            return
        if number < ledger.below:
            self._refuse(peer, number, f"commands below {ledger.below} are answered and forgotten")
            return
        if hand is not None:
            self._break_off(hand)
        now = self._context.runtime.utc()
        await self._answer(Answer(self._context.name, number, "cancelled", started=now, ended=now))
        self._context.work(self._rest, "rests")

    # --- running --------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Run again, from the top, every command on record that is not in hand."""
        self.settled.clear()
        for number, entry in self._context.ledger.unfinished.items():
            if number not in self.in_hand:
                self.start(entry)

    def start(self, entry: Unfinished, is_new: bool = False) -> None:
        """Run a command beside all else; `is_new` when it never ran before."""
        if is_new:
            self.settled.clear()
        hand = InHand(entry, self._context.act(entry, is_new, self.settled.append))
        number = entry.command.number
        self.in_hand[number] = hand
        self._is_resting = False
        hand.work = self._context.work(lambda: self._run(hand), f"command {number}")

    async def _run(self, hand: InHand) -> None:
        try:
            async with self._floor:
                pass
            await self._answer(await self._outcome(hand))
        except InDoubt as doubt:
            await self._ask(doubt.question)
        except DeviceError as error:
            self._context.alarms.raise_error(error)
            self._must_abort()
            return
        except StoreError:
            raise
        except Exception as error:  # of a kind or driver: it must not take the other modules with it
            self._context.runtime.log.error(
                "command failed",
                module=self._context.name,
                command=hand.entry.command.number,
                error=repr(error),
            )
            await self._ask(self._about_command(hand, error))
        finally:
            self._put_down(hand)
        await self._rest()

    async def _outcome(self, hand: InHand) -> Answer:
        entry, command = hand.entry, hand.entry.command
        if entry.is_given_up:
            lost = [Move(item.id, LOST) for item in command.items] if self._moves(command) else []
            ran = Ran("failed", detail="a person said that it failed")
            return self._answer_of(entry, ran, entry.moves + lost, entry.device_time)
        ran = await self._context.kind.run(command, hand.act)
        hand.act.check_complete()
        return self._answer_of(entry, ran, hand.act.moves, hand.act.device_time)

    def _moves(self, command: Command) -> bool:
        return self._skill(command).works in (Works.MOVES, Works.JOINS)

    def _answer_of(self, entry: Unfinished, ran: Ran, moves: Sequence[Move], device_time: float) -> Answer:
        return Answer(
            self._context.name,
            entry.command.number,
            ran.outcome,
            moves=tuple(moves),
            results=dict(ran.results),
            started=entry.at,
            ended=self._context.runtime.utc(),
            device_time=device_time,
            detail=ran.detail,
        )

    async def _answer(self, answer: Answer) -> None:
        await self._context.record(Answered(answer))
        self._context.alarms.clear("M011", self._context.name)
        if self._lease.peer:
            self._reply(self._lease.peer, self._with_head(answer))

    async def _ask(self, question: Question | None) -> None:
        if question is not None:
            await self._context.record(Asked(self._context.name, question))
            code = "M010" if question.action else "M011"
            self._context.alarms.raise_alarm(code, self._context.name, question.text)
        self._must_hold()

    def _about_command(self, hand: InHand, error: Exception) -> Question:
        command = hand.entry.command
        text = f"command {command.number} ({command.skill}) cannot go on: {error}"
        choices = {"not started": "try it again", "failed": CHOICES["failed"]}
        now = self._context.runtime.utc()
        return Question(self._context.next_action(), command.number, "", text, choices, now)

    # --- ending ---------------------------------------------------------------------------------------------------

    def _put_down(self, hand: InHand) -> None:
        number = hand.entry.command.number
        if self.in_hand.get(number) is hand:
            del self.in_hand[number]

    async def _rest(self) -> None:
        async with self._floor:
            if self.in_hand or self._is_resting:
                return
            try:
                await self._context.kind.idle(self._context.errand())
                self._is_resting = not self.in_hand  # a command may have been taken meanwhile
            except StoreError:
                raise
            except Exception as error:  # of a kind or driver: it must not take the other modules with it
                self._context.complain("idle failed", error)
                self._must_abort()

    async def drained(self) -> None:
        """Wait until the commands in hand have ended, and the module rests."""
        while self.in_hand:
            work = next(iter(self.in_hand.values())).work
            assert work is not None
            await work.ended.wait()
        await self._rest()

    def interrupt(self) -> list[Event]:
        """Stop every command in hand where it is; they stay unfinished on record. Events for their ends."""
        hands = list(self.in_hand.values())
        for hand in hands:
            self._break_off(hand)
        self._is_resting = True  # halting lets everything rest
        return [hand.work.ended for hand in hands if hand.work is not None]

    def _break_off(self, hand: InHand) -> None:
        assert hand.work is not None
        hand.work.break_off()
        if hand.work.ended.is_set():  # before its first line: it cannot put itself down
            self._put_down(hand)

    # --- saying ---------------------------------------------------------------------------------------------------

    def _reply(self, peer: str, message: Message) -> None:
        self._context.reply(peer, message)

    def _refuse(self, peer: str, number: int, why: str) -> None:
        self._reply(peer, Refusal(self._context.name, number, f"{self._context.name}: {why}"))

    def _with_head(self, answer: Answer) -> Answer:
        return replace(answer, head=self._context.recorder.head)
