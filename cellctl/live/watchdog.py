"""A process that hangs is noticed: once a second its loop writes a byte into a pipe that the supervisor reads.

A kill that comes too early costs a recovery, one that never comes leaves a station dead. So only what stopped is
counted: a process is judged from its first sign of life on, since a start may take long, and by looks of the
supervisor instead of a clock, so that a supervisor or a computer that was held up itself accuses nobody.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

EVERY = 1.0  # [s] between two signs of life, and between two looks for them
PIPE = "CELLCTL_PULSE"  # the environment tells a child the number of its end of the pipe


class Watchdog:
    """The supervisor's end of one child's pipe."""

    def __init__(self) -> None:
        self._end, self._childs_end = os.pipe()
        os.set_blocking(self._end, False)
        os.set_blocking(self._childs_end, False)
        self._missed = -1  # looks at which there was nothing new; -1: it has never shown a sign

    @contextmanager
    def for_child(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The descriptor that the child gets, and the environment that tells it; for the time of its start."""
        try:
            yield self._childs_end, {PIPE: str(self._childs_end)}
        except BaseException:
            self.close()
            raise
        finally:
            os.close(self._childs_end)

    def silence(self) -> float:
        """How long the child has shown no sign of life [s]; to be asked once in `EVERY` seconds."""
        with suppress(BlockingIOError):
            if self._end >= 0 and os.read(self._end, 65536):
                self._missed = 0
                return 0.0
        self._missed += self._missed >= 0
        return max(0, self._missed) * EVERY

    def close(self) -> None:
        """The child is reaped, or was never started."""
        if self._end >= 0:
            os.close(self._end)
            self._end = -1


@contextmanager
def signs_of_life() -> Iterator[None]:
    """Show the supervisor that the running loop turns, until the block is left; without a supervisor do nothing."""
    text = os.environ.pop(PIPE, "")
    if not text.isdecimal():
        yield
        return
    pipe = int(text)
    os.set_inheritable(pipe, False)
    showing = asyncio.get_running_loop().create_task(_show(pipe), name="signs of life")
    try:
        yield
    finally:
        showing.cancel()


async def _show(pipe: int) -> None:
    while True:
        with suppress(OSError):  # a full pipe: the supervisor is held up; a broken one: it is gone
            os.write(pipe, b".")
        await asyncio.sleep(EVERY)
