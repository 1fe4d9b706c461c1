"""Consecutive moves blended at their corners: the next leg begins before the one before it has ended.

Along a chain of legs every leg has a progress from 0 to 1. In the zone around a corner the progress of one
leg fades out while that of the next fades in, by a cubic step of their speeds; outside only one leg moves.
So the path stays on the legs outside the zones and is twice continuously differentiable through them, which
is what a bounded acceleration asks for. Places and joints are then sums over the legs, orientations products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.path import INTERVALS, JointPath, joint_path
from cellctl.motion.ramp import quotient
from cellctl.motion.transforms import Array, rigid
from cellctl.motion.twists import exp_rotation, log_rotation

TURN_RADIUS = 0.1  # [m/rad] a leg that mostly turns counts as long as this lever swings
ROUNDING = 1e-9  # relative


def progress(lengths: npt.ArrayLike, zones: npt.ArrayLike, s: npt.ArrayLike) -> Array:
    """How far each leg is done at fractions `s` of the whole way, shape (..., m, legs), each 0 to 1.

    A corner is cut by 3/16 of the zone times the length of the difference of the two directions: 0.27 of
    the zone at a right angle.

    Args:
        lengths: of the legs, shape (..., legs).
        zones: around each corner, how far it reaches into both legs, shape (..., legs - 1); 0 is a sharp
            corner, which only a stop can pass.
        s: shape (m,).

    Raises:
        BadMotionLimit: when a zone is negative, or the zones of a leg together are longer than it.
    """
    lengths, zones = np.asarray(lengths, float), np.asarray(zones, float)
    zones = np.broadcast_to(zones, (*lengths.shape[:-1], lengths.shape[-1] - 1))
    _check_zones(lengths, zones)
    ends = np.cumsum(lengths, axis=-1)
    corner, zone = ends[..., None, :-1], zones[..., None, :]
    way = np.asarray(s, float)[:, None] * ends[..., None, -1:]  # (..., m, 1)
    wide = np.maximum(2.0 * zone, ROUNDING * ends[..., None, -1:])
    x = np.where(zone > 0.0, np.clip((way - corner + zone) / wide, 0.0, 1.0), 0.0)
    beyond = 2.0 * zone * x**3 * (1.0 - 0.5 * x) + np.maximum(way - corner - zone, 0.0)  # (..., m, legs - 1)
    last = np.zeros((*beyond.shape[:-1], 1))
    begun = np.concatenate((np.broadcast_to(way, last.shape), beyond), axis=-1)
    left = np.concatenate((beyond, last), axis=-1)
    return quotient(begun - left, lengths[..., None, :] + 0.0 * begun)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The tool straight from pose to pose, blended at the corners.

    Args:
        T: the poses, shape (..., legs + 1, 4, 4).
        zones: around each corner [m], shape (..., legs - 1), as `progress` takes them.
    """

    T: Array
    zones: Array

    @property
    def shifts(self) -> Array:
        """From pose to pose, shape (..., legs, 3) [m]."""
        return np.asarray(np.diff(self.T[..., :3, 3], axis=-2))

    @property
    def turns(self) -> Array:
        """Rotation vectors from pose to pose, each in the frame of the first, shape (..., legs, 3) [rad]."""
        R = self.T[..., :3, :3]
        return log_rotation(np.swapaxes(R[..., :-1, :, :], -1, -2) @ R[..., 1:, :, :])

    @property
    def lengths(self) -> Array:
        """Of the legs, shape (..., legs) [m]: how far the tool goes, or how far it turns times a lever."""
        turned = TURN_RADIUS * np.linalg.norm(self.turns, axis=-1)
        return np.asarray(np.maximum(np.linalg.norm(self.shifts, axis=-1), turned))

    def poses(self, s: Array) -> Array:
        """Poses at fractions `s`, shape (m,), shape (..., m, 4, 4).

        Raises:
            BadMotionLimit: as `progress`.
        """
        done, turns = progress(self.lengths, self.zones, s), self.turns
        place = self.T[..., :1, :3, 3] + done @ self.shifts
        R = np.broadcast_to(self.T[..., :1, :3, :3], (*place.shape, 3))
        for leg in range(turns.shape[-2]):
            R = R @ exp_rotation(done[..., leg, None] * turns[..., None, leg, :])
        return rigid(R, place)


def widest_zones(lengths: npt.ArrayLike) -> Array:
    """The widest zones for legs of these lengths (..., legs) that share inner legs evenly, shape (..., legs - 1)."""
    free = np.array(lengths, float)
    free[..., 1:-1] *= 0.5
    return np.asarray(np.minimum(free[..., 1:], free[..., :-1]))


def joint_chain(
    q: npt.ArrayLike, v_max: npt.ArrayLike, blend: float = 1.0, intervals: int = INTERVALS
) -> JointPath:
    """Straight in joint space from one joint vector to the next, blended at the corners.

    Legs count as long as their slowest joint takes at full speed.

    Args:
        q: shape (..., legs + 1, n).
        v_max: joint speeds, shape (n,).
        blend: the zones as a share of the widest, 0 to 1.

    Raises:
        BadMotionLimit: when `blend` is out of range.
    """
    if not 0.0 <= blend <= 1.0:
        raise BadMotionLimit("blend", blend, "is not between 0 and 1")
    q = np.asarray(q, float)
    change = np.diff(q, axis=-2)
    lengths = np.max(np.abs(change) / np.asarray(v_max, float), axis=-1)
    done = progress(lengths, blend * widest_zones(lengths), np.linspace(0.0, 1.0, intervals + 1))
    return joint_path(q[..., :1, :] + done @ change)


def _check_zones(lengths: Array, zones: Array) -> None:
    good = zones >= 0.0
    if not np.all(good):
        raise BadMotionLimit("corner zone [m]", float(zones[~good].flat[0]), "is not at least 0")
    none = np.zeros((*zones.shape[:-1], 1))
    taken = np.concatenate((none, zones), axis=-1) + np.concatenate((zones, none), axis=-1)
    fits = taken <= lengths * (1.0 + ROUNDING)
    if not np.all(fits):
        why = f"are longer together than the leg of {lengths[~fits].flat[0]:g} m that they share"
        raise BadMotionLimit("corner zones [m]", float(taken[~fits].flat[0]), why)
