"""Where an arm's tool point goes: the line's poses of stations and nests, seen from the arm's base."""

from __future__ import annotations

from dataclasses import replace

from cellctl.device import Pose
from cellctl.errors import Refused, UnknownName
from cellctl.line.model import Line, Station, station_of
from cellctl.motion.transforms import Array, compose, from_xyz_euler, inverse, to_xyz_euler


class Reachable:
    """The poses of one arm. All results are in its base frame; computed once for each place."""

    def __init__(self, line: Line, arm: str, base: Pose) -> None:
        self._line, self._arm = line, arm
        self._T_base_line = inverse(_transform(base))
        self._known: dict[tuple[str, float], Pose] = {}

    def at(self, place: str, above: float = 0.0) -> Pose:
        """Where the tool point grips what lies at a place; `above` it, in the line's up direction [m].

        The nest of a carrier is named with the station at which that stands: `P1#0@loop.load`.

        Raises UnknownName for no station, Refused for one that this arm has no pose for.
        """
        if (place, above) not in self._known:
            self._known[place, above] = self._from_base(raised(self._in_line(place), above))
        return self._known[place, above]

    def approach(self, place: str) -> Pose:
        """Straight above a place, where motion to and from it begins and ends."""
        return self.at(place, self._station(place).approach)

    def via(self, place: str) -> tuple[Pose, ...]:
        """What is passed on the way to its approach, in that order."""
        return tuple(self._from_base(pose) for pose in self._station(place).via)

    def in_line(self, pose: Pose) -> Pose:
        """A pose in the arm's base frame as the line sees it."""
        return _pose(compose(inverse(self._T_base_line), _transform(pose)))

    def _station(self, place: str) -> Station:
        on_carrier, _, standing = place.partition("@")
        return self._line.station(station_of(standing or on_carrier))

    def _in_line(self, place: str) -> Pose:
        station = self._station(place)
        pose = station.pose_for(self._arm)
        if pose is None:
            raise Refused(
                f"{station.name} has no pose for {self._arm}; teach one, or write it in the line file"
            )
        nest = place.partition("@")[0].partition("#")[2]
        if "@" in place:
            return self._on_carrier(pose, station_of(place), int(nest))
        return in_grid(pose, station, int(nest)) if station.grid and nest else pose

    def _on_carrier(self, pose: Pose, name: str, nest: int) -> Pose:
        carrier = next((each for each in self._line.carriers if each.id == name), None)
        if carrier is None:
            raise UnknownName("carrier", name, (each.id for each in self._line.carriers))
        dx, dy = carrier.offset(nest)
        return replace(pose, x=pose.x + dx, y=pose.y + dy)

    def _from_base(self, pose: Pose) -> Pose:
        return _pose(compose(self._T_base_line, _transform(pose)))


def in_grid(pose: Pose, station: Station, nest: int) -> Pose:
    """The pose of nest `nest` of a station whose nest 0 is at `pose`.

    Raises Refused for a nest that the grid does not have.
    """
    grid = station.grid
    assert grid is not None
    if not 0 <= nest < grid.columns * grid.rows:
        raise Refused(f"{station.name} has nests 0 to {grid.columns * grid.rows - 1}, not {nest}")
    dx, dy = grid.offset(nest)
    return replace(pose, x=pose.x + dx, y=pose.y + dy)


def raised(pose: Pose, above: float) -> Pose:
    """The pose so much higher in the line's frame [m]."""
    return Pose(pose.x, pose.y, pose.z + above, pose.alpha, pose.beta, pose.gamma)


def _transform(pose: Pose) -> Array:
    return from_xyz_euler((pose.x, pose.y, pose.z), (pose.alpha, pose.beta, pose.gamma))


def _pose(T: Array) -> Pose:
    xyz, angles = to_xyz_euler(T)
    return Pose(*(float(value) for value in (*xyz, *angles)))
