"""Robots on one rail: at what distance in time two moves of neighbours cannot collide.

A robot's moves are given; what it does between them is free, as long as it is where it must be in time. Two robots
can keep their order exactly if, at any time t of a move of the left one and any time u of a move of the right one,
x_left(t) + spacing <= x_right(u) + speed |t - u|: if so, "as far left as your own moves and your left neighbour
allow" is a path for every robot that has the speed and keeps the spacing (the extension of E. J. McShane, "Extension
of range of functions", Bulletin of the AMS 40 (1934)). The rail must be long enough to get out of the way at its ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from cellctl.plan.maxplus import Array
from cellctl.plan.transport import Move, Track, TransportCell

TOUCHING = 1e-9  # [m]; positions no nearer than the spacing less this do not collide


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where a robot is during a move: straight lines between times [s] after its begin and positions [m]."""

    times: Array
    positions: Array


def path(cell: TransportCell, track: Track, move: Move) -> Path:
    """It picks, travels with constant speed, and places."""
    begin, end = track.position[move.origin], track.position[move.target]
    times = [0.0, cell.pick, move.duration - cell.place, move.duration]
    return Path(np.array(times), np.array([begin, begin, end, end]))


def forbidden_offsets(left: Path, right: Path, track: Track, neighbours: int) -> tuple[float, float] | None:
    """The open interval of (begin of right move) - (begin of left move) [s] in which they collide, or `None`.

    Args:
        neighbours: how many places apart the two robots ride on the rail, at least 1.

    The offsets that one pair of instants forbids form an interval, and neighbouring instants forbid overlapping ones;
    as both paths are monotone the instants that matter hang together, so that all of it is one interval.
    """
    spacing = neighbours * track.spacing
    t = np.union1d(left.times, _times_at(left, right.positions - spacing))
    u = np.union1d(right.times, _times_at(right, left.positions + spacing))
    x_left = np.interp(t, left.times, left.positions)[:, None]
    x_right = np.interp(u, right.times, right.positions)[None, :]
    excess = x_left + spacing - x_right
    colliding = excess > TOUCHING
    if not np.any(colliding):
        return None
    near = binary_dilation(colliding, np.ones((3, 3), bool)) & (
        excess >= -TOUCHING
    )  # with the corners around
    between = t[:, None] - u[None, :]
    lowest = np.min((between - excess / track.speed)[near])
    highest = np.max((between + excess / track.speed)[near])
    return float(lowest), float(highest)


def _times_at(way: Path, positions: Array) -> Array:
    """The times at which a path passes those of the positions that lie strictly inside it."""
    (_, begin, end, _), (_, leave, arrive, _) = way.positions, way.times
    if begin == end:
        return np.empty(0)
    share = (positions - begin) / (end - begin)
    share = share[(share > 0.0) & (share < 1.0)]
    return np.asarray(leave + share * (arrive - leave))
