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


def number_of(row: bytes) -> int:
    return int.from_bytes(row[:8], "big")


class Disk:
    """Rows in memory; archived ones are gone from replay."""

    def __init__(self, rows: Sequence[bytes] = ()) -> None:
        self.rows = list(rows)
        self.away: list[bytes] = []

    async def append(self, rows: Sequence[bytes]) -> None:
        self.rows += rows

    async def archive(self, before: int) -> None:
        self.away += [row for row in self.rows if number_of(row) < before]
        self.rows = [row for row in self.rows if number_of(row) >= before]

    def archived(self, first: int) -> Iterator[bytes]:
        return iter([row for row in self.away if number_of(row) >= first])

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


def begun_again(disk: Disk, times: int = 1) -> list[Head]:
    """The heads of a journal that was begun again so often, three records each time."""
    journal, heads = opened(disk), []
    for time in range(times):
        heads += written(journal, 3 * time + 1, 3 * time + 2, 3 * time + 3)
        asyncio.run(journal.begin_again(BeganAgain(), LeaseTaken("press", "runner", 3 * time + 3)))
        heads.append(journal.head)
    return heads


@pytest.mark.parametrize("reopen", [False, True])
@pytest.mark.parametrize("times", [1, 3])
def test_a_journal_that_began_again_knows_what_is_in_its_archive(reopen: bool, times: int) -> None:
    disk = Disk()
    journal = opened(disk)
    heads = begun_again(disk, times)
    journal = opened(disk)
    heads += written(journal, 90)
    journal = opened(disk) if reopen else journal
    assert all(journal.has(head) for head in [Head(), *heads])
    for head in heads:
        assert not journal.has(Head(head.sequence, "ff" * 16))
        assert not journal.has(Head(head.sequence, ""))
    assert not journal.has(Head(heads[-1].sequence + 1, heads[-1].digest))


@pytest.mark.parametrize("reopen", [False, True])
def test_a_loss_is_noticed_although_the_journal_began_again_since(reopen: bool) -> None:
    disk = Disk()
    heads = written(opened(disk), 1, 2, 3, 4)
    del disk.rows[2:]
    journal = opened(disk)
    written(journal, 7, 8, 9)
    asyncio.run(journal.begin_again(BeganAgain(), LeaseTaken("press", "runner", 9)))
    journal = opened(disk) if reopen else journal
    assert [journal.has(head) for head in heads] == [True, True, False, False]


@pytest.mark.parametrize("gone", [slice(0, 1), slice(1, 2), slice(-1, None), slice(None)])
def test_what_the_archive_does_not_lead_to_any_more_is_not_believed(gone: slice) -> None:
    disk = Disk()
    first, *_ = begun_again(disk, 2)
    assert opened(disk).has(first)
    del disk.away[gone]
    assert not opened(disk).has(first)


def test_the_archive_of_another_journal_proves_nothing() -> None:
    disk, other = Disk(), Disk()
    theirs = begun_again(other, 1)
    written(opened(disk), 5, 5, 5)
    journal = opened(disk)
    asyncio.run(journal.begin_again(BeganAgain()))
    disk.away = list(other.away)
    assert not any(opened(disk).has(head) for head in theirs)


def test_an_archive_that_cannot_be_read_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk()
    first, *_ = begun_again(disk)

    def broken(first: int) -> Iterator[bytes]:
        raise StoreError("the disk does not do what it is asked")

    monkeypatch.setattr(disk, "archived", broken)
    assert not opened(disk).has(first)


def test_what_is_too_far_back_is_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk()
    first, *_, last = begun_again(disk, 3)
    monkeypatch.setattr("cellctl.journal.FARTHEST", 5)
    assert not opened(disk).has(first)
    assert opened(disk).has(last)


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
