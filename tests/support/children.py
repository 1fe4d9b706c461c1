"""Processes of the operating system: started with a few lines of code, and watched until something holds of them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cellctl.live import process_table
from cellctl.live.child import Launch


def python(name: str, code: str, *, is_plant: bool = False) -> Launch:
    """A child that runs `code`."""
    return Launch(name, (sys.executable, "-c", code), is_plant=is_plant)


def running(state: Path, name: str) -> process_table.Running:
    """A process as the table in `state` has it."""
    found = process_table.load(state).process(name)
    assert found is not None
    return found


def is_running(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(holds: Callable[[], bool], within: float = 20.0) -> bool:
    """Whether something outside this process comes about in so many seconds."""
    ends = time.monotonic() + within
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


async def soon(holds: Callable[[], bool], within: float = 20.0) -> bool:
    """The same on a loop."""
    ends = time.monotonic() + within
    while not holds():
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(0.01)
    return True
