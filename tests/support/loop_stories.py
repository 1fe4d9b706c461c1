"""What a program says on the virtual loop, and on asyncio's own with a clock that jumps: its story."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from cellctl_sim.loop import VirtualLoop
from cellctl_sim.tasks import StockTask

Say = Callable[[object], None]

Program = Callable[[Say], Coroutine[Any, Any, Any]]


class JumpingSelector(selectors.DefaultSelector):
    """Never waits: what it would have waited is added to its loop's clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout:
            self.now += timeout
        return super().select(0)


class StockLoop(asyncio.SelectorEventLoop):
    """asyncio's loop with a jumping clock."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def new_loop() -> VirtualLoop:
    return VirtualLoop()  # type: ignore[abstract]


def with_stock_tasks() -> VirtualLoop:
    return VirtualLoop(StockTask)  # type: ignore[abstract]


def story(loop: asyncio.AbstractEventLoop, program: Program) -> list[str]:
    """What a program says, with the time [ms] at which it says it, and how it ends."""
    lines: list[str] = []

    def say(what: object) -> None:
        lines.append(f"{round(loop.time() * 1000)} {what}")

    try:
        say(loop.run_until_complete(program(say)))
    except Exception as error:
        say(repr(error))
    finally:
        loop.close()
    return lines


async def sleeper(say: Say, name: str, seconds: float) -> str:
    try:
        say(f"{name} sleeps")
        await asyncio.sleep(seconds)
        say(f"{name} woke")
    except asyncio.CancelledError:
        say(f"{name} cancelled")
        raise
    finally:
        say(f"{name} finally")
    return name


async def failing(say: Say, seconds: float) -> None:
    await asyncio.sleep(seconds)
    say("fails")
    raise ValueError("broken")
