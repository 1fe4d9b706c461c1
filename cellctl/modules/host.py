"""One module as the bus sees it: takes messages one after another, and tells what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cellctl.errors import CellctlError, DeadlineExceeded, DeviceError, DeviceSilent, Refused
from cellctl.journal import Told
from cellctl.messages import (
    Cancel,
    Command,
    Heeded,
    Inquire,
    Instruct,
    Jog,
    LeaseRequest,
    LeaseReturned,
    Message,
    Noted,
    Refusal,
    Settle,
    View,
)
from cellctl.modules.context import Context
from cellctl.modules.lease import Lease
from cellctl.modules.states import States
from cellctl.packml import NEEDS_NO_LEASE, Mode, State, StateCommand, commands_in
from cellctl.runtime import Channel, Incoming

LOOKING = 1.0  # [s] that sensors may take to answer
WATCH = 2.0  # [s] between two questions to the devices whether they are well
_WATCHED = (State.IDLE, State.EXECUTE, State.SUSPENDED, State.HELD, State.COMPLETE)


@dataclass(frozen=True, slots=True)
class _Rest:
    """The turn of an instruction to rest that was taken at once."""

    command: StateCommand
    who: str


class Host:
    """Hosts one module: lease, commands, states, questions, alarms, manual mode."""

    def __init__(self, context: Context, tell: Callable[[View], None]) -> None:
        """`tell(view)` publishes a view."""
        self._context, self._tell = context, tell
        self._inbox: Channel[Incoming | _Rest] = context.runtime.channel()
        self.lease = Lease(context)
        self.states = States(context, self.lease, self.show, self.look)
        self._occupied: dict[str, bool | None] = {}
        for question in context.ledger.questions.values():
            context.alarms.raise_alarm("M010", context.name, question.text)

    def take(self, incoming: Incoming) -> None:
        """Take a message in its turn; what brings the module to rest at once, and waits for no journal."""
        message = incoming.message
        if isinstance(message, Instruct) and message.command is not None and self._is_rest(message):
            self.states.instruct(message.command, message.who)
            self._heed(incoming.peer, message.id)
            self._inbox.send(_Rest(message.command, message.who))
        else:
            self._inbox.send(incoming)

    def _is_rest(self, message: Instruct) -> bool:
        """Whether it brings the module to rest from where it is now."""
        is_free = message.command in NEEDS_NO_LEASE and message.mode is None
        return is_free and (
            message.command in commands_in(self.states.state) or self.states.jogging.is_moving
        )

    async def serve(self) -> None:
        """Take messages for ever."""
        while True:
            incoming = await self._inbox.receive()
            if isinstance(incoming, _Rest):
                self._rest_again(incoming)
                continue
            if incoming.message is None:
                if self.lease.notice(incoming.peer, incoming.alive):
                    self.states.lease_changed()
                continue
            try:
                await self._take(incoming.peer, incoming.message)
            except CellctlError as error:
                self._refuse(incoming.peer, str(error), id=str(getattr(incoming.message, "id", "")))

    def _rest_again(self, rest: _Rest) -> None:
        """What came before it may have brought the module on meanwhile; the later word holds."""
        if rest.command in commands_in(self.states.state):
            self.states.instruct(rest.command, rest.who)

    async def show_when_guards_are_read(self) -> None:
        """Publish the view again once every safety input of the process was read: only then may others go on."""
        await self._context.safety.looked.wait()
        self.show()

    async def _take(self, peer: str, message: Message) -> None:
        match message:
            case Command():
                await self._command(peer, message)
            case Cancel():
                if self._has_lease(peer, message.epoch, message.number):
                    await self.states.commands.cancel(peer, message)
            case LeaseRequest():
                self._context.reply(peer, await self.lease.ask(peer, message))
                self.states.lease_changed()
            case Instruct():
                await self._instruct(peer, message)
            case Inquire():
                self._context.work(lambda: self._answer_inquiry(peer), "looks")
            case Settle():
                await self._settle(peer, message)
            case Jog():
                self.states.jogging.jog(peer, message)
            case LeaseReturned():
                self._context.work(lambda: self._take_back(peer, message), "takes its lease back")
            case Noted():
                await self.states.announcements.noted(peer, message)
            case _:
                raise Refused(f"a module takes no {type(message).__name__}")

    # --- with the lease -------------------------------------------------------------------------------------------

    async def _command(self, peer: str, command: Command) -> None:
        if self._has_lease(peer, command.epoch, command.number):
            await self.states.commands.take(peer, command)

    def _has_lease(self, peer: str, epoch: int, number: int, id: str = "") -> bool:
        if self.lease.allows(peer, epoch):
            self.lease.is_silent = False
            self.states.lease_changed()
            return True
        holder = self._context.ledger.holder if self.lease.peer else "nobody"
        why = (
            f"the lease of epoch {epoch} is over, or another process has it; {holder or 'nobody'} has it now"
        )
        self._context.reply(
            peer, Refusal(self._context.name, number, why, lease_lost=True, id=id, epoch=epoch)
        )
        return False

    async def _instruct(self, peer: str, message: Instruct) -> None:
        is_free = message.command in NEEDS_NO_LEASE and message.mode is None
        if not is_free and not self._may_instruct(peer, message):
            return
        if message.mode is not None:
            await self.states.set_mode(message.mode, message.who)
        if message.command is not None:
            self.states.instruct(message.command, message.who)
        self._heed(peer, message.id)

    def _may_instruct(self, peer: str, message: Instruct) -> bool:
        """Who has the lease may; where nobody has it, a person may, through the runner.

        Raises Refused while a panel moves the module by hand.
        """
        self.lease.check_free_for_person()
        held = self._context.ledger.holder
        if not held or self.states.mode is Mode.MANUAL:
            return True
        return self._has_lease(peer, message.epoch, 0, message.id)

    async def _take_back(self, peer: str, message: LeaseReturned) -> None:
        if self.lease.allows(peer, message.epoch):
            standing = self.states.jogging.end("the panel gave the lease back")
            if standing is not None:
                await standing.wait()
            await self.lease.take_back(peer, message.epoch)
            self.show()
        await self._answer_inquiry(peer)

    # --- for everybody --------------------------------------------------------------------------------------------

    async def _settle(self, peer: str, message: Settle) -> None:
        if peer != self.lease.peer:
            raise Refused(
                f"{self._context.name} takes answers from the holder of its lease; give it to the runner"
            )
        question = self._context.ledger.questions.get(message.question)
        if question is None:
            raise Refused(f"{self._context.name} has no open question {message.question}")
        if message.choice not in question.choices:
            raise Refused(f"{message.choice!r} is no answer to it; choose {' or '.join(question.choices)}")
        told = Told(self._context.name, message.question, message.choice, message.who, message.note)
        await self._context.record(told)
        if not self._context.ledger.questions:
            self._context.alarms.clear_all(("M010", "M011"), self._context.name)
        self.show()
        self.states.go_on_after_answer()
        self._heed(peer, message.id)

    async def _answer_inquiry(self, peer: str) -> None:
        await self.look()
        self._context.reply(peer, self.view())

    def _heed(self, peer: str, id: str) -> None:
        if id:
            self._context.reply(peer, Heeded(self._context.name, id, self.states.state, self.states.mode))

    def _refuse(self, peer: str, why: str, number: int = 0, id: str = "") -> None:
        self._context.reply(peer, Refusal(self._context.name, number, why, id=id))

    # --- what it shows --------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Publish the view."""
        self._tell(self.view())

    def view(self) -> View:
        """The module as it sees itself."""
        ledger, states = self._context.ledger, self.states
        return View(
            self._context.name,
            states.state,
            states.mode,
            holder=ledger.holder,
            epoch=ledger.epoch,
            doing=tuple(ledger.unfinished),
            answered=tuple(ledger.answers),
            questions=tuple(ledger.questions.values()),
            alarms=self._context.alarms.of(self._context.name),
            occupied=dict(self._occupied),
            settled=tuple(self.states.commands.settled),
            finishing=states.finishing,
            entered_by=states.entered_by,
            head=self._context.recorder.head,
            unread=self._context.safety.unread,
        )

    async def look(self) -> None:
        """Read the sensors of the own stations; None where they cannot tell."""
        try:
            async with self._context.runtime.deadline(LOOKING):
                self._occupied = await self._context.kind.occupied()
        except (DeviceError, DeadlineExceeded):
            self._occupied = dict.fromkeys(self._occupied)
        except Exception as error:  # of a kind or driver: it must not take the other modules with it
            self._context.runtime.log.error("look failed", module=self._context.name, error=repr(error))
            self._occupied = dict.fromkeys(self._occupied)

    async def watch(self) -> None:
        """Ask the devices for ever whether they are well; one with a fault aborts the module."""
        while True:
            await self._context.runtime.sleep(WATCH)
            if self.states.state in _WATCHED and self.states.is_prepared:
                await self._look_for_faults()

    async def _look_for_faults(self) -> None:
        alarms = self._context.alarms
        try:
            complaints = await self._context.kind.faults()
        except DeviceError as error:
            alarms.raise_error(error)
            if not isinstance(error, DeviceSilent):
                self.states.abort()
            return
        except Exception as error:  # of a kind or driver: it must not take the other modules with it
            self._context.runtime.log.error("watch failed", module=self._context.name, error=repr(error))
            return
        if complaints and self.states.state in _WATCHED:
            for complaint in complaints:
                alarms.raise_alarm("M002", complaint.device, f"{complaint.address}: {complaint.text}")
            self.states.abort()
        elif not complaints:
            alarms.clear_all(("M001",), self._context.name)
