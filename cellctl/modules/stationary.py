"""What kinds share whose parts lie still before a device with a controller of its own: gauge, machine, reader."""

from __future__ import annotations

from cellctl.device import Act, Rack
from cellctl.errors import Refused
from cellctl.line.model import Line, Module
from cellctl.messages import Jog
from cellctl.modules.equipment import Complaint, Equipment


class Stationary:
    """A module that neither moves parts nor sees them. A kind that adds `check` and `run` fulfils `Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        self._module, self._own = module, Equipment(module, line, rack)

    async def prepare(self, act: Act) -> None:
        """Prepare its devices."""
        await self._own.prepare(act)

    async def idle(self, act: Act) -> None:
        """Nothing runs on."""

    async def halt(self) -> None:
        """Stop what is in hand, as far as its devices do that."""
        await self._own.halt()

    async def occupied(self) -> dict[str, bool | None]:
        """It has no sensor for its stations."""
        return {station.name: None for station in self._module.stations}

    async def faults(self) -> list[Complaint]:
        """What its devices complain of."""
        return await self._own.complaints()

    async def jog(self, jog: Jog, act: Act) -> None:
        """Not offered. Raises Refused."""
        raise Refused(f"{self._module.name}: nothing here is moved from the line; use its own panel")
