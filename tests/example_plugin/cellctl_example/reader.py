"""A reader at work: says which tag stands at its station."""

from __future__ import annotations

from typing import Protocol, cast

from cellctl.device import Act, Action, Driver, Rack
from cellctl.errors import Refused, UnknownName
from cellctl.line.model import Line, Module
from cellctl.messages import Command, Jog
from cellctl.modules.kind import Complaint, Equipment, Ran


class TagHead(Driver, Protocol):
    """What this kind asks of a device with the capability `tag reader`."""

    def read_tag(self) -> Action[str]: ...


class Reader:
    """One reading head at a station. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        self._module, self._own = module, Equipment(module, line, rack)

    def check(self, command: Command) -> None:
        """Raises UnknownName for a skill that it does not have."""
        if command.skill != "identify":
            raise UnknownName("skill of a reader", command.skill, ("identify",))

    async def prepare(self, act: Act) -> None:
        """Prepare the head."""
        await self._own.prepare(act)

    async def run(self, command: Command, act: Act) -> Ran:
        """Read the tag."""
        tag = await act(cast(TagHead, self._own.device("head")).read_tag())
        return Ran("done", {"tag": tag}) if tag else Ran("unreadable", detail="no tag answered")

    async def idle(self, act: Act) -> None:
        """Nothing runs on."""

    async def halt(self) -> None:
        """Nothing moves."""

    async def occupied(self) -> dict[str, bool | None]:
        """It has no stations of its own."""
        return {}

    async def faults(self) -> list[Complaint]:
        """What the head complains of."""
        return await self._own.complaints()

    async def jog(self, jog: Jog, act: Act) -> None:
        """Not offered. Raises Refused."""
        raise Refused(f"{self._module.name}: a reader cannot be jogged")
