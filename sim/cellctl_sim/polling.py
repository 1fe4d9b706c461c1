"""Waiting for a device without asking it in vain: what `Link.until` does in virtual time.

Plain polling asks at instants one period apart. Nothing is seen between them, so it is enough to ask at those instants
after which an answer can be another one: the first that follows the devices' next change, or something that anybody
did to the plant. The devices' watchdogs are told that they are being polled meanwhile. The result, and the instant of
it, are those of plain polling. `read` must depend on nothing but what it asks of devices; one that asks none is polled
plainly. Where one poll consists of several requests, a change in their midst may be seen one period late.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

from cellctl_sim.devices.protocols import ModbusDevice
from cellctl_sim.loop import SECOND, VirtualLoop, nanoseconds

T = TypeVar("T")

Asked = tuple[str, int]  # address and unit


class Poll:
    """One wait by polling: which devices it asks, and when it has to ask them again."""

    def __init__(self, loop: VirtualLoop, every: float, plainly: bool = False) -> None:
        self._loop, self._every, self._plainly = loop, nanoseconds(every), plainly
        self._asked: dict[Asked, ModbusDevice] = {}
        self._leaves: dict[Asked, Callable[[float], None]] = {}
        self._change = math.inf  # when an answer may first be another one [s]
        self._touched = False  # something was done to the plant since the poll began
        self._waiting: Callable[[], None] | None = None
        self._begins = self._began = self._arrived = loop.now  # [ns]

    async def read(self, read: Callable[[], Awaitable[T]]) -> T:
        """One poll."""
        self._began = self._begins
        self._asked.clear()
        self._change, self._touched = math.inf, False
        token = POLL.set(self)
        try:
            return await read()
        finally:
            POLL.reset(token)
            self.leave()

    async def rest(self) -> None:
        """Wait from the end of one poll to the beginning of the next that can see something new."""
        first = self._loop.now + self._every
        period = max(first - self._began, 1)
        seen_after = self._arrived - self._began  # a poll sees what is so this long after its beginning

        def instant(change: float) -> int:
            """The beginning [ns] of the first poll that can see what changed at `change` [s]."""
            return first + max(0, -((first + seen_after - nanoseconds(change)) // period)) * period

        self._begins = first
        if self._asked and not (self._plainly or self._touched or self._change <= self._loop.time()):
            change = self._attend(period / SECOND)
            await self._sleep(None if change == math.inf else instant(change))
            self._begins = instant(self._loop.time()) if self._touched else self._loop.now
        if self._begins > self._loop.now:
            await self._sleep(self._begins, wakes=False)

    def sent(self) -> int:
        """When the request made now was sent [ns]; the first of a poll may have been on its way for a while."""
        sent, self._begins = self._begins, self._loop.now
        return sent

    def arrives(self, asked: Asked, t: float) -> None:
        """A request of this poll is at the device, which is not attended any more."""
        self._arrived = self._loop.now
        leave = self._leaves.pop(asked, None)
        if leave is not None:
            leave(t)

    def answered(self, asked: Asked, device: ModbusDevice, t: float) -> None:
        """The device has answered."""
        self._asked[asked] = device
        self._change = min(self._change, device.next_change(t))

    def touch(self, _: float = 0.0) -> None:
        """Something was done to the plant, or this poll took another time than the next will."""
        self._touched = True
        if self._waiting is not None:
            self._waiting()

    def leave(self) -> None:
        """Stop attending whatever is still attended."""
        leaves, self._leaves = self._leaves, {}
        for leave in leaves.values():
            leave(self._loop.time())

    def _attend(self, period: float) -> float:
        """Have the devices count as polled; when an answer of theirs may be another one [s]."""
        now = self._loop.time()
        for asked, device in self._asked.items():
            self._leaves[asked] = device.attend(now, asked[1], period)
        return min(device.next_change(now) for device in self._asked.values())

    async def _sleep(self, until: int | None, wakes: bool = True) -> None:
        """Sleep to the instant `until` [ns] (None: for ever), or until something is done to the plant."""
        done = self._loop.create_future()

        def wake() -> None:
            if not done.done():
                done.set_result(None)

        timer = None if until is None else self._loop.at(until, wake)
        self._waiting = wake if wakes else None
        try:
            await done
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()


POLL: ContextVar[Poll | None] = ContextVar("poll", default=None)
