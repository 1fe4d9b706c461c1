"""What robots share whose tool always points straight down and turns only about the vertical.

At heading 0 the flange is turned by half a turn about y, as poses in a line file are that say nothing of
orientation: x backward, y to the left, z down.
"""

from __future__ import annotations

import numpy as np

from cellctl.motion.errors import OutOfReach, TiltedPose
from cellctl.motion.transforms import Array

TILT = 1e-6  # [rad] a tool this nearly upright is upright; less than controllers' poses are rounded to


def write_poses(heading: Array, position: Array, out: Array) -> None:
    """Write poses of headings (n,) [rad] and positions (n, 3) [m] into `out`, shape (n, 4, 4)."""
    s, c = np.sin(heading), np.cos(heading)
    out[...] = 0.0
    out[:, 0, 0], out[:, 0, 1], out[:, 1, 0], out[:, 1, 1] = -c, -s, -s, c
    out[:, 2, 2], out[:, 3, 3] = -1.0, 1.0
    out[:, :3, 3] = position


def heading_of(T: Array) -> tuple[Array, Array]:
    """Heading and tilt out of the vertical, shape (n,) each [rad], of poses (n, 4, 4)."""
    tilt = np.arctan2(np.hypot(T[:, 0, 2], T[:, 1, 2]), -T[:, 2, 2])
    return np.arctan2(-T[:, 1, 0] - T[:, 0, 1], T[:, 1, 1] - T[:, 0, 0]), tilt


def unreachable(robot: str, T: Array, beyond: float, can_turn: bool) -> OutOfReach:
    """Why a pose (4, 4) has no solution: tilted, turned where it cannot be, or so far beyond reach [m]."""
    heading, tilt = (float(angle[0]) for angle in heading_of(T[None]))
    if tilt > TILT:
        return TiltedPose(robot, tilt, "out of the vertical; this robot's tool points straight down")
    if not can_turn and abs(heading) > TILT:
        return TiltedPose(robot, heading, "turned about the vertical; this robot cannot turn its tool")
    return OutOfReach(robot, beyond)


def jacobian(linear: Array, heading: Array) -> Array:
    """The Jacobian, shape (n, 6, dof), of a point's (n, 3, dof) and of a heading's (n, dof) or (dof,)."""
    J = np.zeros((len(linear), 6, linear.shape[-1]))
    J[:, :3], J[:, 5] = linear, heading
    return J
