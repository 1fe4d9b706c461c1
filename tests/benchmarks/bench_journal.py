"""Durable records a second: eight writers that share commits, against the same eight with one commit each.

Run `python tests/benchmarks/bench_journal.py [DIRECTORY]`; the directory (default: home) must lie on the disk to be
measured. Both use SQLite with WAL and synchronous=FULL, on one CPU, and are measured once the WAL has reached its
size, as it has in a line that runs (a file that grows costs more to sync). They take turns and the median counts.
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from cellctl.live.store import open_store

WRITERS, RECORDS, TURNS, FLOOR = 8, 1000, 5, 5.0
WARM_UP = 1500  # commits, more than SQLite's checkpoint interval of 1000 pages
ROW = os.urandom(200)


def one_commit_each(path: Path) -> float:
    """Records a second when each is its own commit, in plain sqlite3."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, row BLOB NOT NULL)")
    insert = "INSERT INTO rows (row) VALUES (?)"
    for _ in range(WARM_UP):
        database.execute(insert, (ROW,))
    began = time.perf_counter()
    for _ in range(WRITERS * RECORDS):
        database.execute(insert, (ROW,))
    rate = WRITERS * RECORDS / (time.perf_counter() - began)
    database.close()
    return rate


async def shared_commits(path: Path) -> float:
    """Records a second of eight tasks that each wait for one record to be durable before the next."""
    async with open_store(path) as store:

        async def write(records: int) -> None:
            for _ in range(records):
                await store.append([ROW])

        await write(WARM_UP)
        began = time.perf_counter()
        await asyncio.gather(*(write(RECORDS) for _ in range(WRITERS)))
        return WRITERS * RECORDS / (time.perf_counter() - began)


def main() -> int:
    alone, shared = [], []
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else Path.home()) as directory:
        for turn in range(TURNS):
            alone.append(one_commit_each(Path(directory, f"alone{turn}.sqlite")))
            shared.append(asyncio.run(shared_commits(Path(directory, f"shared{turn}.sqlite"))))
    ratio = statistics.median(shared) / statistics.median(alone)
    print(
        f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL, rows of {len(ROW)} bytes, {WRITERS} writers"
    )
    print(f"{'one commit each':28}{statistics.median(alone):12.0f} records/s")
    print(f"{'cellctl store':28}{statistics.median(shared):12.0f} records/s")
    print(f"{'ratio':28}{ratio:12.2f}  (floor {FLOOR})")
    return 0 if ratio >= FLOOR else 1


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.exit(main())
