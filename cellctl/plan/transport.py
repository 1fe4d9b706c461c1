"""A cell in which robots carry parts from station to station: what is given before there is a schedule.

The hoists of a plating line, an arm that tends machines, two arms on one rail: parts follow a route, each stays at a
station for a time between a least and a most, and somebody has to be there to fetch it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from cellctl.errors import UnknownName
from cellctl.plan.errors import BadPlan
from cellctl.plan.maxplus import Array


class Exchange(StrEnum):
    """What one robot can do at an occupied station.

    The literature is divided, often silently, and its optima differ accordingly.
    """

    STRICT = "strict"
    """It has one gripper: the part there must be carried away before the robot can come back with the next."""
    SWAP = "swap"
    """It brings a part and takes the one that is there, at the same instant, without any time for it."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A part at a station, for a time between `least` and `most` [s]; equal: it must leave at once (no-wait)."""

    station: str
    least: float = 0.0
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class Route:
    """The stays of one part, in order. One part of each route is begun in each period.

    An open route begins at a source, where there is always a part, and ends at a sink, which always takes one: times
    of its first and last stay do not count. On a route that `returns` a carrier goes round: from the last stay back
    to the first, where it is unloaded and loaded; the number of carriers may be given.
    """

    name: str
    stays: tuple[Stay, ...]
    returns: bool = False
    carriers: int | None = None


@dataclass(frozen=True, slots=True)
class Robot:
    """A transport robot and the stations that it reaches."""

    name: str
    reach: frozenset[str]


@dataclass(frozen=True, slots=True)
class Track:
    """A rail on which all robots ride, in their order from low to high positions, none passing another.

    Args:
        position: of each station along the rail [m].
        speed: of a robot without a part, which no robot exceeds [m/s].
        spacing: between the reference points of neighbours, at least [m].
    """

    position: Mapping[str, float]
    speed: float
    spacing: float = 0.0


@dataclass(frozen=True, slots=True)
class Move:
    """One transport of the cycle: the part of a route leaves the stay `stage` for the next one."""

    route: int
    stage: int
    origin: str
    target: str
    duration: float  # [s], from the begin of picking to the end of placing
    robots: tuple[int, ...]  # those that reach both ends


@dataclass(frozen=True, slots=True, eq=False)
class TransportCell:
    """Stations with their capacities, routes, robots, and the times of all movements.

    Args:
        stations: how many parts each holds, by name; the order is that of the tables.
        loaded: from station (row) to station, with picking and placing, shape (n, n) [s]; NaN where nobody goes.
        empty: from station (row) to station without a part, shape (n, n) [s].
        pick, place: the parts of a loaded move in which the robot is at its origin and at its target [s]. Another
            robot may enter a station only outside of them; with a track the robot stands still meanwhile.
        exchange: what a robot can do at an occupied station.

    Raises:
        BadPlan: a figure is missing, negative or contradicts another; it says which.
        UnknownName: a station that is not in the table.
    """

    stations: Mapping[str, int]
    routes: tuple[Route, ...]
    robots: tuple[Robot, ...]
    loaded: Array
    empty: Array
    pick: float = 0.0
    place: float = 0.0
    exchange: Exchange = Exchange.STRICT
    track: Track | None = None

    def __post_init__(self) -> None:
        _check_names(self)
        _check_tables(self)
        for route in self.routes:
            _check_route(route)
        _check_moves(self)

    def index(self, station: str) -> int:
        """The row of a station in the tables."""
        return list(self.stations).index(station)

    def empty_time(self, origin: str, target: str) -> float:
        """Of a robot without a part [s]."""
        return float(self.empty[self.index(origin), self.index(target)])

    def moves(self) -> tuple[Move, ...]:
        """The transports of one period, route by route, in the order of the stays."""
        return tuple(
            move for number, route in enumerate(self.routes) for move in self._moves_of(number, route)
        )

    def _moves_of(self, number: int, route: Route) -> Iterator[Move]:
        ends = route.stays[1:] + (route.stays[:1] if route.returns else ())
        for stage, (begin, end) in enumerate(zip(route.stays, ends, strict=False)):
            duration = float(self.loaded[self.index(begin.station), self.index(end.station)])
            able = [r for r, robot in enumerate(self.robots) if {begin.station, end.station} <= robot.reach]
            yield Move(number, stage, begin.station, end.station, duration, tuple(able))

    def repeated(self, parts: int) -> TransportCell:
        """The same cell with so many parts of each route in one period: its schedule need not treat them alike."""
        if parts < 1:
            raise BadPlan("transport cell", f"{parts} parts a period", "it must be at least 1")
        if parts == 1:
            return self
        routes = (replace(route, name=f"{route.name}#{k + 1}") for route in self.routes for k in range(parts))
        return replace(self, routes=tuple(routes))


def _check_names(cell: TransportCell) -> None:
    if not cell.stations or not cell.routes or not cell.robots:
        raise BadPlan("transport cell", "stations, routes or robots are missing")
    used = [stay.station for route in cell.routes for stay in route.stays]
    used += [station for robot in cell.robots for station in sorted(robot.reach)]
    for station in used:
        if station not in cell.stations:
            raise UnknownName("station", station, cell.stations)
    if cell.track and (missing := cell.stations.keys() - cell.track.position.keys()):
        raise BadPlan("track", f"no position for {', '.join(sorted(missing))}")
    for names in ([route.name for route in cell.routes], [robot.name for robot in cell.robots]):
        if len(set(names)) < len(names):
            raise BadPlan("transport cell", f"a name is used twice among {', '.join(names)}")
    for station, capacity in cell.stations.items():
        if capacity < 1:
            raise BadPlan(station, f"capacity {capacity}", "a station holds at least one part")


def _check_tables(cell: TransportCell) -> None:
    names = list(cell.stations)
    for what, table in (("loaded", cell.loaded), ("empty", cell.empty)):
        if np.shape(table) != (len(names), len(names)):
            raise BadPlan(f"{what} times", f"shape {np.shape(table)}", f"there are {len(names)} stations")
        if np.any(np.asarray(table) < 0.0) or np.any(np.isinf(table)):
            raise BadPlan(f"{what} times", "a time is negative or infinite")
    if np.any(np.isnan(cell.empty)):
        raise BadPlan("empty times", "an entry is missing", "give the time between any two stations")
    if min(cell.pick, cell.place) < 0.0:
        raise BadPlan("transport cell", "picking or placing takes a negative time")


def _check_route(route: Route) -> None:
    if len(route.stays) < 2:
        raise BadPlan(route.name, "a route needs two stays at least")
    following = route.stays[1:] + (route.stays[:1] if route.returns else ())
    for stay, after in zip(route.stays, following, strict=False):
        if stay.station == after.station:
            raise BadPlan(route.name, f"{stay.station} follows itself", "make it one stay")
    for stay in route.stays:
        if not 0.0 <= stay.least <= stay.most or math.isinf(stay.least):
            raise BadPlan(route.name, f"{stay.station}: {stay.least:g} s to {stay.most:g} s is no window")
    if route.carriers is not None and (route.carriers < 1 or not route.returns):
        raise BadPlan(
            route.name, f"{route.carriers} carriers", "only a route that returns has carriers, one at least"
        )


def _check_moves(cell: TransportCell) -> None:
    for move in cell.moves():
        way = f"{move.origin} to {move.target}"
        if math.isnan(move.duration):
            raise BadPlan("loaded times", f"{way} is needed and missing")
        if not move.robots:
            raise BadPlan(way, "no robot reaches both ends")
        if (
            move.duration < max(cell.pick + cell.place, cell.empty_time(move.origin, move.target))
            or not move.duration
        ):
            raise BadPlan(
                way, f"{move.duration:g} s loaded", "it takes longer than picking and placing, and than empty"
            )
    _check_detours(cell)
    if cell.track:
        _check_track(cell, cell.track)


def _check_detours(cell: TransportCell) -> None:
    """Of two moves the later must not come sooner because a third lies between them: then a table is wrong."""
    moves = cell.moves()
    begins, ends = ([cell.index(name) for name in names] for names in _ends(moves))
    direct = cell.empty[np.ix_(ends, begins)]  # from the end of one move to the begin of another
    duration = np.array([move.duration for move in moves])
    detour = direct[:, :, None] + duration[None, :, None] + direct[None, :, :]
    longer = direct[:, None, :] > detour + 1e-9 * (1.0 + detour)
    if np.any(longer):
        a, b, c = (moves[n] for n in np.argwhere(longer)[0])
        raise BadPlan(
            "empty times",
            f"{a.target} to {c.origin} takes longer than with a part from {b.origin} to {b.target} on the way",
            "give the shortest way",
        )


def _ends(moves: tuple[Move, ...]) -> tuple[list[str], list[str]]:
    return [move.origin for move in moves], [move.target for move in moves]


def _check_track(cell: TransportCell, track: Track) -> None:
    """No robot may be faster than the track's speed, loaded or empty: collisions are excluded by it."""
    if not track.speed > 0.0 or track.spacing < 0.0:
        raise BadPlan("track", f"speed {track.speed:g} m/s, spacing {track.spacing:g} m")
    x = np.array([track.position[name] for name in cell.stations])
    distance = np.abs(x[:, None] - x[None, :])
    loaded = cell.loaded - cell.pick - cell.place
    for what, table in (("loaded", loaded), ("empty", cell.empty)):
        fast = distance > track.speed * np.where(np.isnan(table), np.inf, table) + 1e-9
        if np.any(fast):
            i, j = (list(cell.stations)[n] for n in np.argwhere(fast)[0])
            raise BadPlan(f"{what} times", f"{i} to {j} is faster than the track's {track.speed:g} m/s")
