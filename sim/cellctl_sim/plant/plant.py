"""The plant of one line: the world, every simulated device in front of it, their ports and the faults to come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from math import inf
from typing import Any

from cellctl.errors import PlugInError, UnknownName
from cellctl.line.model import Device, Line
from cellctl_sim.devices.protocols import ModbusDevice, TextDevice
from cellctl_sim.devices.site import Faulty, Simulator, Site
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.plant.ports import ModbusPort, TextPort, Troubles, Wired
from cellctl_sim.plant.world import Scenery, Streams, World, furnish

SIMULATORS = "cellctl.simulators"
SCENERY = "cellctl.scenery"


def load_simulators() -> dict[str, type[Simulator]]:
    """Driver name -> the class that simulates such a device. Raises PlugInError."""
    found: dict[str, type[Simulator]] = {}
    for point in _installed(SIMULATORS, tuple(sys.path)):
        try:
            found[point.name] = point.load()
        except Exception as error:  # a plug-in may raise anything while it is imported
            raise PlugInError(
                f"simulator {point.name!r} ({point.value}) cannot be loaded: {error}"
            ) from error
    return found


def load_scenery() -> dict[str, Scenery]:
    """Kind name -> who puts up what such a module is made of. Raises PlugInError."""
    found: dict[str, Scenery] = {}
    for point in _installed(SCENERY, tuple(sys.path)):
        try:
            found[point.name] = point.load()
        except Exception as error:  # as above
            raise PlugInError(f"scenery {point.name!r} ({point.value}) cannot be loaded: {error}") from error
    return found


@cache
def _installed(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """What is plugged in; looked for once, as long as the path is the same, since it takes longer than the rest."""
    return tuple(entry_points(group=group))


class Plant:
    """One line's physical world and devices; `cellctl_sim.plant` says what may be asked of it.

    Args:
        streams: name -> random numbers, the same for the same seed.
        faults: to happen at their time after `now`.
        simulators: driver name -> class; those that are installed when not given.
        now: the plant's time when it comes into being [s].

    Raises:
        PlugInError: for a device that nobody simulates, or whose `simulated:` keys are wrong.
    """

    def __init__(
        self,
        line: Line,
        streams: Streams,
        faults: Iterable[Fault] = (),
        simulators: Mapping[str, type[Simulator]] | None = None,
        now: float = 0.0,
    ) -> None:
        self.line = line
        self.world = World(streams, line.materials, now)
        self._simulators = load_simulators() if simulators is None else simulators
        self._troubles = {name: Troubles() for name in line.devices}
        self._devices: dict[str, object] = {}
        self._subscribers: list[Callable[[float], None]] = []
        furnish(self.world, line, load_scenery())
        for name in line.devices:
            self._build(name)
        self._ports = self._wire()
        for fault in faults:
            self.fault(fault)

    # --- what links and servers use ---------------------------------------------------------------------------

    def addresses(self) -> tuple[str, ...]:
        """Every device address of the line, in the line file's order."""
        return tuple(self._ports)

    def device(self, address: str) -> ModbusDevice | TextDevice:
        """What stands at an address. Raises UnknownName."""
        if address not in self._ports:
            raise UnknownName("device address", address, self._ports)
        return self._ports[address]

    def advance(self, t: float) -> None:
        """Let the world run up to `t`."""
        self.world.agenda.advance(t)

    def next_change(self, t: float) -> float:
        """The earliest time after `t` at which anything in the plant changes by itself; inf when nothing will."""
        self.advance(t)
        ports = (port.next_change(t) for port in self._ports.values())
        return min([self.world.agenda.first(), *ports])

    def subscribe(self, call: Callable[[float], None]) -> Callable[[], None]:
        """Have `call(t)` called after everything done to the plant from outside; returns what ends that."""
        self._subscribers.append(call)
        return lambda: self._subscribers.remove(call)

    # --- what tests and operators use ---------------------------------------------------------------------------

    def simulator(self, device: str) -> Any:
        """The simulator of a device by its full name. Raises UnknownName."""
        if device not in self._devices:
            raise UnknownName("device", device, self._devices)
        return self._devices[device]

    def fault(self, fault: Fault, now: float | None = None) -> None:
        """Let a fault happen, `fault.at` seconds after `now`. Raises UnknownName for an unknown device or kind."""
        self.simulator(fault.device)
        now = self.world.agenda.now if now is None else now
        self.advance(now)
        if fault.at == 0.0:
            self._suffer(now, fault)
        else:
            self.world.agenda.timer(lambda t: self._suffer(t, fault)).set(now + fault.at)

    def lay(self, t: float, place: str, *materials: str) -> None:
        """A hand lays an item of these components somewhere. Raises UnknownName."""
        self.world.lay(t, place, materials)
        self._acted(t)

    def remove(self, t: float, place: str) -> bool:
        """A hand takes away what lies somewhere; False when nothing does. Raises UnknownName."""
        removed = self.world.remove(t, place)
        self._acted(t)
        return removed

    def counters(self) -> dict[str, int]:
        """How often each actuation happened, by name."""
        return dict(sorted(self.world.counts.items()))

    def runs(self) -> dict[str, dict[int, int]]:
        """Machine -> action number -> how often its program ran with that number."""
        return {machine: dict(runs) for machine, runs in self.world.runs.items()}

    def items(self) -> list[dict[str, object]]:
        """The truth about every item."""
        return self.world.items(self.world.agenda.now)

    def incidents(self) -> list[tuple[float, str]]:
        """What should never have happened, with its time."""
        return list(self.world.incidents)

    # --- inside -------------------------------------------------------------------------------------------------

    def _build(self, name: str) -> object:
        if name not in self._devices:
            device = self.line.devices[name]
            driver = device.declaration.name
            if driver not in self._simulators:
                raise PlugInError(
                    f"device {name}: nobody simulates {driver!r} (entry point group {SIMULATORS})"
                )
            self._devices[name] = self._simulators[driver].build(
                Site(device, self.line, self.world, self._build)
            )
        return self._devices[name]

    def _wire(self) -> dict[str, ModbusPort | TextPort]:
        by_address: dict[str, list[Device]] = {}
        for device in self.line.devices.values():
            if device.address:
                by_address.setdefault(device.address, []).append(device)
        return {address: self._port(address, devices) for address, devices in by_address.items()}

    def _port(self, address: str, devices: list[Device]) -> ModbusPort | TextPort:
        first = self._devices[devices[0].name]
        if isinstance(first, TextDevice):
            troubles, agenda = self._troubles[devices[0].name], self.world.agenda
            return TextPort(address, first, troubles, agenda, self._acted)
        units: dict[int, Wired] = {}
        for device in devices:
            simulator = self._devices[device.name]
            if not isinstance(simulator, ModbusDevice):
                raise PlugInError(f"device {device.name}: its simulator cannot be reached at {address}")
            units[int(getattr(device.options, "unit", 1))] = Wired(simulator, self._troubles[device.name])
        return ModbusPort(address, units, self._acted)

    def _acted(self, t: float) -> None:
        for call in tuple(self._subscribers):
            call(t)

    def _suffer(self, t: float, fault: Fault) -> None:
        until = inf if fault.lasts == inf else round(t + fault.lasts, 6)
        troubles = self._troubles[fault.device]
        if fault.fault in set(Manner):
            troubles.set(Manner(fault.fault), until, fault.value)
        else:
            device: Faulty = self.simulator(fault.device)
            dark = device.suffer(t, fault, until)
            if dark is not None:
                troubles.set(Manner.CUT, dark)
        self._acted(t)
