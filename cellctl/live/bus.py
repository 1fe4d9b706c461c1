"""The bus on ZeroMQ, without a broker: a server binds a ROUTER for commands and an XPUB for events, a peer connects
a DEALER and a SUB. Here they are opened, with keys or on addresses that need none.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import zmq

from cellctl.errors import BusError
from cellctl.live import curve
from cellctl.live.curve import Doorkeeper
from cellctl.live.deployment import Addresses
from cellctl.live.endpoints import BusPeer, BusServer
from cellctl.live.liveness import heartbeat
from cellctl.live.rights import LONGEST_NAME, is_name
from cellctl.live.sockets import bind, connect, make_socket
from cellctl.runtime import Log

_CONTEXT = zmq.Context[zmq.Socket[bytes]]


class Bus:
    """One process on the bus, called `name`. `keys` is its keys directory; without one nothing is encrypted.

    Servers know it by its name and a number of its own, so that two processes of one name (by mistake, or clients)
    are two to them, and who has not heard the number cannot speak in another's place. Raises BusError for a name
    that peers could not use.
    """

    def __init__(self, name: str, log: Log, keys: Path | None = None) -> None:
        if len(name) > LONGEST_NAME or not is_name(name):
            raise BusError(
                f"a process on the bus cannot be called {name!r}: 1 to {LONGEST_NAME} printable characters, no spaces"
            )
        self._name, self._log, self._keys = name, log, keys
        self._incarnation = os.urandom(8)
        self.known_as = f"{name} {self._incarnation.hex()}"
        self._context: _CONTEXT | None = None
        self._doorkeeper: Doorkeeper | None = None
        self._connected: set[str] = set()

    @asynccontextmanager
    async def serve(self, addresses: Addresses) -> AsyncIterator[BusServer]:
        """Be reachable at these addresses. Raises BusError: in use, not local and no keys, keys unusable."""
        commands, events = self._socket(zmq.ROUTER), self._socket(zmq.XPUB)
        with ExitStack() as opened:
            opened.callback(commands.close)
            opened.callback(events.close)
            self._secure_server(addresses, commands, events)
            bound = Addresses(bind(commands, addresses.commands), bind(events, addresses.events))
            beat, has_keys = heartbeat(self._incarnation), self._keys is not None
            server = BusServer(bound, commands, events, beat, self._log, has_keys=has_keys)
            opened.callback(server.close)
            yield server

    @asynccontextmanager
    async def connect(self, name: str, addresses: Addresses) -> AsyncIterator[BusPeer]:
        """The way to the server called `name`, there or not. Raises BusError: a second one, keys unusable."""
        if name in self._connected:
            raise BusError(
                f"{self._name} is connected to {name} already; a second way would steal its answers"
            )
        commands, events = self._socket(zmq.DEALER), self._socket(zmq.SUB)
        with ExitStack() as opened:
            opened.callback(commands.close)
            opened.callback(events.close)
            commands.setsockopt(zmq.ROUTING_ID, self.known_as.encode())
            self._secure_client(name, addresses, commands, events)
            beat = heartbeat(self._incarnation)
            peer = BusPeer(name, self.known_as, addresses, commands, events, beat, self._log)
            opened.callback(peer.close)
            connect(commands, addresses.commands)
            connect(events, addresses.events)
            self._connected.add(name)
            opened.callback(self._connected.discard, name)
            yield peer

    def close(self) -> None:
        """End the bus in this process, after all its servers and peers; waits for messages on their way (0.2 s)."""
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        if self._context is not None:
            self._context.destroy()
        self._doorkeeper = self._context = None

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        if self._context is None:
            self._context = zmq.Context()
        return make_socket(self._context, kind)

    def _secure_server(self, addresses: Addresses, *sockets: zmq.Socket[bytes]) -> None:
        if self._keys is None:
            _refuse_open_lines(addresses, "listen at")
            return
        pair, keys = curve.load_keys(self._keys, self._name), self._keys
        if self._doorkeeper is None:
            assert self._context is not None
            self._doorkeeper = Doorkeeper(self._context, lambda: curve.trusted(keys), self._log)
        for socket in sockets:
            curve.secure_server(socket, pair)

    def _secure_client(self, name: str, addresses: Addresses, *sockets: zmq.Socket[bytes]) -> None:
        if self._keys is None:
            _refuse_open_lines(addresses, "connect to")
            return
        pair, server = curve.load_keys(self._keys, self._name), curve.public_key_of(self._keys, name)
        for socket in sockets:
            curve.secure_client(socket, pair, server)


def _refuse_open_lines(addresses: Addresses, verb: str) -> None:
    for address in (addresses.commands, addresses.events):
        if not is_local(address):
            raise BusError(
                f"refused to {verb} {address} without keys: it lies beyond this computer, and whoever reaches it "
                "could move the machines. Make keys with `cellctl keys`, or use a loopback address (127.0.0.1)"
            )


def is_local(address: str) -> bool:
    """True when only this computer can reach a bus address."""
    transport, _, rest = address.partition("://")
    host = rest.rpartition(":")[0].strip("[]")
    if transport in ("ipc", "inproc") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, an interface, or "*"
        return False
