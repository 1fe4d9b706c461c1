"""A diverter, simulated: parts slide down a chute, are held at its inlet, and a flap turned into the chute sends them
into its lane. From rest a part slides s = a t^2 / 2, with a = g (sin slope - friction cos slope).
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, inf, radians, sin, sqrt

from cellctl.device import Point
from cellctl.line.model import Line, Module, Station
from cellctl_example.declarations import LaneOptions
from cellctl_sim.plant.items import FLOOR, Item
from cellctl_sim.plant.spots import Bin, Nest
from cellctl_sim.plant.world import World

SLOPE, FRICTION, GRAVITY = radians(45.0), 0.3, 9.81  # [rad], [-], [m/s^2]
SLIDE = GRAVITY * (sin(SLOPE) - FRICTION * cos(SLOPE))  # [m/s^2]
INLET = 0.1  # [m] from the belt's end to the inlet's stopper
FORK = 0.15  # [m] from the stopper to the first flap, and from each to the next
LANE = 0.2  # [m] from a flap to the eye of its lane
SEEN = 0.3  # [s] for which what falls into a lane covers its eye
TURN = 0.1  # [s] that a flap takes


def slide_time(way: float) -> float:
    """How long a part takes to slide so far from rest [s]."""
    return sqrt(2.0 * way / SLIDE)


class Lane:
    """One lane. `fork` is how far from the stopper its flap is; the last lane, where all others pass, has none."""

    def __init__(self, name: str, fork: float, flap: str) -> None:
        self.name, self.fork, self.has_flap = name, fork, bool(flap)
        self.is_set, self.still_at = not flap, -inf  # whether the flap is turned in, and when it rests
        self.seen_until = -inf

    def turn(self, t: float, on: bool) -> None:
        """Its flap's output."""
        self.is_set, self.still_at = on, t + TURN


class Chute:
    """The whole diverter. Fulfils `cellctl_sim.plant.belt.Receiver`."""

    def __init__(self, name: str, world: World, inlet: str, lanes: list[Lane]) -> None:
        self.name, self.inlet = name, Nest(inlet)
        self.lanes = sorted(lanes, key=lambda lane: lane.fork)
        self._world, self._raised = world, True
        self._coming: list[tuple[float, int, Callable[[float], None]]] = []  # what is due, in order
        self._order = 0
        self._timer = world.agenda.timer(self._happen)

    def receive(self, t: float, item: Item) -> None:
        """A part comes over the belt's end."""
        item.place = self.name
        item.record(t, f"slides into {self.name}")
        self._world.count(f"{self.name}.received")
        self._await(t + slide_time(INLET), lambda t: self._reach_inlet(t, item))

    def lower(self, t: float, on: bool) -> None:
        """The stopper's output: on lets pass what stands there."""
        self._raised = not on
        if on and self.inlet.item is not None:
            self._let_go(t, self.inlet.take(t))

    def sees(self, lane: Lane) -> bool:
        """What the lane's eye sees now."""
        return self._world.agenda.now < lane.seen_until

    def _reach_inlet(self, t: float, item: Item) -> None:
        if self.inlet.item is not None:
            self._lose(t, item, f"ran into the part at {self.inlet.name}")
        elif self._raised:
            self.inlet.put(t, item)
        else:
            self._let_go(t, item)

    def _let_go(self, t: float, item: Item) -> None:
        item.place = self.name
        self._await(t + slide_time(self.lanes[0].fork), lambda now: self._reach_fork(now, item, t, 0))

    def _reach_fork(self, t: float, item: Item, began: float, at: int) -> None:
        """At a flap that is turned in, into its lane; else on to the next."""
        lane = self.lanes[at]
        if t < lane.still_at:
            self._lose(t, item, f"was caught by the flap of {lane.name}")
        elif lane.is_set:
            self._await(began + slide_time(lane.fork + LANE), lambda t: self._fall(t, item, lane))
        elif at + 1 < len(self.lanes):
            following = began + slide_time(self.lanes[at + 1].fork)
            self._await(following, lambda t: self._reach_fork(t, item, began, at + 1))
        else:
            self._lose(t, item, "found no open lane")

    def _fall(self, t: float, item: Item, lane: Lane) -> None:
        self._world.spot(lane.name).put(t, item)
        lane.seen_until = round(t + SEEN, 6)
        self._await(lane.seen_until, lambda t: None)

    def _lose(self, t: float, item: Item, how: str) -> None:
        item.place = FLOOR
        item.record(t, how)
        self._world.note(t, f"{self.name}: a part {how}")

    def _await(self, due: float, happens: Callable[[float], None]) -> None:
        self._order += 1
        self._coming.append((round(due, 6), self._order, happens))
        self._coming.sort(key=lambda entry: entry[:2])
        self._timer.set(self._coming[0][0])

    def _happen(self, t: float) -> None:
        while self._coming and self._coming[0][0] <= t:
            self._coming.pop(0)[2](t)
        self._timer.set(self._coming[0][0] if self._coming else inf)


def put_up(world: World, line: Line, module: Module) -> None:
    """A module of the kind `diverter`: the station with the stopper is its inlet, the sinks are its lanes."""
    inlet = next(station for station in module.stations if station.stopper)
    sinks = [station for station in module.stations if station.sink]
    flapped = [station.name for station in sinks if _flap(station)]
    lanes = {
        s.name: Lane(s.name, FORK * (1 + _place(flapped, s.name)), _flap(s)) for s in sinks
    }  # the one without a flap behind all others
    chute = Chute(module.name, world, inlet.name, list(lanes.values()))
    world.receivers[module.name] = chute
    world.add_spot(chute.inlet)
    world.signals.wire_input(Point.parse(inlet.eye), lambda: chute.inlet.item is not None)
    world.signals.wire_output(Point.parse(inlet.stopper), chute.lower)
    for station in sinks:
        _add_lane(world, chute, station, lanes[station.name])


def _add_lane(world: World, chute: Chute, station: Station, lane: Lane) -> None:
    world.add_spot(Bin(lane.name, world.count))
    world.signals.wire_input(Point.parse(station.eye), lambda: chute.sees(lane))
    if lane.has_flap:
        world.signals.wire_output(Point.parse(_flap(station)), lane.turn)


def _flap(station: Station) -> str:
    return station.options.flap if isinstance(station.options, LaneOptions) else ""


def _place(flapped: list[str], name: str) -> int:
    return flapped.index(name) if name in flapped else len(flapped)
