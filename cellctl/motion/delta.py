"""Delta robots: three arms on a fixed plate, each with a parallelogram to one platform that keeps upright.

Lengths and equations: R. L. Williams II, "The Delta Parallel Robot: Kinematics Solutions", Ohio University,
January 2016; solved here with two-argument arctangents, and the three spheres in the plane of their centres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion import upright
from cellctl.motion.errors import OutOfReach
from cellctl.motion.geometry import STRETCHED, wrapped
from cellctl.motion.transforms import Array

AZIMUTHS = np.radians((-90.0, 30.0, 150.0))  # of the three arms, seen from above
SIDES = np.arange(8)[:, None] >> np.arange(3) & 1  # of each knee in each solution: 0 outward, 1 inward


@dataclass(frozen=True, slots=True)
class Delta:
    """Lengths [m]: centre of the base to an arm's axis, arm, rod, centre of the platform to its joints.

    Joints: the three arms [rad], 0 horizontal, positive downward, and the heading of the tool when
    `can_turn`. The base frame lies in the plane of the arms' axes with arm 1 toward -y; the platform hangs
    below it. Solution 0 has all knees outward, as such robots are built; in the others one or more point
    inward (bit i of the number: arm i + 1). NaN also where the platform would hang on the other side of its
    knees.
    """

    base: float
    arm: float
    rod: float
    platform: float
    can_turn: bool = True

    @property
    def turns(self) -> tuple[bool, ...]:
        """All joints turn."""
        return (True,) * (4 if self.can_turn else 3)

    @property
    def solutions(self) -> int:
        """Each knee outward or inward."""
        return 8

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, dof), into `out`, shape (n, 4, 4); NaN where rods do not meet."""
        heading = q[:, 3] if self.can_turn else np.zeros(len(q))
        upright.write_poses(heading, _below(self._knees(q[:, :3]), self.rod), out)

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write all solutions for poses (n, 4, 4) into `out`, shape (n, 8, dof); see `Geometry`."""
        heading, tilt = upright.heading_of(T)
        if not self.can_turn:
            tilt = np.maximum(tilt, np.abs(heading))
        ahead, aside, up = self._seen_from_arms(T[:, :3, 3])
        along = (ahead**2 + aside**2 + up**2 + self.arm**2 - self.rod**2) / (2.0 * self.arm)
        from_axis = np.hypot(ahead, up)
        out_of_reach = (np.abs(along) > from_axis * (1.0 + STRETCHED)) | (tilt > upright.TILT)
        across = np.sqrt(np.maximum((from_axis - along) * (from_axis + along), 0.0))
        spread = np.where(out_of_reach, np.nan, np.arctan2(across, along))
        direction = np.arctan2(-up, ahead)
        both = wrapped(
            np.stack((direction - spread, direction + spread), axis=-1)
        )  # outward, inward; (3, n, 2)
        both = both.transpose(1, 2, 0)
        rods = T[:, None, None, :3, 3] - self._knees(both)  # (n, 2, 3 arms, 3)
        arms = np.arange(3)
        hangs = _hang(rods[:, SIDES, arms])  # (n, 8)
        out[..., :3] = both[:, SIDES, arms]
        if self.can_turn:
            out[..., 3] = heading[:, None]
        out[~hangs] = np.nan

    def jacobian(self, q: Array) -> Array:
        """The flange's velocity by joint, shape (n, 6, dof); see `Geometry`.

        Rods keep their length: each rod's direction times (platform velocity - knee velocity) is 0. NaN
        where all rods lie in one plane and cannot hold the platform.
        """
        flange = np.zeros((len(q), 4, 4))
        self.forward(q, flange)
        rods = flange[:, None, :3, 3] - self._knees(q[:, :3])  # (n, 3, 3)
        s, c = np.sin(q[:, :3]), np.cos(q[:, :3])
        swing = self.arm * np.stack((-s * np.cos(AZIMUTHS), -s * np.sin(AZIMUTHS), -c), axis=-1)
        by_arm = np.sum(rods * swing, axis=-1)  # (n, 3)
        across = np.cross(rods[:, (1, 2, 0)], rods[:, (2, 0, 1)])  # rows of the adjugate, (n, 3, 3)
        volume = np.sum(rods[:, 0] * across[:, 0], axis=-1)
        volume[volume == 0.0] = np.nan
        linear = np.swapaxes(across * (by_arm / volume[:, None])[:, :, None], -1, -2)
        if not self.can_turn:
            return upright.jacobian(linear, np.zeros(3))
        linear = np.concatenate((linear, np.zeros((len(q), 3, 1))), axis=-1)
        return upright.jacobian(linear, np.array((0.0, 0.0, 0.0, 1.0)))

    def beyond_reach(self, T: Array) -> Array:
        """How far the worst arm is from reaching, shape (n,) [m], measured in the plane that it moves in."""
        ahead, aside, up = self._seen_from_arms(T[:, :3, 3])
        rod = np.sqrt(np.maximum(self.rod**2 - aside**2, 0.0))
        reach = np.hypot(ahead, up)
        beyond = np.maximum(reach - (self.arm + rod), np.abs(self.arm - rod) - reach)
        return np.asarray(np.maximum(np.maximum(beyond, np.abs(aside) - self.rod).max(axis=0), 0.0))

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """By how much the pose is tilted, turned or out of reach."""
        return upright.unreachable(robot, T, float(self.beyond_reach(T[None])[0]), self.can_turn)

    def _knees(self, q: Array) -> Array:
        """Centres of the spheres that the platform's centre lies on, shape (..., 3, 3): knees moved inward [m]."""
        radius = self.base - self.platform + self.arm * np.cos(q)
        return np.stack(
            (radius * np.cos(AZIMUTHS), radius * np.sin(AZIMUTHS), -self.arm * np.sin(q)), axis=-1
        )

    def _seen_from_arms(self, position: Array) -> tuple[Array, Array, Array]:
        """A platform joint from each arm's axis: ahead and aside of its plane, and up, shape (3, n) [m]."""
        s, c = np.sin(AZIMUTHS)[:, None], np.cos(AZIMUTHS)[:, None]
        x, y, z = position.T
        return c * x + s * y + self.platform - self.base, c * y - s * x, np.broadcast_to(z, (3, len(z)))


def _hang(rods: Array) -> npt.NDArray[np.bool_]:
    """Whether the platform hangs below the plane of its knees, for rods (..., 3, 3) from knees to platform.

    By the sign of the volume that the rods span: the normal of that plane, first in the usual order, times
    any of them.
    """
    first, second, third = (np.moveaxis(rods[..., arm, :], -1, 0) for arm in range(3))
    volume = (
        first[0] * (second[1] * third[2] - second[2] * third[1])
        + first[1] * (second[2] * third[0] - second[0] * third[2])
        + first[2] * (second[0] * third[1] - second[1] * third[0])
    )
    return np.asarray(volume < 0.0)


def _below(centres: Array, radius: float) -> Array:
    """Of the two points at one distance from three centres (n, 3, 3), the one below their plane, shape (n, 3)."""
    first = centres[:, 0]
    u, v = centres[:, 1] - first, centres[:, 2] - first
    normal = np.cross(u, v)
    square = np.sum(normal**2, axis=-1, keepdims=True)
    to_centre = (
        np.sum(u**2, axis=-1, keepdims=True) * np.cross(v, normal)
        + np.sum(v**2, axis=-1, keepdims=True) * np.cross(normal, u)
    ) / (2.0 * square)  # of the circle through the three
    depth = radius**2 - np.sum(to_centre**2, axis=-1, keepdims=True)
    depth = np.sqrt(np.where(depth < 0.0, np.nan, depth) / square)
    return np.asarray(first + to_centre - depth * normal)
