"""Which processes of a line are running: `processes.json` in its state directory, and the lock of its supervisor.

The file is for people, `cellctl status`, tests and `ps`; whether a supervisor is there is told by its lock alone.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from cellctl.errors import CellctlError, DeploymentError

FILE, LOCK = "processes.json", "supervisor.lock"


class Running(msgspec.Struct, frozen=True):
    """One process as its supervisor sees it."""

    name: str
    pid: int  # 0 while it is not running
    state: str  # "running", "waits for its restart", "given up", "ended"
    restarts: int = 0
    started: float = 0.0  # UTC [s]
    commands: str = ""  # addresses on the bus
    events: str = ""
    log: str = ""


class ProcessTable(msgspec.Struct, frozen=True):
    """The supervisor and its processes. `control` is the simulated plant's control socket, "" without one."""

    supervisor: int
    line: str
    simulated: bool
    processes: tuple[Running, ...]
    control: str = ""

    def process(self, name: str) -> Running | None:
        """The process of this name, or None."""
        return next((process for process in self.processes if process.name == name), None)


def save(table: ProcessTable, state: Path) -> None:
    """Write the table, whole or not at all. Raises DeploymentError."""
    new = state / f"{FILE}.new"
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(table), indent=2) + b"\n")
        new.replace(state / FILE)
    except OSError as error:
        raise DeploymentError(f"cannot write {state / FILE}: {error.strerror or error}") from error


def load(state: Path) -> ProcessTable:
    """The table as it was written last; it may be of a line that is no longer up. Raises DeploymentError."""
    path = state / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProcessTable)
    except FileNotFoundError:
        raise DeploymentError(f"no line has been started with the state directory {state}") from None
    except OSError as error:
        raise DeploymentError(f"cannot read {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DeploymentError(
            f"{path} is not a process table ({error}); move it away, then `cellctl up` writes a new one"
        ) from error


class LineIsUp(CellctlError):
    """Another supervisor runs the line of this state directory."""

    def __init__(self, state: Path, pid: int) -> None:
        self.state, self.pid = state, pid
        super().__init__(
            f"the line of {state} is up already (process {pid}); stop it with `cellctl down`, "
            "or choose another directory with --state"
        )


@contextmanager
def supervising(state: Path) -> Iterator[None]:
    """Hold the supervisor's lock of a state directory. Raises LineIsUp, DeploymentError."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DeploymentError(f"cannot use the state directory {state}: {error.strerror or error}") from error
    try:
        if not _lock(handle):
            raise LineIsUp(state, _holder(handle))
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        except OSError as error:
            raise DeploymentError(f"cannot write {state / LOCK}: {error.strerror or error}") from error
        yield
        with suppress(OSError):  # without the lock the number in it counts for nothing
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    for _ in range(5):  # `supervisor_of` holds the lock for a moment when it looks
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.02)
    return False


def supervisor_of(state: Path) -> int:
    """The process that supervises the line of a state directory; 0 when it is down."""
    try:
        handle = os.open(state / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return 0
    except BlockingIOError:
        return _holder(handle)
    finally:
        os.close(handle)


def _holder(handle: int) -> int:
    text = os.pread(handle, 20, 0)
    return int(text) if text.isdigit() else 0
