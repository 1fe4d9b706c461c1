"""A journal knows what peers saw of it, notices its oldest rows missing, and takes nothing it cannot read back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import pytest

from cellctl.errors import JournalBroken, StoreError
from cellctl.flow.events import Drained, OrderTaken, Snapshot
from cellctl.flow.state import FlowState
from cellctl.journal import BeganAgain, Entered, Journal, LeaseTaken, ModuleRecord, module_journal
from cellctl.messages import Head
from cellctl.packml import Mode, State
from cellctl.runner.book import runner_journal


class Disk:
    """Rows in memory; archived ones are gone from replay."""

    def __init__(self, rows: Sequence[bytes] = ()) -> None:
        self.rows = list(rows)

    async def append(self, rows: Sequence[bytes]) -> None:
        self.rows += rows

    async def archive(self, before: int) -> None:
        self.rows = [row for row in self.rows if int.from_bytes(row[:8], "big") >= before]

    def replay(self) -> Iterator[bytes]:
        return iter(self.rows)


def opened(disk: Disk) -> Journal[ModuleRecord]:
    journal = module_journal(disk, "press")
    list(journal.replay())
    return journal


def written(journal: Journal[ModuleRecord], *epochs: int) -> list[Head]:
    return [asyncio.run(journal.append(LeaseTaken("press", "runner", epoch))) for epoch in epochs]


def test_every_end_that_was_seen_is_in_the_chain_also_after_a_restart() -> None:
    disk = Disk()
    heads = written(opened(disk), 1, 2, 3)
    assert all(opened(disk).has(head) for head in [Head(), *heads])


def test_a_journal_that_lost_records_and_grew_again_does_not_have_what_was_seen() -> None:
    disk = Disk()
    heads = written(opened(disk), 1, 2, 3)
    del disk.rows[1:]
    journal = opened(disk)
    assert [journal.has(head) for head in heads] == [True, False, False]
    written(journal, 7, 8, 9, 10)
    assert [journal.has(head) for head in heads] == [True, False, False]


@pytest.mark.parametrize("reopen", [False, True])
def test_a_journal_that_began_again_believes_only_what_is_older_than_its_beginning(reopen: bool) -> None:
    disk = Disk()
    journal = opened(disk)
    before = written(journal, 1, 2, 3)
    asyncio.run(journal.begin_again(BeganAgain(), LeaseTaken("press", "runner", 3)))
    after = written(journal, 4)
    journal = opened(disk) if reopen else journal
    assert all(journal.has(head) for head in [*before, *after])
    assert not journal.has(Head(after[0].sequence, before[0].digest))
    assert not journal.has(Head(after[0].sequence + 1, after[0].digest))
    assert journal.has(Head(3, "ff")) == reopen  # the end that peers saw last is kept while the process lives


def test_a_journal_that_begins_again_empty_goes_on() -> None:
    disk = Disk()
    journal = opened(disk)
    asyncio.run(journal.begin_again(BeganAgain()))
    heads = written(journal, 1, 2)
    assert all(journal.has(head) for head in heads)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_journal_without_its_oldest_rows_is_broken(lost: int) -> None:
    disk = Disk()
    written(opened(disk), 1, 2, 3, 4)
    del disk.rows[:lost]
    with pytest.raises(JournalBroken, match="its oldest records are lost"):
        opened(disk)


def test_a_journal_of_a_runner_begins_at_the_first_event_or_at_a_snapshot() -> None:
    disk = Disk()
    journal = runner_journal(disk)
    list(journal.replay())
    asyncio.run(journal.append(Drained(True, "me"), Snapshot(FlowState()), Drained(False, "me")))
    del disk.rows[:1]
    assert len(list(runner_journal(disk).replay())) == 2
    del disk.rows[:1]
    with pytest.raises(JournalBroken, match="its oldest records are lost"):
        list(runner_journal(disk).replay())


@pytest.mark.parametrize(
    "poison",
    [
        lambda: OrderTaken("o1", "d", "three"),  # type: ignore[arg-type]
        lambda: OrderTaken("o1", "d", 2**70),
        lambda: OrderTaken("o\ud800", "d", 1),
    ],
    ids=["another type", "too large a number", "half a character"],
)
def test_what_could_not_be_read_back_is_not_written(poison: Callable[[], OrderTaken]) -> None:
    disk = Disk()
    journal = runner_journal(disk)
    list(journal.replay())
    with pytest.raises(StoreError, match="could not be read back"):
        asyncio.run(journal.append(Drained(True, "me"), poison()))
    assert disk.rows == []
    asyncio.run(journal.append(Drained(True, "me")))
    assert list(runner_journal(disk).replay()) == [Drained(True, "me")]


def test_a_changed_row_is_still_noticed() -> None:
    disk = Disk()
    journal = opened(disk)
    asyncio.run(journal.append(Entered("press", State.IDLE, Mode.PRODUCTION), LeaseTaken("press", "me", 1)))
    disk.rows[0] = disk.rows[0].replace(b"IDLE", b"HELD").replace(b"idle", b"held")
    with pytest.raises(JournalBroken, match="does not fit"):
        opened(disk)
