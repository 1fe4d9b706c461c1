"""One ZeroMQ socket on the running loop: a reader on its file descriptor that is never cancelled, and sends that never
wait. Cancelling a receive of zmq.asyncio loses messages; this has nothing to cancel, and is faster.

Source for the options: zmq_setsockopt(3) of libzmq 4.3.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from contextlib import suppress

import zmq
from zmq.utils.monitor import parse_monitor_message

from cellctl.errors import BusError
from cellctl.live.liveness import EVERY, SILENCE
from cellctl.messages import MAX_MESSAGE_BYTES

_POLLIN = int(zmq.POLLIN)
_BATCH = 256  # messages taken before the rest of the loop has its turn
_OPTIONS: dict[zmq.SocketOption, int | bytes] = {
    zmq.LINGER: 200,  # [ms] that closing may wait for what is still to be sent
    zmq.SNDHWM: 10_000,  # messages for one peer that may wait here before more are dropped
    zmq.RCVHWM: 10_000,
    zmq.MAXMSGSIZE: 4 * MAX_MESSAGE_BYTES,  # beyond it libzmq cuts the connection, unnamed
    zmq.HEARTBEAT_IVL: int(EVERY * 1000),  # a dead connection is noticed although TCP would not
    zmq.HEARTBEAT_TIMEOUT: 600,
    zmq.HEARTBEAT_TTL: int(SILENCE * 1000),
    zmq.HANDSHAKE_IVL: 5000,
    zmq.RECONNECT_IVL: 100,
    zmq.RECONNECT_IVL_MAX: 1000,
}
_OF_TYPE: dict[int, dict[zmq.SocketOption, int | bytes]] = {
    zmq.ROUTER: {zmq.ROUTER_MANDATORY: 1, zmq.ROUTER_HANDOVER: 1},  # tell who is gone; let it come back
    zmq.DEALER: {zmq.IMMEDIATE: 1},  # never queue for a connection that is not there
    zmq.XPUB: {zmq.XPUB_VERBOSE: 1},  # tell of every subscriber, not only of the first
    zmq.SUB: {zmq.SUBSCRIBE: b""},
}
_DROPPED = (errno.EAGAIN, errno.EHOSTUNREACH)


class LoopSocket:
    """A ZeroMQ socket whose messages are handed to `take`, frame by frame, as they come.

    With `names_users`, `user` is the name that the doorkeeper gave to the sender of the message being taken.
    """

    def __init__(
        self, socket: zmq.Socket[bytes], take: Callable[[list[bytes]], None], *, names_users: bool = False
    ) -> None:
        self._socket, self._take, self._names_users = socket, take, names_users
        self.user = ""
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._monitor: LoopSocket | None = None
        self._descriptor = socket.fileno()
        self._loop.add_reader(self._descriptor, self.drain)
        self._recheck()

    def send(self, *frames: bytes) -> bool:
        """Send one message; False when it was dropped: nobody there, or too much is waiting."""
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno not in _DROPPED:
                raise BusError(f"cannot send on the bus: {error}") from error
            return False
        finally:
            self._recheck()
        return True

    def drain(self) -> None:
        """Hand on what is there, at most a batch of it; the rest in the loop's next turn."""
        self._scheduled = False
        for _ in range(_BATCH):
            if self._socket.closed:
                return
            try:
                frames = self._receive()
            except zmq.Again:
                return
            try:
                self._take(frames)
            except BaseException:
                self._recheck()  # those behind it have no edge of their own any more
                raise
        self._recheck()

    def _receive(self) -> list[bytes]:
        if not self._names_users:
            return self._socket.recv_multipart(zmq.NOBLOCK)
        frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        self.user = str(frames[0].get("User-Id"))
        return [frame.bytes for frame in frames]

    def watch(self, events: int, seen: Callable[[int, int, str], None]) -> None:
        """Hand `seen` each of these socket monitor events: event, value, endpoint."""

        def parse(frames: list[bytes]) -> None:
            event = parse_monitor_message(frames)
            seen(event["event"], event["value"], event["endpoint"].decode())

        self._monitor = LoopSocket(self._socket.get_monitor_socket(events), parse)

    def reconnect(self, address: str) -> None:
        """Connect anew, for a reason that libzmq takes for final."""
        if not self._socket.closed:
            with suppress(zmq.ZMQError):  # it may have forgotten the old one
                self._socket.disconnect(address)
            self._socket.connect(address)
            self._recheck()

    def close(self) -> None:
        """Stop reading and close; what was sent has its linger time."""
        if self._monitor is not None:
            self._socket.disable_monitor()
            self._monitor.close()
        self._loop.remove_reader(self._descriptor)
        self._socket.close()

    def _recheck(self) -> None:
        # The descriptor is edge-triggered: a send may use up the edge that told of a message.
        if self._scheduled or self._socket.closed:
            return
        if int(self._socket.getsockopt(zmq.EVENTS)) & _POLLIN:
            self._scheduled = True
            self._loop.call_soon(self.drain)


def make_socket(context: zmq.Context[zmq.Socket[bytes]], kind: int) -> zmq.Socket[bytes]:
    """A socket with every option of the bus that does not depend on keys or names."""
    socket = context.socket(kind)
    for option, value in (_OPTIONS | _OF_TYPE.get(kind, {})).items():
        socket.setsockopt(option, value)
    return socket


def bind(socket: zmq.Socket[bytes], address: str) -> str:
    """Bind; the address really bound (a port `*` becomes a number). Raises BusError."""
    _check(socket, address)
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        raise BusError(f"cannot listen at {address}: {_remedy(error)}") from error
    return str(socket.getsockopt_string(zmq.LAST_ENDPOINT))


def connect(socket: zmq.Socket[bytes], address: str) -> None:
    """Connect, now or as soon as somebody listens there. Raises BusError for what is no address."""
    _check(socket, address)
    try:
        socket.connect(address)
    except zmq.ZMQError as error:
        raise BusError(f"cannot connect to {address}: {_remedy(error)}") from error


def _check(socket: zmq.Socket[bytes], address: str) -> None:
    if "[" in address:
        socket.setsockopt(zmq.IPV6, 1)
    port = address.rpartition(":")[2]
    if port.isdecimal() and int(port) > 65535:  # libzmq would take it modulo 65536
        raise BusError(f"{address} has no such port: the greatest is 65535")


def _remedy(error: zmq.ZMQError) -> str:
    match error.errno:
        case zmq.EADDRINUSE:
            return (
                "the address is in use. Is the line up already (cellctl status), or does another program use the "
                "port? Stop it (cellctl down), or give `runner: bus:` or the module's `bus:` another port"
            )
        case zmq.EADDRNOTAVAIL | errno.ENODEV:
            return "no network interface of this computer has that address; correct it in the line file"
        case errno.EACCES:
            return "not allowed; use a port above 1023"
        case _:
            return f"{error}; an address reads tcp://HOST:PORT"
