"""The record store on SQLite: WAL, synchronous=FULL, and one writer thread that makes all waiting appends durable in
one commit. The first I/O error is the last: after a failed sync nobody knows what the disk holds.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from cellctl.errors import JournalBroken, StoreError, StoreLocked

FORMAT = 1  # of the file, kept in SQLite's user_version
_CHUNK = 1000  # rows read at a time: a slow reader must not keep the writer from shortening its WAL
_COMMIT = 512  # greatest number of appends that share a commit
_STATEMENT = 64  # greatest number of rows that one statement inserts: SQLite keeps one for each number
_PAGE = 4096  # [bytes] that a commit writes at least
_CELL = 11  # [bytes] that a row takes in a page beyond its own
_CHECKPOINT = 1024 * _PAGE  # [bytes] in the WAL after which it is brought into the file


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[Store]:
    """Lock, then open or create the store at `path`, until the block is left.

    Raises StoreLocked when another process has it, StoreError when it cannot be opened or closed whole.
    """
    with _locked(path), _bell(path) as (bell, rope):
        store = Store(path, bell, rope)
        try:
            await store.open()
            yield store
        finally:
            await store.close()


def read_rows(path: Path, after: int = 0) -> Iterator[bytes]:
    """Every row above number `after`, in the order of appending; also beside a running writer.

    Raises StoreError when the file is not there or cannot be read.
    """
    if not path.exists():
        raise StoreError(f"there is no journal at {path}")
    select = "SELECT number, row FROM rows WHERE number > ? ORDER BY number LIMIT ?"
    with _explained(path), closing(_connect(f"{path.absolute().as_uri()}?mode=ro")) as database:
        _check_format(database, path)
        while rows := database.execute(select, (after, _CHUNK)).fetchall():
            for number, row in rows:
                if not isinstance(row, bytes):  # what SQLite finds where a page is gone
                    raise JournalBroken(
                        f"the journal {path}: {_CAUSES[sqlite3.SQLITE_CORRUPT]} (row {number})"
                    )
                yield row
            after = rows[-1][0]


def read_all_rows(path: Path) -> Iterator[bytes]:
    """Every row ever appended, the archived ones first. Raises StoreError."""
    after = 0
    for archive in sorted(archive_folder(path).glob("*.sqlite")):
        yield from read_rows(archive, after)
        after = int(archive.stem) - 1
    yield from read_rows(path, after)


def read_archived_rows(path: Path, first: int) -> Iterator[bytes]:
    """The archived rows from number `first` on, as far as their files are there. Raises StoreError."""
    after = first - 1
    for archive in sorted(archive_folder(path).glob("*.sqlite")):
        if int(archive.stem) > after + 1:  # it has the rows below its number
            yield from read_rows(archive, after)
            after = int(archive.stem) - 1


class Store:
    """One process's rows. Fulfils `cellctl.runtime.RecordStore`; made by `open_store`.

    Requests to the thread are answered in their order, so the loop keeps the futures; the thread sees only rows, counts
    the requests that it has carried out, and rings. The bell is a pipe of the store's own, because
    `call_soon_threadsafe` wakes the loop with twice the system calls.
    """

    def __init__(self, path: Path, bell: int, rope: int) -> None:
        self._path = path
        self._bell, self._rope = bell, rope  # a pipe: the loop hears one end, the thread pulls the other
        self._rung = False  # and not heard yet
        self._requests: SimpleQueue[Sequence[bytes] | int | None] = SimpleQueue()  # rows; archive; close
        self._unanswered: deque[asyncio.Future[None]] = deque()
        self._carried_out = 0  # requests, by the thread
        self._answered = 0  # requests, by the loop
        self._failure: StoreError | None = None  # the last word of the thread
        self._ended: StoreError | None = None
        self._thread = Thread(target=self._write, name=f"store {path.stem}", daemon=True)

    async def open(self) -> None:
        """Open or create the file. Raises StoreError."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._bell, self._hear)
        opened = self._answer()
        self._thread.start()
        await opened

    async def append(self, rows: Sequence[bytes]) -> None:
        """Make `rows` durable, in this order, all or none; a cancelled append is made durable all the same.

        Raises StoreError when that failed, and for ever after.
        """
        durable = self._answer()
        self._requests.put(rows)
        await durable

    def replay(self) -> Iterator[bytes]:
        """Every row that is not archived, in the order of appending. Raises StoreError."""
        return read_rows(self._path)

    async def archive(self, before: int) -> None:
        """Move the rows before number `before` into a file of their own. Raises StoreError."""
        archived = self._answer()
        self._requests.put(before)
        await archived

    def archived(self, first: int) -> Iterator[bytes]:
        """The archived rows from number `first` on. Raises StoreError."""
        return read_archived_rows(self._path, first)

    async def close(self) -> None:
        """Make durable what is waiting, then close the file. Raises StoreError."""
        try:
            if self._ended is None:
                closed = self._answer()
                self._ended = StoreError(f"the journal {self._path} is closed")
                self._requests.put(None)
                await closed
        finally:
            self._thread.join()  # the lock is released next: nothing may be written after that
            self._loop.remove_reader(self._bell)
            self._answer_all()

    # --- on the loop --------------------------------------------------------------------------------------------

    def _answer(self) -> asyncio.Future[None]:
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)
        future: asyncio.Future[None] = self._loop.create_future()
        self._unanswered.append(future)
        return future

    def _hear(self) -> None:
        os.read(self._bell, 1)
        self._rung = False  # first: what the thread does from here on it rings for again
        self._answer_all()

    def _answer_all(self) -> None:
        """Answer what the thread has carried out; if it failed then, everybody else with its error."""
        failure = self._failure  # read before the count, which stands still after it
        carried_out = self._carried_out
        for _ in range(carried_out - self._answered):
            future = self._unanswered.popleft()
            if not future.done():
                future.set_result(None)
        self._answered = carried_out
        if failure is not None:
            self._fail(failure)

    def _fail(self, error: StoreError) -> None:
        self._ended = error
        while self._unanswered:
            future = self._unanswered.popleft()
            if not future.done():
                future.set_exception(type(error)(*error.args))

    # --- in the writer thread -----------------------------------------------------------------------------------

    def _write(self) -> None:
        try:
            with _explained(self._path), closing(_create(self._path)) as database:
                self._report(1)
                written = 0
                while True:
                    appends, other = self._take()
                    if appends:
                        rows = [row for rows in appends for row in rows]
                        _commit(database, rows)
                        self._report(len(appends))
                        written += _added(rows)
                    if isinstance(other, int):
                        _archive(database, self._path, other)
                        self._report(1)
                    elif not appends:
                        break
                    if written > _CHECKPOINT:
                        database.execute("PRAGMA wal_checkpoint(PASSIVE)")
                        written = 0
            self._report(1)
        except StoreError as error:
            self._failure = error
        except Exception as error:  # nobody may wait for a writer that has ended
            said = f"the journal {self._path}: its writer ended unexpectedly: {type(error).__name__}: {error}"
            self._failure = StoreError(said)
        self._ring()

    def _report(self, count: int) -> None:
        self._carried_out += count
        self._ring()

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            os.write(self._rope, b"!")

    def _take(self) -> tuple[list[Sequence[bytes]], int | None]:
        """The appends waiting now, and the request after them that is none; waits for one of either.

        No append and no such request: the store is to be closed.
        """
        appends: list[Sequence[bytes]] = []
        while len(appends) < _COMMIT and (not appends or not self._requests.empty()):
            request = self._requests.get()
            if request is None:
                if appends:
                    self._requests.put(None)  # the last request: seen again after this commit
                break
            if isinstance(request, int):
                return appends, request
            appends.append(request)
        return appends, None


# --- the file ---------------------------------------------------------------------------------------------------


@contextmanager
def _bell(path: Path) -> Iterator[tuple[int, int]]:
    """The ends of a pipe, the reading one first."""
    with _explained(path):
        bell, rope = os.pipe()
    try:
        yield bell, rope
    finally:
        os.close(bell)
        os.close(rope)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold `path`'s lock file, which names this process. The lock goes with the process, however it dies."""
    with _explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace")
            raise StoreLocked(
                f"the journal {path} is in use by process {holder or 'unknown'}; two processes must never write one "
                f"journal. Stop that process first (cellctl down), or give this line another state directory."
            ) from None
        with _explained(path):
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _create(path: Path) -> sqlite3.Connection:
    """The file open for writing, made if it is not there, its name durable too."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = _connect(str(path))
    try:
        _check_format(database, path)
        (mode,) = database.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(
                f"the journal {path} is on a file system without shared memory; use a local disk"
            )
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA wal_autocheckpoint = 0")  # SQLite's own checkpoints hide their I/O errors
        database.execute("PRAGMA fullfsync = ON")  # only macOS knows the difference
        database.execute("BEGIN IMMEDIATE")
        database.execute("CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, row BLOB NOT NULL)")
        database.execute(f"PRAGMA user_version = {FORMAT}")
        database.execute("COMMIT")
        _sync_directory(path.parent)
        _sync_directory(path.parent.parent)
    except BaseException:
        database.close()
        raise
    return database


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=uri.startswith("file:"), isolation_level=None, timeout=5.0)


def _check_format(database: sqlite3.Connection, path: Path) -> None:
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found > FORMAT:
        raise JournalBroken(
            f"the journal {path} was written by a newer cellctl (format {found}); this one reads {FORMAT}"
        )


def _commit(database: sqlite3.Connection, rows: Sequence[bytes]) -> None:
    """Make `rows` durable, all or none. One statement is a transaction of its own, in half the time."""
    if len(rows) > _STATEMENT:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(_insert(1), ((row,) for row in rows))
        database.execute("COMMIT")
    elif rows:
        database.execute(_insert(len(rows)), rows)


@cache
def _insert(count: int) -> str:
    return "INSERT INTO rows (row) VALUES (?)" + ", (?)" * (count - 1)


def _added(rows: Sequence[bytes]) -> int:
    """Bytes that a commit of `rows` adds to the WAL, about: the page where the last commit ended, the pages that are
    new, and for these the page above them and the first of the file, in which its size stands.
    """
    size = sum(map(len, rows)) + _CELL * len(rows)
    return _PAGE + size * (len(rows) - 1) // max(1, len(rows)) + 2 * min(size, _PAGE)


def _archive(database: sqlite3.Connection, path: Path, before: int) -> None:
    """Copy rows into the next archive, and only when they are durable there take them out of the journal."""
    folder = archive_folder(path)
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{before:012d}.sqlite"
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database.execute("ATTACH ? AS archive", (str(target),))
    try:
        database.execute("PRAGMA archive.synchronous = FULL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS archive.rows (number INTEGER PRIMARY KEY, row BLOB NOT NULL)"
        )
        database.execute(f"PRAGMA archive.user_version = {FORMAT}")
        database.execute(
            "INSERT OR IGNORE INTO archive.rows SELECT * FROM main.rows WHERE number < ?", (before,)
        )
    finally:
        database.execute("DETACH archive")
    _sync_directory(folder)
    _sync_directory(folder.parent)
    database.execute("DELETE FROM rows WHERE number < ?", (before,))


def archive_folder(path: Path) -> Path:
    """Where the rows go that a journal has archived."""
    return path.with_suffix(".archive")


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_CAUSES = {  # SQLite's primary result code -> what it means to the person at the line
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk does not do what it is asked; check it and the file system",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the owner and the rights of file and directory",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the owner and the rights of file and directory",
    sqlite3.SQLITE_BUSY: "another program holds it for writing; close that program",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a copy",
    sqlite3.SQLITE_NOTADB: "the file is not a journal; restore it from a copy",
}
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system say into a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        cause, name = _CAUSES.get(code, "it cannot be used"), getattr(error, "sqlite_errorname", "")
        kind = JournalBroken if code in _BROKEN else StoreError
        raise kind(f"the journal {path}: {cause} ({f'{name}: ' if name else ''}{error})") from error
    except OSError as error:
        raise StoreError(
            f"the journal {path}: {error.strerror or error} ({error.filename or path})"
        ) from error
