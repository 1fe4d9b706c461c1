"""What the tests of the bus share: buses with a log, a server and a peer that hear each other, strangers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import zmq

from cellctl.live.bus import Bus
from cellctl.live.deployment import Addresses
from cellctl.live.endpoints import BusPeer, BusServer
from cellctl.live.tasks import Channel, deadline
from cellctl.messages import Event, Message, Reply, Request
from cellctl.runtime import Incoming

ANY = Addresses("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")


class Lines:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def _keep(self, event: str, **fields: object) -> None:
        self.lines.append({"event": event} | fields)

    debug = info = warning = error = _keep

    def about(self, words: str) -> list[dict[str, object]]:
        """Those in which these words stand."""
        return [line for line in self.lines if words in str(line["event"])]


@contextmanager
def bus(name: str, keys: Path | None = None, log: Lines | None = None) -> Iterator[Bus]:
    opened = Bus(name, log or Lines(), keys)
    try:
        yield opened
    finally:
        opened.close()


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[BusServer, BusPeer]]:
    """A server "belt" and a peer "runner" of it that hear each other; each its own process as far as ZeroMQ knows."""
    with bus("belt") as belt, bus("runner") as runner:
        async with belt.serve(ANY) as server, runner.connect("belt", server.addresses) as peer:
            await heard(peer.inbox, lambda incoming: incoming.alive)
            await heard(server.requests, lambda incoming: incoming.peer == peer.known_as)
            yield server, peer


@asynccontextmanager
async def serving(keys: Path, log: Lines | None = None) -> AsyncIterator[BusServer]:
    """A server "belt" that lets in whom its keys directory trusts."""
    with bus("belt", keys, log) as belt:
        async with belt.serve(ANY) as server:
            yield server


@asynccontextmanager
async def connected(
    name: str, keys: Path | None, addresses: Addresses, log: Lines | None = None
) -> AsyncIterator[BusPeer]:
    """A peer of the server "belt" at these addresses."""
    with bus(name, keys, log) as peer_bus:
        async with peer_bus.connect("belt", addresses) as peer:
            yield peer


async def exchange(server: BusServer, peer: BusPeer, word: str = "") -> None:
    """A request, its reply and an event get through."""
    await heard(peer.inbox, lambda incoming: incoming.alive)
    peer.send(Request("1", "status", "test", {"word": word}))
    assert [type(message) for message in await messages(server.requests, 1)] == [Request]
    server.reply(peer.known_as, Reply("1", {"word": word}))
    assert [type(message) for message in await messages(peer.inbox, 1)] == [Reply]
    server.publish(Event(1, "belt", cleared=word))
    assert [type(message) for message in await messages(peer.inbox, 1)] == [Event]


async def heard(
    channel: Channel[Incoming], is_it: Callable[[Incoming], bool], within: float = 10
) -> Incoming:
    """The first that is it; what comes before it is dropped."""
    async with deadline(within):
        while True:
            incoming = await channel.receive()
            if is_it(incoming):
                return incoming


async def messages(channel: Channel[Incoming], count: int) -> list[Message]:
    """The next messages, notices left out."""
    found: list[Message] = []
    async with deadline(20):
        while len(found) < count:
            incoming = await channel.receive()
            if incoming.message is not None:
                found.append(incoming.message)
    return found


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something outside of it has come about."""
    async with deadline(10):
        while not holds():
            await asyncio.sleep(0.005)


def request(number: int) -> Request:
    return Request(str(number), "status", "test")


def raw(context: zmq.Context[zmq.Socket[bytes]], kind: int, name: str, address: str) -> zmq.Socket[bytes]:
    stranger = context.socket(kind)
    stranger.linger = 500
    if name:
        stranger.setsockopt(zmq.ROUTING_ID, name.encode())
    stranger.connect(address)
    return stranger
