"""A journal that was begun again, its beginning archived, says the same as the whole of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.flow.events import Snapshot
from cellctl.flow.fold import fold
from cellctl.journal import (
    ActionBegan,
    ActionEnded,
    Answered,
    Asked,
    Entered,
    Forgot,
    Found,
    HandedOn,
    LeaseTaken,
    Left,
    LeftKnown,
    ModuleRecord,
    Taken,
    Told,
    module_journal,
)
from cellctl.live.records import ReadOnly
from cellctl.live.store import archive_folder, open_store, read_archived_rows
from cellctl.messages import Announced, Answer, Command, Move, Question
from cellctl.modules.compaction import says_the_same
from cellctl.modules.ledger import Book, Ledger
from cellctl.packml import Mode, State


def book_of(records: list[ModuleRecord]) -> Book:
    book = Book(["belt", "arm"])
    for record in records:
        book.apply(record)
    return book


def walk(rng: Random, steps: int) -> list[ModuleRecord]:
    """A journal as a process could write it: any of the records that fit where it stands, one after another."""
    book, records = Book(["belt", "arm"]), []
    for _ in range(steps):
        record = rng.choice(fitting(book, book.ledgers[rng.choice(["belt", "arm"])], rng))
        records.append(record)
        book.apply(record)
    return records


def fitting(book: Book, ledger: Ledger, rng: Random) -> list[ModuleRecord]:
    name, number = ledger.module, rng.randint(1, 100_000)
    found: list[ModuleRecord] = [
        LeaseTaken(name, "runner", ledger.epoch + 1),
        LeaseTaken(name, "panel", ledger.epoch + 1, by_hand=True),
        Entered(name, rng.choice(list(State)), rng.choice(list(Mode)), "me"),
        Forgot(name, min(ledger.unfinished, default=1)),
        Taken(Command(number, name, 1, 1, "run"), float(number)),
    ]
    for command, entry in ledger.unfinished.items():
        found.append(Answered(Answer(name, command, "done")))
        found.append(ActionBegan(name, command, book.last_action + 1, len(entry.actions), "d", "n"))
        for past in entry.actions.values():
            if not past.ended and past.number not in ledger.told:
                moves = tuple(Move("p1", place) for place in rng.choice([(), ("a",), ("a", "b")]))
                found.append(
                    ActionEnded(name, command, past.number, rng.choice([None, True, 1.5]), moves, 0.5)
                )
                if past.number not in ledger.questions:
                    found.append(Asked(name, Question(past.number, command, "n", "?", {})))
    place, mark = rng.choice(["window", "gate"]), str(rng.randint(1, 9))
    found.append(Found(Announced(name, book.last_action + 1, place, given={"pick.x": 0.1}), mark))
    found += [HandedOn(name, announcement) for announcement in ledger.found]
    found += [Left(name, announcement) for announcement in {**ledger.found, **ledger.handed_on}]
    found += [LeftKnown(name, announcement) for announcement in ledger.left]
    found += [Told(name, q, rng.choice(["done", "not started", "failed"]), "me") for q in ledger.questions]
    return found


def meaning(book: Book) -> object:
    """All that matters of a book: what was told of actions that are over does not."""
    ledgers = []
    for ledger in book.ledgers.values():
        fields = dict(vars(ledger))
        actions = {past.number for entry in ledger.unfinished.values() for past in entry.actions.values()}
        fields["told"] = {n: choice for n, choice in ledger.told.items() if n in actions and n}
        ledgers.append(fields)
    return ledgers, book.last_action


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_the_records_of_a_new_beginning_fold_to_the_same_book_alone_and_after_the_old_ones(seed, steps):
    records = walk(Random(seed), steps)
    book = book_of(records)
    again = list(says_the_same(book))
    assert meaning(book_of(again)) == meaning(book)
    assert meaning(book_of(records + again)) == meaning(book)


def number_of(row: bytes) -> int:
    return int.from_bytes(row[:8], "big")


def test_what_was_archived_several_times_is_read_from_any_number_on_as_far_as_it_is_kept(tmp_path: Path):
    path = tmp_path / "belt.sqlite"

    async def write() -> list[bool]:
        async with open_store(path) as store:
            journal = module_journal(store, "belt")
            list(journal.replay())
            heads = []
            for epoch in range(12):
                heads.append(await journal.append(LeaseTaken("belt", "runner", epoch)))
                if epoch % 4 == 3:
                    await journal.begin_again(*says_the_same(Book(["belt"])))
            return [journal.has(head) for head in heads]

    assert all(asyncio.run(write()))
    rows = [number_of(row) for row in read_archived_rows(path, 1)]
    assert rows == list(range(1, len(rows) + 1))
    oldest, *others = sorted(archive_folder(path).glob("*.sqlite"))
    assert len(others) == 2
    for first in (1, 2, int(oldest.stem), int(others[0].stem)):
        assert [number_of(row) for row in read_archived_rows(path, first)] == rows[first - 1 :]
    oldest.unlink()
    assert [number_of(row) for row in read_archived_rows(path, 1)] == rows[int(oldest.stem) - 1 :]


def test_a_store_that_was_archived_replays_from_the_new_beginning_and_keeps_the_rest(tmp_path: Path):
    path = tmp_path / "belt.sqlite"
    records: list[ModuleRecord] = [LeaseTaken("belt", "runner", n) for n in range(1, 8)]

    async def write() -> None:
        async with open_store(path) as store:
            journal = module_journal(store, "belt")
            list(journal.replay())
            await journal.append(*records)
            await journal.begin_again(*says_the_same(book_of(records)))
            await journal.append(Entered("belt", State.IDLE, Mode.PRODUCTION))

    async def read() -> list[ModuleRecord]:
        async with open_store(path) as store:
            return list(module_journal(store, "belt").replay())

    asyncio.run(write())
    kept = asyncio.run(read())
    assert len(kept) == len(says_the_same(book_of(records))) + 1
    assert book_of(kept).ledgers["belt"].epoch == 7
    assert [*archive_folder(path).glob("*.sqlite")]
    whole = list(module_journal(ReadOnly(path), "belt").replay())
    assert whole[: len(records)] == records
    assert [number_of(row) for row in read_archived_rows(path, 3)] == list(range(3, len(records) + 1))
    assert whole[len(records) :] == kept


def test_a_snapshot_is_the_state_whatever_came_before():
    state = fold([])
    assert fold([Snapshot(state)]) == state
