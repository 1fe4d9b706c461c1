"""Schneider Altivar ATV320 as a belt drive: CiA402 over Modbus, speed by the frequency reference LFR."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from cellctl.device import (
    Act,
    Action,
    Capability,
    DriverDeclaration,
    Rack,
    Reaction,
    Recovery,
    Silence,
)
from cellctl.errors import DeviceError, DeviceFault, LimitExceeded
from cellctl.runtime import Registers, Task
from cellctl.written import Between, Duration, Frequency, Length, Written, usually
from cellctl_drivers.breaking_off import stopped_if_broken_off
from cellctl_drivers.maps import altivar as drive
from cellctl_drivers.registers import Readings
from cellctl_drivers.unit import Unit

POLL = 0.02  # [s] while a ramp runs
SWITCHING = 1.0  # [s] that one step of the state machine may take
RATED = 50.0  # [Hz] to which ramps are counted (FRS, the rated motor frequency of an IEC motor)
SLACK = 2.0  # [s] beyond the ramps until a speed counts as not reached


class AltivarOptions(Written):
    """An Altivar in the line file."""

    address: str = Field(description="`modbus-tcp://HOST:502`, or `modbus-rtu-tcp://` behind a gateway")
    unit: int = Field(default=1, ge=1, le=247, description="Modbus unit")
    speed_per_hz: Annotated[Length, Between("0.01 mm", "1 m")] = Field(
        description="travel of the belt in one cycle: its speed per hertz"
    )
    max_frequency: Annotated[Frequency, Between("1 Hz", "599 Hz")] = usually("50 Hz", "the drive's HSP")
    acceleration: Annotated[Duration, Between("0.1 s", "999 s")] = usually(
        "0.5 s", "from standstill to rated frequency"
    )
    deceleration: Annotated[Duration, Between("0.1 s", "999 s")] = usually(
        "0.5 s", "from rated frequency to standstill"
    )
    watchdog: Annotated[Duration, Between("0.2 s", "30 s")] = usually(
        "2 s", "silence after which the drive stops the belt"
    )


DECLARATION = DriverDeclaration(
    name="altivar",
    doc="Schneider Altivar ATV320 frequency converter that drives a belt",
    capability=Capability.MOTOR_DRIVE,
    options=AltivarOptions,
    recovery={
        "reset": {"": Recovery.REPEATABLE},
        "run": {"": Recovery.REPEATABLE},
        "stop": {"": Recovery.REPEATABLE},
    },
    silence=Silence(
        Reaction.STOPS,
        2.0,
        "Modbus timeout TTO (6005), set to the option `watchdog` and read back; SLL (7010) makes the drive ramp down "
        "and go into fault SLF1. ATV320 Modbus manual NVE41308",
    ),
    code="cellctl_drivers.altivar:Altivar",
    timing="cellctl_drivers.timing:altivar",
)


class Altivar:
    """One belt drive. Speeds are the belt's [m/s]; a negative one runs it backwards."""

    def __init__(self, name: str, options: AltivarOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._drive: Unit | None = None
        self._keep_alive: Task | None = None
        self._trouble = ""
        self._runs = False  # as far as this process told it

    # --- life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, set watchdog, ramps and channels, read them back, begin to keep the watchdog fed."""
        link = await self._rack.link(self._options.address, Registers)
        self._drive = Unit(self.name, link, self._options.unit, self._rack.runtime, most=drive.MOST_REGISTERS)
        await self._set_up()
        if self._keep_alive is None:
            every = self._options.watchdog / 4
            work = partial(self._drive.keep_talking, drive.TTO, every, self._set_up)
            self._keep_alive = self._rack.background(work, f"{self.name} keep-alive")

    async def close(self) -> None:
        """Stop talking: a belt that still runs is stopped by the drive's watchdog."""
        if self._keep_alive is not None:
            self._keep_alive.cancel()
            self._keep_alive = None

    async def prepare(self, act: Act) -> None:
        """Clear the drive's fault and make it ready to switch on."""
        await act(self.reset())

    async def halt(self) -> None:
        """Ramp down now; does nothing before `open`."""
        self._runs = False
        if self._drive is None:
            return
        await self._drive.write({drive.CMD: drive.SWITCH_ON, drive.LFR: 0.0})
        await self._standstill(self._drive)

    async def fault(self) -> str:
        """The drive's fault with its remedy, what it is not set up for, that it stopped by itself, or empty."""
        unit = self._unit()
        found = await unit.read(drive.ETA, drive.LFT)
        return _fault_words(found) or self._trouble or self._stopped_by_itself(found)

    # --- actions ------------------------------------------------------------------------------------------------

    def reset(self) -> Action[None]:
        """Clear a fault and make ready to switch on; the belt does not move."""

        async def perform(number: int) -> None:
            unit = self._unit()
            self._runs = False
            await self._set_up()
            if _is_faulted(await unit.read(drive.ETA)):
                await self._clear_fault(unit)
            found = await _look(unit)
            if _state(found) != drive.ENABLED:
                await self._step_to(unit, drive.READY, found)

        return Action(self.name, "reset", DECLARATION.recovery_of("reset"), perform)

    def run(self, speed: float) -> Action[None]:
        """Bring the belt to `speed` [m/s]; ends when it is reached.

        Raises LimitExceeded for more than the drive is set up for.
        """
        frequency = speed / self._options.speed_per_hz
        if abs(frequency) > self._options.max_frequency:
            top = self._options.max_frequency * self._options.speed_per_hz
            raise LimitExceeded(self.name, "belt speed", speed, -top, top, "m/s")

        async def perform(number: int) -> None:
            unit = self._unit()
            async with stopped_if_broken_off(self.halt):
                found = await self._demand_well(unit)
                await unit.write({drive.LFR: frequency})
                await self._enable(unit, found)
                await self._reach(unit, frequency)
                self._runs = True

        return Action(self.name, "run", DECLARATION.recovery_of("run"), perform)

    def stop(self) -> Action[None]:
        """Ramp down to standstill and take the power off the motor."""

        async def perform(number: int) -> None:
            unit = self._unit()
            self._runs = False
            await unit.write({drive.LFR: 0.0})
            if _state(await self._standstill(unit)) in (drive.ENABLED, drive.SWITCHED_ON):
                await unit.write({drive.CMD: drive.SHUTDOWN})

        return Action(self.name, "stop", DECLARATION.recovery_of("stop"), perform)

    # --- inside -------------------------------------------------------------------------------------------------

    def _unit(self) -> Unit:
        if self._drive is None:
            raise DeviceError(self.name, self._options.address, "is not open")
        return self._drive

    async def _set_up(self) -> None:
        """Channels, limits, ramps and watchdog, written where they differ and read back; nothing moves."""
        options, unit = self._options, self._unit()
        wanted = {
            drive.CHCF: drive.CHCF_SEPARATE,
            drive.FR1: drive.FR1_MODBUS,
            drive.CD1: drive.CD1_MODBUS,
            drive.LSP: 0.0,  # a low speed above 0 would keep the belt running at reference 0
            drive.HSP: options.max_frequency,
            drive.ACC: options.acceleration,
            drive.DEC: options.deceleration,
            drive.SLL: drive.SLL_RAMP,
            drive.TTO: options.watchdog,
        }
        try:
            await unit.set_up(wanted)
        except DeviceFault as error:
            self._trouble = error.what
            raise
        self._trouble = ""

    async def _demand_well(self, unit: Unit) -> Readings:
        """The status word of a drive that takes commands. Raises DeviceFault when it does not."""
        found = await _look(unit)
        if words := _fault_words(found) or self._trouble:
            raise unit.fault(words, _fault_code(found))
        return found

    def _stopped_by_itself(self, found: Readings) -> str:
        """After a power failure it answers without a fault, set up again, and stands."""
        if not self._runs or _state(found) == drive.ENABLED:
            return ""
        state = drive.STATE_NAMES.get(_state(found), hex(_state(found)))
        return f"was told to run, and is in state {state!r}: it was switched off, or started anew"

    async def _clear_fault(self, unit: Unit) -> None:
        await unit.write({drive.CMD: drive.DISABLE_VOLTAGE})  # the reset acts on a rising edge
        await unit.write({drive.CMD: drive.FAULT_RESET})
        try:
            await unit.until(
                [drive.ETA],
                lambda found: _state(found) not in (drive.FAULT, drive.FAULT_REACTION),
                POLL,
                SWITCHING,
                "the fault is not cleared",
            )
        except DeviceFault:
            found = await _look(unit)
            raise unit.fault(f"cannot be reset: {_fault_words(found)}", _fault_code(found)) from None

    async def _step_to(self, unit: Unit, goal: int, found: Readings) -> None:
        """Walk the CiA402 states to READY or ENABLED, from the one that was `found`.

        Raises DeviceFault on a fault or when a step does not come.
        """
        for _ in range(8):
            state = _state(found)
            if state == goal:
                return
            if _is_faulted(found):
                found = await _look(unit)
                raise unit.fault(_fault_words(found), _fault_code(found))
            if state in _STEP[goal]:
                await unit.write({drive.CMD: _STEP[goal][state]})
            name = drive.STATE_NAMES.get(state, hex(state))
            found = await unit.until(
                [drive.ETA],
                lambda now, before=state: _state(now) != before,  # type: ignore[misc]
                POLL,
                SWITCHING,
                f"stays in state {name!r}",
            )
        raise unit.fault(f"does not come to state {drive.STATE_NAMES[goal]!r}")

    async def _enable(self, unit: Unit, found: Readings) -> None:
        """Operation enabled; said once more to a drive that still is, since it may be ramping down after a halt."""
        if _state(found) == drive.ENABLED:
            await unit.write({drive.CMD: drive.ENABLE})
            found = await unit.read(drive.ETA)
        await self._step_to(unit, drive.ENABLED, found)

    async def _reach(self, unit: Unit, frequency: float) -> None:
        """Wait for the drive's word that the reference is reached, and see that it is this one."""

        def told(found: Readings) -> bool:
            return _is_faulted(found) or bool(found.raw(drive.ETA) & drive.REFERENCE_REACHED)

        def reached(found: Readings) -> bool:
            near = abs(found[drive.RFR] - frequency) < 0.16  # the reference is rounded to 0.1 Hz
            return _is_faulted(found) or (near and told(found))

        within = self._options.acceleration + self._options.deceleration + SLACK
        what = f"does not reach {frequency:.1f} Hz (RFR 3202)"
        await unit.until([drive.ETA], told, POLL, within, what)
        found = await unit.until([drive.ETA, drive.RFR], reached, POLL, within, what)
        if _is_faulted(found):
            await self._demand_well(unit)

    async def _standstill(self, unit: Unit) -> Readings:
        """Status word and frequency once it stands. Nobody looks before the ramp can be over."""
        found = await unit.read(drive.ETA, drive.RFR)
        if found[drive.RFR] == 0:
            return found
        await self._rack.runtime.sleep(self._options.deceleration * abs(found[drive.RFR]) / RATED)
        within, what = self._options.deceleration + SLACK, "does not stop (RFR 3202)"
        return await unit.until([drive.ETA, drive.RFR], lambda now: now[drive.RFR] == 0, POLL, within, what)


_STEP = {  # goal -> state -> the command that leads on
    drive.READY: {
        drive.SWITCH_ON_DISABLED: drive.SHUTDOWN,
        drive.SWITCHED_ON: drive.SHUTDOWN,
        drive.QUICK_STOP: drive.DISABLE_VOLTAGE,
    },
    drive.ENABLED: {
        drive.SWITCH_ON_DISABLED: drive.SHUTDOWN,
        drive.READY: drive.SWITCH_ON,
        drive.SWITCHED_ON: drive.ENABLE,
        drive.QUICK_STOP: drive.DISABLE_VOLTAGE,
    },
}


async def _look(unit: Unit) -> Readings:
    """The status word, and the last fault of a drive that is in fault."""
    found = await unit.read(drive.ETA)
    return await unit.read(drive.ETA, drive.LFT) if _is_faulted(found) else found


def _state(found: Readings) -> int:
    return found.raw(drive.ETA) & drive.STATE_MASK


def _is_faulted(found: Readings) -> bool:
    return _state(found) in (drive.FAULT, drive.FAULT_REACTION)


def _fault_code(found: Readings) -> int:
    return found.raw(drive.LFT) if _is_faulted(found) else 0


def _fault_words(found: Readings) -> str:
    """The fault in words with its remedy; empty when the drive is well."""
    if _is_faulted(found):
        code = found.raw(drive.LFT)
        words, remedy = drive.FAULTS.get(code, (f"fault {code}", "see the drive's manual"))
        return f"{words} (LFT {code}){'; ' + remedy if remedy else ''}"
    if not found.raw(drive.ETA) & drive.REMOTE:
        return "takes no commands from the network (ETA bit 9); take it out of local control"
    return ""
