"""The journal of one process: typed records on a record store, chained so that a lost or changed one is noticed.

A record is durable when `append` returns. Each row carries its sequence number and the digest of everything up to
it; replay refuses a row that does not fit. Record fields are only ever added, with defaults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from cellctl.errors import JournalBroken, JournalShort
from cellctl.messages import Announced, Answer, Command, Head, Move, Question, Value
from cellctl.packml import Mode, State
from cellctl.runtime import RecordStore

R = TypeVar("R")

_DIGEST_BYTES = 16
_PREFIX = 8 + _DIGEST_BYTES  # sequence, digest; then the record


class Journal(Generic[R]):
    """Records of type `R`, appended durable and replayed in order. `kinds` is the tagged union of records."""

    def __init__(self, store: RecordStore, name: str, decoder: msgspec.msgpack.Decoder[R]) -> None:
        self._store, self._name, self._decoder = store, name, decoder
        self._sequence, self._digest = 0, bytes(_DIGEST_BYTES)
        self.head = Head()
        self.length = 0  # records that a replay has to read

    def replay(self) -> Iterator[R]:
        """Every record, oldest first; call it once, to its end, before the first append.

        Raises JournalBroken where a row does not fit the chain.
        """
        for position, row in enumerate(self._store.replay()):
            sequence, digest, payload = int.from_bytes(row[:8], "big"), row[8:_PREFIX], row[_PREFIX:]
            if position == 0 and sequence > 1:  # older rows are archived; the first one kept is believed
                self._sequence, self._digest = sequence, digest
            else:
                self._link(payload)
                if (self._sequence, self._digest) != (sequence, digest):
                    raise JournalBroken(
                        f"journal {self._name}: record {self._sequence} does not fit the records before it "
                        f"(found number {sequence}); it was changed or removed, or the disk lost it. "
                        "Restore the journal from a copy, or empty the line and start a new one."
                    )
            try:
                record = self._decoder.decode(payload)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise JournalBroken(
                    f"journal {self._name}: record {sequence} cannot be read: {error}"
                ) from error
            self.length += 1
            yield record
        self._publish_head()

    async def append(self, *records: R) -> Head:
        """Make `records` durable, all or none, in order; the head after them. Raises StoreError."""
        rows = []
        for record in records:
            payload = _encoder.encode(record)
            self._link(payload)
            rows.append(self._sequence.to_bytes(8, "big") + self._digest + payload)
        reached = Head(self._sequence, self._digest.hex())
        await self._store.append(rows)
        self.length += len(rows)
        if reached.sequence > self.head.sequence:
            self.head = reached
        return reached

    async def begin_again(self, *records: R) -> None:
        """Append records that say all that the journal says, and archive those before them. Raises StoreError.

        A crash in between leaves both, so a replay of all has to come to the same.
        """
        first = self._sequence + 1
        await self.append(*records)
        await self._store.archive(first)
        self.length = len(records)

    def _link(self, payload: bytes) -> None:
        self._sequence += 1
        self._digest = hashlib.blake2b(self._digest + payload, digest_size=_DIGEST_BYTES).digest()

    def _publish_head(self) -> None:
        self.head = Head(self._sequence, self._digest.hex() if self._sequence else "")


def check_not_shorter(peer: str, seen: Head, now: Head) -> None:
    """Raise JournalShort when a peer's journal, seen at `seen` before, shows `now` after a restart."""
    if now.sequence < seen.sequence or (now.sequence == seen.sequence and now.digest != seen.digest):
        raise JournalShort(
            f"the journal of {peer} ends at record {now.sequence}, but record {seen.sequence} was seen before: "
            "records were lost. Nothing moves until a person has put the part map right (cellctl recover)."
        )


# --- the records of a module process --------------------------------------------------------------------------


class Record(msgspec.Struct, frozen=True, tag=True):
    """Anything that a module process journals."""


class BeganAgain(Record, frozen=True, tag=True):
    """The records that follow say all that those before it said; they are archived."""


class LeaseTaken(Record, frozen=True, tag=True):
    module: str
    holder: str
    epoch: int
    seen: Head = Head()  # the holder's journal


class Taken(Record, frozen=True, tag=True):
    """A command was accepted."""

    command: Command
    at: float  # UTC [s]


class ActionBegan(Record, frozen=True, tag=True):
    """An action is about to be performed; `action` is its number, unique in this journal, 32 bits."""

    module: str
    command: int
    action: int
    index: int  # which action of the command, from 0
    device: str
    name: str


class ActionEnded(Record, frozen=True, tag=True):
    """An action has its result, and these items changed place with it."""

    module: str
    command: int
    action: int
    result: Value = None
    moves: tuple[Move, ...] = ()
    device_time: float = 0.0  # [s]
    results: dict[str, Value] | None = None  # instead of `result` where the action gives values by name


class Answered(Record, frozen=True, tag=True):
    """The final answer to a command; given again whenever the command comes again."""

    answer: Answer


class Forgot(Record, frozen=True, tag=True):
    """Commands below this number will not come again."""

    module: str
    below: int


class Entered(Record, frozen=True, tag=True):
    """A module entered a PackML wait state or another mode."""

    module: str
    state: State
    mode: Mode
    who: str = ""


class Asked(Record, frozen=True, tag=True):
    module: str
    question: Question


class Told(Record, frozen=True, tag=True):
    """An operator settled a question."""

    module: str
    question: int
    choice: str
    who: str
    note: str = ""


class Found(Record, frozen=True, tag=True):
    """A part was found that nobody brought; it is announced until it is handed on.

    `mark` is what the device knows the sighting by: the same one, coming again at its place, is the same part.
    """

    announced: Announced
    mark: str = ""


class HandedOn(Record, frozen=True, tag=True):
    """The lease holder has taken an announced part on; it is not announced again."""

    module: str
    number: int


ModuleRecord = (
    BeganAgain
    | LeaseTaken
    | Taken
    | ActionBegan
    | ActionEnded
    | Answered
    | Forgot
    | Entered
    | Asked
    | Told
    | Found
    | HandedOn
)

_encoder = msgspec.msgpack.Encoder()


def module_journal(store: RecordStore, process: str) -> Journal[ModuleRecord]:
    """The journal of a module process."""
    return Journal(store, process, msgspec.msgpack.Decoder(ModuleRecord))
