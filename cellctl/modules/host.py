"""One module as the bus sees it: takes messages one after another, and tells what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from cellctl.errors import CellctlError, DeadlineExceeded, DeviceError, DeviceSilent, Refused
from cellctl.journal import Told
from cellctl.messages import (
    Cancel,
    Command,
    Inquire,
    Instruct,
    Jog,
    LeaseRequest,
    Message,
    Noted,
    Refusal,
    Settle,
    View,
)
from cellctl.modules.context import Context
from cellctl.modules.lease import Lease
from cellctl.modules.manual import Jogging
from cellctl.modules.states import States
from cellctl.packml import NEEDS_NO_LEASE, State
from cellctl.runtime import Channel, Incoming

LOOKING = 1.0  # [s] that sensors may take to answer
WATCH = 2.0  # [s] between two questions to the devices whether they are well
_WATCHED = (State.IDLE, State.EXECUTE, State.SUSPENDED, State.HELD, State.COMPLETE)


class Host:
    """Hosts one module: lease, commands, states, questions, alarms, manual mode."""

    def __init__(self, context: Context, tell: Callable[[View], None], last_event: Callable[[], int]) -> None:
        """`tell(view)` publishes a view; `last_event()` is the number of the last event published."""
        self._context, self._tell, self._last_event = context, tell, last_event
        self.inbox: Channel[Incoming] = context.runtime.channel()
        self.lease = Lease(context)
        self.states = States(context, self.lease, self.show, self.look)
        self.jogging = Jogging(context, lambda: self.states.mode)
        self._occupied: dict[str, bool | None] = {}
        for question in context.ledger.questions.values():
            context.alarms.raise_alarm("M010", context.name, question.text)

    async def serve(self) -> None:
        """Take messages for ever."""
        while True:
            incoming = await self.inbox.receive()
            if incoming.message is None:
                if self.lease.notice(incoming.peer, incoming.alive):
                    self.states.lease_changed()
                continue
            try:
                await self._take(incoming.peer, incoming.message)
            except CellctlError as error:
                self._refuse(incoming.peer, str(error))

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
                self.jogging.jog(message)
            case Noted():
                await self.states.announcements.noted(peer, message)
            case _:
                raise Refused(f"a module takes no {type(message).__name__}")

    # --- with the lease -------------------------------------------------------------------------------------------

    async def _command(self, peer: str, command: Command) -> None:
        if self._has_lease(peer, command.epoch, command.number):
            await self.states.commands.take(peer, command)

    def _has_lease(self, peer: str, epoch: int, number: int) -> bool:
        if self.lease.allows(peer, epoch):
            self.lease.is_silent = False
            self.states.lease_changed()
            return True
        holder = self._context.ledger.holder if self.lease.peer else "nobody"
        why = (
            f"the lease of epoch {epoch} is over, or another process has it; {holder or 'nobody'} has it now"
        )
        self._refuse(peer, why, number, lease_lost=True)
        return False

    async def _instruct(self, peer: str, message: Instruct) -> None:
        is_free = message.command in NEEDS_NO_LEASE and message.mode is None
        held = self._context.ledger.holder
        if not is_free and held and not self._has_lease(peer, message.epoch, 0):
            return
        if message.mode is not None:
            await self.states.set_mode(message.mode, message.who)
        if message.command is not None:
            self.states.instruct(message.command, message.who)

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

    async def _answer_inquiry(self, peer: str) -> None:
        await self.look()
        self._context.reply(peer, self.view())

    def _refuse(self, peer: str, why: str, number: int = 0, lease_lost: bool = False) -> None:
        self._context.reply(peer, Refusal(self._context.name, number, why, lease_lost))

    # --- what it shows --------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Publish the view."""
        self._tell(self.view(self._last_event() + 1))

    def view(self, event: int | None = None) -> View:
        """The module as it sees itself."""
        ledger, states = self._context.ledger, self.states
        return View(
            self._context.name,
            states.state,
            states.mode,
            self._last_event() if event is None else event,
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
