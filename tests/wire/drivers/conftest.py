"""What wire tests share: a runtime on the test's own loop, and a server on loopback that is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from loop_runtime import LoopRuntime


@pytest.fixture
def loop_runtime() -> LoopRuntime:
    return LoopRuntime()


class Listener:
    """A TCP server on loopback whose every connection is served by `serve(reader, writer)`."""

    def __init__(self, serve: Callable[..., Awaitable[None]], port: int = 0) -> None:
        self._serve, self.port, self.connections = serve, port, 0
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """No more connections, and the ones there are cut."""
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Cut all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()


@pytest.fixture
def listening() -> Callable[..., Any]:
    """`async with listening(serve) as listener`: a scripted server on an ephemeral port."""

    @asynccontextmanager
    async def opened(serve: Callable[..., Awaitable[None]], port: int = 0) -> AsyncIterator[Listener]:
        listener = Listener(serve, port)
        await listener.start()
        try:
            yield listener
        finally:
            await listener.stop()

    return opened
