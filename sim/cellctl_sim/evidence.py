"""What is known of a run when it is over: the journals, record by record, and what the plant truly counted.

Read from disks of virtual time or from the live stores, it is the same; `cellctl_sim.checkers` judges it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from cellctl.device import Capability
from cellctl.errors import JournalBroken
from cellctl.flow.events import FlowEvent, Snapshot
from cellctl.flow.fold import fold
from cellctl.flow.state import FlowState
from cellctl.journal import (
    ActionBegan,
    ActionEnded,
    Answered,
    Asked,
    BeganAgain,
    Entered,
    Journal,
    LeaseTaken,
    ModuleRecord,
    Taken,
    Told,
)
from cellctl.line.model import Line
from cellctl.messages import Head
from cellctl.packml import Mode, State

R = TypeVar("R")
S = TypeVar("S")

RUNNER = "runner"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a module process, with the head of its journal once it was durable."""

    process: str
    head: Head
    record: ModuleRecord


@dataclass(frozen=True, slots=True)
class Evidence:
    """The whole of it. `doubtful` are the devices at which something happened that nobody can know afterwards."""

    line: Line
    events: list[tuple[Head, FlowEvent]]  # the runner's journal
    entries: dict[str, list[Entry]]  # process -> its journal
    chains: dict[str, dict[int, str]]  # process, the runner's too -> number of a record -> digest up to it
    broken: list[str]  # what is wrong with a chain
    counters: Mapping[str, int]
    runs: Mapping[str, Mapping[int, int]]  # machine -> action number -> how often its program ran
    items: Sequence[Mapping[str, Any]]
    incidents: Sequence[tuple[float, str]]
    alarms: Sequence[str] = ()  # the line's, as last shown
    doubtful: frozenset[str] = frozenset()
    state: FlowState = field(default_factory=FlowState)  # the runner's at the end

    @property
    def may_drop(self) -> bool:
        """Whether something happened at a gripper or its arm after which a part may have fallen."""
        held = {self.line.devices[name].declaration.capability for name in self.doubtful}
        return not held.isdisjoint((Capability.GRIPPER, Capability.ROBOT_ARM))

    def records(self, kind: type[S]) -> Iterator[tuple[Entry, S]]:
        """Every record of one kind, process by process, in order."""
        for entries in self.entries.values():
            for entry in entries:
                if isinstance(entry.record, kind):
                    yield entry, entry.record

    def happened(self, kind: type[S]) -> Iterator[tuple[Head, S]]:
        """Every event of one kind in the runner's journal, in order."""
        for head, event in self.events:
            if isinstance(event, kind):
                yield head, event


def gather(
    line: Line,
    journals: Mapping[str, Iterable[bytes]],
    counters: Mapping[str, int],
    runs: Mapping[str, Mapping[int, int]],
    items: Sequence[Mapping[str, Any]],
    incidents: Sequence[tuple[float, str]],
    alarms: Sequence[str] = (),
    doubtful: Iterable[str] = (),
) -> Evidence:
    """Read the journals' rows; a chain that does not hold is read as far as it does."""
    broken: list[str] = []
    chains: dict[str, dict[int, str]] = {}

    def read(process: str, decoder: msgspec.msgpack.Decoder[R]) -> list[tuple[Head, R]]:
        found = list(_read(process, journals.get(process, ()), decoder, broken))
        chains[process] = {head.sequence: head.digest for head, _ in found}
        return found

    events = read(RUNNER, msgspec.msgpack.Decoder(FlowEvent))
    decoder = msgspec.msgpack.Decoder(ModuleRecord)
    entries = {
        process: list(once(Entry(process, head, record) for head, record in read(process, decoder)))
        for process in journals
        if process != RUNNER
    }
    state = fold((event for _, event in events), initial_state(line))
    return Evidence(
        line,
        events,
        entries,
        chains,
        broken,
        counters,
        runs,
        items,
        incidents,
        alarms,
        frozenset(doubtful),
        state,
    )


def initial_state(line: Line) -> FlowState:
    """What holds before anything happened: every carrier is at home."""
    return FlowState(carriers={carrier.id: carrier.home for carrier in line.carriers})


def _read(
    name: str, rows: Iterable[bytes], decoder: msgspec.msgpack.Decoder[R], broken: list[str]
) -> Iterator[tuple[Head, R]]:
    kept = tuple(rows)
    try:
        for row, record in zip(
            kept, Journal(Rows(kept), name, decoder, BeganAgain | Snapshot).replay(), strict=True
        ):
            yield Head(int.from_bytes(row[:8], "big"), row[8:24].hex()), record
    except JournalBroken as error:
        broken.append(str(error))


def once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Without what a journal that began again says for a second time."""
    said: dict[object, object] = {}
    repeats = False
    for entry in entries:
        about, what = _gist(entry.record)
        is_old = about is None or said.get(about, _initial(entry.record)) == what
        repeats = isinstance(entry.record, BeganAgain) or (repeats and is_old)
        said[about] = what
        if not repeats:
            yield entry


def _gist(record: ModuleRecord) -> tuple[object, object]:
    """What a record is about (None: nothing that happened), and what it says of that."""
    match record:
        case LeaseTaken(module, _, epoch):
            return (LeaseTaken, module), epoch
        case Entered(module, state, mode):
            return (Entered, module), (state, mode)
        case Taken(command):
            return (Taken, command.number), True
        case ActionBegan(module, _, action):
            return (ActionBegan, action) if module else None, True
        case ActionEnded(_, _, action):
            return (ActionEnded, action), True
        case Answered(answer):
            return (Answered, answer.number), True
        case Asked(_, question):
            return (Asked, question.number) if question.number else None, True
        case Told(_, question):
            return (Told, question) if question else None, True
        case _:
            return None, True


def _initial(record: ModuleRecord) -> object:
    """What holds before anything was said."""
    match record:
        case LeaseTaken():
            return 0
        case Entered():
            return State.STOPPED, Mode.PRODUCTION
        case _:
            return None


class Rows:
    """Rows as a record store that takes no more; fulfils `cellctl.runtime.RecordStore`."""

    def __init__(self, rows: Sequence[bytes]) -> None:
        self._rows = rows

    async def append(self, rows: Sequence[bytes]) -> None:
        raise AssertionError("evidence is read, not written")

    async def archive(self, before: int) -> None:
        raise AssertionError("evidence is read, not written")

    def archived(self, first: int) -> Iterator[bytes]:
        raise AssertionError("evidence is read, and all of it by replay")

    def replay(self) -> Iterator[bytes]:
        """All rows, oldest first."""
        return iter(self._rows)
