"""Links in memory onto the text devices of the simulated plant: a connection, messages both ways, and its loss."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cellctl.errors import DeviceSilent
from cellctl.live.tasks import Channel, Event
from cellctl_sim.devices.protocols import ConnectionCut, TextDevice, TextSession
from cellctl_sim.entry import Entry
from cellctl_sim.life import Life
from cellctl_sim.links import Links

T = TypeVar("T")

BACKOFF = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0)  # [s] before each further attempt to connect; the last one for ever


class SimTexts:
    """A device that speaks in text messages; fulfils `cellctl.runtime.Texts`. Reconnects by itself, with backoff."""

    def __init__(self, links: Links, address: str, device: TextDevice, life: Life) -> None:
        self._links, self._loop = links, links.loop
        self.address, self._device, self._life = address, device, life
        self.connections = 0  # how often it has connected so far
        self._session: TextSession | None = None
        self._inbox: Channel[str | None] = Channel()  # None: the connection was lost
        self._attempts = 0
        self._is_looking = False  # after what is being done to the plant now
        self._will_look = False  # at once, after what was done to it
        self._timer: Entry | None = None  # of the next attempt to connect, or of the device's next change
        self._looks_at = math.inf  # when that next change is [s]
        self._unsubscribe = links.plant.subscribe(self._look_again)
        self._attempted = Event()
        self._after(links.latency, self._connect)

    async def attempted(self) -> None:
        """Wait for the first attempt to connect, whatever became of it."""
        await self._attempted.wait()

    async def send(self, text: str) -> None:
        """Send one message. Raises DeviceSilent when the connection is gone."""
        if self._life.ended:
            await self._loop.create_future()  # for ever
        if self._session is None:
            raise DeviceSilent("link", self.address, "it is not connected")
        self._loop.after(self._links.latency, self._arrive, self._session, text)

    async def receive(self) -> str:
        """The next message. Raises DeviceSilent once for each loss of the connection."""
        text = await self._inbox.receive()
        if text is None:
            raise DeviceSilent("link", self.address, "the connection was lost")
        return text

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        """Read every `every` seconds until `holds(value)`; return that value."""
        return await self._links.poll(self._life, read, holds, every)

    def close(self) -> None:
        """Close the connection, behind what is on its way."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()
        session, self._session = self._session, None
        if session is not None:
            self._loop.after(self._links.latency, lambda: session.close(self._loop.time()))

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        """Have `call` called, instead of what was to be called."""
        self._looks_at = math.inf
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.after(seconds, call)

    def _connect(self) -> None:
        self._attempted.set()
        try:
            self._session = self._device.open(self._loop.time())
        except ConnectionCut:
            self._retry()
        else:
            self.connections, self._attempts = self.connections + 1, 0
            self._look()

    def _retry(self) -> None:
        wait = BACKOFF[min(self._attempts, len(BACKOFF) - 1)]
        self._attempts += 1
        self._after(wait, self._connect)

    def _arrive(self, session: TextSession, text: str) -> None:
        """A message is at the device; it is lost when the connection is not the same any more."""
        self._note("receives", text)
        self._is_looking = True
        session.receive(self._loop.time(), text)
        self._is_looking = False
        if session is self._session:
            self._look()

    def _look_again(self, _: float) -> None:
        """Something was done to the plant; look when that is over."""
        if self._session is not None and not self._is_looking and not self._will_look:
            self._will_look = True
            self._loop.after(0.0, self._look)

    def _look(self) -> None:
        """Forward what the device has to say by now, and come back at its next change."""
        session, t = self._session, self._loop.time()
        self._will_look = False
        if session is None:
            return
        for _, text in session.pending(t):
            self._loop.after(self._links.latency, self._deliver, text)
        if session.is_open(t):
            change = self._device.next_change(t)
            if change != self._looks_at:
                self._come_back(t, change)
        else:
            self._session = None
            self._loop.after(self._links.latency, self._deliver, None)
            self._retry()

    def _come_back(self, t: float, change: float) -> None:
        """Look at `change`, instead of when it was to be looked."""
        if change < math.inf:
            self._after(change - t, self._look_at_change)
        elif self._timer is not None:
            self._timer.cancel()
        self._looks_at = change

    def _look_at_change(self) -> None:
        self._looks_at = math.inf
        self._look()

    def _deliver(self, text: str | None) -> None:
        self._note("sends" if text is not None else "disconnects", text or "")
        self._inbox.send(text)

    def _note(self, what: str, text: str) -> None:
        self._links.trace.add(self._loop.now, self.address, what, text.encode())
