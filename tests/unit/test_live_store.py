"""The record store on real files: order, shared commits, the lock, and processes that are killed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from appending import APPENDER, ROOT, append_all, child

from cellctl.errors import StoreError, StoreLocked
from cellctl.live import store as store_module
from cellctl.live.store import open_store, read_rows

# --- order and durability ---------------------------------------------------------------------------------------


def test_rows_come_back_in_the_order_of_appending(tmp_path: Path) -> None:
    path = tmp_path / "belt.sqlite"
    append_all(path, [b"a", b"b"], [b"c"], [])
    append_all(path, [b"d\x00\xff"])

    async def main() -> list[bytes]:
        async with open_store(path) as store:
            return list(store.replay())

    assert asyncio.run(main()) == [b"a", b"b", b"c", b"d\x00\xff"]


def test_concurrent_appends_keep_the_order_in_which_they_were_asked(tmp_path: Path) -> None:
    async def main() -> list[bytes]:
        async with open_store(tmp_path / "belt.sqlite") as store:
            await asyncio.gather(*(store.append([b"%d" % number]) for number in range(1500)))
            return list(store.replay())

    assert asyncio.run(main()) == [b"%d" % number for number in range(1500)]


def test_rows_can_be_read_by_another_connection_once_append_has_returned(tmp_path: Path) -> None:
    async def main() -> list[list[bytes]]:
        seen = []
        async with open_store(tmp_path / "belt.sqlite") as store:
            for row in (b"a", b"b"):
                await store.append([row])
                seen.append(list(read_rows(tmp_path / "belt.sqlite")))
        return seen

    assert asyncio.run(main()) == [[b"a"], [b"a", b"b"]]


def test_waiting_appends_share_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = []
    commit = store_module._commit

    def counted(database: sqlite3.Connection, rows: Sequence[bytes]) -> None:
        commits.append(len(rows))
        commit(database, rows)

    monkeypatch.setattr(store_module, "_commit", counted)

    async def write(store: store_module.Store) -> None:
        for _ in range(50):
            await store.append([b"row"])

    async def main() -> None:
        async with open_store(tmp_path / "belt.sqlite") as store:
            await asyncio.gather(*(write(store) for _ in range(8)))

    asyncio.run(main())
    assert sum(commits) == 400
    assert len(commits) < 200


@pytest.mark.parametrize("count", [1, 2, 64, 65, 700])
def test_however_many_rows_an_append_has_their_numbers_are_unbroken_and_they_stay_bytes(
    tmp_path: Path, count: int
) -> None:
    path = tmp_path / "belt.sqlite"
    append_all(path, [b"1"], [b"12"] * count, [], [b"\x00\xff"])
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT number, typeof(row), row FROM rows ORDER BY number").fetchall()
    rows = [b"1", *[b"12"] * count, b"\x00\xff"]
    assert found == [(number, "blob", row) for number, row in enumerate(rows, start=1)]


@pytest.mark.parametrize("count", [5, 64, 100])
def test_of_an_append_that_fails_in_its_middle_nothing_is_kept(tmp_path: Path, count: int) -> None:
    path = tmp_path / "belt.sqlite"
    append_all(path, [b"before"])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "CREATE TRIGGER middle BEFORE INSERT ON rows WHEN NEW.row = x'03' "
            "BEGIN SELECT RAISE(ABORT, 'a page is bad'); END"
        )
    with pytest.raises(StoreError, match="a page is bad"):
        append_all(path, [bytes([number]) for number in range(count)])
    assert list(read_rows(path)) == [b"before"]


@pytest.mark.parametrize(
    "rows", [[b"r" * 200], [b"r" * 200] * 8, [b"r" * 20], [b"r" * 3000], [b"r" * 300] * 100]
)
def test_the_wal_stays_at_its_size_whatever_the_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[bytes]
) -> None:
    limit = 100 * 4096
    monkeypatch.setattr(store_module, "_CHECKPOINT", limit)

    async def main() -> int:
        async with open_store(tmp_path / "belt.sqlite") as store:
            for _ in range(250):
                await store.append(rows)
            return (tmp_path / "belt.sqlite-wal").stat().st_size

    largest_commit = 2 * 4096 + 2 * sum(map(len, rows))
    assert limit / 2 < asyncio.run(main()) < limit * 1.3 + largest_commit


def test_a_cancelled_append_is_made_durable_all_the_same(tmp_path: Path) -> None:
    async def main() -> list[bytes]:
        async with open_store(tmp_path / "belt.sqlite") as store:
            append = asyncio.create_task(store.append([b"intent"]))
            await asyncio.sleep(0)
            append.cancel()
            await asyncio.wait([append])
            assert append.cancelled()
            await store.append([b"next"])
            return list(store.replay())

    assert asyncio.run(main()) == [b"intent", b"next"]


def test_what_is_waiting_is_durable_when_the_store_is_closed(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_store(tmp_path / "belt.sqlite") as store:
            appends = [asyncio.create_task(store.append([b"%d" % number])) for number in range(100)]
            await asyncio.sleep(0)
        await asyncio.gather(*appends)

    asyncio.run(main())
    assert len(list(read_rows(tmp_path / "belt.sqlite"))) == 100


def test_however_often_it_is_cancelled_the_lock_is_kept_until_the_last_commit_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()
    commit = store_module._commit

    def slow(database: sqlite3.Connection, rows: Sequence[bytes]) -> None:
        began.set()
        assert may_end.wait(10)
        commit(database, rows)
        ended.set()

    monkeypatch.setattr(store_module, "_commit", slow)

    async def write() -> None:
        async with open_store(tmp_path / "belt.sqlite") as store:
            await store.append([b"row"])

    async def main() -> bool:
        writing = asyncio.create_task(write())
        await asyncio.to_thread(began.wait)
        writing.cancel()  # the append
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        threading.Timer(0.1, may_end.set).start()
        writing.cancel()  # the close
        await asyncio.wait([writing])
        return ended.is_set()

    assert asyncio.run(main())


def test_who_waits_is_answered_also_when_the_closing_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = threading.Event(), threading.Event()
    commit = store_module._commit

    def slow(database: sqlite3.Connection, rows: Sequence[bytes]) -> None:
        began.set()
        assert may_end.wait(10)
        commit(database, rows)

    monkeypatch.setattr(store_module, "_commit", slow)
    appends: list[asyncio.Task[None]] = []

    async def write() -> None:
        async with open_store(tmp_path / "belt.sqlite") as store:
            appends.append(asyncio.create_task(store.append([b"row"])))
            await asyncio.sleep(0)

    async def main() -> None:
        writing = asyncio.create_task(write())
        await asyncio.to_thread(began.wait)
        threading.Timer(0.1, may_end.set).start()
        writing.cancel()  # the close
        await asyncio.wait([writing])
        async with asyncio.timeout(10):
            await appends[0]

    asyncio.run(main())
    assert list(read_rows(tmp_path / "belt.sqlite")) == [b"row"]


def test_a_closed_store_takes_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_store(tmp_path / "belt.sqlite") as store:
            pass
        with pytest.raises(StoreError, match="closed"):
            await store.append([b"late"])

    asyncio.run(main())


def test_the_file_syncs_every_commit_and_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "belt.sqlite"
    path.parent.mkdir()
    with closing(store_module._create(path)) as database:
        assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert len(modes) == 3  # the file, its WAL and its shared memory


# --- synced, as the kernel sees it ------------------------------------------------------------------------------

ONE_BY_ONE = """
    async def one_by_one(path):
        async with open_store(path) as store:
            os.write(1, b"open\\n")
            for number in range(20):
                await store.append([b"row"])
                os.write(1, b"acknowledged\\n")

    asyncio.run(one_by_one(Path(sys.argv[1])))
"""
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def traced(path: Path, *options: str) -> tuple[list[str], str]:
    """System calls of a process that appends twenty rows one by one, in order, and what it said on stderr."""
    trace = path.with_suffix(".trace")
    wrapper = ["strace", "-f", "-y", "-o", str(trace), *options]
    program = textwrap.dedent(APPENDER) + textwrap.dedent(ONE_BY_ONE)
    command = [*wrapper, sys.executable, "-c", program, str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    return trace.read_text().splitlines(), ran.stderr


@needs_strace
def test_each_append_is_synced_to_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    calls, errors = traced(tmp_path / "belt.sqlite", "-e", "trace=write,pwrite64,fsync,fdatasync")
    assert not errors
    done = [word for call in calls for word in [_word(call)] if word]
    appends = "".join(done[done.index("o") + 1 :])
    assert re.fullmatch("(w+s+a){20}[ws]*", appends), appends


def _word(call: str) -> str:
    """w: written to the WAL; s: WAL synced; a: acknowledged; o: opened."""
    if "-wal>" in call:
        return "w" if "write" in call else "s" if "sync(" in call and call.endswith("= 0") else ""
    return "a" if '"acknowledged' in call else "o" if '"open\\n"' in call else ""


@needs_strace
def test_after_a_sync_that_failed_nothing_is_acknowledged_and_nothing_appended(tmp_path: Path) -> None:
    inject = "inject=fsync,fdatasync:error=EIO:when=15"
    calls, errors = traced(
        tmp_path / "belt.sqlite", "-e", "trace=write,pwrite64,fsync,fdatasync", "-e", inject
    )
    assert "StoreError" in errors
    assert "the disk does not do what it is asked" in errors
    failed = next(number for number, call in enumerate(calls) if "INJECTED" in call)
    assert "a" in [_word(call) for call in calls[:failed]]
    assert {_word(call) for call in calls[failed + 1 :]} <= {"", "s"}  # closing syncs what was durable before


@needs_strace
def test_a_checkpoint_that_fails_ends_the_store_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKPOINT", "20000")
    file = tmp_path / "belt.sqlite"
    append_all(file, [b"so that the file is there"])
    calls, errors = traced(
        file, "-P", str(file), "-e", "trace=fsync,fdatasync", "-e", "inject=fdatasync:error=EIO"
    )
    assert any("INJECTED" in call for call in calls)
    assert "StoreError" in errors


# --- killed -----------------------------------------------------------------------------------------------------


def test_no_acknowledged_append_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path, draw, acknowledged = tmp_path / "belt.sqlite", random.Random(4), 0
    for _ in range(10):
        path.unlink(missing_ok=True)
        with child(APPENDER + "\n    asyncio.run(main(Path(sys.argv[1])))\n", path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            time.sleep(draw.uniform(0.0, 0.1))  # when it dies is the test's input
            process.kill()
            told = process.stdout.read().splitlines(keepends=True)
        told = [line.strip() for line in told if line.endswith("\n")]
        rows = [row.decode().split() for row in read_rows(path)]
        kept = [row[0] for row in rows]
        assert set(told) <= set(kept)
        assert kept[0::2] == kept[1::2]  # each append whole, its two rows side by side
        acknowledged += len(told)
    assert acknowledged > 100


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "belt.sqlite"
    with child(APPENDER + "\n    asyncio.run(main(Path(sys.argv[1])))\n", path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=f"process {process.pid}"):
            append_all(path, [b"a"])
        process.send_signal(signal.SIGKILL)
    append_all(path, [b"a"])
    assert list(read_rows(path))[-1] == b"a"


def test_a_store_opened_twice_in_one_process_is_refused_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_store(tmp_path / "belt.sqlite"), open_store(tmp_path / "belt.sqlite"):
            pass

    with pytest.raises(StoreLocked, match=f"process {os.getpid()}"):
        asyncio.run(main())


def test_a_locked_store_is_refused_before_its_file_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "belt.sqlite"
    path.write_bytes(b"not even a database")
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreLocked):
            append_all(path, [b"a"])
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["belt.lock", "belt.sqlite"]
    assert path.read_bytes() == b"not even a database"


# --- reading ----------------------------------------------------------------------------------------------------


def test_reading_where_nothing_is_says_so_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no journal"):
        list(read_rows(tmp_path / "belt.sqlite"))
    assert list(tmp_path.iterdir()) == []


def test_reading_goes_on_from_a_number(tmp_path: Path) -> None:
    append_all(tmp_path / "belt.sqlite", [b"%d" % number for number in range(2500)])
    assert list(read_rows(tmp_path / "belt.sqlite", after=2498)) == [b"2498", b"2499"]
    assert len(list(read_rows(tmp_path / "belt.sqlite"))) == 2500


def test_a_reader_sees_what_is_appended_while_it_reads_and_does_not_hinder_it(tmp_path: Path) -> None:
    path = tmp_path / "belt.sqlite"

    async def main() -> list[bytes]:
        async with open_store(path) as store:
            await store.append([b"%d" % number for number in range(1000)])
            reading = read_rows(path)
            first = next(reading)
            await store.append([b"1000"])
            with closing(sqlite3.connect(path)) as database:
                busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert not busy
            return [first, *reading]

    assert asyncio.run(main()) == [b"%d" % number for number in range(1001)]
