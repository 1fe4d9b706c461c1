"""Who may command a module: one holder at a time, each grant with the next epoch, journaled."""

from __future__ import annotations

from cellctl.errors import JournalShort
from cellctl.journal import LeaseTaken, check_not_shorter
from cellctl.messages import LeaseDenied, LeaseGranted, LeaseRequest
from cellctl.modules.context import Context

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
        why = self._why_not(peer, request)
        if why:
            return LeaseDenied(self._context.name, ledger.holder, why)
        epoch = ledger.epoch + 1
        await self._context.record(LeaseTaken(self._context.name, request.holder, epoch, request.head))
        self.peer, self.is_silent = peer, False
        return LeaseGranted(self._context.name, request.holder, epoch, recorder.head)

    def _why_not(self, peer: str, request: LeaseRequest) -> str:
        ledger = self._context.ledger
        if self.peer and peer != self.peer and not self.is_silent:
            return "it has the lease and is there; this is another process, with another journal"
        if request.holder == ledger.holder:
            try:
                check_not_shorter(request.holder, ledger.seen, request.head)
            except JournalShort as error:
                self._context.alarms.raise_alarm("M030", self._context.name, str(error))
                return str(error)
            self._context.alarms.clear("M030", self._context.name)
            return ""
        return "" if not ledger.holder or self._holder_is_away() else "it has the lease and is there"

    def _holder_is_away(self) -> bool:
        if self.peer:
            return self.is_silent
        return self._context.runtime.now() - self._began >= GRACE
