"""A reader at work: says which tag stands at its station."""

from __future__ import annotations

from typing import Protocol, cast

from cellctl.device import Act, Action, Driver
from cellctl.errors import UnknownName
from cellctl.messages import Command
from cellctl.modules.kind import Ran
from cellctl.modules.stationary import Stationary


class TagHead(Driver, Protocol):
    """What this kind asks of a device with the capability `tag reader`."""

    def read_tag(self) -> Action[str]: ...


class Reader(Stationary):
    """One reading head at a station. Fulfils `cellctl.modules.kind.Kind`."""

    def check(self, command: Command) -> None:
        """Raises UnknownName for a skill that it does not have."""
        if command.skill != "identify":
            raise UnknownName("skill of a reader", command.skill, ("identify",))

    async def run(self, command: Command, act: Act) -> Ran:
        """Read the tag."""
        tag = await act(cast(TagHead, self._own.device("head")).read_tag())
        return Ran("done", {"tag": tag}) if tag else Ran("unreadable", detail="no tag answered")
