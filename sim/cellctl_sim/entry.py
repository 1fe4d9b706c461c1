"""A callback that will run in the virtual loop, at once or at its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any


class Entry(asyncio.TimerHandle):
    """A callback that will run; lean, and without its base's repr and debug memory."""

    __slots__ = ("args", "callback", "context", "off", "time")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context, time: int = 0
    ) -> None:
        self.callback, self.args, self.context = callback, args, context
        self.time = time  # [ns] of the loop, where it is to run then
        self.off = False

    def __repr__(self) -> str:
        return f"<entry {self.callback!r}{' cancelled' if self.off else ''}>"

    def when(self) -> float:
        return self.time / 1e9

    def cancel(self) -> None:
        self.off = True
        self.callback, self.args = _nothing, ()

    def cancelled(self) -> bool:
        return self.off

    def get_context(self) -> Context:
        return self.context


def _nothing() -> None:
    """What a cancelled entry would do."""
