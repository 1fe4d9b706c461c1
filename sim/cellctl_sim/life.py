"""One life of a node, from power-on to kill: what it started, and whether it may still have effects.

Everything a node runs (tasks, callbacks, timers) carries its life in the context variable `LIFE`, because asyncio hands
the context on. A kill ends the life: the loop sets aside whatever still wants to run in it and keeps it referenced, so
that no `finally` block runs; and every door to the world asks `life.ended` before it lets an effect through.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar


class Life:
    """The `epoch`-th life of `node`, counted from 1."""

    def __init__(self, node: str, epoch: int) -> None:
        self.node, self.epoch = node, epoch
        self.ended = False
        self.kept: list[object] = []  # what wanted to run after the end: kept, so that nothing is finalised
        self._endings: dict[int, Callable[[], None]] = {}
        self._count = 0

    def __repr__(self) -> str:
        return f"<{self.node} life {self.epoch}{', ended' if self.ended else ''}>"

    def at_end(self, call: Callable[[], None]) -> Callable[[], None]:
        """Have `call` called when this life is killed, in the order of asking; the result takes it back."""
        self._count += 1
        key = self._count
        self._endings[key] = call

        def forget() -> None:
            self._endings.pop(key, None)

        return forget

    def end(self) -> None:
        """The power cut: from here on nothing of this life has an effect. A second call does nothing."""
        if self.ended:
            return
        self.ended = True
        endings, self._endings = list(self._endings.values()), {}
        for call in endings:
            call()


LIFE: ContextVar[Life | None] = ContextVar("life", default=None)
