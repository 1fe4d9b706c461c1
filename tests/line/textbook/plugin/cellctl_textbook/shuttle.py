"""A shuttle at work: its controller is told from which place to which."""

from __future__ import annotations

from typing import cast

from cellctl.device import Act, Rack
from cellctl.device import Machine as MachineDevice
from cellctl.errors import UnknownName
from cellctl.line.model import Line, Module, Station
from cellctl.messages import Command, Move
from cellctl.modules.kind import Ran
from cellctl.modules.stationary import Stationary

PROGRAM = 1


class Shuttle(Stationary):
    """One shuttle. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        super().__init__(module, line, rack)
        self._numbers = {name: float(n) for n, name in enumerate(places_of(module.stations))}

    def check(self, command: Command) -> None:
        """Raises UnknownName for a skill or place that it does not have."""
        if command.skill != "shift":
            raise UnknownName("skill of a shuttle", command.skill, ("shift",))
        for name in (command.items[0].origin, command.items[0].target):
            if name not in self._numbers:
                raise UnknownName("place of the shuttle", name, self._numbers)

    async def run(self, command: Command, act: Act) -> Ran:
        """One program, whose values are the numbers of the two places."""
        item = command.items[0]
        plc = cast(MachineDevice, self._own.device("plc"))

        def moves(found: object) -> tuple[Move, ...]:
            return (Move(item.id, item.target),) if _is_well(found) else ()

        values = (self._numbers[item.origin], self._numbers[item.target])
        found = await act(plc.run(PROGRAM, values, ()), moves)
        return Ran() if _is_well(found) else Ran("failed", detail=f"the controller answers {found}")


def places_of(stations: tuple[Station, ...]) -> list[str]:
    """Every place of these stations, in the order in which the controller numbers them."""
    return [
        f"{station.name}#{n}" if station.capacity > 1 else station.name
        for station in stations
        for n in range(station.capacity)
    ]


def _is_well(found: object) -> bool:
    return not found or (isinstance(found, dict) and not found.get("code", 0))
