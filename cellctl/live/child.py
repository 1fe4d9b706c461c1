"""One child process with its log file: started, watched, reaped and ended."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import msgspec

from cellctl.errors import DeploymentError
from cellctl.live.kinship import environment_of_child
from cellctl.live.watchdog import Watchdog

LONGEST_LOG = 20_000_000  # bytes; then the log begins anew and the old one is kept as NAME.log.1


class Exit(IntEnum):
    """What the exit code of one of our processes tells its supervisor."""

    WELL = 0
    FAILED = 1  # started again
    WAITS = 75  # started again for as long as it takes: a disk is full, a journal locked (EX_TEMPFAIL of sysexits.h)
    HOPELESS = 78  # a restart mends nothing (EX_CONFIG of sysexits.h): a person must


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process is started: its name and its whole command line."""

    name: str
    command: tuple[str, ...]
    is_plant: bool = False  # simulated devices: first to start, last to end, and the line ends with it


@dataclass(slots=True)
class Child:
    """A started process. Made by `start`; `wait` reaps it."""

    launch: Launch
    log: Path
    process: asyncio.subprocess.Process
    watchdog: Watchdog = field(repr=False)
    _ended: asyncio.Task[int] = field(repr=False)

    @classmethod
    async def start(cls, launch: Launch, log: Path) -> Child:
        """Start it in a session of its own, so that Ctrl-C reaches only us. Raises DeploymentError."""
        try:
            log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                watchdog = Watchdog()
                with watchdog.for_child() as (pipe, variables):
                    process = await asyncio.create_subprocess_exec(
                        *launch.command,
                        stdin=asyncio.subprocess.DEVNULL,
                        stdout=handle,
                        stderr=handle,
                        start_new_session=True,
                        env=environment_of_child(os.environ) | variables,
                        pass_fds=(pipe,),
                    )
            finally:
                os.close(handle)
        except OSError as error:
            raise DeploymentError(
                f"the process {launch.name} cannot be started: {error.strerror or error}"
            ) from error
        ended = asyncio.create_task(process.wait(), name=f"reap {launch.name}")
        ended.add_done_callback(lambda _: watchdog.close())
        return cls(launch, log, process, watchdog, ended)

    @property
    def pid(self) -> int:
        return self.process.pid

    async def wait(self) -> int:
        """Its exit code (negative: the signal that ended it); after this it is reaped. May be cancelled."""
        return await asyncio.shield(self._ended)

    async def end(self, grace: float) -> None:
        """Ask it to end; after `grace` seconds end it. Returns when it is reaped."""
        self._signal(signal.SIGTERM)
        done, _ = await asyncio.wait([self._ended], timeout=grace)
        if not done:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """End it now; nothing is waited for."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


def command_line(arguments: Sequence[str]) -> tuple[str, ...]:
    """The command that runs `cellctl` with these arguments in the Python that runs here, from wherever it stands."""
    return (sys.executable, "-P", "-m", "cellctl", *arguments)


def shorten_log(log: Path) -> None:
    """Begin a log that grew too long anew. Its writer appends, so it needs not know."""
    with suppress(OSError):
        if log.stat().st_size > LONGEST_LOG:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def last_words(log: Path, size: int = 4000) -> str:
    """What a process said last in its log, if that was an error or no log line at all; "" otherwise."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - size))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    try:
        entry = msgspec.json.decode(line)
        return str(entry["event"]) if entry["level"] == "error" else ""
    except (msgspec.DecodeError, TypeError, KeyError):
        return line
