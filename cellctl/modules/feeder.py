"""A feeder: brings one component to the pick-up point, out of whichever of its devices serves the station."""

from __future__ import annotations

from typing import cast

from cellctl.device import Act, Capability, FeederDevice, Rack
from cellctl.errors import Refused, UnknownName
from cellctl.line.model import Line, Module, Station, station_of
from cellctl.messages import Command, Jog, Move
from cellctl.modules.kind import Complaint, Equipment, Ran


class Feeder:
    """One feeder module. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        self._module = module
        self._own = Equipment(module, line, rack)
        self._feeders = self._own.of(Capability.FEEDER)

    def check(self, command: Command) -> None:
        """Raises UnknownName, Refused for a station that it does not feed."""
        if command.skill != "feed":
            raise UnknownName("skill of a feeder", command.skill, ("feed",))
        if len(command.items) != 1:
            raise Refused(f"a feeder presents one component at a time, not {len(command.items)}")
        self._device(self._station(command))

    async def prepare(self, act: Act) -> None:
        """Prepare its devices."""
        await self._own.prepare(act)

    async def run(self, command: Command, act: Act) -> Ran:
        """Bring a component to the pick-up point."""
        station, item = self._station(command), command.items[0]
        device = self._device(station)
        if await act(device.present(), lambda came: (Move(item.id, item.target),) if came else ()):
            return Ran()
        return Ran("empty", detail=f"no {station.source or 'component'} came to {station.name}")

    async def idle(self, act: Act) -> None:
        """Nothing runs on."""

    async def halt(self) -> None:
        """Stop its devices."""
        await self._own.halt()

    async def occupied(self) -> dict[str, bool | None]:
        """What its devices see at the pick-up points."""
        return {station.name: await self._device(station).presented() for station in self._module.stations}

    async def faults(self) -> list[Complaint]:
        """What its devices complain of."""
        return await self._own.complaints()

    async def jog(self, jog: Jog, act: Act) -> None:
        """Bring one component to the pick-up point of a device (`present`)."""
        feeders = {name: name for name in self._feeders}
        feeders |= {role: name for role, name in self._module.devices.items() if name in feeders}
        if jog.device not in feeders:
            raise UnknownName(f"device of {self._module.name}", jog.device, feeders)
        if jog.motion != "present":
            raise UnknownName(f"motion of {jog.device}", jog.motion, ("present",))
        if not await act(cast(FeederDevice, self._own.named(feeders[jog.device])).present()):
            raise Refused(f"no component came from {jog.device}; fill it")

    def _station(self, command: Command) -> Station:
        return self._module.station(station_of(command.items[0].target))

    def _device(self, station: Station) -> FeederDevice:
        name = station.device or (self._feeders[0] if len(self._feeders) == 1 else "")
        if not name:
            raise Refused(f"{station.name}: several devices could feed it; name one with `device:`")
        return cast(FeederDevice, self._own.named(name))
