"""SIGINT, SIGTERM and SIGHUP as two events: the first asks to end well, the second to end at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Interrupts:
    """Catches the signals from its making on, on the running loop. `received` is the first of them."""

    def __init__(self) -> None:
        self.stop, self.at_once = asyncio.Event(), asyncio.Event()
        self.received: signal.Signals | None = None
        self.when_hurried: Callable[[], None] = lambda: (
            None
        )  # called at the second signal and every one after it
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._take, number)

    def _take(self, number: signal.Signals) -> None:
        if self.received is not None:
            self.at_once.set()
            self.when_hurried()
        else:
            self.received = number
        self.stop.set()


async def unless(event: asyncio.Event, work: Awaitable[T]) -> T | None:
    """The result of `work`; None, with `work` cancelled, when `event` happens first."""
    task, waiting = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        return None
    finally:
        for each in (task, waiting):
            each.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)
