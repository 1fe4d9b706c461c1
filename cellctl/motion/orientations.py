"""Orientations as the makers' controllers write them, and back. Angles in [rad]; a pendant shows degrees.

Where only the sum or the difference of two angles is defined, the one about x is given as 0.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cellctl.motion import quaternions, twists
from cellctl.motion.transforms import Array, from_xyz_euler, rigid, to_xyz_euler

ZERO = np.zeros(3)


class Convention(StrEnum):
    """How a controller writes an orientation; each value names the controller's own letters for it."""

    MECADEMIC = "alpha beta gamma"  # Rx(alpha) Ry(beta) Rz(gamma); Meca500 Programming Manual, section 2.1.2
    WPR = "w p r"  # Rz(r) Ry(p) Rx(w): FANUC's W, P, R and Yaskawa's Rx, Ry, Rz
    KUKA = "a b c"  # Rz(a) Ry(b) Rx(c); KUKA System Software, frame type
    UR = "rx ry rz"  # rotation vector; URScript Manual, pose variables
    ABB = "q1 q2 q3 q4"  # unit quaternion, scalar first; RAPID data type orient


def to_rotation(convention: Convention, values: npt.ArrayLike) -> Array:
    """The rotation, shape (..., 3, 3), of a controller's values, shape (..., 3), (..., 4) for a quaternion.

    A quaternion is normalised first, since controllers round theirs.
    """
    values = np.asarray(values, float)
    match convention:
        case Convention.MECADEMIC:
            return from_xyz_euler(ZERO, values)[..., :3, :3]
        case Convention.WPR:
            return np.swapaxes(from_xyz_euler(ZERO, -values)[..., :3, :3], -1, -2)
        case Convention.KUKA:
            return to_rotation(Convention.WPR, values[..., ::-1])
        case Convention.UR:
            return twists.exp_rotation(values)
        case Convention.ABB:
            return quaternions.to_rotation(values / np.linalg.norm(values, axis=-1, keepdims=True))


def from_rotation(convention: Convention, R: npt.ArrayLike) -> Array:
    """A controller's values for rotations (..., 3, 3): the inverse of `to_rotation`."""
    R = np.asarray(R, float)
    match convention:
        case Convention.MECADEMIC:
            return to_xyz_euler(rigid(R, ZERO))[1]
        case Convention.WPR:
            return -to_xyz_euler(rigid(np.swapaxes(R, -1, -2), ZERO))[1]
        case Convention.KUKA:
            return from_rotation(Convention.WPR, R)[..., ::-1]
        case Convention.UR:
            return twists.log_rotation(R)
        case Convention.ABB:
            return quaternions.from_rotation(R)


def to_pose(convention: Convention, position: npt.ArrayLike, values: npt.ArrayLike) -> Array:
    """The transform, shape (..., 4, 4), of a position (..., 3) [m] and a controller's orientation."""
    return rigid(to_rotation(convention, values), position)


def from_pose(convention: Convention, T: npt.ArrayLike) -> tuple[Array, Array]:
    """Position (..., 3) [m] and a controller's orientation values of transforms (..., 4, 4)."""
    T = np.asarray(T, float)
    return T[..., :3, 3].copy(), from_rotation(convention, T[..., :3, :3])
