"""One Modbus device as its driver sees it: the device's name, its link and its unit number.

Errors that come from the link are raised again with the device's own name and the registers that were wanted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from cellctl.errors import DeadlineExceeded, DeviceError, DeviceFault, DeviceRefused, DeviceSilent
from cellctl.runtime import Registers, Runtime
from cellctl_drivers.registers import MOST_REGISTERS, Readings, Register, read_registers, write_registers


class Unit:
    """One unit on a Modbus link. `most` is how many registers the device gives in one read."""

    def __init__(
        self, name: str, link: Registers, unit: int, runtime: Runtime, most: int = MOST_REGISTERS
    ) -> None:
        self.name, self.address = name, link.address
        self._link, self._unit, self._runtime, self._most = link, unit, runtime, most

    async def read(self, *registers: Register) -> Readings:
        """Read registers in as few requests as possible. Raises DeviceSilent, DeviceRefused."""
        try:
            return await read_registers(self._link, self._unit, registers, most=self._most)
        except (DeviceSilent, DeviceRefused) as error:
            raise self._named(error, "reading", registers) from None

    async def write(self, values: Mapping[Register, float]) -> None:
        """Write adjacent registers in one request. Raises DeviceSilent, DeviceRefused, LimitExceeded."""
        try:
            await write_registers(self._link, self._unit, values)
        except (DeviceSilent, DeviceRefused) as error:
            raise self._named(error, "writing", tuple(values)) from None

    async def until(
        self,
        registers: Sequence[Register],
        holds: Callable[[Readings], bool],
        every: float,
        within: float,
        what: str,
    ) -> Readings:
        """Read every `every` seconds until `holds`. Raises DeviceFault when `what` has not come about `within` [s]."""
        try:
            async with self._runtime.deadline(within):
                return await self.wait(registers, holds, every)
        except DeadlineExceeded:
            raise self.fault(f"{what}: not within {within:g} s") from None

    async def wait(
        self,
        registers: Sequence[Register],
        holds: Callable[[Readings], bool],
        every: float,
        looked: Callable[[float], None] | None = None,
    ) -> Readings:
        """Read every `every` seconds until `holds`, however long it takes. Raises DeviceSilent, DeviceRefused.

        `looked(seconds)` is told how long each reading took, also one that failed or was broken off.
        """

        async def look() -> Readings:
            began = self._runtime.now()
            try:
                return await self.read(*registers)
            finally:
                if looked is not None:
                    looked(self._runtime.now() - began)

        return await self._link.until(look, holds, every)

    async def set_up(self, wanted: Mapping[Register, float]) -> None:
        """Write what differs from `wanted`, each register by itself, and read all back.

        Raises DeviceFault naming the first register that does not hold its value.
        """
        found = await self.read(*wanted)
        for register, value in wanted.items():
            if not _same(register, found[register], value):
                await self.write({register: value})
        found = await self.read(*wanted)
        for register, value in wanted.items():
            if not _same(register, found[register], value):
                unit = f" {register.unit}" if register.unit else ""
                raise self.fault(
                    f"{register} was set to {value:g}{unit} but reads {found[register]:g}{unit}; "
                    "look whether the device is locked, running or set up by somebody else"
                )

    async def keep_talking(
        self, register: Register, every: float, set_up: Callable[[], Awaitable[None]]
    ) -> None:
        """Read `register` for ever, so that the device's watchdog does not run out; after a loss call `set_up`."""
        lost = False
        while True:
            try:
                if lost:
                    await set_up()
                    self._runtime.log.info("device answers again", device=self.name, address=self.address)
                lost = False
                await self.wait([register], lambda _: False, every)
            except DeviceError as error:
                if not lost:
                    self._runtime.log.warning(
                        "device lost", device=self.name, address=self.address, why=error.what
                    )
                lost = True
                await self._runtime.sleep(every)

    def fault(self, what: str, code: int = 0) -> DeviceFault:
        """A fault of this device, to be raised."""
        return DeviceFault(self.name, self.address, what, code)

    def _named(
        self, error: DeviceSilent | DeviceRefused, doing: str, registers: Sequence[Register]
    ) -> DeviceSilent | DeviceRefused:
        """The link's error with this device's name."""
        what = f"{doing} {', '.join(map(str, registers[:3]))}{', ...' if len(registers) > 3 else ''}: {error.what}"
        if isinstance(error, DeviceRefused):
            return DeviceRefused(self.name, self.address, what, error.code)
        return DeviceSilent(self.name, self.address, what)


def _same(register: Register, found: float, wanted: float) -> bool:
    return abs(found - wanted) < 0.51 * register.scale
