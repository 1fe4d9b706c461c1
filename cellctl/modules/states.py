"""The PackML states of one module: the table of `cellctl.packml`, and what the module does in each acting state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cellctl.errors import DeviceError, Refused, StoreError
from cellctl.journal import Entered, LeaseTaken
from cellctl.messages import Command
from cellctl.modules.announcements import Announcements
from cellctl.modules.commands import Commands
from cellctl.modules.context import Context
from cellctl.modules.lease import Lease
from cellctl.modules.ledger import Ledger
from cellctl.modules.manual import Jogging
from cellctl.modules.work import Work
from cellctl.packml import (
    ACTING,
    NEEDS_NO_LEASE,
    Mode,
    State,
    StateCommand,
    after,
    commands_in,
    completed,
)

S, C = State, StateCommand

MODE_CHANGES_IN = (S.STOPPED, S.IDLE, S.ABORTED)  # the default of TR88.00.02-2022
MOVED_BY_HAND_IN = (S.STOPPED, S.IDLE)  # an abort is ended by a person first, with `clear`
DOUBT = "in doubt"  # who entered Held, when it was a question
RESTART = "restart"  # who stopped a module that was doing something else when its process ended
SAFETY = "safety"  # who aborted, when it was a guard or an emergency stop: only a person clears that
_NEED_DEVICES = (S.RESETTING, S.STARTING, S.UNHOLDING, S.UNSUSPENDING)
_GOES_ON = (C.CLEAR, C.RESET, C.START, C.UNHOLD, C.UNSUSPEND)
_CLEARED = ("M002", "M003", "M011")
_SILENT = ("M001",)  # over when the device answers, not when somebody clears


class States:
    """State and mode of one module. `show` publishes its view; `look` reads its sensors anew first."""

    def __init__(
        self,
        context: Context,
        lease: Lease,
        show: Callable[[], None],
        look: Callable[[], Awaitable[None]],
    ) -> None:
        self._context, self._lease, self._show, self._look = context, lease, show, look
        ledger = context.ledger
        self.state = ledger.state if _outlives_restart(ledger) else S.STOPPED
        self.mode = ledger.mode
        self.commands = Commands(context, lease, self.is_executing, self.hold_for_question, self.abort)
        self.announcements = Announcements(context, lease, self.abort)
        self.jogging = Jogging(context, lease, self._check_by_hand)
        self.is_prepared = False
        self._is_suspended_for_lease = False
        self._who = ledger.entered_by if ledger.state is self.state else RESTART
        self._work: Work | None = None

    def is_executing(self) -> bool:
        """Whether new commands are taken."""
        return self.state is S.EXECUTE and self.mode is Mode.PRODUCTION

    # --- what is asked of it --------------------------------------------------------------------------------------

    def instruct(self, command: StateCommand, who: str) -> None:
        """Do a PackML command. Raises Refused when it is not legal here, or cannot be done yet."""
        if command is C.ABORT and who == SAFETY:
            self.abort(SAFETY)
            return
        stops = command in NEEDS_NO_LEASE and self.jogging.end(f"{who} said {command}") is not None
        if stops and command not in commands_in(self.state):
            return  # that it rests was all that could be meant
        target = after(self.state, command)
        if command in _GOES_ON:
            self._check_safe()
        if command in (C.RESET, C.START, C.UNHOLD, C.UNSUSPEND):
            self._check_ready()
        if command is C.UNHOLD and self._context.ledger.questions:
            raise Refused(f"{self._context.name} waits for an answer to its question; see `cellctl recover`")
        self._go(target, who)

    def _check_ready(self) -> None:
        silent = self._context.silent()
        if silent and self._context.tried.is_set():
            raise Refused(f"{self._context.name} is not ready: {' and '.join(silent)} does not answer")

    def _check_safe(self) -> None:
        off = self._context.safety.off(self._context.name)
        if off:
            raise Refused(f"{self._context.name} does not go on: {' and '.join(off)} is open or tripped")

    @property
    def entered_by(self) -> str:
        """Who brought the module into its state."""
        return self._who

    async def set_mode(self, mode: Mode, who: str) -> None:
        """Change the mode; only where nothing runs. Raises Refused."""
        if mode is self.mode:
            return
        if self.state not in MODE_CHANGES_IN:
            allowed = ", ".join(MODE_CHANGES_IN)
            raise Refused(f"the mode of {self._context.name} changes only in {allowed}, not in {self.state}")
        records: list[Entered | LeaseTaken] = [Entered(self._context.name, self.state, mode, who)]
        if self.mode is Mode.MANUAL:
            self.is_prepared = False  # hands moved what the last preparation brought about
        if Mode.MANUAL in (mode, self.mode):
            self._lease.check_free_for_person()
            self._lease.forget()
            records.append(self._lease.freed())
        self.mode = mode  # before it is durable: an abort meanwhile is recorded with this mode
        await self._context.record(*records)
        self._show()

    def _check_by_hand(self) -> None:
        name = self._context.name
        if self.mode is not Mode.MANUAL:
            raise Refused(f"{name} is in {self.mode} mode; say `cellctl mode {name} manual` first")
        if self.state not in MOVED_BY_HAND_IN:
            allowed = " or ".join(MOVED_BY_HAND_IN)
            raise Refused(f"{name} is moved by hand only when it is {allowed}, not {self.state}")

    def abort(self, who: str = "fault") -> None:
        """Abort on a fault; where it is aborted already, no more than remember that safety was a cause, too."""
        if self.state not in (S.ABORTING, S.ABORTED):
            self._go(S.ABORTING, who)
        elif who == SAFETY and self._who != SAFETY:
            self._who = SAFETY
            if self.state is S.ABORTED:
                self._context.work(self._remember_who, "remembers who aborted it")

    def hold_for_question(self) -> None:
        """A question is open: hold as soon as the state allows it."""
        if self.state in (S.EXECUTE, S.SUSPENDED):
            self._go(S.HOLDING, DOUBT)
        else:
            self._show()

    def go_on_after_answer(self) -> None:
        """The last question is answered: go on, or after a restart wait in Stopped to be started."""
        if self.state is not S.HELD or self._who != DOUBT or self._context.ledger.questions:
            return
        self._go(S.UNHOLDING if self.is_prepared else S.STOPPING, DOUBT)

    def lease_changed(self) -> None:
        """The lease's holder fell silent or is there again: suspend after what is in hand, or go on."""
        if self._lease.is_silent and self.state is S.EXECUTE:
            self._is_suspended_for_lease = True
            self._go(S.SUSPENDING, "lease")
        elif not self._lease.is_silent and self.state is S.SUSPENDED and self._is_suspended_for_lease:
            self._go(S.UNSUSPENDING, "lease")

    # --- acting states --------------------------------------------------------------------------------------------

    def _go(self, state: State, who: str) -> None:
        before, self._who, self.state = self._work, who, state
        if before is not None:
            before.break_off()
        self.announcements.rest()
        self.jogging.end(f"{who} brought {self._context.name} to {state}")
        self._work = self._context.work(lambda: self._act_out(state, who, before), state)
        self._show()

    async def _act_out(self, state: State, who: str, before: Work | None) -> None:
        try:
            if state is S.ABORTING:
                await self._abort()
            if before is not None:
                await before.ended.wait()
            if state in _NEED_DEVICES and not await self._devices_answer():
                self._go(S.STOPPING, "not ready")
                return
            await self._do(state)
            await self._enter(completed(state), self._who)
        except DeviceError as error:
            self._context.alarms.raise_error(error)
            self.abort()
        except StoreError:
            raise
        except Exception as error:  # of a kind or driver: it must not take the other modules with it
            self._context.complain(f"{state} failed", error)
            self.abort()

    async def _remember_who(self) -> None:
        await self._context.record(Entered(self._context.name, S.ABORTED, self.mode, self._who))
        self._show()

    async def _devices_answer(self) -> bool:
        """Wait, after power-up, until each was tried once, and each safety input read."""
        await self._context.tried.wait()
        await self._context.safety.looked.wait()
        return not self._context.silent() and not self._context.safety.off(self._context.name)

    async def _do(self, state: State) -> None:
        match state:
            case S.RESETTING:
                await self._prepare()
            case S.STARTING | S.UNHOLDING | S.UNSUSPENDING:
                if not self.is_prepared:
                    await self._prepare()
            case S.HOLDING | S.SUSPENDING | S.COMPLETING:
                await self.commands.drained()
            case S.STOPPING:
                await self.commands.drained()
                if not self._context.not_open():  # else it never ran
                    await self._context.kind.halt()
            case S.CLEARING:
                self._context.alarms.clear_all(_CLEARED, self._context.name, but=self._context.not_open())
            case _:
                pass

    async def _prepare(self) -> None:
        self.is_prepared = False
        await self._context.kind.prepare(self._context.errand())
        self.is_prepared = True
        self._context.alarms.clear_all(_SILENT, self._context.name, but=self._context.not_open())

    async def _abort(self) -> None:
        self.is_prepared = False
        interrupted = self.commands.interrupt()
        if (by_hand := self.jogging.end("it was aborted")) is not None:
            interrupted.append(by_hand)
        await self._context.halt()
        for ended in interrupted:
            await ended.wait()

    # --- the other states -----------------------------------------------------------------------------------------

    async def _enter(self, state: State, who: str) -> None:
        if state is S.IDLE:
            await self._look()
        await self._context.record(Entered(self._context.name, state, self.mode, who))
        self.state = state
        self._show()
        match state:
            case S.EXECUTE:
                self._execute()
            case S.SUSPENDED:
                self._suspended()
            case S.HELD:
                self.go_on_after_answer()
            case _:
                pass

    def _execute(self) -> None:
        self._is_suspended_for_lease = False
        if self._context.ledger.questions:
            self.hold_for_question()
        elif self._lease.is_silent:
            self.lease_changed()
        elif self.mode is Mode.PRODUCTION:
            self.commands.resume()
            self.announcements.watch()

    def _suspended(self) -> None:
        if self._context.ledger.questions:
            self.hold_for_question()
        else:
            self.lease_changed()

    @property
    def finishing(self) -> str:
        """What is being finished before the module rests."""
        if self.state not in ACTING or not self.commands.in_hand:
            return ""
        return ", ".join(self._described(hand.entry.command) for hand in self.commands.in_hand.values())

    def _described(self, command: Command) -> str:
        skill = self._context.module.kind.skill(command.skill)
        usually = f", usually {skill.duration:g} s" if skill and skill.duration else ""
        return f"{command.skill} {' '.join(item.id for item in command.items)} (command {command.number}{usually})"


def _outlives_restart(ledger: Ledger) -> bool:
    """Whether the module is still in the state on record; one that was held only for questions now answered is not."""
    if ledger.state is S.HELD and ledger.entered_by == DOUBT:
        return bool(ledger.questions)
    return ledger.state in (S.HELD, S.ABORTED)
