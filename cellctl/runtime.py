"""The seam: everything that runner, module and driver code may ask of its world, and nothing else.

Three worlds fulfil it: `cellctl.live` with simulated or with real devices, and `cellctl_sim` in virtual time.
Code that is handed a `Runtime` never imports asyncio, time, random, sockets, threads or SQLite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from cellctl.messages import Event as BusEvent
from cellctl.messages import Message

T = TypeVar("T")
L = TypeVar("L", bound="Link")


class Task(Protocol):
    """A running piece of work in a `TaskGroup`."""

    def cancel(self) -> object:
        """Ask the work to stop at its next wait; its `finally` blocks run."""

    def done(self) -> bool:
        """True once the work has returned, raised or been cancelled."""


class TaskGroup(Protocol):
    """Work that lives no longer than the `async with` block; the first failure cancels the rest and is raised."""

    def start(self, work: Coroutine[Any, Any, Any], name: str = "") -> Task:
        """Run `work` beside the caller."""


class Channel(Protocol, Generic[T]):
    """An unbounded queue from many senders to one receiver. A receive that is cancelled loses nothing."""

    def send(self, item: T) -> None:
        """Put `item` at the end; never waits."""

    async def receive(self) -> T:
        """The oldest item; waits for one."""

    def drain(self) -> list[T]:
        """All items that are there now, oldest first; never waits."""


class Event(Protocol):
    """Something that happens once. It cannot be cleared and has no truth value: `is_set` or `wait`."""

    def set(self) -> None: ...

    def is_set(self) -> bool: ...

    async def wait(self) -> None: ...

    def __bool__(self) -> bool:  # refuses: `if event:` is always a mistake
        ...


class RandomStream(Protocol):
    """A named stream of random numbers (the methods of `random.Random` that are used)."""

    def random(self) -> float: ...

    def uniform(self, a: float, b: float) -> float: ...

    def gauss(self, mu: float, sigma: float) -> float: ...

    def expovariate(self, lambd: float) -> float: ...

    def randrange(self, stop: int, /) -> int: ...


class Log(Protocol):
    """Structured log: an event in plain words, and fields."""

    def debug(self, event: str, **fields: object) -> None: ...

    def info(self, event: str, **fields: object) -> None: ...

    def warning(self, event: str, **fields: object) -> None: ...

    def error(self, event: str, **fields: object) -> None: ...


# --- the record store ---------------------------------------------------------------------------------------


class RecordStore(Protocol):
    """Append durable or raise; replay. One writer: whoever opens it holds its lock until it is closed."""

    async def append(self, rows: Sequence[bytes]) -> None:
        """Make `rows` durable, in this order, all or none. Concurrent appends may share one commit.

        Raises StoreError when the rows cannot be made durable; the store then takes no more.
        """

    def replay(self) -> Iterator[bytes]:
        """Every row since the oldest kept one, in the order of appending."""

    async def archive(self, before: int) -> None:
        """Put the rows before the one of this number (1 is the first ever appended) where replay does not read them.

        They are kept. Raises StoreError.
        """

    def archived(self, first: int) -> Iterator[bytes]:
        """The archived rows from number `first` on, as far as they are still there, in the order of appending.

        Raises StoreError where they cannot be read.
        """


# --- the bus ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message and the peer that sent it. `message` is None when the peer fell silent or came back.

    `key` is the name of the key by which the peer proved who it is; "" on a bus without keys.
    """

    peer: str
    message: Message | None = None
    alive: bool = True
    key: str = ""


class Server(Protocol):
    """The side of a process that others reach: takes requests, answers them, publishes numbered events."""

    @property
    def requests(self) -> Channel[Incoming]: ...

    def reply(self, peer: str, message: Message) -> None:
        """Send to one peer; dropped when it is gone (it will ask again)."""

    def publish(self, event: BusEvent) -> None:
        """Tell every subscriber; numbered, and dropped for a subscriber that cannot keep up."""


class Peer(Protocol):
    """The way to one server: requests there, answers and events back, in one inbox.

    The inbox carries `Incoming(peer, message)` for answers and events, and `Incoming(peer, None, alive)` when the
    server falls silent (no sign of life within the bus's time) and when it is heard again, the first time included.
    """

    name: str

    @property
    def inbox(self) -> Channel[Incoming]: ...

    def send(self, message: Message) -> None:
        """Send a request; silently lost when the peer is away (requests carry numbers and are repeated)."""


# --- links to devices ---------------------------------------------------------------------------------------


class Table(StrEnum):
    """The four Modbus tables."""

    COILS = "coils"  # read with FC01, written with FC05/FC15
    DISCRETE = "discrete"  # FC02, read only
    INPUT = "input"  # FC04, read only
    HOLDING = "holding"  # FC03, written with FC06/FC16


@runtime_checkable
class Link(Protocol):
    """The way to one device address."""

    address: str

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        """Read every `every` seconds until `holds(value)`; return that value. Wrap it in a deadline.

        In the live world this polls. In virtual time it jumps to the first polling instant after the next change
        in the plant, with the same result as polling.
        """


@runtime_checkable
class Registers(Link, Protocol):
    """A Modbus device or bus. Bits are 0 and 1; registers 0 to 65535. One request at a time on one bus."""

    async def read(self, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """Read `count` adjacent bits or registers. Raises DeviceSilent, DeviceRefused."""

    async def write(self, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """Write adjacent bits or registers in one request. Raises DeviceSilent, DeviceRefused."""


@runtime_checkable
class Texts(Link, Protocol):
    """A device that speaks in text messages; the framing (NUL, line end) is the link's business."""

    async def send(self, text: str) -> None:
        """Send one message. Raises DeviceSilent when the connection is gone."""

    async def receive(self) -> str:
        """The next message from the device. Raises DeviceSilent when the connection is gone."""


# --- the whole ----------------------------------------------------------------------------------------------


class Runtime(Protocol):
    """What one process may ask of its world."""

    name: str
    log: Log

    def now(self) -> float:
        """Monotonic time [s]; for decisions."""

    def utc(self) -> float:
        """Wall-clock time, seconds since 1970-01-01 UTC; for records, never for decisions."""

    async def sleep(self, seconds: float) -> None:
        """Wait; at least until everything that is ready has run once, when `seconds` is 0."""

    def deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """Cancel what is inside after `seconds` and raise DeadlineExceeded."""

    def tasks(self) -> AbstractAsyncContextManager[TaskGroup]:
        """A group of tasks; leaving the block waits for them."""

    def channel(self) -> Channel[Any]:
        """A new channel."""

    def event(self) -> Event:
        """A new event."""

    def random(self, stream: str) -> RandomStream:
        """The random stream of this name: the same numbers for the same seed, process and name."""

    def open_store(self, name: str) -> AbstractAsyncContextManager[RecordStore]:
        """Open (or create) and lock a record store. Raises StoreLocked, StoreError."""

    def serve(self, name: str) -> AbstractAsyncContextManager[Server]:
        """Be reachable on the bus under a name of the line's process table. Raises BusError."""

    def connect(self, name: str) -> AbstractAsyncContextManager[Peer]:
        """The way to the process of this name; it need not be there yet."""

    def open_link(self, address: str, kind: type[L]) -> AbstractAsyncContextManager[L]:
        """The link to a device address such as `modbus-tcp://10.0.1.20:502`.

        Returns at once or after the first connection; a device that is not there is retried with bounded backoff
        and its reads raise DeviceSilent meanwhile. Raises UnknownName for an unknown scheme, PlugInError when the
        scheme's link is not of `kind`.
        """


def every_item(channel: Channel[T]) -> AsyncIterator[T]:
    """Iterate a channel for ever."""

    async def items() -> AsyncIterator[T]:
        while True:
            yield await channel.receive()

    return items()
