"""The real world behind the seam: asyncio and its clock, ZeroMQ, SQLite, real links."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cellctl.errors import PlugInError, UnknownName
from cellctl.live.bus import Bus
from cellctl.live.deployment import Deployment
from cellctl.live.log import process_log
from cellctl.live.store import open_store
from cellctl.live.tasks import Channel, Event, TaskGroup, deadline
from cellctl.plugins import distribution_of
from cellctl.runtime import Link, Log, Peer, RandomStream, RecordStore, Runtime, Server

L = TypeVar("L", bound=Link)

LINKS = "cellctl.links"  # entry points: scheme -> async context manager factory (address, runtime) -> Link


class LiveRuntime:
    """One process of a deployed line, called `name`. Fulfils `cellctl.runtime.Runtime`.

    Use it as `async with`; leaving it ends the bus in this process.
    """

    def __init__(self, name: str, deployment: Deployment, log: Log | None = None) -> None:
        self.name, self.deployment = name, deployment
        self.log = log or process_log(name)
        self._bus = Bus(name, self.log, Path(deployment.keys) if deployment.keys else None)
        self._seed = os.urandom(16)
        self._streams: dict[str, random.Random] = {}

    async def __aenter__(self) -> LiveRuntime:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._bus.close()

    def now(self) -> float:
        return time.monotonic()

    def utc(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        return deadline(seconds)

    def tasks(self) -> AbstractAsyncContextManager[TaskGroup]:
        return TaskGroup()

    def channel(self) -> Channel[Any]:
        return Channel()

    def event(self) -> Event:
        return Event()

    def random(self, stream: str) -> RandomStream:
        """The stream of this name: different in each process and at each start, the same object for each call."""
        if stream not in self._streams:
            seed = hashlib.sha256(self._seed + f"{self.name}/{stream}".encode()).digest()
            self._streams[stream] = random.Random(seed)
        return self._streams[stream]

    def open_store(self, name: str) -> AbstractAsyncContextManager[RecordStore]:
        return open_store(self.deployment.store(name))

    def serve(self, name: str) -> AbstractAsyncContextManager[Server]:
        return self._bus.serve(self.deployment.process(name))

    def connect(self, name: str) -> AbstractAsyncContextManager[Peer]:
        return self._bus.connect(name, self.deployment.process(name))

    @asynccontextmanager
    async def open_link(self, address: str, kind: type[L]) -> AsyncIterator[L]:
        """The link to a device, at the address that the deployment gives it."""
        scheme, factory = link_factory(self.deployment.address_of(address))
        async with factory(self.deployment.address_of(address), self) as link:
            if not isinstance(link, kind):
                raise PlugInError(f"the link for {scheme}:// is no {kind.__name__}; {address} needs one")
            yield link


def link_factory(address: str) -> tuple[str, Any]:
    """The scheme of a device's address, and what opens it. Raises UnknownName, PlugInError."""
    scheme = address.partition("://")[0]
    points = entry_points(group=LINKS)
    found = [point for point in points if point.name == scheme]
    if not found:
        raise UnknownName("link", scheme, {point.name for point in points})
    if len({point.value for point in found}) > 1:
        owners = " and ".join(sorted(distribution_of(point) for point in found))
        raise PlugInError(f"{LINKS}: {scheme!r} is given by {owners}; uninstall one of them")
    try:
        return scheme, found[0].load()
    except Exception as error:  # a plug-in may raise anything while it is imported
        said = f"{type(error).__name__}: {error}"
        raise PlugInError(
            f"the link {scheme!r} of {distribution_of(found[0])} cannot be loaded: {said}"
        ) from error


if TYPE_CHECKING:
    _fulfils: Callable[..., Runtime] = LiveRuntime
