"""Ports: what is between a device and its clients, where requests and answers get lost, late, garbled or cut off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from cellctl.runtime import Table
from cellctl_sim.devices.cells import BUSY, NO_SUCH_UNIT
from cellctl_sim.devices.protocols import (
    ConnectionCut,
    ModbusDevice,
    ModbusException,
    NoAnswer,
    TextDevice,
    TextSession,
)
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Manner

ANY_UNIT = (0, 255)  # what a Modbus TCP device with one unit answers besides its own number
LATE = 0.4  # [s] by which answers are late where nothing is said


class Troubles:
    """The manners in which one device behaves at present, and until when."""

    def __init__(self) -> None:
        self._until: dict[Manner, float] = {}
        self._value: dict[Manner, float | None] = {}
        self.is_clear = True  # there never was any

    def set(self, manner: Manner, until: float, value: float | None = None) -> None:
        """From now on until `until`."""
        self.is_clear = False
        self._until[manner] = until
        self._value[manner] = value

    def has(self, manner: Manner, t: float) -> bool:
        """Whether the device behaves so at `t`."""
        return not self.is_clear and t < self._until.get(manner, -inf)

    def value(self, manner: Manner, default: float) -> float:
        """What was said with it."""
        said = self._value.get(manner)
        return default if said is None else said

    def next_end(self, t: float) -> float:
        """When the next one ends."""
        return min((until for until in self._until.values() if until > t), default=inf)

    def before(self, t: float) -> None:
        """A request arrives. Raises NoAnswer, ConnectionCut or ModbusException where it does not get through."""
        if self.has(Manner.CUT, t):
            raise ConnectionCut
        if self.has(Manner.SILENT, t):
            raise NoAnswer
        if self.has(Manner.REFUSE, t):
            raise ModbusException(int(self.value(Manner.REFUSE, BUSY)))

    def after(self, t: float) -> None:
        """Its answer leaves. Raises NoAnswer where that gets lost (in memory, a garbled one is a lost one)."""
        if self.has(Manner.MUTE, t) or self.has(Manner.CORRUPT, t):
            raise NoAnswer

    def delay(self, t: float) -> float:
        """How much later than usual an answer comes [s]."""
        return self.value(Manner.LATE, LATE) if self.has(Manner.LATE, t) else 0.0


@dataclass(frozen=True, slots=True)
class Wired:
    """A device behind a port."""

    device: ModbusDevice
    troubles: Troubles


class ModbusPort:
    """One Modbus address with its units; a `ModbusDevice`. `acted(t)` is called after each write."""

    def __init__(self, address: str, units: Mapping[int, Wired], acted: Callable[[float], None]) -> None:
        self.address, self._acted = address, acted
        self._wires = tuple(units.values())
        self._units = dict(units)  # by every number that one answers to
        if len(units) == 1:
            self._units |= dict.fromkeys(ANY_UNIT, self._wires[0])

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """As `ModbusDevice.read`."""
        wired = self._wired(unit)
        if wired.troubles.is_clear:
            return wired.device.read(t, unit, table, address, count)
        wired.troubles.before(t)
        values = wired.device.read(t, unit, table, address, count)
        wired.troubles.after(t)
        return values

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """As `ModbusDevice.write`."""
        wired = self._wired(unit)
        wired.troubles.before(t)
        wired.device.write(t, unit, table, address, values)
        self._acted(t)
        wired.troubles.after(t)

    def next_change(self, t: float) -> float:
        """Of any unit or of the manners in which it behaves."""
        first = inf
        for wired in self._wires:
            first = min(first, wired.device.next_change(t))
            if not wired.troubles.is_clear:
                first = min(first, wired.troubles.next_end(t))
        return first

    def delay(self, t: float) -> float:
        """The longest of any unit: they share a wire."""
        longest = 0.0
        for wired in self._wires:
            if not wired.troubles.is_clear:
                longest = max(longest, wired.troubles.delay(t))
        return longest

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """As `ModbusDevice.attend`; polls that nobody hears count for nothing."""
        wired = self._units.get(unit)
        if wired is None or wired.troubles.has(Manner.SILENT, t) or wired.troubles.has(Manner.CUT, t):
            return lambda t: None
        return wired.device.attend(t, unit, every)

    def identity(self, unit: int) -> Mapping[int, str]:
        """As `ModbusDevice.identity`."""
        return self._wired(unit).device.identity(unit)

    def has(self, manner: Manner, t: float) -> bool:
        """Whether any unit behaves so at `t`."""
        return any(wired.troubles.has(manner, t) for wired in self._wires)

    def _wired(self, unit: int) -> Wired:
        wired = self._units.get(unit)
        if wired is None:
            raise ModbusException(NO_SUCH_UNIT)
        return wired


class TextPort:
    """One text device's address; a `TextDevice`. `acted(t)` is called after what a client does to the world.

    Whatever a message does to the world shows on the `agenda`. One that leaves it as it was is a question, or changes
    what only this client can ask for.
    """

    def __init__(
        self,
        address: str,
        device: TextDevice,
        troubles: Troubles,
        agenda: Agenda,
        acted: Callable[[float], None],
    ) -> None:
        self.address, self._device, self.troubles = address, device, troubles
        self._agenda, self._acted = agenda, acted

    def open(self, t: float) -> TextSession:
        """As `TextDevice.open`."""
        if self.troubles.has(Manner.CUT, t) or self.troubles.has(Manner.SILENT, t):
            raise ConnectionCut
        session = PortSession(self._device.open(t), self.troubles, self._agenda, self._acted)
        self._acted(t)
        return session

    def next_change(self, t: float) -> float:
        """As `TextDevice.next_change`."""
        change = self._device.next_change(t)
        if self.troubles.is_clear:
            return change
        change = min(change, self.troubles.next_end(t))
        return change if not self.troubles.has(Manner.LATE, t) else min(change, t + self.troubles.delay(t))


class PortSession:
    """A client's connection through a port."""

    def __init__(
        self, session: TextSession, troubles: Troubles, agenda: Agenda, acted: Callable[[float], None]
    ) -> None:
        self._session, self._troubles, self._agenda, self._acted = session, troubles, agenda, acted
        self._late: list[tuple[float, str]] = []

    def receive(self, t: float, text: str) -> None:
        """Hand it to the device, unless it gets lost."""
        if not self._troubles.has(Manner.SILENT, t) and self.is_open(t):
            before = self._agenda.changes
            self._session.receive(t, text)
            if self._agenda.changes != before:
                self._acted(t)

    def pending(self, t: float) -> list[tuple[float, str]]:
        """What the device says, unless it gets lost; later where it is late."""
        said = self._session.pending(t)
        if self._troubles.is_clear:
            return said
        lost = any(self._troubles.has(manner, t) for manner in (Manner.SILENT, Manner.MUTE, Manner.CORRUPT))
        delay = self._troubles.delay(t)
        self._late += [] if lost else [(at + delay, text) for at, text in said]
        due = [entry for entry in self._late if entry[0] <= t]
        self._late = [entry for entry in self._late if entry[0] > t]
        return due

    def is_open(self, t: float) -> bool:
        """Closed by the device, or cut."""
        if self._troubles.is_clear:
            return self._session.is_open(t)
        if self._troubles.has(Manner.CUT, t) and self._session.is_open(t):
            self._session.close(t)
        return not self._troubles.has(Manner.CUT, t) and self._session.is_open(t)

    def close(self, t: float) -> None:
        """The client is gone."""
        self._session.close(t)
        self._acted(t)
