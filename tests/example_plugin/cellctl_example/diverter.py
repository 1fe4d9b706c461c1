"""A diverter at work: a stopper holds a part at the inlet, flaps lead it into one of the lanes, eyes see it arrive."""

from __future__ import annotations

from cellctl.device import Act, Action, Rack, Recovery, Settled, Settlement
from cellctl.errors import DeadlineExceeded, PlugInError, Refused, UnknownName
from cellctl.line.model import Line, Module, Station
from cellctl.messages import Command, Item, Jog, Move
from cellctl.modules.kind import Complaint, Equipment, Ran
from cellctl_example.declarations import DiverterOptions, LaneOptions

POLL = 0.01  # [s]


class Diverter:
    """One inlet and its lanes. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        if not isinstance(module.options, DiverterOptions):
            raise PlugInError(f"{module.name}: a diverter's options are DiverterOptions")
        self._module, self._runtime, self._fall = module, rack.runtime, module.options.fall
        self._own = Equipment(module, line, rack)

    def check(self, command: Command) -> None:
        """Raises UnknownName for a skill or lane that it does not have."""
        if command.skill not in ("expect", "collect", "divert"):
            raise UnknownName("skill of a diverter", command.skill, ("expect", "collect", "divert"))
        for item in command.items:
            self._module.station(item.target)

    async def prepare(self, act: Act) -> None:
        """Prepare inputs and outputs."""
        await self._own.prepare(act)

    async def run(self, command: Command, act: Act) -> Ran:
        """Do a skill."""
        item = command.items[0]
        station = self._module.station(item.target)
        if command.skill == "expect":
            await act(self._switched(station.stopper, False))
            return Ran()
        if command.skill == "collect":
            return await self._arrives(item, station, act)
        for lane in self._module.stations:
            if flap := _flap(lane):
                await act(self._switched(flap, lane.name == station.name))
        await act(self._switched(self._module.station(item.origin).stopper, True))
        ran = await self._arrives(item, station, act)
        await act(self._switched(self._module.station(item.origin).stopper, False))
        return ran

    async def idle(self, act: Act) -> None:
        """Nothing runs on."""

    async def halt(self) -> None:
        """Raise the stopper: what stands at the inlet stays there."""
        await self._own.halt()

    async def occupied(self) -> dict[str, bool | None]:
        """What the eyes see."""
        found: dict[str, bool | None] = {}
        for station in self._module.stations:
            eye = self._own.input(station.eye)
            found[station.name] = await eye.read() if eye and not station.sink else None
        return found

    async def faults(self) -> list[Complaint]:
        """What the devices complain of."""
        return await self._own.complaints()

    async def jog(self, jog: Jog, act: Act) -> None:
        """Not offered. Raises Refused."""
        raise Refused(f"{self._module.name}: a diverter cannot be jogged")

    async def _arrives(self, item: Item, station: Station, act: Act) -> Ran:
        seen = await act(self._seen(station), lambda seen: (Move(item.id, station.name),) if seen else ())
        return Ran() if seen else Ran("jam", detail=f"nothing came to {station.name} within {self._fall:g} s")

    def _seen(self, station: Station) -> Action[bool]:
        """True when the station's eye sees something in time. After a crash the eye tells, or a person."""
        eye = self._own.input(station.eye)
        assert eye is not None

        async def perform(number: int) -> bool:
            try:
                async with self._runtime.deadline(self._fall):
                    await eye.until(True, POLL)
            except DeadlineExceeded:
                return False
            return True

        async def settle(number: int) -> Settled[bool]:
            if await eye.read():
                return Settled(Settlement.DONE, True, f"the eye of {station.name} sees it")
            why = f"the eye of {station.name} sees nothing; it may have slid by"
            return Settled(Settlement.UNKNOWN if station.sink else Settlement.NOT_STARTED, why=why)

        return Action(eye.device, f"arrive {station.name}", Recovery.OBSERVABLE, perform, settle, True)

    def _switched(self, point: str, value: bool) -> Action[None]:
        output = self._own.output(point)
        assert output is not None
        return output.io.set_output(output.number, value)


def _flap(lane: Station) -> str:
    return lane.options.flap if isinstance(lane.options, LaneOptions) else ""
