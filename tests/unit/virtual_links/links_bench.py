"""What the tests of links in memory share: an island, a talker, a plant of these two, and programs that use them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cellctl.errors import (
    UnknownName,
)
from cellctl.runtime import Registers, Table
from cellctl_sim.devices.protocols import ConnectionCut, ModbusException
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Main, Universe

ADDRESS = "modbus-tcp://10.0.0.1:502"
TALKER = "tcp://10.0.0.2:10000"


@dataclass
class Island:
    """A Modbus device with 8 inputs that change at given times, 8 outputs, and a watchdog that clears the outputs.

    Input 7 shows output 7, 5 ms later.
    """

    changes: Sequence[tuple[float, int, int]] = ()  # time [s], input, value
    watchdog: float = math.inf  # [s]
    trouble: Callable[[float], Exception | None] = lambda t: None
    troubles: Sequence[float] = ()  # when that begins and ends [s]
    late: float = 0.0
    outputs: list[int] = field(default_factory=lambda: [0] * 8)
    asked: int = 0
    expired: list[float] = field(default_factory=list)
    _echo: list[tuple[float, int]] = field(default_factory=list)
    _heard: float = 0.0
    _attended: int = 0  # by how many

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        self._hear(t)
        self.asked += 1
        values = self._inputs(t) if table is Table.DISCRETE else self.outputs
        if address + count > 8:
            raise ModbusException(2)
        return tuple(values[address : address + count])

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        self._hear(t)
        self.outputs[address : address + len(values)] = values
        self._echo.append((round(t + 0.005, 6), self.outputs[7]))

    def delay(self, t: float) -> float:
        return self.late

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        self._hear(t)
        if every > self.watchdog:
            return lambda leaving: None
        self._attended += 1

        def leave(leaving: float) -> None:
            self._attended -= 1
            self._heard = max(self._heard, leaving - every)

        return leave

    def next_change(self, t: float) -> float:
        times = [time for time, *_ in (*self.changes, *self._echo)] + list(self.troubles)
        if not self._attended and any(self.outputs):
            times.append(self._heard + self.watchdog)
        return min((time for time in times if time > t), default=math.inf)

    def identity(self, unit: int) -> Mapping[int, str]:
        return {}

    def _inputs(self, t: float) -> list[int]:
        values = [0] * 8
        for time, number, value in self.changes:
            if time <= t:
                values[number] = value
        for time, value in self._echo:
            if time <= t:
                values[7] = value
        return values

    def _hear(self, t: float) -> None:
        if trouble := self.trouble(t):
            raise trouble
        if not self._attended and t - self._heard >= self.watchdog and any(self.outputs):
            self.outputs = [0] * 8
            self.expired.append(round(self._heard + self.watchdog, 6))
        self._heard = t


@dataclass
class Talk:
    """A connection to the talker."""

    talker: Talker
    due: list[tuple[float, str]] = field(default_factory=list)
    closed: float = math.inf

    def receive(self, t: float, text: str) -> None:
        self.talker.heard.append((t, text))
        self.due.append((round(t + 0.1, 6), text.upper()))

    def pending(self, t: float) -> list[tuple[float, str]]:
        due = [message for message in self.due if message[0] <= t]
        self.due = [message for message in self.due if message[0] > t]
        return due

    def is_open(self, t: float) -> bool:
        return t < self.closed

    def close(self, t: float) -> None:
        self.closed = t
        self.talker.closed.append(t)


@dataclass
class Talker:
    """A text device that repeats in capitals what it hears, 0.1 s later; cuts connections, refuses for a while."""

    cuts: tuple[float, ...] = ()
    refuses: tuple[float, float] = (0.0, 0.0)  # from, to [s]
    heard: list[tuple[float, str]] = field(default_factory=list)
    closed: list[float] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)

    def open(self, t: float) -> Talk:
        if self.refuses[0] <= t < self.refuses[1]:
            raise ConnectionCut
        talk = Talk(self)
        talk.closed = min((cut for cut in self.cuts if cut > t), default=math.inf)
        self.talks.append(talk)
        return talk

    def next_change(self, t: float) -> float:
        times = [time for talk in self.talks for time, _ in talk.due]
        return min((time for time in (*times, *self.cuts) if time > t), default=math.inf)


class SmallPlant:
    """An island and a talker."""

    def __init__(self, island: Island | None = None, talker: Talker | None = None) -> None:
        self.devices: dict[str, Island | Talker] = {ADDRESS: island or Island(), TALKER: talker or Talker()}
        self._calls: list[Callable[[float], None]] = []

    def device(self, address: str) -> Island | Talker:
        if address not in self.devices:
            raise UnknownName("device address", address, self.devices)
        return self.devices[address]

    def subscribe(self, call: Callable[[float], None]) -> Callable[[], None]:
        self._calls.append(call)
        return lambda: self._calls.remove(call)

    def acted(self, t: float) -> None:
        for call in tuple(self._calls):
            call(t)


class NotifyingIsland(Island):
    """An island that tells its plant of every write."""

    plant: SmallPlant

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        super().write(t, unit, table, address, values)
        self.plant.acted(t)


def world(island: Island | None = None, talker: Talker | None = None, plainly: bool = False) -> Universe:
    universe = Universe(keep_trace=True)
    plant = SmallPlant(island, talker)
    if isinstance(island, NotifyingIsland):
        island.plant = plant
    universe.install(plant).polls_plainly = plainly
    return universe


def run(universe: Universe, *mains: Main, until: float = 60.0) -> list[str]:
    """What the programs logged, as `time event fields`."""
    with universe:
        for number, main in enumerate(mains):
            universe.start(f"node{number}", main)
        universe.run(until)
        return [f"{record.time:.6f} {record.event}" for record in universe.records]


def with_registers(work: Callable[[SimRuntime, Registers], object]) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_link(ADDRESS, Registers) as link:
            await work(runtime, link)  # type: ignore[misc]

    return main
