"""What every kind of robot must be able to say of its links, and what several kinds share.

A geometry knows lengths and directions, not limits, names or tools: those belong to `Robot`. Joint vectors
are in [rad] for joints that turn and [m] for joints that slide. The base frame has z up; the flange has z
outward, so that a tool that points down points along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from cellctl.motion.errors import OutOfReach
from cellctl.motion.transforms import Array

TURN = 2.0 * np.pi
STRETCHED = 1e-12  # how far a cosine may lie beyond 1 by rounding and still mean a stretched or folded arm
SINGULAR = 1e-10  # [m, -] lengths and sines this small leave an angle free

Joints = Sequence[float]
Rows = Sequence[Sequence[float]]  # a transform, row by row


class Geometry(Protocol):
    """One kind of robot with its lengths. Arrays have one batch dimension, since `Robot` hands over blocks."""

    @property
    def turns(self) -> tuple[bool, ...]:
        """For each joint whether it turns; the others slide."""
        ...

    @property
    def solutions(self) -> int:
        """How many joint vectors `inverse` gives for a pose, those that are not a number included."""
        ...

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, dof), into `out`, shape (n, 4, 4)."""
        ...

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write all solutions for poses (n, 4, 4) into `out`, shape (n, solutions, dof), NaN where none is.

        Turning joints come out within half a turn of 0. Where a joint is free it takes its angle from
        `near`, shape (n, dof), or the model's zero.
        """
        ...

    def jacobian(self, q: Array) -> Array:
        """Velocity of the flange's origin, then its angular velocity, by joint, shape (n, 6, dof)."""
        ...

    def beyond_reach(self, T: Array) -> Array:
        """How far poses (n, 4, 4) lie outside what the links reach without limits, shape (n,) [m]."""
        ...

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """Why this one pose (4, 4) has no solution."""
        ...


@runtime_checkable
class OnePose(Protocol):
    """A geometry with a second path for single poses, in plain numbers: several times as fast as arrays of one."""

    def forward_one(self, q: Joints) -> Rows:
        """The flange pose of one joint vector."""
        ...

    def inverse_one(self, T: Rows, near: Joints | None) -> list[tuple[float, ...]]:
        """All solutions for one pose, in the order of `inverse`; NaN where there is none."""
        ...


def wrapped(q: Array) -> Array:
    """Angles by whole turns moved to within half a turn of 0, in place."""
    q -= TURN * np.rint(q * (1.0 / TURN))
    return q


def jacobian_of_axes(axes: Array, points: Array, tip: Array, turns: tuple[bool, ...]) -> Array:
    """The geometric Jacobian, shape (n, 6, dof), of joints in a row.

    Args:
        axes: direction of each joint's axis, shape (n, dof, 3).
        points: a point on each axis, shape (n, dof, 3) [m].
        tip: the point whose velocity is asked for, shape (n, 3) [m].
    """
    turning = np.array(turns)[:, None]
    linear = np.where(turning, np.cross(axes, tip[:, None] - points), axes)
    return np.swapaxes(np.concatenate((linear, np.where(turning, axes, 0.0)), axis=-1), -1, -2)
