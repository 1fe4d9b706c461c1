"""Durable records a second: eight writers that share commits, against the same records with one commit each.

Run `python tests/benchmarks/bench_journal.py [DIRECTORY]`; the directory (default: home) must lie on the disk to be
measured. Both use SQLite with WAL and synchronous=FULL, on one CPU, and are measured once commits of their own kind
have brought the WAL to its size, as in a line that runs (a file that grows costs more to sync). They take turns, each
with a checkpoint in it, short and many, so that who else uses the disk meets both; the medians count.
Exit status 1 below the floor.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cellctl.live.store import Store, open_store

WRITERS, TURNS, FLOOR = 8, 31, 5.0
TURN = 1000  # commits of one record each
SHARED_TURN = 500  # records of each writer
WARM_UP = 1500  # commits, more than either needs for a checkpoint
ROW = os.urandom(200)


@contextmanager
def one_commit_each(path: Path) -> Iterator[sqlite3.Connection]:
    """A journal in plain sqlite3, its WAL at its size."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, row BLOB NOT NULL)")
        commit_each(database, WARM_UP)
        yield database


def commit_each(database: sqlite3.Connection, records: int) -> float:
    """Records a second when each is its own commit."""
    began = time.perf_counter()
    for _ in range(records):
        database.execute("INSERT INTO rows (row) VALUES (?)", (ROW,))
    return records / (time.perf_counter() - began)


async def share_commits(store: Store, records: int) -> float:
    """Records a second of eight tasks that each wait for one record to be durable before the next."""

    async def write() -> None:
        for _ in range(records):
            await store.append([ROW])

    began = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return WRITERS * records / (time.perf_counter() - began)


async def measured(directory: Path) -> tuple[float, float]:
    """Records a second with one commit each, and of the store: medians of turns."""
    alone, shared = [], []
    with one_commit_each(directory / "alone.sqlite") as database:
        async with open_store(directory / "shared.sqlite") as store:
            await share_commits(store, WARM_UP)
            for _ in range(TURNS):
                alone.append(commit_each(database, TURN))
                shared.append(await share_commits(store, SHARED_TURN))
    return statistics.median(alone), statistics.median(shared)


def main() -> int:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else Path.home()) as directory:
        alone, shared = asyncio.run(measured(Path(directory)))
    print(
        f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL, rows of {len(ROW)} bytes, {WRITERS} writers"
    )
    print(f"{'one commit each':28}{alone:12.0f} records/s")
    print(f"{'cellctl store':28}{shared:12.0f} records/s")
    print(f"{'ratio':28}{shared / alone:12.2f}  (floor {FLOOR})")
    return 0 if shared / alone >= FLOOR else 1


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.exit(main())
