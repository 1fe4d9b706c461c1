"""The physical world of one line: spots, belts, bowls, grippers and items, with one agenda and one set of counts.

Devices act on it and look at it; it knows nothing of registers, messages or drivers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import inf

from cellctl.device import Capability, Point, Pose
from cellctl.errors import PlugInError, UnknownName
from cellctl.kinds import ConveyorOptions
from cellctl.line.distributions import Law
from cellctl.line.model import Carrier, Line, Material, Module, Station
from cellctl.runtime import RandomStream
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.belt import Belt, Receiver
from cellctl_sim.plant.bowl import FEEDING, Bowl
from cellctl_sim.plant.gripper import Fixings, Position
from cellctl_sim.plant.items import GONE, Item
from cellctl_sim.plant.pallets import Pallet
from cellctl_sim.plant.signals import Signals
from cellctl_sim.plant.spots import Bin, Magazine, Nest, Shelf, Spot
from cellctl_sim.plant.stops import BeltStop, PalletNest

Streams = Callable[[str], RandomStream]  # name -> random numbers, the same for the same seed


class World:
    """Everything physical. Empty when made; `furnish` puts a line's stations into it, tests put what they need."""

    def __init__(
        self, streams: Streams, materials: Mapping[str, Material] | None = None, now: float = 0.0
    ) -> None:
        self.streams = streams
        self.materials = dict(materials or {})
        self.agenda = Agenda(now)
        self.signals = Signals()
        self.fixings = Fixings()
        self.counts: Counter[str] = Counter()
        self.runs: dict[str, Counter[int]] = {}  # machine -> action number -> how often its program ran
        self.incidents: list[tuple[float, str]] = []
        self.belts: dict[str, Belt] = {}  # by module
        self.receivers: dict[str, Receiver] = {}  # by module: what a belt's end may lead to
        self.pallets: dict[str, Pallet] = {}  # by id
        self.bowls: dict[str, Bowl] = {}  # by device
        self.spots: dict[str, Spot] = {}  # by place
        self._items: list[Item] = []

    def count(self, name: str) -> None:
        """One more of `name`."""
        self.counts[name] += 1

    def note(self, t: float, text: str) -> None:
        """Something happened that never should."""
        self.incidents.append((t, text))

    def make(self, t: float, material: Material, place: str) -> Item:
        """A new item of one component."""
        item = Item(len(self._items) + 1, [material], place)
        item.record(t, f"appeared at {place}")
        self._items.append(item)
        return item

    # --- furnishing -------------------------------------------------------------------------------------------

    def add_spot(self, spot: Spot, poses: Mapping[str, Position] | None = None) -> None:
        """A place, and where each arm reaches it ("" for every arm)."""
        self.spots[spot.name] = spot
        for arm, position in (poses or {}).items():
            self.fixings.add(arm, position, spot)

    def add_belt(self, name: str, end: float | None = None, circuit: float | None = None) -> Belt:
        """A belt without stops."""
        self.belts[name] = Belt(name, self.agenda, self.count, self.note, end, circuit)
        self.receivers[name] = self.belts[name]
        return self.belts[name]

    def add_bowl(self, device: str, bowl: Bowl, poses: Mapping[str, Position] | None = None) -> None:
        """A bowl and its pick-up nest."""
        self.bowls[device] = bowl
        self.add_spot(bowl.nest, poses)

    def bowl(
        self,
        device: str,
        station: str,
        material: str,
        poses: Mapping[str, Position] | None = None,
        takes: Law = FEEDING,
        jam_rate: float = 0.0,
        stock: float = inf,
    ) -> Bowl:
        """Make and add a bowl of `material`; how it feeds as of `Bowl`."""
        bowl = Bowl(
            device,
            station,
            self.material(material),
            self.agenda,
            self.make,
            self.streams(device),
            self.count,
            takes,
            jam_rate,
            stock,
        )
        self.add_bowl(device, bowl, poses)
        return bowl

    def material(self, name: str) -> Material:
        """A material of the line; one that the line says nothing of weighs and measures nothing."""
        return self.materials.setdefault(name, Material(name))

    def at_hand(self, t: float, place: str) -> tuple[Item | None, float]:
        """What a machine or gauge has under it at `place`: what lies there, or what a gripper holds there.

        With the item comes how far it is from where it should be [m].
        """
        spot = self.spot(place)
        found = spot.look(t)
        return found if found[0] else self.fixings.held_at(t, spot)

    # --- hands ------------------------------------------------------------------------------------------------

    def spot(self, place: str) -> Spot:
        """Raises UnknownName."""
        if place not in self.spots:
            raise UnknownName("place", place, self.spots)
        return self.spots[place]

    def lay(self, t: float, place: str, materials: Sequence[str]) -> Item:
        """A hand lays an item of these components somewhere."""
        self.agenda.advance(t)
        item = self.make(t, self.material(materials[0]), place)
        item.components += [self.material(name) for name in materials[1:]]
        self.spot(place).put(t, item)
        return item

    def remove(self, t: float, place: str) -> bool:
        """A hand takes away what lies somewhere; False when nothing does."""
        self.agenda.advance(t)
        spot = self.spot(place)
        if spot.look(t)[0] is None:
            return False
        item = spot.take(t)
        item.place = GONE
        item.record(t, f"taken away by hand from {place}")
        return True

    # --- the truth --------------------------------------------------------------------------------------------

    def items(self, t: float) -> list[dict[str, object]]:
        """Every item that there is or was, where it truly is, of what it consists and what was done to it."""
        self.agenda.advance(t)
        for belt in self.belts.values():
            for item, place in belt.report(t):
                item.place = place
        return [item.report() for item in self._items if item.components]


Scenery = Callable[[World, Line, Module], None]  # puts what a kind's modules are made of into the world
NO_SCENERY: Mapping[str, Scenery] = {}


def furnish(world: World, line: Line, scenery: Mapping[str, Scenery] = NO_SCENERY) -> None:
    """Put a line's stations into the world, and wire stoppers and eyes; bowls come with their devices.

    `scenery` gives, by kind, who puts up the modules of kinds that are not made of plain places.
    """
    for module in line.modules.values():
        if module.kind.name in scenery:
            scenery[module.kind.name](world, line, module)
            continue
        if any(station.at is not None for station in module.stations):
            _lay_belt(world, module)
        for station in module.stations:
            if station.at is None and not _is_fed(module, station, line):
                _place(world, station)
    for carrier in line.carriers:
        _set_down(world, line, carrier)
    for module in line.modules.values():
        if isinstance(module.options, ConveyorOptions) and module.options.onto:
            receiver = line.station(module.options.onto).module
            world.belts[module.name].onto = world.receivers.get(receiver)


def _lay_belt(world: World, module: Module) -> None:
    options = module.options
    ends = (options.end, options.circuit) if isinstance(options, ConveyorOptions) else (None, None)
    belt = world.add_belt(module.name, *ends)
    beyond = [s.name for s in module.stations if belt.circuit is not None and (s.at or 0.0) >= belt.circuit]
    if beyond:
        raise PlugInError(f"{module.name}: {beyond[0]} lies beyond the circuit of {belt.circuit:g} m")
    for station in module.stations:
        if station.at is not None:
            stop = belt.add_stop(station.name, station.at, bool(station.stopper), station.sink)
            world.add_spot(stop, positions(station.poses))
            if station.eye:
                world.signals.wire_input(Point.parse(station.eye), stop.is_covered)
            if station.stopper:
                world.signals.wire_output(Point.parse(station.stopper), stop.lower)


def _set_down(world: World, line: Line, carrier: Carrier) -> None:
    """A pallet stands at its home; an arm reaches its nests at every stop of that belt."""
    home = world.spots.get(carrier.home)
    if not isinstance(home, BeltStop):
        raise PlugInError(
            f"carrier {carrier.id}: only on a belt is a pallet simulated, not at {carrier.home}"
        )
    pallet = world.pallets[carrier.id] = Pallet(carrier.id, carrier.nests)
    home.belt.set_down(world.agenda.now, home, pallet)
    for stop in home.belt.stops:
        poses = line.stations[stop.name].poses
        for number in range(1, carrier.nests):
            world.add_spot(PalletNest(stop, number), positions(poses, carrier.offset(number)))


def _is_fed(module: Module, station: Station, line: Line) -> bool:
    """Whether a feeder device brings what lies at a station."""
    feeds = any(
        line.devices[device].declaration.capability is Capability.FEEDER for device in module.devices.values()
    )
    return bool(station.source) and feeds


def _place(world: World, station: Station) -> None:
    if station.sink:
        world.add_spot(Bin(station.name, world.count), positions(station.poses))
    elif station.source:
        magazine = Magazine(
            station.name, lambda t: world.make(t, world.material(station.source), station.name)
        )
        world.add_spot(magazine, positions(station.poses))
    elif station.grid:
        for index, place in enumerate(places(station)):
            world.add_spot(Nest(place), positions(station.poses, station.grid.offset(index)))
    elif station.capacity > 1:
        world.add_spot(Shelf(station.name, station.capacity, world.note), positions(station.poses))
    else:
        world.add_spot(Nest(station.name), positions(station.poses))


def places(station: Station) -> list[str]:
    """The places of a station: itself, or `station#0` and on of a grid of several nests."""
    count = station.grid.columns * station.grid.rows if station.grid else 1
    return [station.name] if count == 1 else [f"{station.name}#{index}" for index in range(count)]


def positions(poses: Mapping[str, Pose], offset: tuple[float, float] = (0.0, 0.0)) -> dict[str, Position]:
    """Where each arm's tool point goes, moved by `offset` along x and y, in the line's frame [m]."""
    dx, dy = offset
    return {arm: (pose.x + dx, pose.y + dy, pose.z) for arm, pose in poses.items()}
