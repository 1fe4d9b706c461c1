"""Whether a cyclic schedule can be carried out: every part is followed through every move, in seconds, cycle by cycle.

It shares no code with the search: that solves for an unknown period with orders and rounds, this takes the times as
they are and looks for the first thing that goes wrong. So it judges schedules from elsewhere too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

import numpy as np

from cellctl.plan.maxplus import Array
from cellctl.plan.schedule import CyclicSchedule, ScheduledMove
from cellctl.plan.transport import Exchange, Stay, TransportCell

ROUNDING = 1e-7  # of the period: instants no further apart are the same


class Rule(StrEnum):
    """What a schedule can break."""

    MOVES = "moves"  # a move is missing, or is not what the cell says
    WINDOW = "window"  # a part stays too short or too long
    ROBOT = "robot"  # a robot would have to be in two places
    STATION = "station"  # a part comes to a station that is full
    TRACK = "track"  # robots on one rail collide


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """The first thing that goes wrong: when [s], and what."""

    time: float
    rule: Rule
    what: str

    def __str__(self) -> str:
        return f"at {self.time:g} s: {self.what}"


@dataclass(frozen=True, slots=True)
class _Ride:
    """One move of one part, in absolute time."""

    move: ScheduledMove
    part: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Visit:
    """One part at one station, with who brings and who fetches it."""

    stay: Stay
    name: str
    arrives: float
    leaves: float
    brings: str
    fetches: str


def check_schedule(cell: TransportCell, schedule: CyclicSchedule, cycles: int = 3) -> Violation | None:
    """Carry the schedule out for so many periods, with all parts that are then in the cell.

    Returns the first violation, or `None` if the schedule can be carried out.
    """
    if wrong := _wrong_moves(cell, schedule):
        return Violation(0.0, Rule.MOVES, wrong)
    rides, visits = _history(cell, schedule, cycles)
    tolerance = ROUNDING * schedule.period
    found = [
        *_broken_windows(visits, tolerance),
        *_robots_in_two_places(cell, rides, tolerance),
        *_full_stations(cell, visits, tolerance),
        *_collisions(cell, rides, tolerance),
    ]
    return min(found, default=None)


def _wrong_moves(cell: TransportCell, schedule: CyclicSchedule) -> str:
    """Whether these are the moves of the cell's routes at all, before any time is looked at."""
    if not (math.isfinite(schedule.period) and schedule.period > 0.0):
        return f"a period of {schedule.period:g} s"
    for route in cell.routes:
        given = [move for move in schedule.moves if move.route == route.name]
        if route.returns and schedule.carriers.get(route.name, 0) < 1:
            return f"{route.name}: no carrier goes round"
        stations = [stay.station for stay in route.stays] + [route.stays[0].station] * route.returns
        if [(move.origin, move.target) for move in given] != list(pairwise(stations)):
            return f"{route.name}: the moves are not those of the route, in its order"
        for move in given:
            if wrong := _wrong_move(cell, move):
                return f"{route.name}: {move.origin} -> {move.target}: {wrong}"
    return ""


def _wrong_move(cell: TransportCell, move: ScheduledMove) -> str:
    names = list(cell.stations)
    needed = cell.loaded[names.index(move.origin), names.index(move.target)]
    reach = {robot.name: robot.reach for robot in cell.robots}.get(move.robot, frozenset())
    if not {move.origin, move.target} <= reach:
        return f"{move.robot} does not reach both"
    if not math.isclose(move.duration, needed):
        return f"{move.duration:g} s, it takes {needed:g} s"
    return "" if math.isfinite(move.start) else "no time"


def _history(cell: TransportCell, schedule: CyclicSchedule, cycles: int) -> tuple[list[_Ride], list[_Visit]]:
    """What happens to every part begun in the periods shown or in those before, whose parts are still there."""
    ends = [move.start + move.duration for move in schedule.moves]
    before = math.ceil((max(ends) - min(move.start for move in schedule.moves)) / schedule.period)
    rides, visits = [], []
    for route in cell.routes:
        moves = [move for move in schedule.moves if move.route == route.name]
        for part in range(-before, cycles):
            begin = part * schedule.period
            own = [_Ride(m, part, m.start + begin, m.start + begin + m.duration) for m in moves]
            rides += own
            stays = [(stay, a, b) for stay, (a, b) in zip(route.stays[1:], pairwise(own), strict=False)]
            if route.returns:
                again = moves[0].start + begin + schedule.carriers[route.name] * schedule.period
                following = _Ride(moves[0], part, again, again + moves[0].duration)
                stays.append((route.stays[0], own[-1], following))
            visits += [
                _Visit(stay, f"{route.name} {part}", a.end, b.start, a.move.robot, b.move.robot)
                for stay, a, b in stays
            ]
    return rides, visits


def _broken_windows(visits: Sequence[_Visit], tolerance: float) -> Iterator[Violation]:
    for visit in visits:
        stay, stayed = visit.stay, visit.leaves - visit.arrives
        if not stay.least - tolerance <= stayed <= stay.most + tolerance:
            what = f"{visit.name} stays at {stay.station} for {stayed:g} s, not {stay.least:g} s to {stay.most:g} s"
            yield Violation(visit.leaves, Rule.WINDOW, what)


def _robots_in_two_places(
    cell: TransportCell, rides: Sequence[_Ride], tolerance: float
) -> Iterator[Violation]:
    for robot in cell.robots:
        own = sorted((ride for ride in rides if ride.move.robot == robot.name), key=lambda ride: ride.start)
        for now, then in pairwise(own):
            travel = cell.empty_time(now.move.target, then.move.origin)
            if then.start < now.end + travel - tolerance:
                what = (
                    f"{robot.name} cannot be at {then.move.origin} yet: it is at {now.move.target} "
                    f"at {now.end:g} s, {travel:g} s away"
                )
                yield Violation(then.start, Rule.ROBOT, what)


def _full_stations(cell: TransportCell, visits: Sequence[_Visit], tolerance: float) -> Iterator[Violation]:
    for station, capacity in cell.stations.items():
        here = [visit for visit in visits if visit.stay.station == station]
        before = [
            [
                other
                for other in here
                if other.arrives < visit.arrives - tolerance and _is_there(cell, visit, other, tolerance)
            ]
            for visit in here
        ]
        # Of parts that come at one instant, those that find the most there, and leave first, come first: if any order
        # of theirs fits, this one does.
        turn = [(-len(found), visit.leaves, visit.name) for visit, found in zip(here, before, strict=True)]
        for visit, found, own in zip(here, before, turn, strict=True):
            ahead = [
                other
                for other, its in zip(here, turn, strict=True)
                if abs(other.arrives - visit.arrives) <= tolerance
                and its < own
                and _is_there(cell, visit, other, tolerance)
            ]
            if len(found) + len(ahead) >= capacity:
                names = ", ".join(sorted(other.name for other in (*found, *ahead)))
                what = f"{visit.name} comes to {station}, where {names} still is"
                yield Violation(visit.arrives, Rule.STATION, what)


def _is_there(cell: TransportCell, visit: _Visit, other: _Visit, tolerance: float) -> bool:
    """Whether another part, which came before, has not gone when this one is put down."""
    if other.fetches != visit.brings:
        return other.leaves + cell.pick > visit.arrives - cell.place + tolerance
    if cell.exchange is Exchange.SWAP:
        return other.leaves > visit.arrives + tolerance
    return other.leaves > visit.arrives - tolerance


def _collisions(cell: TransportCell, rides: Sequence[_Ride], tolerance: float) -> Iterator[Violation]:
    """Whether two robots on the rail would have to pass each other, whatever they do between their moves."""
    if cell.track is None:
        return
    for (r, left), (s, right) in combinations(enumerate(cell.robots), 2):
        for one in (ride for ride in rides if ride.move.robot == left.name):
            for other in (ride for ride in rides if ride.move.robot == right.name):
                time, excess = _worst_meeting(cell, one, other, (s - r) * cell.track.spacing)
                if excess > tolerance * cell.track.speed:
                    what = (
                        f"{left.name} ({one.move.origin} -> {one.move.target}) and {right.name} "
                        f"({other.move.origin} -> {other.move.target}) collide, {excess:g} m too near"
                    )
                    yield Violation(time, Rule.TRACK, what)


def _worst_meeting(cell: TransportCell, left: _Ride, right: _Ride, spacing: float) -> tuple[float, float]:
    """The instant [s] and the length [m] by which two rides come nearest to a collision, positive if they collide.

    Left at x at time t and right at y at time u are too near if x + spacing > y + speed |t - u|: even if the robot
    that is free at one of the two instants uses all its speed. Both sides are straight between corners.
    """
    assert cell.track is not None
    corners_left, x_left = _corners(cell, left)
    corners_right, x_right = _corners(cell, right)
    both = np.union1d(corners_left, corners_right)
    t = both[(both >= left.start) & (both <= left.end)]
    u = both[(both >= right.start) & (both <= right.end)]
    x = np.interp(t, corners_left, x_left)[:, None]
    y = np.interp(u, corners_right, x_right)[None, :]
    excess = x + spacing - y - cell.track.speed * np.abs(t[:, None] - u[None, :])
    i, k = np.unravel_index(np.argmax(excess), excess.shape)
    return float(max(t[i], u[k])), float(excess[i, k])


def _corners(cell: TransportCell, ride: _Ride) -> tuple[Array, Array]:
    """When a ride begins, sets out, arrives and ends [s], and where it is then [m]."""
    assert cell.track is not None
    begin, end = (cell.track.position[name] for name in (ride.move.origin, ride.move.target))
    times = [ride.start, ride.start + cell.pick, ride.end - cell.place, ride.end]
    return np.array(times), np.array([begin, begin, end, end])
