"""The devices of one module, as its kind uses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cellctl.device import Act, Capability, DigitalIO, Driver, Point, Rack
from cellctl.errors import UnknownName
from cellctl.line.model import Line, Module
from cellctl.modules.rack import used_devices


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a device says is wrong with it."""

    device: str
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a digital I/O device."""

    device: str
    io: DigitalIO
    number: int

    async def read(self) -> bool:
        """Its value now."""
        return (await self.io.inputs())[self.number]

    async def until(self, value: bool, every: float, looked: Callable[[float], None] | None = None) -> None:
        """Wait until it has a value; `looked` is told how long each reading took [s]. Wrap it in a deadline."""
        await self.io.until_input(self.number, value, every, looked)


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a digital I/O device."""

    device: str
    io: DigitalIO
    number: int

    async def read(self) -> bool:
        """What it is set to."""
        return (await self.io.outputs())[self.number]

    async def set(self, value: bool, action: int) -> None:
        """Switch it, inside the action of this number."""
        await self.io.set_output(self.number, value).perform(action)


async def read_all(inputs: Mapping[str, Input | None]) -> dict[str, bool | None]:
    """What each input shows now, with one question to each device; None where there is no input."""
    shown: dict[str, tuple[bool, ...]] = {}
    for point in inputs.values():
        if point is not None and point.device not in shown:
            shown[point.device] = await point.io.inputs()
    return {name: shown[point.device][point.number] if point else None for name, point in inputs.items()}


class Equipment:
    """The devices of one module: its own, which it may halt, and all it uses."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        self._module, self._line, self._rack = module, line, rack
        self.used = used_devices(line, (module,))
        mine = {*module.devices.values(), *(tool.device for tool in module.tools)}
        self.own = tuple(name for name in self.used if name in mine)

    def device(self, role: str) -> Driver:
        """The device in a role. Raises UnknownName."""
        if role not in self._module.devices:
            raise UnknownName(f"device of {self._module.name}", role, self._module.devices)
        return self._rack.device(self._module.devices[role])

    def named(self, name: str) -> Driver:
        """The device of this full name. Raises UnknownName."""
        return self._rack.device(name)

    def is_meant(self, device: str, role: str) -> bool:
        """Whether a person who says `device` means what has this role: by the role, or by its full name."""
        return role in self._module.devices and device in (role, self._module.devices[role])

    def of(self, capability: Capability) -> tuple[str, ...]:
        """The module's own devices with this capability."""
        return tuple(n for n in self.own if self._line.devices[n].declaration.capability == capability)

    def address(self, name: str) -> str:
        """Where a device is reached."""
        device = self._line.devices.get(name)
        return device.address if device else ""

    def input(self, point: str) -> Input | None:
        """The input of this name; None for "". Raises UnknownName."""
        if not point:
            return None
        parsed = Point.parse(point)
        return Input(parsed.device, self._io(parsed), parsed.number)

    def output(self, point: str) -> Output | None:
        """The output of this name; None for "". Raises UnknownName."""
        if not point:
            return None
        parsed = Point.parse(point)
        return Output(parsed.device, self._io(parsed), parsed.number)

    def _io(self, point: Point) -> DigitalIO:
        device: DigitalIO = self._rack.device(point.device)  # type: ignore[assignment]
        return device

    async def prepare(self, act: Act) -> None:
        """Prepare every device, in the line file's order; what could not be opened before may be by now.

        Raises DeviceError.
        """
        for name in self.used:
            await self._rack.ensure_open(name)
            await self._rack.device(name).prepare(act)

    async def halt(self) -> None:
        """Halt all own devices, even when one fails. Raises the first error afterwards."""
        failed: Exception | None = None
        for name in self.own:
            try:
                await self._rack.device(name).halt()
            except Exception as error:  # whatever a driver raises: the others stop all the same
                failed = failed or error
        if failed is not None:
            raise failed

    async def complaints(self) -> list[Complaint]:
        """What the devices in use complain of. Raises DeviceError when one cannot be asked."""
        found = []
        for name in self.used:
            text = await self._rack.device(name).fault()
            if text:
                found.append(Complaint(name, self.address(name), text))
        return found
