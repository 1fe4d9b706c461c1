"""A text server on a TCP port in front of one simulated text device; NUL or a line end ends a message."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from math import inf

from cellctl_sim.devices.protocols import ConnectionCut, TextDevice, TextSession

LONGEST = 16_384  # [bytes] of a message; a client that sends longer ones is cut off
MOST_CLIENTS = 16
MOST_UNSENT = 1 << 20  # [bytes] that a client may leave unread
SOON = 1e-4  # [s] after a change at which it is surely over, on a clock that is not exact
_ENDS = re.compile(rb"[\0\n]")

Clock = Callable[[], float]


class TextServer:
    """One port. `clock()` is the plant's time."""

    def __init__(self, device: TextDevice, clock: Clock) -> None:
        self.device, self.clock = device, clock
        self.clients: set[TextClient] = set()
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port number."""
        self._server = await asyncio.get_running_loop().create_server(lambda: TextClient(self), host, port)
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def close(self) -> None:
        """Stop listening and drop all clients."""
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        for client in tuple(self.clients):
            client.cut()
        if self._server is not None:
            await self._server.wait_closed()

    def look(self) -> None:
        """Send what the device has to say by now, and come back when it may have more."""
        t = self.clock()
        for client in tuple(self.clients):
            client.pump(t)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        change = self.device.next_change(t) if self.clients else inf
        if change < inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(change - t, 0.0) + SOON, self.look)


class TextClient(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: TextServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._session: TextSession | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connects, and is greeted or cut off."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._server.clients) >= MOST_CLIENTS:
            transport.abort()
            return
        try:
            self._session = self._server.device.open(self._server.clock())
        except ConnectionCut:
            transport.abort()
            return
        self._server.clients.add(self)
        self._server.look()

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone."""
        self._leave()

    def data_received(self, data: bytes) -> None:
        """Hand on every whole message."""
        self._buffer += data
        while self._session is not None and (end := _ENDS.search(self._buffer)):
            message = bytes(self._buffer[: end.start()])
            del self._buffer[: end.end()]
            self._session.receive(self._server.clock(), message.decode("utf-8", "replace").strip("\r"))
        if len(self._buffer) > LONGEST:
            self.cut()
        self._server.look()

    def pump(self, t: float) -> None:
        """Send what is pending; close what the device has closed."""
        if self._session is None or self._transport is None:
            return
        for _, text in self._session.pending(t):
            self._transport.write(text.encode() + b"\0")
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            self.cut()
        elif not self._session.is_open(t):
            self._transport.close()
            self._leave()

    def cut(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()
        self._leave()

    def _leave(self) -> None:
        self._server.clients.discard(self)
        session, self._session, self._transport = self._session, None, None
        if session is not None:
            session.close(self._server.clock())
