"""The record store where disks fail, files are not what they should be, and the writer itself goes wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from appending import APPENDER, ROOT, append_all

from cellctl.errors import StoreError
from cellctl.live import store as store_module
from cellctl.live.store import open_store, read_rows

FILLER = (
    APPENDER
    + """
    async def fill(path):
        async with open_store(path) as store:
            try:
                for number in range(10**6):
                    await store.append([b"%06d" % number + bytes(2000)])
            except StoreError as error:
                print(number, error)
            try:
                await store.append([b"after"])
            except StoreError as error:
                print(error)
"""
)


def filled(limit: str, path: Path, wrapper: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Appends until the limit is met: how many were acknowledged, the error then, the error of one more append."""
    program = textwrap.dedent(FILLER) + textwrap.dedent(limit) + "asyncio.run(fill(Path(sys.argv[1])))\n"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [*wrapper, sys.executable, "-c", program, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    first, second = ran.stdout.splitlines()
    count, _, error = first.partition(" ")
    return int(count), error, second


def test_an_error_of_the_disk_ends_the_store_for_good_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "belt.sqlite"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    acknowledged, error, after = filled(limit, path)
    assert acknowledged > 20
    assert str(path) in error
    assert "disk" in error
    assert after == error
    numbers = [int(row[:6]) for row in read_rows(path)]
    assert numbers[:acknowledged] == list(range(acknowledged))
    assert len(numbers) <= acknowledged + 1  # nobody was told of the last one, but it may have got there


def test_a_full_disk_is_called_a_full_disk(tmp_path: Path) -> None:
    wrapper = ("unshare", "--mount", "--map-root-user")
    mount = f"""
        import subprocess
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", "{tmp_path}"], check=True)
    """
    if shutil.which("unshare") is None or subprocess.run([*wrapper, "true"], check=False).returncode:
        pytest.skip("this computer does not let us mount a small disk")
    acknowledged, error, after = filled(mount, tmp_path / "belt.sqlite", wrapper)
    assert acknowledged > 20
    assert "the disk is full" in error
    assert after == error


def test_every_append_that_waits_for_a_failed_commit_fails_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(database: sqlite3.Connection, rows: Sequence[bytes]) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async def main() -> list[BaseException | None]:
        async with open_store(tmp_path / "belt.sqlite") as store:
            return await asyncio.gather(*(store.append([b"row"]) for _ in range(20)), return_exceptions=True)

    monkeypatch.setattr(store_module, "_commit", fail)
    errors = asyncio.run(main())
    assert {type(error) for error in errors} == {StoreError}
    assert (
        len({id(error) for error in errors}) == 20
    )  # each its own: a traceback must not grow with every waiter
    assert list(read_rows(tmp_path / "belt.sqlite")) == []


def test_what_was_durable_before_the_disk_failed_is_not_told_to_have_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = store_module._commit

    def fails_later(database: sqlite3.Connection, rows: Sequence[bytes]) -> None:
        if rows == [b"bad"]:
            raise sqlite3.OperationalError("disk I/O error")
        commit(database, rows)

    monkeypatch.setattr(store_module, "_commit", fails_later)
    monkeypatch.setattr(store_module, "_COMMIT", 1)  # each append a commit of its own

    async def main() -> list[BaseException | None]:
        async with open_store(tmp_path / "belt.sqlite") as store:
            appends = [asyncio.create_task(store.append([row])) for row in (b"a", b"b", b"bad", b"c")]
            await asyncio.sleep(0)
            store._thread.join()  # the loop hears of all of them at once
            return await asyncio.gather(*appends, return_exceptions=True)

    told = asyncio.run(main())
    assert [type(answer) for answer in told] == [type(None), type(None), StoreError, StoreError]
    assert list(read_rows(tmp_path / "belt.sqlite")) == [b"a", b"b"]


def test_a_store_gives_back_every_file_that_it_opened_also_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "not.sqlite").write_bytes(b"not a database, but long enough to have a header " * 50)
    append_all(tmp_path / "belt.sqlite", [b"a"])  # what Python opens once for good
    before = len(os.listdir("/dev/fd"))
    append_all(tmp_path / "belt.sqlite", [b"a"])
    with pytest.raises(StoreError):
        append_all(tmp_path / "not.sqlite", [b"a"])
    assert len(os.listdir("/dev/fd")) == before


def test_a_directory_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file"):
        append_all(tmp_path / "file" / "belt.sqlite", [b"a"])


def test_a_file_that_is_no_journal_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "belt.sqlite"
    path.write_bytes(b"not a database, but long enough to have a header " * 50)
    with pytest.raises(StoreError, match="not a journal"):
        append_all(path, [b"a"])
    with pytest.raises(StoreError, match="not a journal"):
        list(read_rows(path))
    assert path.read_bytes().startswith(b"not a database")


def test_a_journal_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "belt.sqlite"
    append_all(path, [b"a"])
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {store_module.FORMAT + 1}")
    with pytest.raises(StoreError, match="newer cellctl"):
        append_all(path, [b"b"])


def test_an_append_is_answered_also_when_the_writer_fails_in_a_way_nobody_thought_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError("no more")

    async def main() -> None:
        async with asyncio.timeout(10), open_store(tmp_path / "belt.sqlite") as store:
            monkeypatch.setattr(store_module, "_commit", fails)
            await store.append([b"a"])

    with pytest.raises(StoreError, match="ended unexpectedly: MemoryError: no more"):
        asyncio.run(main())
