"""Work beside all else that can be broken off, and that says when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from cellctl.runtime import Event, Runtime, TaskGroup


class Work:
    """`do()` in a task of its own. `ended` is set when it is over, even if broken off before its first line."""

    def __init__(
        self, runtime: Runtime, group: TaskGroup, do: Callable[[], Coroutine[Any, Any, None]], name: str
    ) -> None:
        self.ended: Event = runtime.event()
        self._is_running = False
        self._task = group.start(self._run(do), name)

    async def _run(self, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._is_running = True
        try:
            await do()
        finally:
            self.ended.set()

    def break_off(self) -> None:
        """Stop it at its next wait; `finally` blocks run."""
        self._task.cancel()
        if not self._is_running:
            self.ended.set()
