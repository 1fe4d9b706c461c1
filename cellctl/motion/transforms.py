"""Rigid transforms as homogeneous matrices, shape (..., 4, 4), lengths in [m], angles in [rad].

`T_a_b` maps coordinates in frame b to frame a, so frames read left to right: `T_a_c = compose(T_a_b,
T_b_c)`. Orientations given as three angles are mobile XYZ Euler angles, R = Rx(alpha) Ry(beta) Rz(gamma),
as poses in line files are; how other controllers write them stands in `orientations`.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

GIMBAL = 1e-12  # below this cosine of beta, alpha and gamma turn about one axis


def rigid(R: npt.ArrayLike, position: npt.ArrayLike) -> Array:
    """The transform, shape (..., 4, 4), with this rotation (..., 3, 3) and this position (..., 3) [m]."""
    R, xyz = np.asarray(R, float), np.asarray(position, float)
    T = np.zeros((*np.broadcast_shapes(R.shape[:-2], xyz.shape[:-1]), 4, 4))
    T[..., :3, :3], T[..., :3, 3], T[..., 3, 3] = R, xyz, 1.0
    return T


def from_xyz_euler(position: npt.ArrayLike, angles: npt.ArrayLike = (0.0, 0.0, 0.0)) -> Array:
    """The transform with this translation and these mobile XYZ Euler angles.

    Args:
        position: shape (..., 3) [m].
        angles: alpha, beta, gamma, shape (..., 3) [rad]; broadcast against `position`.
    """
    xyz, angle = np.broadcast_arrays(np.asarray(position, float), np.asarray(angles, float))
    ca, cb, cg = np.moveaxis(np.cos(angle), -1, 0)
    sa, sb, sg = np.moveaxis(np.sin(angle), -1, 0)
    T = np.zeros((*xyz.shape[:-1], 4, 4))
    T[..., 0, 0], T[..., 0, 1], T[..., 0, 2] = cb * cg, -cb * sg, sb
    T[..., 1, 0], T[..., 1, 1], T[..., 1, 2] = ca * sg + sa * sb * cg, ca * cg - sa * sb * sg, -sa * cb
    T[..., 2, 0], T[..., 2, 1], T[..., 2, 2] = sa * sg - ca * sb * cg, sa * cg + ca * sb * sg, ca * cb
    T[..., :3, 3] = xyz
    T[..., 3, 3] = 1.0
    return T


def to_xyz_euler(T: npt.ArrayLike) -> tuple[Array, Array]:
    """Translation (..., 3) [m] and mobile XYZ Euler angles (..., 3) [rad], beta within +-pi/2.

    At beta = +-pi/2 only the sum (or the difference) of alpha and gamma is defined; alpha is then 0.
    """
    T = np.asarray(T, float)
    R = T[..., :3, :3]
    at_gimbal = np.hypot(R[..., 1, 2], R[..., 2, 2]) < GIMBAL
    alpha = np.where(at_gimbal, 0.0, np.arctan2(-R[..., 1, 2], R[..., 2, 2]))
    ca, sa = np.cos(alpha), np.sin(alpha)
    beta = np.arctan2(R[..., 0, 2], ca * R[..., 2, 2] - sa * R[..., 1, 2])
    # Rx(-alpha) R = Ry(beta) Rz(gamma), whose second row is (sin gamma, cos gamma, 0) whatever beta is
    gamma = np.arctan2(ca * R[..., 1, 0] + sa * R[..., 2, 0], ca * R[..., 1, 1] + sa * R[..., 2, 1])
    return T[..., :3, 3].copy(), np.stack((alpha, beta, gamma), axis=-1)


def inverse(T: npt.ArrayLike) -> Array:
    """The inverse of rigid transforms (..., 4, 4), by transposing the rotation."""
    T = np.asarray(T, float)
    R_transposed = np.swapaxes(T[..., :3, :3], -1, -2)
    out = np.zeros_like(T)
    out[..., :3, :3] = R_transposed
    out[..., :3, 3] = -(R_transposed @ T[..., :3, 3:])[..., 0]
    out[..., 3, 3] = 1.0
    return out


def compose(*transforms: npt.ArrayLike) -> Array:
    """The product of transforms (..., 4, 4), left to right, broadcasting leading dimensions."""
    return reduce(np.matmul, (np.asarray(T, float) for T in transforms), np.eye(4))


def translation_distance(T_a: npt.ArrayLike, T_b: npt.ArrayLike) -> Array:
    """Distance between the two origins, shape (...) [m]."""
    between = np.asarray(T_a, float)[..., :3, 3] - np.asarray(T_b, float)[..., :3, 3]
    return np.asarray(np.linalg.norm(between, axis=-1))


def rotation_angle(T_a: npt.ArrayLike, T_b: npt.ArrayLike) -> Array:
    """Angle of the one rotation that takes one orientation to the other, shape (...) [rad], 0 to pi.

    Taken from sine and cosine together, so that it is exact to rounding at both ends of the range.
    """
    R = np.swapaxes(np.asarray(T_a, float)[..., :3, :3], -1, -2) @ np.asarray(T_b, float)[..., :3, :3]
    axis = np.stack(
        (R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]), axis=-1
    )
    trace = R[..., 0, 0] + R[..., 1, 1] + R[..., 2, 2]
    return np.asarray(np.arctan2(np.linalg.norm(axis, axis=-1), trace - 1.0))
