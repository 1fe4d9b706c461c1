"""Who may command a module: one holder at a time, each grant with the next epoch, journaled.

In production that is a runner; in manual mode nobody, or one panel.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cellctl.errors import JournalShort, Refused
from cellctl.journal import UNTIL, Answered, LeaseTaken, check_not_shorter
from cellctl.messages import UNKNOWN_END, Answer, Head, LeaseDenied, LeaseGranted, LeaseRequest
from cellctl.modules.context import Context
from cellctl.modules.turn import Turn
from cellctl.packml import Mode

_NONE = Head()
GRACE = 2.0  # [s] after a restart in which the holder on record may come back before another may take over


class Lease:
    """The lease of one module. `peer` is where its holder is reached on the bus, "" until it is heard."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._began = context.runtime.now()
        self.peer = ""
        self.is_silent = False
        self.granted_at = 0.0  # the last time [s]
        self._epochs = Turn(context.runtime)  # one after another: no two grants have the same

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

    @property
    def panel(self) -> str:
        """The panel that has the lease and is there, or may come back; "" for none."""
        ledger = self._context.ledger
        is_manual = ledger.mode is Mode.MANUAL
        return ledger.holder if is_manual and ledger.holder and not self._holder_is_away() else ""

    async def ask(self, peer: str, request: LeaseRequest) -> LeaseGranted | LeaseDenied:
        """Grant the lease when it is free, to its holder again, or when the holder has fallen silent.

        Its holder is one process: another one of the same name is another holder while the first is there.
        """
        async with self._epochs:
            return replace(await self._grant_or_deny(peer, request), id=request.id)

    async def _grant_or_deny(self, peer: str, request: LeaseRequest) -> LeaseGranted | LeaseDenied:
        ledger, recorder = self._context.ledger, self._context.recorder
        denied = self._denial_by_hand(peer, request) if request.by_hand else self._denial(peer, request)
        if denied is not None:
            return denied
        self._context.alarms.clear("M030", self._context.name)
        epoch = ledger.epoch + 1
        taken = LeaseTaken(
            self._context.name, request.holder, epoch, request.head, request.accepted_by, request.by_hand
        )
        await self._context.record(taken)
        if request.accepted_by:  # what was lost had numbers, too: devices may know them
            given_up = self._given_up() if request.gives_up else ()
            await self._context.record(self._context.number_afresh(), *given_up)
        self.peer, self.is_silent, self.granted_at = peer, False, self._context.runtime.now()
        return LeaseGranted(self._context.name, request.holder, epoch, recorder.head)

    def freed(self) -> LeaseTaken:
        """The record after which nobody has the lease, and the last holder is fenced off."""
        return LeaseTaken(self._context.name, "", self._context.ledger.epoch + 1, by_hand=True)

    async def take_back(self, peer: str, epoch: int) -> None:
        """Its holder gives it up: nobody has it any more. Nothing for who does not have it."""
        async with self._epochs:
            if self.allows(peer, epoch):
                await self._context.record(self.freed())
                self.forget()

    def forget(self) -> None:
        """Its holder is no longer expected."""
        self.peer, self.is_silent = "", False

    def check_free_for_person(self) -> None:
        """Raises Refused while a panel has the module in hand."""
        if self.panel:
            raise Refused(f"{self.panel} moves {self._context.name} by hand now; wait until it has let go")

    def _denial(self, peer: str, request: LeaseRequest) -> LeaseDenied | None:
        ledger = self._context.ledger
        if ledger.mode is Mode.MANUAL:
            return self._denied(f"{self._context.name} is in manual mode, where its lease is for panels")
        if self.peer and peer != self.peer and not self.is_silent:
            return self._denied(
                "it has the lease and is there; this is another process, with another journal"
            )
        if not self._context.recorder.has(request.seen):
            return self._denied(f"the journal of {self._context.name} lost records. {UNTIL}", is_lost=True)
        if request.holder == ledger.commander:
            if ledger.seen.sequence and request.proof != ledger.seen:
                return self._denied(self._shortness(request), ledger.seen)
            return None
        if not ledger.holder or self._holder_is_away():
            return None
        return self._denied("it has the lease and is there")

    def _denial_by_hand(self, peer: str, request: LeaseRequest) -> LeaseDenied | None:
        ledger, name = self._context.ledger, self._context.name
        if ledger.mode is not Mode.MANUAL:
            return self._denied(f"{name} is in {ledger.mode} mode; say `cellctl mode {name} manual` first")
        if not self.panel or peer == self.peer or (not self.peer and request.holder == ledger.holder):
            return None
        return self._denied(f"one panel at a time moves {name} by hand")

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
