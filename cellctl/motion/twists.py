"""Turns and screw motions as vectors: exponentials and logarithms of rotations and of rigid transforms.

A rotation vector, shape (..., 3) [rad], is the axis times the angle. A twist, shape (..., 6), has the
displacement first [m] and the rotation vector second [rad], in the order of a Jacobian's rows. All are
exact to rounding from no turn at all to half a turn. Formulas: K. M. Lynch, F. C. Park, "Modern Robotics",
Cambridge 2017, sections 3.2.3 and 3.3.3, written with sinc so that nothing is divided by a small angle.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cellctl.motion import quaternions
from cellctl.motion.transforms import Array, rigid

SERIES_BELOW = 0.3  # [rad] below it the power series lose no digits, above it the closed forms hardly any


def hat(w: npt.ArrayLike) -> Array:
    """The matrix, shape (..., 3, 3), that takes the cross product with `w`, shape (..., 3)."""
    w = np.asarray(w, float)
    out = np.zeros((*w.shape[:-1], 3, 3))
    x, y, z = np.moveaxis(w, -1, 0)
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -z, y, -x
    out[..., 1, 0], out[..., 2, 0], out[..., 2, 1] = z, -y, x
    return out


def exp_rotation(w: npt.ArrayLike) -> Array:
    """The rotation by a rotation vector, shape (..., 3, 3)."""
    K, sine, cosine, _ = _coefficients(w)
    return np.asarray(np.eye(3) + sine * K + cosine * (K @ K))


def log_rotation(R: npt.ArrayLike) -> Array:
    """The rotation vector of a rotation, shape (..., 3) [rad], at most half a turn long.

    At half a turn, where the axis may point either way, its first component that is not 0 is positive.
    """
    q = quaternions.from_rotation(R)
    length = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)  # sine of half the angle
    half = np.arctan2(length, q[..., :1])
    return np.asarray(q[..., 1:] * (2.0 * half / np.where(length > 0.0, length, 1.0)))


def exp(twist: npt.ArrayLike) -> Array:
    """The transform reached by following a twist for one unit of time, shape (..., 4, 4)."""
    twist = np.asarray(twist, float)
    K, sine, cosine, rest = _coefficients(twist[..., 3:])
    K2 = K @ K
    along = np.eye(3) + cosine * K + rest * K2
    return rigid(np.eye(3) + sine * K + cosine * K2, (along @ twist[..., :3, None])[..., 0])


def log(T: npt.ArrayLike) -> Array:
    """The twist of a transform, shape (..., 6), turning by at most half a turn."""
    T = np.asarray(T, float)
    w = log_rotation(T[..., :3, :3])
    angle = np.linalg.norm(w, axis=-1)[..., None, None]
    K = hat(w)
    back = np.eye(3) - 0.5 * K + _inverse_coefficient(angle) * (K @ K)
    return np.concatenate(((back @ T[..., :3, 3:])[..., 0], w), axis=-1)


def adjoint(T: npt.ArrayLike) -> Array:
    """The matrix, shape (..., 6, 6), that maps a twist in frame b to the same twist in frame a, for `T_a_b`."""
    T = np.asarray(T, float)
    R = T[..., :3, :3]
    out = np.zeros((*T.shape[:-2], 6, 6))
    out[..., :3, :3] = out[..., 3:, 3:] = R
    out[..., :3, 3:] = hat(T[..., :3, 3]) @ R
    return out


def between(T_a: npt.ArrayLike, T_b: npt.ArrayLike, share: npt.ArrayLike) -> Array:
    """Poses on the straight line from one to the other, turning evenly about one axis, shape (..., 4, 4).

    `share`, shape (...), is 0 at `T_a` and 1 at `T_b`; it is broadcast against the poses.
    """
    T_a, T_b, share = np.asarray(T_a, float), np.asarray(T_b, float), np.asarray(share, float)
    R_a = T_a[..., :3, :3]
    turn = log_rotation(np.swapaxes(R_a, -1, -2) @ T_b[..., :3, :3])
    p_a = T_a[..., :3, 3]
    return rigid(
        R_a @ exp_rotation(share[..., None] * turn), p_a + share[..., None] * (T_b[..., :3, 3] - p_a)
    )


def _coefficients(w: npt.ArrayLike) -> tuple[Array, Array, Array, Array]:
    """hat(w), sin(a)/a, (1 - cos a)/a^2 and (a - sin a)/a^3 for the angle a, each to broadcast with the first."""
    w = np.asarray(w, float)
    angle = np.linalg.norm(w, axis=-1)[..., None, None]
    sine = np.sinc(angle / np.pi)
    cosine = 0.5 * np.sinc(angle / (2.0 * np.pi)) ** 2
    square = angle**2
    series = (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0))) / 6.0
    small = angle < SERIES_BELOW
    closed = (1.0 - sine) / np.where(small, 1.0, square)
    return hat(w), sine, cosine, np.where(small, series, closed)


def _inverse_coefficient(angle: Array) -> Array:
    """(1 - (a/2) cot(a/2)) / a^2, which is 1/12 at 0 and 1/pi^2 at half a turn."""
    small = angle < SERIES_BELOW
    square = angle**2
    series = (1.0 + square / 60.0 * (1.0 + square / 42.0 * (1.0 + square / 40.0))) / 12.0
    half = np.where(small, 1.0, 0.5 * angle)
    return np.asarray(np.where(small, series, (1.0 - half / np.tan(half)) / (4.0 * half**2)))
