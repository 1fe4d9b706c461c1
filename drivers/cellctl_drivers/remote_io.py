"""WAGO 750-352 fieldbus coupler with digital inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
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
from cellctl.errors import DeviceError, LimitExceeded
from cellctl.runtime import Registers, Task
from cellctl.written import Between, Duration, Written, usually
from cellctl_drivers.maps import remote_io as island
from cellctl_drivers.registers import Register
from cellctl_drivers.unit import Unit


class RemoteIOOptions(Written):
    """An I/O island in the line file."""

    address: str = Field(description="`modbus-tcp://HOST:502`")
    unit: int = Field(default=1, ge=0, le=255, description="Modbus unit")
    inputs: int = Field(default=8, ge=0, le=island.MOST_POINTS, description="how many: `di0`, `di1`, ...")
    outputs: int = Field(default=8, ge=0, le=island.MOST_POINTS, description="how many: `do0`, `do1`, ...")
    watchdog: Annotated[Duration, Between("0.2 s", "10 min")] = usually(
        "2 s", "silence after which all outputs go off"
    )


DECLARATION = DriverDeclaration(
    name="remote_io",
    doc="WAGO 750-352 I/O island: digital inputs and outputs over Modbus TCP",
    capability=Capability.DIGITAL_IO,
    options=RemoteIOOptions,
    recovery={
        "set_output": {"": Recovery.REPEATABLE},
        "restart_watchdog": {"": Recovery.REPEATABLE},
    },
    silence=Silence(
        Reaction.STOPS,
        2.0,
        "Modbus watchdog 0x1000, set to the option `watchdog` and read back: all outputs go off. "
        "WAGO-I/O-SYSTEM 750 ETHERNET TCP/IP p. 163-164",
    ),
    code="cellctl_drivers.remote_io:RemoteIO",
    timing="cellctl_drivers.timing:remote_io",
)


class RemoteIO:
    """One island. Points are numbered from 0."""

    def __init__(self, name: str, options: RemoteIOOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._inputs = [island.digital_input(n) for n in range(options.inputs)]
        self._images = [island.output_image(n) for n in range(options.outputs)]
        self._island: Unit | None = None
        self._keep_alive: Task | None = None

    # --- life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, check that the island has as many points as the line file says, start and check its watchdog."""
        link = await self._rack.link(self._options.address, Registers)
        self._island = Unit(self.name, link, self._options.unit, self._rack.runtime)
        await self._check_size(self._island)
        await self._watch()
        if self._keep_alive is None:
            every = self._options.watchdog / 4
            work = partial(self._island.keep_talking, island.WATCHDOG_STATUS, every, self._watch)
            self._keep_alive = self._rack.background(work, f"{self.name} keep-alive")

    async def close(self) -> None:
        """Stop talking: the island's watchdog switches its outputs off."""
        if self._keep_alive is not None:
            self._keep_alive.cancel()
            self._keep_alive = None

    async def prepare(self, act: Act) -> None:
        """Start the watchdog again if it ran out."""
        await act(self.restart_watchdog())

    async def halt(self) -> None:
        """Nothing moves by itself here: who uses an output switches it off."""

    async def fault(self) -> str:
        """Says so when the watchdog ran out (the outputs are off then), or does not run."""
        status = (await self._unit().read(island.WATCHDOG_STATUS)).raw(island.WATCHDOG_STATUS)
        if status == island.EXPIRED:
            return "its watchdog ran out and switched all outputs off; check the network, then reset"
        return "" if status == island.ACTIVE else "its watchdog does not run; reset"

    # --- inputs and outputs -------------------------------------------------------------------------------------

    async def inputs(self) -> tuple[bool, ...]:
        """All inputs, read in one request."""
        return await self._bits(self._inputs)

    async def outputs(self) -> tuple[bool, ...]:
        """What all outputs are set to, read back from the island."""
        return await self._bits(self._images)

    async def until_input(
        self, number: int, value: bool, every: float, looked: Callable[[float], None] | None = None
    ) -> None:
        """Wait until an input has a value. Wrap it in a deadline. Raises LimitExceeded for one that is not there.

        `looked(seconds)` is told how long each reading took, also one that failed or was broken off.
        """
        register = self._point(self._inputs, number, "input")
        await self._unit().wait([register], lambda found: bool(found.raw(register)) == value, every, looked)

    def set_output(self, number: int, value: bool) -> Action[None]:
        """Switch an output and read it back. Raises LimitExceeded for an output that is not there."""
        image = self._point(self._images, number, "output")

        async def perform(action: int) -> None:
            unit = self._unit()
            await unit.write({island.digital_output(number): value})
            if bool((await unit.read(image)).raw(image)) != value:
                wanted, found = ("on", "off") if value else ("off", "on")
                raise unit.fault(
                    f"{image} was switched {wanted} but is {found}; {await self.fault() or 'reset'}"
                )

        return Action(self.name, "set_output", DECLARATION.recovery_of("set_output"), perform)

    def restart_watchdog(self) -> Action[None]:
        """Start the watchdog again if it ran out; outputs stay off until they are set."""

        async def perform(number: int) -> None:
            unit = self._unit()
            if (await unit.read(island.WATCHDOG_STATUS)).raw(island.WATCHDOG_STATUS) == island.EXPIRED:
                await unit.write({island.WATCHDOG_RESTART: 1})
            await self._watch()
            if words := await self.fault():
                raise unit.fault(words)

        return Action(self.name, "restart_watchdog", DECLARATION.recovery_of("restart_watchdog"), perform)

    # --- inside -------------------------------------------------------------------------------------------------

    def _unit(self) -> Unit:
        if self._island is None:
            raise DeviceError(self.name, self._options.address, "is not open")
        return self._island

    async def _bits(self, registers: list[Register]) -> tuple[bool, ...]:
        found = await self._unit().read(*registers)
        return tuple([bool(found.raw(register)) for register in registers])

    def _point(self, registers: list[Register], number: int, what: str) -> Register:
        if not 0 <= number < len(registers):
            raise LimitExceeded(self.name, what, number, 0, len(registers) - 1, "")
        return registers[number]

    async def _check_size(self, unit: Unit) -> None:
        found = await unit.read(island.OUTPUT_BITS, island.INPUT_BITS)
        for register, wanted, what in (
            (island.INPUT_BITS, self._options.inputs, "inputs"),
            (island.OUTPUT_BITS, self._options.outputs, "outputs"),
        ):
            if found.raw(register) < wanted:
                raise unit.fault(
                    f"has {found.raw(register)} {what} ({register}), but the line file says {wanted}"
                )

    async def _watch(self) -> None:
        """Make the watchdog run with the wanted time. One that ran out stays so: only a reset starts it again."""
        unit = self._unit()
        found = await unit.read(island.WATCHDOG_TIME, island.WATCHDOG_MASK, island.WATCHDOG_TRIGGER)
        status = (await unit.read(island.WATCHDOG_STATUS)).raw(island.WATCHDOG_STATUS)
        wanted = {
            island.WATCHDOG_TIME: self._options.watchdog,
            island.WATCHDOG_MASK: island.EVERY_FUNCTION,
        }
        right = all(abs(found[register] - value) < 0.05 for register, value in wanted.items())
        if status == island.EXPIRED or (right and status == island.ACTIVE):
            return
        if status == island.ACTIVE:  # its time cannot be changed while it runs
            await unit.write({island.WATCHDOG_STOP: island.STOP})
        await unit.set_up(wanted)
        trigger = found.raw(island.WATCHDOG_TRIGGER) % 0xFFFF + 1  # it starts on a change to another value
        await unit.write({island.WATCHDOG_TRIGGER: trigger})
        if (await unit.read(island.WATCHDOG_STATUS)).raw(island.WATCHDOG_STATUS) != island.ACTIVE:
            raise unit.fault(f"its watchdog does not start ({island.WATCHDOG_STATUS})")
