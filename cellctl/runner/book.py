"""The runner's journal and the state that it folds to; and what may leave only after the journal has it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cellctl.flow.events import FlowEvent, Snapshot
from cellctl.flow.fold import apply
from cellctl.flow.state import FlowState
from cellctl.journal import Journal
from cellctl.line.model import Line
from cellctl.messages import Head
from cellctl.runtime import RecordStore

LONGEST = 20_000  # records that a replay may have to read


def runner_journal(store: RecordStore) -> Journal[FlowEvent]:
    """The journal of a runner."""
    return Journal(store, "runner", msgspec.msgpack.Decoder(FlowEvent), Snapshot)


class Book:
    """The state of the line. An event counts at once; whatever follows from it leaves when it is durable."""

    def __init__(self, store: RecordStore, line: Line, longest: int = LONGEST) -> None:
        """Replays the journal, which is begun again after `longest` records. Raises JournalBroken, StoreError."""
        self._longest = longest
        self._journal = runner_journal(store)
        self._pending: list[bytes] = []
        self._outgoing: list[Callable[[], None]] = []
        self.state = FlowState(carriers={carrier.id: carrier.home for carrier in line.carriers})
        for event in self._journal.replay():
            self.state = apply(self.state, event)

    @property
    def head(self) -> Head:
        """How far the journal is durable."""
        return self._journal.head

    def has(self, seen: Head) -> bool:
        """Whether a peer that saw the journal end there saw this one, with nothing lost since."""
        return self._journal.has(seen)

    def record(self, event: FlowEvent) -> None:
        """Apply an event now. Raises StoreError for one that a replay could not read back: nothing happens then."""
        encoded = self._journal.encoded(event)
        self.state = apply(self.state, event)
        self._pending.append(encoded)

    def afterwards(self, leave: Callable[[], None]) -> None:
        """Have something leave this process once everything recorded so far is durable."""
        self._outgoing.append(leave)

    async def make_durable(self) -> None:
        """Append what is pending, then let out what waits for it, in order. Raises StoreError."""
        if self._pending:
            pending, self._pending = self._pending, []
            await self._journal.append_encoded(pending)
            if self._journal.length > self._longest:
                await self._journal.begin_again(Snapshot(self.state))
        outgoing, self._outgoing = self._outgoing, []
        for leave in outgoing:
            leave()
