"""A Modbus server on a TCP port in front of one simulated address: many clients, hostile bytes, faults on the wire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from math import inf

from cellctl_sim.devices.cells import DEVICE_FAILURE, NO_SUCH_UNIT
from cellctl_sim.devices.protocols import ConnectionCut, ModbusDevice, NoAnswer
from cellctl_sim.plant.faults import Manner
from cellctl_sim.servers.framing import Framed, Framing, Garbage, Mbap, Rtu
from cellctl_sim.servers.pdu import answer

log = logging.getLogger(__name__)

FRAME_TIME = 2.0  # [s] within which a frame must be complete once it has begun
MOST_CLIENTS = 32
MOST_UNSENT = 1 << 20  # [bytes] that a client may leave unread
NOBODY = bytes((NO_SUCH_UNIT,))
FRAMINGS: dict[str, type[Framing]] = {"modbus-tcp": Mbap, "modbus-rtu-tcp": Rtu}

Clock = Callable[[], float]


class ModbusServer:
    """One port. `clock()` is the plant's time."""

    def __init__(self, device: ModbusDevice, clock: Clock, framing: Framing) -> None:
        self.device, self.clock, self.framing = device, clock, framing
        self.clients: set[Client] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port number."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Client(self), host, port)
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def close(self) -> None:
        """Stop listening and drop all clients."""
        if self._server is not None:
            self._server.close()
        self.drop()
        if self._server is not None:
            await self._server.wait_closed()

    def drop(self) -> None:
        """Cut all connections."""
        for client in tuple(self.clients):
            client.cut()

    def has(self, manner: Manner) -> bool:
        """Whether the device behaves so at present; a bare device without a port never does."""
        has = getattr(self.device, "has", None)
        return bool(has and has(manner, self.clock()))

    def look(self) -> None:
        """Something was done to the plant: cut connections if the device is cut off now."""
        if self.clients and self.has(Manner.CUT):
            self.drop()


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: ModbusServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._patience: asyncio.TimerHandle | None = None
        self._sent_until = -inf  # answers leave in order, a late one holds the others up

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connects; refused where it is one too many or the device is cut off."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._server.clients) >= MOST_CLIENTS or self._server.has(Manner.CUT):
            transport.abort()
            return
        self._server.clients.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone."""
        self._server.clients.discard(self)
        self._transport = None
        self._wait_for_rest(False)

    def data_received(self, data: bytes) -> None:
        """Answer every whole frame; a stream that carries anything else is cut."""
        self._buffer += data
        try:
            while self._transport is not None and (request := self._server.framing.take(self._buffer)):
                del self._buffer[: request.size]
                self._answer(request)
        except Garbage as error:
            log.info("client sent garbage: %s", error)
            self.cut()
        self._wait_for_rest(bool(self._buffer))

    def cut(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        self._server.clients.discard(self)

    def _answer(self, request: Framed) -> None:
        device, t = self._server.device, self._server.clock()
        try:
            pdu = answer(device, t, request.unit, request.pdu)
        except NoAnswer:
            if self._server.has(Manner.CORRUPT) and not self._server.has(Manner.SILENT):
                self._send(self._server.framing.garble(request))
            return
        except ConnectionCut:
            self.cut()
            return
        except (
            Exception
        ):  # a simulator's own mistake: said loudly, and the line goes on with a device failure
            log.exception("a simulated device failed")
            pdu = bytes((request.pdu[0] | 0x80, DEVICE_FAILURE))
        if self._server.framing.has_gateway or pdu[1:] != NOBODY or pdu[0] < 0x80:
            self._send(self._server.framing.wrap(request, pdu), device.delay(t))

    def _send(self, frame: bytes, delay: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        at = max(loop.time() + delay, self._sent_until)
        if at <= loop.time():
            self._write(frame)
        else:
            self._sent_until = at
            loop.call_at(at, self._write, frame)

    def _write(self, frame: bytes) -> None:
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            self.cut()
            return
        self._transport.write(frame)

    def _wait_for_rest(self, incomplete: bool) -> None:
        """A frame that was begun must come to its end in time."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if incomplete and self._transport is not None:
            self._patience = asyncio.get_running_loop().call_later(FRAME_TIME, self.cut)


def modbus_server(device: ModbusDevice, clock: Clock, scheme: str = "modbus-tcp") -> ModbusServer:
    """A server for a device, framed as its address's scheme says."""
    return ModbusServer(device, clock, FRAMINGS[scheme]())
