"""Whether an arm can do what its stations ask of it: stand above them, go straight down, pass the points on the way.

All poses of one arm and tool are looked at together, from every posture in which the arm may come: after homing, and
from every other of its stations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cellctl.device import Pose
from cellctl.errors import CellctlError
from cellctl.kinds import ArmOptions
from cellctl.line.model import Line, Module, Station, Tool
from cellctl.line.reachable import Reachable
from cellctl.motion.robot import Robot
from cellctl.motion.transforms import Array
from cellctl.motion.twists import between
from cellctl.plan.arm_course import FLIP, SAMPLES, matrix, wearing

ROUNDS = 2  # postures that come of postures; the arm's own do not change any more after that
ALIKE = 3  # decimals of a joint angle [rad] in which postures are told apart
MOST_POSTURES = 64  # from which arrivals are looked at; a tray's nests are mostly reached alike


@dataclass(frozen=True, slots=True)
class Trouble:
    """What an arm cannot do. `always` is False where it depends on where the arm comes from."""

    arm: str
    tool: str
    place: str
    which: str  # of its poses: "pose", "approach", "via 2"
    pose: Pose  # in the line's frame, of the tool's point
    why: str
    always: bool = True

    def words(self) -> str:
        """For people, with the pose in millimetres in the line's frame."""
        at = ", ".join(f"{1000 * value:g}" for value in (self.pose.x, self.pose.y, self.pose.z))
        return (
            f"{self.arm} with {self.tool} cannot reach the {self.which} of {self.place} ({at} mm): {self.why}"
        )


def places_of(line: Line, station: Station) -> Iterator[str]:
    """The places that a station may have for an arm: itself, the nests of its grid, those of carriers that come."""
    if station.grid:
        yield from (f"{station.name}#{n}" for n in range(station.grid.columns * station.grid.rows))
        return
    belts = {line.stations[carrier.home].module for carrier in line.carriers}
    if station.at is None or station.module not in belts:
        yield station.name
        return
    for carrier in line.carriers:
        if line.stations[carrier.home].module == station.module:
            yield from (f"{carrier.id}#{n}@{station.name}" for n in range(carrier.nests))


def troubles(line: Line, module: Module, tool: Tool) -> dict[str, tuple[Trouble, ...]]:
    """What the arm with this tool on cannot do at its stations, by station; those without trouble are left out.

    Raises UnknownName for a robot that the library does not have.
    """
    assert isinstance(module.options, ArmOptions)
    arm = wearing(module.options.robot, tool)
    poses = Reachable(line, module.name, module.options.base.pose())
    stations = [station for station in line.stations.values() if station.pose_for(module.name) is not None]
    places = [(station, place) for station in stations for place in places_of(line, station)]
    found: dict[str, list[Trouble]] = {}
    able: list[tuple[Station, str]] = []
    for station, place in places:
        wrong = list(_out_of_reach(arm, poses, module, tool, place))
        found.setdefault(station.name, []).extend(wrong)
        if not wrong:
            able.append((station, place))
    for station, trouble in _no_way_down(arm, poses, module, tool, able):
        found[station.name].append(trouble)
    return {name: tuple(each) for name, each in found.items() if each}


def _out_of_reach(arm: Robot, poses: Reachable, module: Module, tool: Tool, place: str) -> Iterator[Trouble]:
    """The poses of a place that no posture reaches."""
    home = np.zeros(arm.dof)
    named = [("pose", poses.at(place)), ("approach", poses.approach(place))]
    named += [(f"via {n}", pose) for n, pose in enumerate(poses.via(place), start=1)]
    for which, pose in named:
        try:
            arm.joints_near(matrix(pose), home)
        except CellctlError as error:
            yield Trouble(module.name, tool.name, place, which, poses.in_line(pose), str(error))


def _no_way_down(
    arm: Robot, poses: Reachable, module: Module, tool: Tool, places: Sequence[tuple[Station, str]]
) -> Iterator[tuple[Station, Trouble]]:
    """The places to which the line from the approach cannot be followed, in some posture or in all."""
    if not places:
        return
    T_above = np.array([matrix(poses.approach(place)) for _, place in places])
    T_at = np.array([matrix(poses.at(place)) for _, place in places])
    ways = [[matrix(pose) for pose in (*poses.via(place), poses.approach(place))] for _, place in places]
    for (station, place), above, at, postures in zip(
        places, T_above, T_at, _postures(arm, ways), strict=True
    ):
        lines = between(above, at, np.linspace(0.0, 1.0, SAMPLES + 1))
        broken = [_broken(arm.ik_near(lines, q)) for q in postures]
        stuck = [share for share in broken if share is not None]
        if stuck:
            always = len(stuck) == len(broken)
            why = f"the straight way down from its approach cannot be followed beyond {min(stuck):.0%}"
            why += "" if always else " in the posture in which the arm may come to it"
            pose = poses.in_line(poses.at(place))
            yield station, Trouble(module.name, tool.name, place, "pose", pose, why, always)


def _postures(arm: Robot, ways: Sequence[Sequence[Array]]) -> list[Array]:
    """Above each place the joints (k, dof) in which the arm may come to it, from home and from above the others."""
    found: list[Array] = [np.empty((0, arm.dof)) for _ in ways]
    come_from = np.zeros((1, arm.dof))
    for _ in range(ROUNDS):
        for n, way in enumerate(ways):
            q = come_from
            for T in way:
                q = arm.ik_near(T, q)
            q = q[~np.isnan(q).any(axis=-1)]
            found[n] = _different(np.concatenate((found[n], q)))
        come_from = _different(np.concatenate(found))[:MOST_POSTURES]
    return found


def _different(q: Array) -> Array:
    _, first = np.unique(np.round(q, ALIKE), axis=0, return_index=True)
    return q[np.sort(first)]


def _broken(q: Array) -> float | None:
    """The share of a line (n, dof) that can be followed; None when all of it can."""
    wrong = np.isnan(q[1:]).any(axis=-1) | (np.abs(np.diff(q, axis=0)).max(axis=-1) > FLIP)
    return float(np.argmax(wrong)) / (len(q) - 1) if wrong.any() else None
