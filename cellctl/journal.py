"""The journal of one process: typed records on a record store, chained so that a lost or changed one is noticed.

A record is durable when `append` returns. Each row carries its sequence number and the digest of everything up to
it; replay refuses a row that does not fit, and a peer that saw the journal end at some record can ask whether that
record is still in the chain. Record fields are only ever added, with defaults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from types import UnionType
from typing import Any, Generic, TypeVar

import msgspec

from cellctl.errors import JournalBroken, JournalShort, StoreError
from cellctl.messages import Announced, Answer, Command, Head, Move, Question, Value
from cellctl.packml import Mode, State
from cellctl.runtime import RecordStore

R = TypeVar("R")

FARTHEST = 100_000  # records that are gone through to find what a peer saw; some 0.5 s of reading
_DIGEST_BYTES = 16
_PREFIX = 8 + _DIGEST_BYTES  # sequence, digest; then the record


class Journal(Generic[R]):
    """Records of type `R`, appended durable and replayed in order. `decoder` is of the tagged union of records."""

    def __init__(
        self,
        store: RecordStore,
        name: str,
        decoder: msgspec.msgpack.Decoder[R],
        summary: type[Any] | UnionType,
    ) -> None:
        """`summary` is the record that says all that those before it said: the only one older rows may be missing
        before, because they are archived."""
        self._store, self._name, self._decoder, self._summary = store, name, decoder, summary
        self._sequence, self._digest = 0, bytes(_DIGEST_BYTES)
        self._digests, self._oldest = bytearray(), 1  # of every record from the one of this number
        self.head = Head()
        self.length = 0  # records that a replay has to read

    def replay(self) -> Iterator[R]:
        """Every record, oldest first; call it once, to its end, before the first append.

        Raises JournalBroken where a row does not fit the chain.
        """
        for position, row in enumerate(self._store.replay()):
            sequence, digest, payload = _split(row)
            if (
                is_first_kept := position == 0 and sequence > 1
            ):  # older rows are archived: its digest is believed
                self._sequence, self._digest, self._oldest = sequence, digest, sequence
                self._digests += digest
            elif self._link(payload) != row:
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
            if is_first_kept and not isinstance(record, self._summary):
                raise JournalBroken(
                    f"journal {self._name}: it begins with record {sequence}, and nothing says what stood before; "
                    "its oldest records are lost. Restore it from a copy, or empty the line and start a new one."
                )
            self.length += 1
            yield record
        self._publish_head()

    async def append(self, *records: R) -> Head:
        """Make `records` durable, all or none, in order; the head after them.

        Raises StoreError, also for a record that a replay could not read back; nothing is written then.
        """
        return await self.append_encoded([self.encoded(record) for record in records])

    async def append_encoded(self, payloads: Sequence[bytes]) -> Head:
        """The same for records that are `encoded` already. Raises StoreError."""
        rows = [self._link(payload) for payload in payloads]
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
        oldest = max(self._oldest, first - 1)  # with the end that peers have seen
        del self._digests[: (oldest - self._oldest) * _DIGEST_BYTES]
        self._oldest = oldest

    def has(self, seen: Head) -> bool:
        """Whether a peer that saw the journal end at `seen` saw this journal: no record up to there was lost since.

        What is older than the oldest record kept is looked for in the archive. What is not there any more, or is
        older by more than FARTHEST records, counts as lost: a person has to look.
        """
        if seen.sequence < self._oldest:
            return not seen.sequence or self._is_archived(seen)
        begin = (seen.sequence - self._oldest) * _DIGEST_BYTES
        return self._digests[begin : begin + _DIGEST_BYTES].hex() == seen.digest != ""

    def _is_archived(self, seen: Head) -> bool:
        """Whether an unbroken chain leads from `seen` in the archive to the oldest record kept."""
        if self._oldest - seen.sequence > FARTHEST:
            return False
        sequence, digest = seen.sequence - 1, b""
        try:
            for row in chain(self._store.archived(seen.sequence), self._store.replay()):
                number, found, payload = _split(row)
                fits = found == _digest_of(digest, payload) if digest else found.hex() == seen.digest
                if number != sequence + 1 or not fits:
                    return False
                if number == self._oldest:
                    return found == self._digests[:_DIGEST_BYTES]
                sequence, digest = number, found
        except StoreError:
            pass
        return False

    def encoded(self, record: R) -> bytes:
        """A record as it is written. Raises StoreError for one that a replay could not read back."""
        try:
            payload = _encoder.encode(record)
            self._decoder.decode(payload)
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise StoreError(
                f"journal {self._name}: a {type(record).__name__} could not be read back ({error}); it was not written"
            ) from error
        return payload

    def _link(self, payload: bytes) -> bytes:
        """The row of the next record."""
        self._sequence += 1
        self._digest = digest = _digest_of(self._digest, payload)
        self._digests += digest
        return self._sequence.to_bytes(8, "big") + digest + payload

    def _publish_head(self) -> None:
        self.head = Head(self._sequence, self._digest.hex() if self._sequence else "")


def _split(row: bytes) -> tuple[int, bytes, bytes]:
    """Sequence number, digest and record of a row."""
    return int.from_bytes(row[:8], "big"), row[8:_PREFIX], row[_PREFIX:]


def _digest_of(before: bytes, payload: bytes) -> bytes:
    """The digest of everything up to a record, from that of what stands before it."""
    return hashlib.blake2b(before + payload, digest_size=_DIGEST_BYTES).digest()


UNTIL = (
    "Nothing moves until a person has compared the part map with the line (cellctl recover) and accepted it."
)


def check_not_shorter(peer: str, seen: Head, now: Head) -> None:
    """Raise JournalShort when a peer's journal, seen at `seen` before, shows `now` after a restart."""
    if now.sequence < seen.sequence or (now.sequence == seen.sequence and now.digest != seen.digest):
        raise JournalShort(
            f"the journal of {peer} ends at record {now.sequence}, but record {seen.sequence} was seen before: "
            f"records were lost. {UNTIL}"
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
    accepted_by: str = ""  # the person who accepted that one of the two journals lost records, and why
    by_hand: bool = False  # to a panel, or in manual mode to nobody ("")


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
    at: float = 0.0  # UTC [s]; 0 in journals that did not keep it


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


class Left(Record, frozen=True, tag=True):
    """An announced part has left its place by itself; the lease holder is told until it knows."""

    module: str
    number: int


class LeftKnown(Record, frozen=True, tag=True):
    """The lease holder knows that it left."""

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
    | Left
    | LeftKnown
)

_encoder = msgspec.msgpack.Encoder()


def module_journal(store: RecordStore, process: str) -> Journal[ModuleRecord]:
    """The journal of a module process."""
    return Journal(store, process, msgspec.msgpack.Decoder(ModuleRecord), BeganAgain)
