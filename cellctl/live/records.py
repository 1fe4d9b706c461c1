"""What is on record about a line: the runner's journal, read beside the running line or after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellctl.errors import StoreError
from cellctl.flow.events import FlowEvent
from cellctl.live.store import read_all_rows
from cellctl.runner.book import runner_journal


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A record store that only replays. Fulfils `cellctl.runtime.RecordStore`."""

    path: Path

    async def append(self, rows: Sequence[bytes]) -> None:
        """Always raises StoreError."""
        raise StoreError(f"the journal {self.path} is open for reading only")

    def replay(self) -> Iterator[bytes]:
        """Every row, archived ones included. Raises StoreError."""
        return read_all_rows(self.path)

    def archived(self, first: int) -> Iterator[bytes]:
        """Nothing: `replay` has them."""
        return iter(())

    async def archive(self, before: int) -> None:
        """Always raises StoreError."""
        raise StoreError(f"the journal {self.path} is open for reading only")


def runner_events(state: Path) -> Iterator[FlowEvent]:
    """Everything that the runner of the line in `state` has journaled, oldest first. Raises StoreError."""
    return runner_journal(ReadOnly(state / "runner.sqlite")).replay()
