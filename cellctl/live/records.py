"""What is on record about a line: the runner's journal, read beside the running line or after it.

A journal that began again did so with a snapshot, at the head of its file and of each archive but the first. So who
wants to know of late times or parts begins to read at one of these, and not with the first record of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellctl.errors import StoreError
from cellctl.flow.events import FlowEvent, Snapshot
from cellctl.live.store import archive_folder, read_archived_rows, read_rows
from cellctl.runner.book import runner_journal

FIRST = 1  # number of the first record of all


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A record store that only replays, from the record of number `first` on. Fulfils `cellctl.runtime.RecordStore`."""

    path: Path
    first: int = FIRST

    async def append(self, rows: Sequence[bytes]) -> None:
        """Always raises StoreError."""
        raise StoreError(f"the journal {self.path} is open for reading only")

    def replay(self) -> Iterator[bytes]:
        """Every row from the first on, archived ones included. Raises StoreError."""
        yield from read_archived_rows(self.path, self.first)
        archives = [int(archive.stem) - 1 for archive in archive_folder(self.path).glob("*.sqlite")]
        yield from read_rows(self.path, max([self.first - 1, *archives]))

    def archived(self, first: int) -> Iterator[bytes]:
        """Nothing: `replay` has them."""
        return iter(())

    async def archive(self, before: int) -> None:
        """Always raises StoreError."""
        raise StoreError(f"the journal {self.path} is open for reading only")


def runner_events(state: Path, first: int = FIRST) -> Iterator[FlowEvent]:
    """What the runner of the line in `state` has journaled, oldest first; all of it, or from a snapshot's number on.

    Raises StoreError.
    """
    return runner_journal(ReadOnly(state / "runner.sqlite", first)).replay()


def events_since(state: Path, since: float) -> Iterator[FlowEvent]:
    """From the last snapshot that was made before `since` (UTC [s]) on. Raises StoreError."""
    return runner_events(state, _beginning(state, lambda events: _time_of(events) < since))


def events_of(state: Path, part: str) -> Iterator[FlowEvent]:
    """From the last snapshot on in which this part was not begun. Raises StoreError."""
    number = part.removeprefix("p")
    if not number.isdecimal():
        return runner_events(state)
    return runner_events(state, _beginning(state, lambda events: _next_part(events) <= int(number)))


def _beginning(state: Path, is_early: Callable[[Iterator[FlowEvent]], bool]) -> int:
    """The number of the last snapshot from which on the events are early enough; of the first record where none is."""
    archives = sorted(archive_folder(state / "runner.sqlite").glob("*.sqlite"), reverse=True)
    for snapshot in (int(archive.stem) for archive in archives):
        if is_early(runner_events(state, snapshot)):
            return snapshot
    return FIRST


def _time_of(events: Iterator[FlowEvent]) -> float:
    """When the first of these events came that says so; the end of all times where none does."""
    times = (getattr(event, "at", 0.0) or getattr(event, "ended", 0.0) for event in events)
    return next((at for at in times if at), float("inf"))


def _next_part(events: Iterator[FlowEvent]) -> int:
    first = next(events, None)
    return first.state.next_part if isinstance(first, Snapshot) else FIRST
