"""Waiting for a device without asking it in vain: what `Link.until` does in virtual time.

Plain polling asks at instants one period apart. Nothing is seen between them, and a poll that would hear what the last
one heard changes nothing. So whoever polls rests, and only when an answer can be another one (the devices' next change,
or something that anybody did to the plant) the devices are asked behind his back, at the instant at which his next
request would arrive: if they answer otherwise, that poll is made. The devices' watchdogs are told that they are being
polled meanwhile. The result, and the instant of it, are those of plain polling. `read` must depend on nothing but what
it asks of devices; one that asks none, or writes, is polled plainly. A poll of several requests is made whenever an
answer can be another one, and a change in their midst may be seen one period late.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

from cellctl_sim.devices.protocols import ConnectionCut, ModbusDevice, ModbusException, NoAnswer
from cellctl_sim.entry import Entry
from cellctl_sim.futures import VirtualFuture
from cellctl_sim.loop import SECOND, VirtualLoop, nanoseconds

T = TypeVar("T")

NEVER = sys.maxsize  # [ns]

Asked = tuple[str, int]  # address and unit
Answer = tuple[
    Callable[[float], object], object
]  # a reading, to be made again at a time [s], and what it gave


class Poll:
    """One wait by polling: which devices it asks, and when it has to ask them again."""

    def __init__(self, loop: VirtualLoop, every: float, plainly: bool = False) -> None:
        self._loop, self._every, self._plainly = loop, nanoseconds(every), plainly
        self._asked: dict[Asked, ModbusDevice] = {}
        self._answers: list[Answer] = []
        self._leaves: dict[Asked, Callable[[float], None]] = {}
        self._change = math.inf  # when an answer may first be another one [s]
        self._touched = False  # something was done to the plant since the poll began
        self._has_sent = False  # the first request of the poll
        self._begins = self._began = self._arrived = loop.now  # [ns]
        self._first = self._period = 0  # when the next poll begins, and from one to the next [ns]
        self._rest: VirtualFuture[None] | None = None
        self._look_at: Entry | None = None  # when the devices are asked behind his back: at `_due`
        self._due = NEVER  # [ns]

    async def read(self, read: Callable[[], Awaitable[T]]) -> T:
        """One poll."""
        self._began = self._begins
        self._asked.clear()
        self._answers.clear()
        self._change, self._touched, self._has_sent = math.inf, False, False
        token = POLL.set(self)
        try:
            return await read()
        finally:
            POLL.reset(token)
            self.leave()

    async def rest(self) -> None:
        """Wait from the end of one poll to the beginning of the next that can hear something new."""
        loop = self._loop
        self._begins = self._first = loop.now + self._every
        self._period = max(self._first - self._began, 1)
        if self._asked and not (self._plainly or self._touched or self._change <= loop.time()):
            self._attend()
            rest = self._rest = loop.create_future()
            self._look_when(self._next_change(loop.time()))
            await rest
        if self._begins > loop.now:
            await loop.sleep(self._begins - loop.now)

    def _look_when(self, change: float) -> None:
        """Ask the devices as the first poll would that can see what is so from `change` [s] on."""
        if change == math.inf:
            return
        seen_after = self._arrived - self._began  # a poll sees what is so this long after its beginning
        late = max(0, nanoseconds(change) - self._first - seen_after)
        begins = self._first + -(-late // self._period) * self._period
        arrives = begins + seen_after if len(self._answers) == 1 else begins
        at = max(arrives, self._loop.now)
        if at < self._due:
            if self._look_at is not None:
                self._look_at.cancel()
            self._due = at
            self._look_at = self._loop.at(at, self._look, begins)

    def _look(self, begins: int) -> None:
        """A poll that began at `begins` arrives now: make it if it would hear anything else than the last one."""
        if self._rest is None or self._rest.done():  # given up at this very instant
            return
        self._look_at, self._due = None, NEVER
        t = self._loop.time()
        if len(self._answers) > 1 or self._would_differ(t):
            self._begins = begins
            self._rest.set_result(None)
            self._rest = None
        else:
            self._first = begins + self._period
            self._look_when(self._next_change(t))

    def sent(self) -> int:
        """When the request made now was sent [ns]; the first of a poll may have been on its way for a while."""
        sent = self._loop.now if self._has_sent else self._begins
        self._has_sent = True
        return sent

    def arrives(self, asked: Asked, t: float) -> None:
        """A request of this poll is at the device, which is not attended any more."""
        self._arrived = self._loop.now
        leave = self._leaves.pop(asked, None)
        if leave is not None:
            leave(t)

    def answered(
        self, asked: Asked, device: ModbusDevice, t: float, reading: Callable[[float], object], answer: object
    ) -> None:
        """The device has given `answer`, and would give it to `reading(t)` again."""
        self._asked[asked] = device
        self._answers.append((reading, answer))
        self._change = min(self._change, device.next_change(t))

    def touch(self, _: float = 0.0) -> None:
        """Something was done to the plant, or this poll took another time than the next will."""
        self._touched = True
        if self._rest is not None and self._due >= self._loop.now + self._period:  # else it is seen then
            self._look_when(self._loop.time())

    def polls_plainly(self) -> None:
        """Every poll is made from now on: it does more than read."""
        self._plainly = True

    def leave(self) -> None:
        """Stop attending whatever is still attended."""
        self._rest = None
        if self._look_at is not None:
            self._look_at.cancel()
            self._look_at, self._due = None, NEVER
        if self._leaves:
            leaves, self._leaves = self._leaves, {}
            for leave in leaves.values():
                leave(self._loop.time())

    def _attend(self) -> None:
        """Have the devices count as polled."""
        now = self._loop.time()
        for asked, device in self._asked.items():
            self._leaves[asked] = device.attend(now, asked[1], self._period / SECOND)

    def _next_change(self, now: float) -> float:
        """When an answer may be another one [s]."""
        first = math.inf
        for device in self._asked.values():
            first = min(first, device.next_change(now))
        return first

    def _would_differ(self, now: float) -> bool:
        """Whether a poll that arrived `now` [s] would hear anything else than the last one."""
        try:
            for reading, answer in self._answers:
                if reading(now) != answer:
                    return True
        except (NoAnswer, ConnectionCut, ModbusException):
            return True
        return False


POLL: ContextVar[Poll | None] = ContextVar("poll", default=None)
