"""The one writer of a process's journal. Records are applied when they are durable, in their order, come what may:
whoever waits for one may be cancelled meanwhile, the record is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cellctl.journal import ActionEnded, Answered, Journal, ModuleRecord
from cellctl.messages import Head, Move
from cellctl.modules.compaction import says_the_same
from cellctl.modules.ledger import Book
from cellctl.runtime import Channel, Event, Runtime

LONGEST = 20_000  # records that a replay may have to read

TellMove = Callable[
    [str, int, int, Move, Head], None
]  # module, command, which of its moves, the move, the journal


class Recorder:
    """Call it with records to journal them together; it returns when they are durable and applied."""

    def __init__(
        self,
        runtime: Runtime,
        journal: Journal[ModuleRecord],
        book: Book,
        tell: TellMove,
        longest: int = LONGEST,
    ) -> None:
        """`longest`: after so many records the journal is begun again."""
        self._runtime, self._journal, self._book, self._tell = runtime, journal, book, tell
        self._longest = longest
        self._inbox: Channel[tuple[tuple[ModuleRecord, ...], Event | None]] = runtime.channel()

    @property
    def head(self) -> Head:
        """How far the journal is durable."""
        return self._journal.head

    def has(self, seen: Head) -> bool:
        """Whether a peer that saw the journal end there saw this one, with nothing lost since."""
        return self._journal.has(seen)

    async def __call__(self, *records: ModuleRecord) -> None:
        """Make `records` durable together. Once called they will be, even if the caller is cancelled."""
        durable = self._runtime.event()
        self._inbox.send((records, durable))
        await durable.wait()

    def soon(self, record: ModuleRecord) -> None:
        """Make `record` durable without waiting for it: it shares a commit with what is recorded next in this step.

        Records keep their order, so when a later one is durable this one is.
        """
        self._inbox.send(((record,), None))

    async def work(self) -> None:
        """Write for ever; what comes while a commit is under way shares the next one. Raises StoreError."""
        while True:
            waiting = [await self._inbox.receive(), *self._inbox.drain()]
            await self._journal.append(*[record for records, _ in waiting for record in records])
            for records, durable in waiting:
                for record in records:
                    self._apply(record)
                if durable is not None:
                    durable.set()
            if self._journal.length > self._longest:
                await self._journal.begin_again(*says_the_same(self._book))

    def _apply(self, record: ModuleRecord) -> None:
        match record:
            case ActionEnded(module, command, moves=moves) if moves:
                before = self._moves_of(module, command)
                self._book.apply(record)
                self._tell_moves(module, command, before, moves)
            case Answered(answer) if answer.moves:
                before = self._moves_of(answer.module, answer.number)
                self._book.apply(record)
                self._tell_moves(answer.module, answer.number, before, answer.moves[before:])
            case _:
                self._book.apply(record)

    def _moves_of(self, module: str, command: int) -> int:
        """How many moves of a command are on record."""
        entry = self._book.ledgers[module].unfinished.get(command)
        return len(entry.moves) if entry is not None else 0

    def _tell_moves(self, module: str, command: int, first: int, moves: Sequence[Move]) -> None:
        for index, move in enumerate(moves, start=first):
            self._tell(module, command, index, move, self.head)


def replayed(journal: Journal[ModuleRecord], book: Book) -> Book:
    """The book after the whole journal. Raises JournalBroken."""
    for record in journal.replay():
        book.apply(record)
    return book
