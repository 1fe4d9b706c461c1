"""A Schneider Altivar ATV320 with a motor that drives a belt: CiA402 states, ramps, Modbus watchdog, faults.

Registers, state and fault codes: ac_invlib P86 list, ATV61/ATV12 manuals (BBV28590), as far as published. Assumed where
no document was at hand: a drive that is told to disable operation stays in *operation enabled* until it stands (CiA402
option code 1); shutdown and disable voltage let the motor coast; running backwards is inhibited (rIn), so that a
negative reference counts as 0. Measured values are refreshed every `refresh` seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from math import inf

from pydantic import Field

from cellctl.errors import UnknownName
from cellctl.runtime import Table
from cellctl.written import Written
from cellctl_sim.devices.altivar_output import Output
from cellctl_sim.devices.altivar_states import Command, DriveState, next_state
from cellctl_sim.devices.cells import (
    DEVICE_FAILURE,
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
from cellctl_sim.plant.ramp import Ramp

MOST_REGISTERS = 63  # in one request (BBV28590)
RATED = 50.0  # [Hz] that ACC and DEC are counted to
RPM_PER_HZ = 30  # four poles
SLF1, OCF, NOF = 5, 9, 0  # LFT: Modbus loss, overcurrent, none
ERRD = {NOF: 0, SLF1: 0x7510, OCF: 0x2310}  # CiA402 fault codes; others 0xFF00
CONFIGURATION = frozenset({8401, 8413, 8414, 8423, 8424})  # cannot be changed while the motor runs
MODBUS_REFERENCE, MODBUS_COMMAND = 164, 10  # FR1, CD1


class Loss(IntEnum):
    """SLL: what a Modbus loss does to the motor."""

    IGNORED = 0
    FREEWHEEL = 1
    RAMP = 6
    FAST = 7


class AltivarProperties(Written):
    """`simulated:` keys of a drive."""

    speed_per_hz: float | None = Field(
        default=None, gt=0
    )  # [m] of belt per period; as its driver says, if not given
    coast_time: float = Field(default=0.4, gt=0)  # [s] from rated speed to standstill without power
    refresh: float = Field(default=0.05, gt=0)  # [s] between refreshments of measured values
    boot_time: float = Field(default=2.0, ge=0)  # [s]


DEFAULTS = AltivarProperties()


class AltivarDevice:
    """One drive. `turn(t, ramp)` is told each new course of the output frequency [Hz]."""

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        properties: AltivarProperties = DEFAULTS,
        turn: Callable[[float, Ramp], None] = lambda t, ramp: None,
        count: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.name = name
        self._agenda, self._properties, self._turn, self._count = agenda, properties, turn, count
        self._settling = agenda.timer(self._settle)
        self._watchdog = Watchdog(agenda, self._lose_contact)
        self._boot()

    @classmethod
    def build(cls, site: Site) -> AltivarDevice:
        """The drive of a line's conveyor."""
        properties = site.properties(AltivarProperties)
        drive = cls(site.name, site.world.agenda, properties, count=site.world.count)
        belt = site.world.belts.get(site.module)
        if belt:
            per_hz = properties.speed_per_hz or site.number("speed_per_hz", 0.005)
            drive._turn = lambda t, ramp: belt.run(
                t, Ramp(ramp.start, ramp.before * per_hz, ramp.after * per_hz, ramp.rate * per_hz)
            )
        return drive

    # --- Modbus -----------------------------------------------------------------------------------------------

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """FC03."""
        self._begin(t, table)
        if count > MOST_REGISTERS:
            raise ModbusException(ILLEGAL_VALUE)
        return read_cells(t, self._cells, address, count)

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """FC06, FC16."""
        self._begin(t, table)
        check_write(self._cells, address, values)
        span = range(address, address + len(values))
        if self._state is DriveState.ENABLED and any(
            place in CONFIGURATION and self._cells[place].value != value
            for place, value in zip(span, values, strict=True)
        ):
            raise ModbusException(DEVICE_FAILURE)
        before = self._cells[8501].value
        write_cells(self._cells, address, values)
        if 8602 in span or 8502 in span:
            self._reference_in_rpm = span[-1] >= 8602 and 8502 not in span
        if 6005 in span or CONFIGURATION & set(span) or (8501 in span and self._watchdog.time == inf):
            self._watch(t)
        if 8501 in span:
            self._command(t, before)
        self._follow(t)

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """As `ModbusDevice.attend`."""
        self._agenda.advance(t)
        return self._watchdog.attend(t, every)

    def identity(self, unit: int) -> Mapping[int, str]:
        """FC 43/14."""
        return {0: "Schneider Electric", 1: "ATV320U04M2C", 2: "V3.1IE32"}

    def next_change(self, t: float) -> float:
        """The end of a ramp or of the watchdog, or the next refreshment while the motor changes speed."""
        self._agenda.advance(t)
        return min(self._settling.due, self._watchdog.timer.due, self._output.next_refreshment(t))

    def delay(self, t: float) -> float:
        """None of its own."""
        return 0.0

    def _begin(self, t: float, table: Table) -> None:
        self._agenda.advance(t)
        self._watchdog.heard(t)
        if table is not Table.HOLDING:
            raise ModbusException(ILLEGAL_FUNCTION)

    # --- what it shows ----------------------------------------------------------------------------------------

    def _boot(self) -> None:
        self._state = DriveState.SWITCH_ON_DISABLED
        self._fault = NOF
        self._reference_in_rpm = False
        self._output = Output(Ramp(self._agenda.now, 0.0, 0.0), self._properties.refresh, is_settled=True)
        self._cells: dict[int, Cell] = {
            3102: parameter(40, 20, 160),  # SFR, switching frequency [0.1 kHz]
            3103: parameter(600, 100, 5990),  # TFR
            3104: parameter(500, 0, 5990),  # HSP
            3105: parameter(0, 0, 5990),  # LSP
            3201: shown(self._eta),
            3202: shown(lambda t: round(self._output.measured(t) * 10)),  # RFR
            3203: shown(lambda t: round(self._target() * 10)),  # FRH
            3204: shown(lambda t: 12 if self._output.measured(t) else 0),  # LCR [0.1 A]
            3205: shown(lambda t: 180 if self._output.measured(t) else 0),  # OTR
            3206: shown(lambda t: 0),  # ETI
            3207: shown(lambda t: 2300),  # ULN [0.1 V]
            3208: shown(lambda t: round(self._output.measured(t) * 230 / RATED)),  # UOP [V]
            3209: shown(lambda t: 40),  # THD [%]
            3211: shown(lambda t: 15 if self._output.measured(t) else 0),  # OPR
            3240: shown(self._hmis),
            6001: parameter(1, 0, 247),
            6003: parameter(19200 // 600),
            6004: parameter(0),
            6005: parameter(100, 1, 300),  # TTO
            7010: parameter(Loss.FREEWHEEL, 0, 8),  # SLL
            7121: shown(lambda t: self._fault),
            8401: parameter(1, 1, 3),  # CHCF
            8413: parameter(1),  # FR1
            8414: parameter(0),
            8423: parameter(1),  # CD1
            8424: parameter(1),
            8441: shown(lambda t: self._cells[8413].value),
            8442: shown(lambda t: self._cells[8423].value),
            8501: parameter(0),  # CMD
            8502: parameter(0),  # LFR
            8504: parameter(0),  # CMI
            8602: parameter(0),  # LFRD
            8604: shown(lambda t: round(self._output.measured(t) * RPM_PER_HZ)),  # RFRD
            8606: shown(lambda t: ERRD.get(self._fault, 0xFF00) if self._is_faulted else 0),
            9001: parameter(30, 1, 9999),  # ACC
            9002: parameter(30, 1, 9999),  # DEC
        }
        self._add_scanner()

    def _add_scanner(self) -> None:
        """The communication scanner: eight registers to read, eight to write, wherever their addresses point."""
        for n, (shows, sets) in enumerate(zip((3201, 8604) + (0,) * 6, (8501, 8602) + (0,) * 6, strict=True)):
            self._cells[12701 + n] = parameter(shows)
            self._cells[12721 + n] = parameter(sets)
            self._cells[12741 + n] = shown(lambda t, n=n: self._scanned(t, 12701 + n))  # type: ignore[misc]
            self._cells[12761 + n] = shown(lambda t, n=n: self._scanned(t, 12721 + n))  # type: ignore[misc]

    def _scanned(self, t: float, pointer: int) -> int:
        cell = self._cells.get(self._cells[pointer].value)
        return 0 if cell is None else cell.show(t) if cell.show else cell.value

    @property
    def _is_faulted(self) -> bool:
        return self._state in (DriveState.FAULT, DriveState.FAULT_REACTION)

    @property
    def _is_remote(self) -> bool:
        return self._cells[8413].value == MODBUS_REFERENCE and self._cells[8423].value == MODBUS_COMMAND

    def _eta(self, t: float) -> int:
        running = self._state is DriveState.ENABLED
        reached = running and self._output.is_settled and self._output.ramp.after == self._reference()
        return self._state | 0x10 | self._is_remote << 9 | reached << 10

    def _hmis(self, t: float) -> int:
        if self._is_faulted:
            return 23
        if self._state is DriveState.QUICK_STOP:
            return 8
        if self._state is DriveState.ENABLED and not self._output.is_settled:
            return 5 if self._output.ramp.after > self._output.ramp.before else 6
        if self._state is DriveState.ENABLED:
            return 4 if self._output.ramp.after else 2
        return 3 if self._state is DriveState.SWITCH_ON_DISABLED or not self._output.is_settled else 2

    # --- what it does -----------------------------------------------------------------------------------------

    def _reference(self) -> float:
        """What the client asks for, within LSP and HSP [Hz]."""
        raw = self._cells[8602 if self._reference_in_rpm else 8502].value
        signed = raw - 0x10000 if raw & 0x8000 else raw
        wanted = signed / RPM_PER_HZ if self._reference_in_rpm else signed / 10
        if wanted < 0.0:
            return 0.0
        return min(max(wanted, self._cells[3105].value / 10), self._cells[3104].value / 10)

    def _target(self) -> float:
        command = Command(self._cells[8501].value)
        runs = self._state is DriveState.ENABLED and command.enables and not command.halts
        return self._reference() if runs else 0.0

    def _rate(self, target: float) -> float:
        """How fast the frequency changes now [Hz/s]."""
        if self._state in (DriveState.SWITCH_ON_DISABLED, DriveState.READY, DriveState.FAULT):
            return RATED / self._properties.coast_time
        up = target > self._output.at(self._agenda.now)
        time = self._cells[9001 if up else 9002].value / 10
        fast = self._state is DriveState.QUICK_STOP or (
            self._is_faulted and self._cells[7010].value == Loss.FAST
        )
        return RATED / (time / 2 if fast else time)

    def _command(self, t: float, before: int) -> None:
        if not self._is_remote:
            return
        command = Command(self._cells[8501].value)
        if self._state is DriveState.FAULT and command.resets and not Command(before).resets:
            self._fault = NOF
            self._state = DriveState.SWITCH_ON_DISABLED
        else:
            self._state = next_state(self._state, command, stands=self._output.at(t) == 0.0)

    def _follow(self, t: float) -> None:
        """Let the output follow its target, from where it is."""
        target = self._target()
        rate = self._rate(target)
        if target == self._output.ramp.after and (self._output.is_settled or rate == self._output.ramp.rate):
            self._settle_state()
            return
        here = self._output.at(t)
        if here == 0.0 and target > 0.0:
            self._count(f"{self.name}.started")
        self._turn_along(t, Ramp(t, here, target, rate))

    def _turn_along(self, t: float, ramp: Ramp) -> None:
        self._output = Output(ramp, self._properties.refresh)
        self._settling.set(ramp.end)
        self._turn(t, ramp)

    def _settle(self, t: float) -> None:
        self._output.is_settled = True
        self._settle_state()

    def _settle_state(self) -> None:
        """What comes once the motor stands."""
        if not self._output.is_settled or self._output.ramp.after:
            return
        if self._state is DriveState.FAULT_REACTION:
            self._state = DriveState.FAULT
        elif self._state is DriveState.ENABLED and not Command(self._cells[8501].value).enables:
            self._state = next_state(self._state, Command(self._cells[8501].value), stands=True)

    # --- what happens to it -------------------------------------------------------------------------------------

    def _watch(self, t: float) -> None:
        """The Modbus channel is watched as long as it commands the drive."""
        if self._is_remote:
            self._watchdog.start(t, self._cells[6005].value / 10)
        else:
            self._watchdog.stop()

    def _lose_contact(self, t: float) -> None:
        reaction = self._cells[7010].value
        if reaction != Loss.IGNORED:
            self.trip(t, SLF1, on_ramp=reaction in (Loss.RAMP, Loss.FAST))

    def trip(self, t: float, code: int = OCF, on_ramp: bool = False) -> None:
        """Go into fault `code` (LFT): the motor coasts, or ramps down first."""
        if self._is_faulted:
            return
        self._fault = code
        moving = self._output.at(t) > 0.0 or not self._output.is_settled
        self._state = DriveState.FAULT_REACTION if on_ramp and moving else DriveState.FAULT
        self._follow(t)

    def restart(self, t: float) -> float:
        """Lose power and boot: the motor coasts, everything is as from the factory. Returns when it answers again."""
        here = self._output.at(t)
        self._watchdog.stop()
        self._boot()
        self._turn_along(t, Ramp(t, here, 0.0, RATED / self._properties.coast_time))
        return t + self._properties.boot_time

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`trip` (value: LFT code) and `restart`."""
        match fault.fault:
            case "trip":
                self.trip(t, int(fault.value or OCF))
                return None
            case "restart":
                return self.restart(t)
            case other:
                raise UnknownName("fault of a drive", other, ("trip", "restart", *Manner))
