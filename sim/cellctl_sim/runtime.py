"""The simulated world as one process sees it: `SimRuntime` is the `Runtime` of one life of one node."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cellctl.errors import PlugInError
from cellctl.live.tasks import Channel, Event, TaskGroup, deadline
from cellctl.runtime import Link, Log, Peer, RandomStream, RecordStore, Runtime, Server
from cellctl_sim.bus import Bus
from cellctl_sim.clock import Clock
from cellctl_sim.disk import Disk, DiskStore
from cellctl_sim.life import Life
from cellctl_sim.loop import MICROSECOND, SECOND, VirtualLoop, nanoseconds
from cellctl_sim.registers import SimRegisters
from cellctl_sim.texts import SimTexts

L = TypeVar("L", bound=Link)

START = 1_767_225_600.0  # 2026-01-01T00:00:00Z, when every simulated world begins [s since 1970-01-01 UTC]


def random_stream(seed: int, node: str, stream: str) -> random.Random:
    """The stream of this name: the same numbers for the same seed, node and name, on every machine and version."""
    digest = hashlib.sha256(f"{seed}/{node}/{stream}".encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of the log; `time` [s] since the world began."""

    time: float
    node: str
    level: str
    event: str
    fields: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        fields = "".join(f" {name}={value!r}" for name, value in self.fields.items())
        return f"{self.time:12.6f} {self.node:12} {self.level:7} {self.event}{fields}"


class World(Protocol):
    """What a runtime needs of the `Universe` that it is part of."""

    seed: int
    print_log: bool
    loop: VirtualLoop
    bus: Bus
    records: list[LogRecord]

    def disk(self, name: str) -> Disk: ...

    def link(self, address: str, life: Life) -> SimRegisters | SimTexts: ...

    def clock(self, name: str) -> Clock: ...


class SimLog:
    """Collects records in the world; fulfils `cellctl.runtime.Log`."""

    def __init__(self, world: World, life: Life) -> None:
        self._world, self._life = world, life

    def debug(self, event: str, **fields: object) -> None:
        self._add("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._add("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._add("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._add("error", event, fields)

    def _add(self, level: str, event: str, fields: dict[str, object]) -> None:
        if self._life.ended:
            return
        world = self._world
        record = LogRecord(world.loop.time(), self._life.node, level, event, fields)
        world.records.append(record)
        if world.print_log:
            print(record, file=sys.stderr)


class SimRuntime:
    """What the process `name` may ask of its world, as long as its life lasts."""

    def __init__(self, world: World, life: Life) -> None:
        self.name = life.node
        self.life = life
        self.log: Log = SimLog(world, life)
        self._world, self._loop = world, world.loop
        self._streams: dict[str, random.Random] = {}
        self._clock = world.clock(life.node)

    def now(self) -> float:
        """Time since the world began, by this node's clock [s]."""
        return self._clock.now(self._loop.now / SECOND)

    def utc(self) -> float:
        """Seconds since 1970-01-01 UTC, as this node has them."""
        return START + self.now() + self._clock.ahead

    async def sleep(self, seconds: float) -> None:
        """Wait; at least until everything that is ready has run once, when `seconds` is 0."""
        if seconds > 0:  # whoever waits lets time go on
            await self._loop.sleep(max(nanoseconds(seconds / self._clock.rate), MICROSECOND))
        else:
            await _next_turn()

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Cancel what is inside after `seconds` and raise DeadlineExceeded."""
        return deadline(seconds / self._clock.rate)

    def tasks(self) -> AbstractAsyncContextManager[TaskGroup]:
        """A group of tasks; leaving the block waits for them."""
        return TaskGroup()

    def channel(self) -> Channel[Any]:
        """A new channel."""
        return Channel()

    def event(self) -> Event:
        """A new event."""
        return Event()

    def random(self, stream: str) -> RandomStream:
        """The random stream of this name, which goes on where it was within one life."""
        if stream not in self._streams:
            self._streams[stream] = random_stream(self._world.seed, self.name, stream)
        return self._streams[stream]

    @asynccontextmanager
    async def open_store(self, name: str) -> AsyncIterator[RecordStore]:
        """Open (or create) and lock a record store. Raises StoreLocked, StoreError."""
        await self._alive()
        disk = self._world.disk(name)
        disk.lock(self.life)
        forget = self.life.at_end(disk.crash)
        store = DiskStore(disk, self.life)
        try:
            yield store
        finally:
            await store.settle()
            if not self.life.ended:
                forget()
                disk.unlock()

    @asynccontextmanager
    async def serve(self, name: str) -> AsyncIterator[Server]:
        """Be reachable on the bus. Raises BusError when the name is taken."""
        await self._alive()
        bus = self._world.bus
        server = bus.serve(name, self.life)
        forget = self.life.at_end(lambda: bus.leave_server(name))
        try:
            yield server
        finally:
            if not self.life.ended:
                forget()
                bus.leave_server(name)

    @asynccontextmanager
    async def connect(self, name: str) -> AsyncIterator[Peer]:
        """The way to the process of this name; it need not be there yet."""
        await self._alive()
        bus = self._world.bus
        peer = bus.connect(name, self.life)
        forget = self.life.at_end(lambda: bus.leave_peer(self.name, name))
        try:
            yield peer
        finally:
            if not self.life.ended:
                forget()
                bus.leave_peer(self.name, name)

    @asynccontextmanager
    async def open_link(self, address: str, kind: type[L]) -> AsyncIterator[L]:
        """The link to a device of the plant. Raises UnknownName, PlugInError when it is not of `kind`."""
        await self._alive()
        link = self._world.link(address, self.life)
        if not isinstance(link, kind):
            link.close()
            raise PlugInError(f"{address} leads to a {type(link).__name__}, but {kind.__name__} is asked for")
        forget = self.life.at_end(link.close)
        try:
            await link.attempted()
            yield link
        finally:
            if not self.life.ended:
                forget()
                link.close()

    async def _alive(self) -> None:
        """Goes on only in a life that lasts: what a killed process still tries waits for ever."""
        if self.life.ended:
            await self._loop.create_future()


@coroutine
def _next_turn() -> Generator[None, None, None]:
    """Wait until everything that is ready now has run once."""
    yield


if TYPE_CHECKING:
    _fulfils: Callable[..., Runtime] = SimRuntime
