"""A WAGO 750-352 fieldbus coupler with digital inputs and outputs: process image, read-back, Modbus watchdog.

Addresses: register table of the 750-880 manual (its names say that it holds for the 750-352). Watchdog: WAGO-I/O-SYSTEM
750, ETHERNET TCP/IP, pp. 163-164: it starts on a change of the trigger register, its time can be set only while it is
not active, and after it expired the coupler answers requests for process data with exception 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

from pydantic import Field

from cellctl.device import Point
from cellctl.errors import UnknownName
from cellctl.runtime import Table
from cellctl.written import Written
from cellctl_sim.devices.cells import (
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Cell,
    check_write,
    parameter,
    read_cells,
    shown,
    write_cells,
)
from cellctl_sim.devices.protocols import ModbusException
from cellctl_sim.devices.site import Site
from cellctl_sim.devices.watchdog import Watchdog
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.plant.signals import Signals

IMAGE = 0x0200  # where outputs are read back
END_OF_IMAGE = 0x0400
IDLE, ACTIVE, EXPIRED = 0, 1, 2
STOPS = (0x55AA, 0xAA55)
READS = {
    Table.COILS: 1 << 0,
    Table.DISCRETE: 1 << 1,
    Table.HOLDING: 1 << 2,
    Table.INPUT: 1 << 3,
}  # FC01 to FC04
WRITES = {Table.COILS: 1 << 4 | 1 << 14, Table.HOLDING: 1 << 5 | 1 << 15}  # FC05 and FC15, FC06 and FC16


class RemoteIOProperties(Written):
    """`simulated:` keys of an I/O island."""

    boot_time: float = Field(default=2.0, ge=0)  # [s]


DEFAULTS = RemoteIOProperties()


class RemoteIODevice:
    """One island. Inputs and outputs are wired to the world by `signals`, under the island's name."""

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        signals: Signals,
        inputs: int = 8,
        outputs: int = 8,
        properties: RemoteIOProperties = DEFAULTS,
    ) -> None:
        self.name, self._agenda, self._signals, self._properties = name, agenda, signals, properties
        self._inputs, self._sensors = inputs, signals.sensors(name)
        self._outputs = [False] * outputs
        self._stuck: dict[int, tuple[bool, float]] = {}
        self._watchdog = Watchdog(agenda, self._expire)
        self._boot()

    @classmethod
    def build(cls, site: Site) -> RemoteIODevice:
        """An island of a line."""
        return cls(
            site.name,
            site.world.agenda,
            site.world.signals,
            int(site.number("inputs", 8)),
            int(site.number("outputs", 8)),
            site.properties(RemoteIOProperties),
        )

    # --- Modbus -----------------------------------------------------------------------------------------------

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """FC01 and FC02 alike; FC03 and FC04 alike."""
        self._agenda.advance(t)
        self._hear(t, READS[table])
        if table in (Table.COILS, Table.DISCRETE):
            self._demand_process_data()
            return self._bits(t, address, count)
        if address < END_OF_IMAGE:
            self._demand_process_data()
            return tuple(self._word(t, place) for place in range(address, address + count))
        return read_cells(t, self._cells, address, count)

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """FC05, FC15 for outputs; FC06, FC16 for outputs by the word and for the watchdog."""
        self._agenda.advance(t)
        if table not in WRITES:
            raise ModbusException(ILLEGAL_FUNCTION)
        self._hear(t, WRITES[table])
        if table is Table.COILS:
            self._demand_process_data()
            self._switch_all(t, address % IMAGE if address < END_OF_IMAGE else address, values)
        elif address < END_OF_IMAGE:
            self._demand_process_data()
            bits = [value >> bit & 1 for value in values for bit in range(16)]
            self._switch_all(t, address % IMAGE * 16, bits[: len(self._outputs) - address % IMAGE * 16])
        else:
            self._configure(t, address, values)

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """As `ModbusDevice.attend`."""
        self._agenda.advance(t)
        return self._watchdog.attend(t, every)

    def identity(self, unit: int) -> Mapping[int, str]:
        """Not served: the coupler names itself at 0x2010 to 0x2012."""
        return {}

    def next_change(self, t: float) -> float:
        """The next thing that happens anywhere, as it may be felt here; or a stuck input comes loose."""
        self._agenda.advance(t)
        first = self._agenda.first()
        if not self._stuck:
            return first
        return min([first, *(until for _, until in self._stuck.values() if until > t)])

    def delay(self, t: float) -> float:
        """None of its own."""
        return 0.0

    # --- process image ------------------------------------------------------------------------------------------

    def _bits(self, t: float, address: int, count: int) -> tuple[int, ...]:
        image = IMAGE <= address < END_OF_IMAGE
        first = address - IMAGE if image else address
        if first + count > (len(self._outputs) if image else self._inputs):
            raise ModbusException(ILLEGAL_ADDRESS)
        if image:
            return tuple(map(int, self._outputs[first : first + count]))
        return tuple([int(self._feel(t, number)) for number in range(first, first + count)])

    def _word(self, t: float, address: int) -> int:
        image = address >= IMAGE
        first = address % IMAGE * 16
        size = len(self._outputs) if image else self._inputs
        if first >= max(size, 1):
            raise ModbusException(ILLEGAL_ADDRESS)
        numbers = range(first, min(first + 16, size))
        return sum(
            (self._outputs[number] if image else self._feel(t, number)) << number - first
            for number in numbers
        )

    def _feel(self, t: float, number: int) -> bool:
        if self._stuck:
            shows, until = self._stuck.get(number, (False, -inf))
            if t < until:
                return shows
        sensor = self._sensors.get(number)
        return sensor() if sensor else False

    def _switch_all(self, t: float, first: int, values: Sequence[int]) -> None:
        if first + len(values) > len(self._outputs) or not values:
            raise ModbusException(ILLEGAL_ADDRESS)
        for number, value in enumerate(values, start=first):
            self._switch(t, number, bool(value))

    def _switch(self, t: float, number: int, on: bool) -> None:
        if self._outputs[number] != on:
            self._outputs[number] = on
            self._signals.switch(t, Point(self.name, True, number), on)

    def _all_off(self, t: float) -> None:
        for number in range(len(self._outputs)):
            self._switch(t, number, False)

    # --- watchdog ---------------------------------------------------------------------------------------------

    def _boot(self) -> None:
        self._status = IDLE
        self._cells: dict[int, Cell] = {
            0x1000: parameter(100),  # time [100 ms]
            0x1001: parameter(0xFFFF),  # function codes 1 to 16 that count
            0x1002: parameter(0xFFFF),  # 17 to 32
            0x1003: parameter(0),  # trigger
            0x1004: shown(lambda t: self._cells[0x1000].value),  # least time: nobody measures it here
            0x1005: parameter(0),
            0x1006: shown(lambda t: self._status),
            0x1007: parameter(1),
            0x1008: parameter(0),
            0x1009: parameter(0, 0, 1),
            0x100A: parameter(0),
            0x100B: parameter(0),
            0x1020: shown(lambda t: 0),
            0x1021: shown(lambda t: 0),
            0x1022: shown(lambda t: 0),
            0x1023: shown(lambda t: 0),
            0x1024: shown(lambda t: len(self._outputs)),
            0x1025: shown(lambda t: self._inputs),
            0x2010: shown(lambda t: 14),
            0x2011: shown(lambda t: 750),
            0x2012: shown(lambda t: 352),
        }
        for place, constant in enumerate((0, 0xFFFF, 0x1234, 0xAAAA, 0x5555, 0x7FFF, 0x8000, 0x3FFF, 0x4000)):
            self._cells[0x2000 + place] = Cell(constant)

    def _configure(self, t: float, address: int, values: Sequence[int]) -> None:
        check_write(self._cells, address, values)
        for place, value in enumerate(values, start=address):
            self._configure_one(t, place, value)

    def _configure_one(self, t: float, place: int, value: int) -> None:
        before = self._cells[place].value
        if place in (0x1000, 0x1001, 0x1002) and self._status == ACTIVE:
            raise ModbusException(ILLEGAL_VALUE)
        write_cells(self._cells, place, [value])
        if place == 0x1003 and value not in (before, 0) and self._status == IDLE:
            self._start(t)
        elif (place == 0x1005 and (before, value) == (0xAAAA, 0x5555)) or (
            place == 0x1008 and value in STOPS
        ):
            self._status = IDLE
            self._watchdog.stop()
        elif place == 0x1007 and value == 1 and self._status != IDLE:
            self._start(t)

    def _start(self, t: float) -> None:
        self._status = ACTIVE
        self._watchdog.start(t, self._cells[0x1000].value / 10)

    def _hear(self, t: float, functions: int) -> None:
        if self._status == ACTIVE and self._cells[0x1001].value & functions:
            self._watchdog.heard(t)

    def _demand_process_data(self) -> None:
        if self._status == EXPIRED:
            raise ModbusException(DEVICE_FAILURE)

    def _expire(self, t: float) -> None:
        self._status = EXPIRED
        self._watchdog.stop()
        self._all_off(t)

    # --- faults -----------------------------------------------------------------------------------------------

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`stuck` (point, value) and `restart`."""
        match fault.fault:
            case "stuck":
                self._stuck[Point.parse(fault.point, self.name).number] = (bool(fault.value), until)
                return None
            case "restart":
                self._watchdog.stop()
                self._all_off(t)
                self._boot()
                return t + self._properties.boot_time
            case other:
                raise UnknownName("fault of an I/O island", other, ("stuck", "restart", *Manner))
