"""A tracking robot at work: the camera says where parts are, the robot's controller does the tracking, and this module
announces the ones and says to the other which part and where to."""

from __future__ import annotations

from typing import Protocol, cast

from cellctl.device import Act, Driver, Rack
from cellctl.device import Machine as MachineDevice
from cellctl.errors import PlugInError, UnknownName
from cellctl.line.model import Line, Module
from cellctl.messages import Command, Move
from cellctl.modules.kind import Announce, Ran
from cellctl.modules.stationary import Stationary
from cellctl_example.belt_camera import Sighting
from cellctl_example.declarations import TrackerOptions


class Camera(Driver, Protocol):
    """What this kind asks of a device with the capability `belt camera`."""

    async def next_sighting(self) -> Sighting: ...

    async def confirm(self, seen: Sighting) -> None: ...


class Tracker(Stationary):
    """One robot over a belt. Fulfils `cellctl.modules.kind.Kind` and `Announcing`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        if not isinstance(module.options, TrackerOptions):
            raise PlugInError(f"{module.name}: a tracker's options are TrackerOptions")
        super().__init__(module, line, rack)
        self._program = module.options.program
        self._window = f"{module.name}.{module.options.window}"

    def check(self, command: Command) -> None:
        """Raises UnknownName for a skill that it does not have."""
        if command.skill != "pick":
            raise UnknownName("skill of a tracker", command.skill, ("pick",))

    async def run(self, command: Command, act: Act) -> Ran:
        """Have the controller pick what it saw there and put it down in the nest."""
        item = command.items[0]
        nest = int(item.target.partition("#")[2] or 0)
        where = [float(cast(float, command.parameters.get(name) or 0.0)) for name in ("x", "turn")]
        plc = cast(MachineDevice, self._own.device("controller"))

        def moves(found: object) -> tuple[Move, ...]:
            return (Move(item.id, item.target),) if _is_well(found) else ()

        found = await act(plc.run(self._program, (*where, float(nest)), ()), moves)
        return Ran() if _is_well(found) else Ran("missed", detail=f"the controller answers {found}")

    async def watch(self, announce: Announce) -> None:
        """Announce what the camera sees. It shows a part until it is told that the part is on record."""
        camera = cast(Camera, self._own.device("camera"))
        while True:
            seen = await camera.next_sighting()
            where = {"pick.x": seen.x, "pick.turn": seen.turn}
            await announce(self._window, given=where, mark=seen.mark)
            await camera.confirm(seen)


def _is_well(found: object) -> bool:
    return not found or (isinstance(found, dict) and not found.get("code", 0))
