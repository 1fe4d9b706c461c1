"""Who may command a module: one holder at a time, each grant with the next epoch, journaled."""

from __future__ import annotations

from collections.abc import Iterator

from cellctl.errors import JournalShort
from cellctl.journal import UNTIL, Answered, LeaseTaken, check_not_shorter
from cellctl.messages import UNKNOWN_END, Answer, Head, LeaseDenied, LeaseGranted, LeaseRequest
from cellctl.modules.context import Context

_NONE = Head()
GRACE = 2.0  # [s] after a restart in which the holder on record may come back before another may take over


class Lease:
    """The lease of one module. `peer` is where its holder is reached on the bus, "" until it is heard."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._began = context.runtime.now()
        self.peer = ""
        self.is_silent = False

    def allows(self, peer: str, epoch: int) -> bool:
        """Whether a message of this peer, with this epoch, comes from the holder."""
        return bool(peer) and peer == self.peer and epoch == self._context.ledger.epoch

    def notice(self, peer: str, alive: bool) -> bool:
        """A peer fell silent or came back; True when it was the holder's."""
        if peer != self.peer or not peer:
            return False
        self.is_silent = not alive
        if alive:  # whoever was refused meanwhile has gone without it
            self._context.alarms.clear("M030", self._context.name)
        return True

    async def ask(self, peer: str, request: LeaseRequest) -> LeaseGranted | LeaseDenied:
        """Grant the lease when it is free, to its holder again, or when the holder has fallen silent.

        Its holder is one process: another one of the same name is another holder while the first is there.
        """
        ledger, recorder = self._context.ledger, self._context.recorder
        denied = self._denial(peer, request)
        if denied is not None:
            return denied
        self._context.alarms.clear("M030", self._context.name)
        epoch = ledger.epoch + 1
        taken = LeaseTaken(self._context.name, request.holder, epoch, request.head, request.accepted_by)
        await self._context.record(taken)
        if request.accepted_by:  # what was lost had numbers, too: devices may know them
            given_up = self._given_up() if request.gives_up else ()
            await self._context.record(self._context.number_afresh(), *given_up)
        self.peer, self.is_silent = peer, False
        return LeaseGranted(self._context.name, request.holder, epoch, recorder.head)

    def _denial(self, peer: str, request: LeaseRequest) -> LeaseDenied | None:
        ledger = self._context.ledger
        if self.peer and peer != self.peer and not self.is_silent:
            return self._denied(
                "it has the lease and is there; this is another process, with another journal"
            )
        if not self._context.recorder.has(request.seen):
            return self._denied(f"the journal of {self._context.name} lost records. {UNTIL}", is_lost=True)
        if request.holder == ledger.holder:
            if ledger.seen.sequence and request.proof != ledger.seen:
                return self._denied(self._shortness(request), ledger.seen)
            return None
        if not ledger.holder or self._holder_is_away():
            return None
        return self._denied("it has the lease and is there")

    def _given_up(self) -> Iterator[Answered]:
        ledger = self._context.ledger
        for number, entry in ledger.unfinished.items():
            detail = f"given up: {ledger.module} lost records"
            yield Answered(Answer(ledger.module, number, UNKNOWN_END, tuple(entry.moves), detail=detail))

    def _shortness(self, request: LeaseRequest) -> str:
        """Why the holder has to prove that its journal lost nothing; an alarm where its length says that it did."""
        seen = self._context.ledger.seen
        try:
            check_not_shorter(request.holder, seen, request.head)
        except JournalShort as error:
            self._context.alarms.raise_alarm("M030", self._context.name, str(error))
            return str(error)
        return f"show that its journal has record {seen.sequence} as it was seen before"

    def _denied(self, why: str, seen: Head = _NONE, is_lost: bool = False) -> LeaseDenied:
        return LeaseDenied(self._context.name, self._context.ledger.holder, why, seen, is_lost)

    def _holder_is_away(self) -> bool:
        if self.peer:
            return self.is_silent
        return self._context.runtime.now() - self._began >= GRACE
