"""What a driver does when a motion is broken off: it stops the device before it lets go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from cellctl.errors import CellctlError


@asynccontextmanager
async def stopped_if_broken_off(halt: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `halt` when the block is left by a cancellation or an error. A failing `halt` does not hide why."""
    ended = False
    try:
        yield
        ended = True
    finally:
        if not ended:
            with suppress(CellctlError):
                await halt()
