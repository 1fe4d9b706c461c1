"""The part of a runtime that links and drivers use, on the running loop of asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

from cellctl.live.tasks import Channel, Event, TaskGroup, deadline


class Log:
    """Keeps what is logged: (level, event)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def debug(self, event: str, **fields: object) -> None:
        self.lines.append(("debug", event))

    def info(self, event: str, **fields: object) -> None:
        self.lines.append(("info", event))

    def warning(self, event: str, **fields: object) -> None:
        self.lines.append(("warning", event))

    def error(self, event: str, **fields: object) -> None:
        self.lines.append(("error", event))


class LoopRuntime:
    """Its time is that of the loop."""

    name = "bench"

    def __init__(self) -> None:
        self.log = Log()

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def deadline(self, seconds: float) -> Any:
        return deadline(seconds)

    def tasks(self) -> TaskGroup:
        return TaskGroup()

    def channel(self) -> Channel[Any]:
        return Channel()

    def event(self) -> Event:
        return Event()
