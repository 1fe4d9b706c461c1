"""Live text links: messages over TCP, each ended by NUL (when sent) or by NUL or a line end (when received).

A lost connection is made again in the background; `receive` says so once for each loss.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TypeVar

from cellctl.errors import DeviceError, DeviceSilent
from cellctl.runtime import Channel, Runtime
from cellctl_drivers.links.address import host_and_port

T = TypeVar("T")

TIMEOUT = 0.5  # [s] to connect, and for the peer to take what is sent
LONGEST = 65536  # bytes in a message
FIRST_DELAY, LONGEST_DELAY = 0.1, 2.0  # [s] between attempts to connect
_END = re.compile(rb"[\0\r\n]+")


def open_tcp(address: str, runtime: Runtime) -> AbstractAsyncContextManager[TextLink]:
    """The link to `tcp://host:port`. Raises DeviceError for a bad address."""
    return _open(address, runtime)


@asynccontextmanager
async def _open(address: str, runtime: Runtime) -> AsyncIterator[TextLink]:
    host, port = host_and_port(address)
    link = TextLink(address, host, port, runtime.channel())
    connecting = asyncio.create_task(link.stay_connected(), name=f"connect {address}")
    try:
        await link.first_attempt.wait()
        yield link
    finally:
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await connecting


class TextLink:
    """One connection to a text device. Fulfils `cellctl.runtime.Texts`.

    `connections` counts how often it was made.
    """

    def __init__(self, address: str, host: str, port: int, inbox: Channel[str | None]) -> None:
        self.address, self.connections = address, 0
        self.first_attempt = asyncio.Event()
        self._host, self._port = host, port
        self._inbox = inbox  # messages; None for a loss
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, text: str) -> None:
        """Send one message. Raises DeviceSilent when the connection is gone or the peer takes nothing any more."""
        if _END.search(data := text.encode()):
            raise DeviceError("link", self.address, f"{text!r} is not one message")
        if self._writer is None:
            raise self._silent("it is not connected")
        writer = self._writer
        try:
            writer.write(data + b"\0")
            await asyncio.wait_for(writer.drain(), TIMEOUT)
        except (TimeoutError, OSError):
            writer.transport.abort()
            raise self._silent("it takes no more messages") from None

    async def receive(self) -> str:
        """The next message. Raises DeviceSilent once after each loss; then waits for the new connection."""
        message = await self._inbox.receive()
        if message is None:
            raise self._silent("the connection was lost")
        return message

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        """Read every `every` seconds until `holds(value)`."""
        while not holds(value := await read()):
            await asyncio.sleep(every)
        return value

    async def stay_connected(self) -> None:
        """Connect, read until the connection is lost, and again, with growing delays; for ever."""
        loop, delay = asyncio.get_running_loop(), FIRST_DELAY
        while True:
            began = loop.time()
            with suppress(OSError, asyncio.TimeoutError):
                await self._connection()
            self.first_attempt.set()
            delay = FIRST_DELAY if loop.time() - began > LONGEST_DELAY else min(2 * delay, LONGEST_DELAY)
            await asyncio.sleep(delay)

    async def _connection(self) -> None:
        """One connection, from its making to its loss. Raises OSError, TimeoutError when it cannot be made."""
        connect = asyncio.open_connection(self._host, self._port)
        reader, writer = await asyncio.wait_for(connect, TIMEOUT)
        _notice_dead_peers(writer)
        self._writer = writer
        self.connections += 1
        self.first_attempt.set()
        try:
            await self._read(reader)
        finally:
            self._writer = None
            self._inbox.send(None)
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Hand on messages until the peer ends the connection or sends one that does not end."""
        rest = b""
        with suppress(OSError):
            while len(rest) <= LONGEST and (data := await reader.read(LONGEST)):
                *messages, rest = _END.split(rest + data)
                for message in messages:
                    if message:
                        self._inbox.send(message.decode(errors="replace"))

    def _silent(self, why: str) -> DeviceSilent:
        return DeviceSilent("link", self.address, why)


def _notice_dead_peers(writer: asyncio.StreamWriter) -> None:
    """Have the operating system probe an idle connection, so that a pulled cable is noticed in about 4 s."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 2), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 2)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
