"""Unit quaternions, shape (..., 4), scalar first: w, x, y, z, as ABB controllers write q1 to q4.

A quaternion and its negative are the same orientation; those made here have w >= 0, and where w is 0 the
first of x, y, z that is not 0 is positive. Rotations are matrices, shape (..., 3, 3).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cellctl.motion.transforms import Array

STRAIGHT = 1e-6  # [rad] orientations this near to each other are mixed in proportion


def from_rotation(R: npt.ArrayLike) -> Array:
    """The quaternion of a rotation, shape (..., 4), exact to rounding at every angle.

    All sixteen products of two components are sums of entries of R (S. W. Shepperd, "Quaternion from
    Rotation Matrix", J. Guidance and Control 1(3), 1978); the row with the largest square is normalised.
    """
    R = np.asarray(R, float)
    diagonal = np.moveaxis(np.diagonal(R, axis1=-2, axis2=-1), -1, 0)
    products = np.empty((*R.shape[:-2], 4, 4))  # 4 q q^T
    for i, signs in enumerate(((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))):
        products[..., i, i] = 1.0 + sum(sign * entry for sign, entry in zip(signs, diagonal, strict=True))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        products[..., 0, i + 1] = products[..., i + 1, 0] = R[..., k, j] - R[..., j, k]
        products[..., i + 1, j + 1] = products[..., j + 1, i + 1] = R[..., j, i] + R[..., i, j]
    largest = np.argmax(np.diagonal(products, axis1=-2, axis2=-1), axis=-1)
    q = np.take_along_axis(products, largest[..., None, None], axis=-2)[..., 0, :]
    return canonical(q / np.linalg.norm(q, axis=-1, keepdims=True))


def to_rotation(q: npt.ArrayLike) -> Array:
    """The rotation of unit quaternions (..., 4), shape (..., 3, 3)."""
    q = np.asarray(q, float)
    w, x, y, z = np.moveaxis(q, -1, 0)
    R = np.empty((*q.shape[:-1], 3, 3))
    R[..., 0, 0], R[..., 1, 1], R[..., 2, 2] = (
        1.0 - 2.0 * (y * y + z * z),
        1.0 - 2.0 * (x * x + z * z),
        1.0 - 2.0 * (x * x + y * y),
    )
    R[..., 0, 1], R[..., 1, 0] = 2.0 * (x * y - w * z), 2.0 * (x * y + w * z)
    R[..., 0, 2], R[..., 2, 0] = 2.0 * (x * z + w * y), 2.0 * (x * z - w * y)
    R[..., 1, 2], R[..., 2, 1] = 2.0 * (y * z - w * x), 2.0 * (y * z + w * x)
    return R


def canonical(q: npt.ArrayLike) -> Array:
    """Of each quaternion and its negative, the one whose first component that is not 0 is positive."""
    q = np.asarray(q, float)
    first = np.take_along_axis(q, np.argmax(q != 0.0, axis=-1)[..., None], axis=-1)
    return np.where(first < 0.0, -q, q)


def multiply(p: npt.ArrayLike, q: npt.ArrayLike) -> Array:
    """The orientation `q` seen from where `p` turns to, shape (..., 4): R(p q) = R(p) R(q)."""
    p, q = np.broadcast_arrays(np.asarray(p, float), np.asarray(q, float))
    w = p[..., :1] * q[..., :1] - np.sum(p[..., 1:] * q[..., 1:], axis=-1, keepdims=True)
    xyz = p[..., :1] * q[..., 1:] + q[..., :1] * p[..., 1:] + np.cross(p[..., 1:], q[..., 1:])
    return np.asarray(np.concatenate((w, xyz), axis=-1))


def conjugate(q: npt.ArrayLike) -> Array:
    """The inverse of unit quaternions."""
    return np.asarray(np.asarray(q, float) * (1.0, -1.0, -1.0, -1.0))


def rotate(q: npt.ArrayLike, v: npt.ArrayLike) -> Array:
    """Vectors (..., 3) turned by unit quaternions."""
    q, v = np.asarray(q, float), np.asarray(v, float)
    twice = 2.0 * np.cross(q[..., 1:], v)
    return np.asarray(v + q[..., :1] * twice + np.cross(q[..., 1:], twice))


def slerp(p: npt.ArrayLike, q: npt.ArrayLike, share: npt.ArrayLike) -> Array:
    """Orientations between two, turned about one axis the shorter way; `share` is 0 at `p`, 1 at `q`.

    K. Shoemake, "Animating Rotation with Quaternion Curves", SIGGRAPH 1985.
    """
    p, q = np.asarray(p, float), np.asarray(q, float)
    share = np.asarray(share, float)[..., None]
    q = np.where(np.sum(p * q, axis=-1, keepdims=True) < 0.0, -q, q)
    apart, together = (np.linalg.norm(v, axis=-1, keepdims=True) for v in (q - p, q + p))
    angle = 2.0 * np.arctan2(apart, together)  # half of that between the orientations, 0 to pi/2
    near = angle < STRAIGHT
    mixed = (
        np.where(near, 1.0 - share, np.sin((1.0 - share) * angle)) * p
        + np.where(near, share, np.sin(share * angle)) * q
    )
    return np.asarray(mixed / np.linalg.norm(mixed, axis=-1, keepdims=True))
