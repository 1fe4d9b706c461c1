"""A conveyor: a belt with stops. Several commands run beside each other; the belt runs while any is in hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import copysign
from typing import cast

from cellctl.device import Act, Action, MotorDrive, Rack, Recovery
from cellctl.errors import DeviceFault, PlugInError, Refused, UnknownName
from cellctl.kinds import OVERHANG, ConveyorOptions
from cellctl.line.model import Line, Module, Station, station_of
from cellctl.messages import Command, Item, Jog, Move
from cellctl.modules.by_hand import REDUCED_SPEED, reduced, switched_on, until_let_go
from cellctl.modules.equipment import Output, read_all
from cellctl.modules.indexing import Indexing
from cellctl.modules.kind import Complaint, Equipment, Ran
from cellctl.modules.stops import Belt, Journey, Stop, arrival, release
from cellctl.modules.turn import Turn
from cellctl.runtime import Event

SOONEST = 0.5  # of the way at full speed, when the front of a long part may be at the next eye already
SLOWEST = 1.5  # times as long as at full speed, when the belt still ramped up


class Conveyor:
    """One belt. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        if not isinstance(module.options, ConveyorOptions):
            raise PlugInError(f"{module.name}: a conveyor's options are ConveyorOptions")
        self._module, self._line, self._rack, self._options = module, line, rack, module.options
        self._own = Equipment(module, line, rack)
        self._driving = Turn(rack.runtime)
        self._is_running = False
        self._expecting: set[str] = set()  # items that another belt gives: the belt runs on for them
        self._leaving: dict[str, Event] = {}  # stop -> when what stands there has left it
        self._drive_name = module.devices["drive"]

    # --- what the shell asks --------------------------------------------------------------------------------------

    def check(self, command: Command) -> None:
        """Raises UnknownName, Refused for what this belt cannot do."""
        if command.skill == "advance":
            for item in command.items:
                for station in self._route(item):
                    self._stop(station)
        if not command.items or (len(command.items) > 1 and not self._options.indexing):
            raise Refused(f"{self._module.name} moves one item with a command, not {len(command.items)}")

    async def prepare(self, act: Act) -> None:
        """Prepare drive and inputs; the belt stands."""
        self._forget()
        await self._own.prepare(act)

    async def run(self, command: Command, act: Act) -> Ran:
        """Do a skill."""
        item = command.items[0]
        match command.skill:
            case "advance" if self._options.indexing:
                return await self._index(command, act)
            case "advance":
                return await self._advance(item, act)
            case "give":
                return await self._give(item, act)
            case "expect":
                self._expecting.add(item.id)
                await act(self._start())
                return Ran()
            case "collect":
                return await self._collect(item, act)
            case _:
                raise UnknownName(
                    "skill of a conveyor", command.skill, ("advance", "give", "expect", "collect")
                )

    async def idle(self, act: Act) -> None:
        """Stop the belt, unless another belt is giving it something."""
        if not self._expecting and self._is_running:
            async with self._driving:
                self._is_running = False
                await act(self._drive.stop())

    async def halt(self) -> None:
        """Stop the belt at once."""
        self._forget()
        await self._own.halt()

    async def occupied(self) -> dict[str, bool | None]:
        """What the eyes see."""
        return await read_all({s.name: self._own.input(s.eye) for s in self._module.stations})

    async def faults(self) -> list[Complaint]:
        """What drive and inputs complain of."""
        return await self._own.complaints()

    async def jog(self, jog: Jog, act: Act) -> None:
        """Run the belt at a reduced speed until it is let go (`run`): `drive`, or a stop with its stopper lowered
        meanwhile. The output of a stopper alone: `on`."""
        outputs = self._stoppers_by_name()
        if jog.device not in outputs and not self._own.is_meant(jog.device, "drive"):
            raise UnknownName(f"device of {self._module.name}", jog.device, ("drive", *outputs))
        output = outputs.get(jog.device)
        if output is None:
            return await self._run_by_hand(self._speed_by_hand(jog), act)
        speed = None if jog.motion == "on" else self._speed_by_hand(jog)
        async with switched_on(output, act):
            if speed is None:
                return await until_let_go(self._rack.runtime)
            return await self._run_by_hand(speed, act)

    def _stoppers_by_name(self) -> dict[str, Output]:
        """The outputs of the stoppers: by their points, and by the names of their stops."""
        found = {}
        for station in self._module.stations:
            output = self._own.output(station.stopper)
            if output is not None:
                names = (station.name.rpartition(".")[2], station.name, station.stopper)
                found.update(dict.fromkeys(names, output))
        return found

    def _speed_by_hand(self, jog: Jog) -> float:
        if jog.motion != "run" or not jog.speed or jog.distance:
            raise Refused(f"{jog.device} is moved at a speed, such as `+50mm/s`, until it is let go")
        most = min(REDUCED_SPEED, self._options.speed)
        return copysign(reduced(self._drive_name, jog, most, 0.0, "m/s"), jog.speed)

    async def _run_by_hand(self, speed: float, act: Act) -> None:
        self._is_running = False
        await act(self._drive.run(speed))
        await until_let_go(self._rack.runtime, self._check_drive)

    # --- skills ---------------------------------------------------------------------------------------------------

    async def _advance(self, item: Item, act: Act) -> Ran:
        route = self._route(item)
        is_riding = item.origin == self._module.name  # it is between two stops already
        if not is_riding:
            self._leaving[route[0].name] = self._rack.runtime.event()
        try:
            await act(self._start())
            for here, there in pairwise(route):
                ran = await self._hop(item, here, there, is_riding, act)
                if ran.outcome != "done":
                    return ran
        finally:
            self._has_left(route[0])
        return Ran()

    async def _hop(self, item: Item, here: Station, there: Station, is_riding: bool, act: Act) -> Ran:
        """From one stop to the next."""
        last_seen = 0.0

        def seen(at: float) -> None:
            nonlocal last_seen
            last_seen = at

        if not is_riding:
            if there.name in self._leaving:
                await self._leaving[there.name].wait()
            letting_go = self._release(here, seen)
            gone = await act(letting_go, lambda gone: self._moved(gone, item, self._module.name))
            self._has_left(here)
            if not gone:
                return Ran("jam", detail=f"{item.id} did not leave {here.name}, or is not there")
        way = None if is_riding else abs((there.at or 0.0) - (here.at or 0.0))
        arrives = self._arrive(there, way, max(last_seen, act.began))
        if await act(arrives, lambda came: self._moved(came, item, there.name)):
            return Ran()
        return Ran("jam", detail=f"{item.id} did not arrive at {there.name}")

    def _has_left(self, stop: Station) -> None:
        event = self._leaving.pop(stop.name, None)
        if event is not None:
            event.set()

    async def _give(self, item: Item, act: Act) -> Ran:
        here, to = self._module.station(station_of(item.origin)), self._line.station(station_of(item.target))
        await act(self._start())
        if not await act(self._release(here), lambda gone: self._moved(gone, item, self._module.name)):
            return Ran("jam", detail=f"{item.id} did not leave {here.name}, or is not there")
        await act(self._deliver(here), lambda _: (Move(item.id, to.module),))
        return Ran()

    async def _collect(self, item: Item, act: Act) -> Ran:
        to = self._module.station(station_of(item.target))
        await act(self._start())
        came = await act(self._arrive(to), lambda came: self._moved(came, item, to.name))
        self._expecting.discard(item.id)
        return Ran() if came else Ran("jam", detail=f"{item.id} did not arrive at {to.name}")

    async def _index(self, command: Command, act: Act) -> Ran:
        stops = {
            place: self._stop(self._module.station(place))
            for item in command.items
            for place in (station_of(item.origin), station_of(item.target))
        }
        indexing = Indexing(
            self._drive_name, self._drive, self._check_drive, self._options, stops, self._rack.runtime
        )
        moves = tuple(Move(item.id, item.target) for item in command.items)
        self._is_running = False
        if await act(indexing.action(command.items), lambda came: moves if came else ()):
            return Ran()
        return Ran("jam", detail="the belt did not come to its next position in time")

    @staticmethod
    def _moved(happened: bool, item: Item, place: str) -> tuple[Move, ...]:
        return (Move(item.id, place),) if happened else ()

    # --- actions --------------------------------------------------------------------------------------------------

    def _start(self) -> Action[None]:
        return Action(self._drive_name, "run", Recovery.REPEATABLE, self._keep_running)

    async def _keep_running(self, number: int) -> None:
        """Run the belt, unless it certainly runs."""
        async with self._driving:
            if not self._is_running:
                await self._drive.run(self._options.speed).perform(number)
                self._is_running = True

    def _release(self, here: Station, seen: Callable[[float], None] = lambda at: None) -> Action[bool]:
        return release(self._stop(here), self._rack.runtime, self._options.patience, self._belt, seen)

    def _arrive(self, there: Station, way: float | None = None, left: float = 0.0) -> Action[bool]:
        """`way` is how far it is [m] from where it was let go at `left` (UTC [s]) or later.

        None when nobody knows, as for what rides on the belt already.
        """
        passed_since = None if way is None else left + SOONEST * way / self._options.speed
        if way is None:
            way = max(station.at or 0.0 for station in self._module.stations)
        slowest = SLOWEST * way / self._options.speed
        journey = Journey(slowest, slowest + self._options.patience, passed_since)
        return arrival(self._stop(there), self._rack.runtime, journey, self._belt)

    def _deliver(self, here: Station) -> Action[None]:
        """Run on until the part, which has left its stop, has passed over the belt's end."""
        last = max(station.at or 0.0 for station in self._module.stations)
        rest = (self._options.end or last + OVERHANG) - (here.at or 0.0)
        seconds = (rest + self._options.run_on) / self._options.speed

        async def perform(number: int) -> None:
            await self._keep_running(number)
            await self._rack.runtime.sleep(seconds)
            await self._check_drive()  # one that stopped meanwhile may have it still

        return Action(self._drive_name, "deliver", Recovery.REPEATABLE, perform)

    async def _check_drive(self) -> None:
        """Raise DeviceFault when the drive does not do what it was told."""
        text = await self._drive.fault()
        if text:
            raise DeviceFault(self._drive_name, self._own.address(self._drive_name), text, 0)

    # --- its things -----------------------------------------------------------------------------------------------

    @property
    def _belt(self) -> Belt:
        return Belt(self._keep_running, self._check_drive, self._options.run_on / self._options.speed)

    @property
    def _drive(self) -> MotorDrive:
        return cast(MotorDrive, self._own.device("drive"))

    def _stop(self, station: Station) -> Stop:
        eye = self._own.input(station.eye)
        if eye is None:
            raise Refused(f"{station.name} has no eye: nobody would see a part leave or arrive there")
        return Stop(station, eye, self._own.output(station.stopper))

    def _route(self, item: Item) -> tuple[Station, ...]:
        """The stops that an item passes, its origin and target included. From "on the belt" only its target counts."""
        target = self._module.station(station_of(item.target))
        if item.origin == self._module.name:
            return (target, target)
        origin = self._module.station(station_of(item.origin))
        stops = sorted((s for s in self._module.stations if s.at is not None), key=lambda s: s.at or 0.0)
        if origin not in stops or target not in stops or origin is target:
            raise Refused(f"{self._module.name} cannot advance from {origin.name} to {target.name}")
        first, last = stops.index(origin), stops.index(target)
        return tuple(stops[first : last + 1] if first < last else stops[first:] + stops[: last + 1])

    def _forget(self) -> None:
        self._is_running = False
        self._expecting.clear()
        for event in self._leaving.values():
            event.set()
        self._leaving.clear()
