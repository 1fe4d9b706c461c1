"""Paths: where the tool goes, as poses over a fraction from 0 to 1, and the joints that follow it.

A path has no time; `retime.py` gives it one. Leading dimensions are a batch of paths of one kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from cellctl.motion.errors import BadMotionLimit, MotionError
from cellctl.motion.transforms import Array, rigid
from cellctl.motion.twists import between, exp_rotation

INTERVALS = 200  # of the grid that a path is looked at on
BRANCH_JUMP = math.radians(
    45.0
)  # a joint that moves more than this between grid points has changed its solution


class Arm(Protocol):
    """What a path asks of a robot: see `Robot`."""

    @property
    def name(self) -> str: ...

    @property
    def v_max(self) -> Array: ...

    @property
    def a_max(self) -> Array: ...

    @property
    def j_max(self) -> Array: ...

    def fk(self, q: npt.ArrayLike) -> Array: ...

    def ik_near(self, T_base_tool: npt.ArrayLike, q_near: npt.ArrayLike) -> Array: ...

    def joints_near(self, T_base_tool: npt.ArrayLike, q_near: npt.ArrayLike) -> Array: ...

    def check_limits(self, q: npt.ArrayLike) -> None: ...


class ToolPath(Protocol):
    """Where the tool goes."""

    def poses(self, s: Array) -> Array:
        """Poses at fractions `s`, shape (m,), in the base frame, shape (..., m, 4, 4)."""
        ...


class BrokenPath(MotionError):
    """A path of the tool that leaves the workspace or the joint limits on its way, or turns the wrist over.

    `at` is the fraction of the path that can be followed.
    """

    def __init__(self, robot: str, at: float) -> None:
        self.robot, self.at = robot, at
        super().__init__(f"{robot}: the tool's path cannot be followed beyond {at:.0%} of its length")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Straight from one pose to another, turning evenly about one axis; poses of shape (..., 4, 4)."""

    T_from: Array
    T_to: Array

    def poses(self, s: Array) -> Array:
        """Poses at fractions `s`, shape (m,), shape (..., m, 4, 4)."""
        return between(self.T_from[..., None, :, :], self.T_to[..., None, :, :], s)


@dataclass(frozen=True, slots=True, eq=False)
class Arc:
    """Around an axis; a whole circle or several are allowed.

    Args:
        T_from: the pose at the start, shape (..., 4, 4).
        centre: a point on the axis, shape (..., 3) [m].
        turn: the axis times the signed angle, shape (..., 3) [rad].
        turns_tool: whether the tool turns with the arc or keeps its orientation.
    """

    T_from: Array
    centre: Array
    turn: Array
    turns_tool: bool = True

    def poses(self, s: Array) -> Array:
        """Poses at fractions `s`, shape (m,), shape (..., m, 4, 4)."""
        R = exp_rotation(s[:, None] * self.turn[..., None, :])
        spoke = self.T_from[..., None, :3, 3] - self.centre[..., None, :]
        around = self.centre[..., None, :] + (R @ spoke[..., None])[..., 0]
        R_from = self.T_from[..., None, :3, :3]
        return rigid(R @ R_from if self.turns_tool else np.broadcast_to(R_from, R.shape), around)


def arc_through(T_from: npt.ArrayLike, via: npt.ArrayLike, to: npt.ArrayLike) -> Arc:
    """The arc from a pose (..., 4, 4) through one point to another, shape (..., 3) [m]; the tool turns with it.

    Raises:
        BadMotionLimit: when the three points lie on one straight line.
    """
    T_from, via, to = (np.asarray(x, float) for x in (T_from, via, to))
    a, b = via - T_from[..., :3, 3], to - T_from[..., :3, 3]
    normal = np.cross(a, b)
    square = np.sum(normal**2, axis=-1, keepdims=True)
    aa, bb, ab = (np.sum(x * y, axis=-1, keepdims=True) for x, y in ((a, a), (b, b), (a, b)))
    flat = square <= (1e-9 * np.maximum(aa, bb)) ** 2
    if np.any(flat):
        raise BadMotionLimit(
            "arc with a sagitta of [m]", 0.0, "has its three points on one line: move straight"
        )
    # the circumcentre of a triangle with one corner in the origin
    spoke = (bb * (aa - ab) * a + aa * (bb - ab) * b) / (2.0 * square)
    start, end = -spoke, b - spoke
    axis = normal / np.sqrt(square)  # counterclockwise from the start by way of the via point
    sine = np.sum(axis * np.cross(start, end), axis=-1, keepdims=True)
    angle = np.arctan2(sine, np.sum(start * end, axis=-1, keepdims=True)) % (2.0 * np.pi)
    return Arc(T_from, T_from[..., :3, 3] + spoke, axis * angle)


@dataclass(frozen=True, slots=True, eq=False)
class JointPath:
    """Joints over the fraction `s` of a path: a cubic spline, twice continuously differentiable.

    Args:
        s: an even grid from 0 to 1, shape (m,).
        joints: spline with values of shape (..., n).
        tool: spline of the tool's place [m], values of shape (..., 3); absent where nobody asks for it.
    """

    s: Array
    joints: CubicSpline
    tool: CubicSpline | None = None


def joint_path(q: npt.ArrayLike, tool: npt.ArrayLike | None = None) -> JointPath:
    """The path through joints `q`, shape (..., m, n), at even fractions, the tool at `tool`, shape (..., m, 3) [m]."""
    q = np.asarray(q, float)
    s = np.linspace(0.0, 1.0, q.shape[-2])
    places = None if tool is None else CubicSpline(s, np.moveaxis(np.asarray(tool, float), -2, 0))
    return JointPath(s, CubicSpline(s, np.moveaxis(q, -2, 0)), places)


def follow(arm: Arm, path: ToolPath, q_from: npt.ArrayLike, intervals: int = INTERVALS) -> JointPath:
    """The joints that follow a path of the tool without changing their solution on the way.

    Args:
        q_from: joints at the start, shape (..., n).

    Raises:
        BrokenPath: when the arm cannot follow the path.
    """
    poses = path.poses(np.linspace(0.0, 1.0, intervals + 1))
    return joint_path(follow_poses(arm, poses, q_from), poses[..., :3, 3])


def follow_poses(arm: Arm, poses: Array, q_from: npt.ArrayLike) -> Array:
    """Joints at poses (..., m, 4, 4) that lie densely on a path, shape (..., m, n).

    All are solved at once, near the joints at the start; only where that does not give one continuous
    motion each is solved near the one before it.

    Raises:
        BrokenPath: when there is none.
    """
    start = arm.ik_near(poses[..., 0, :, :], q_from)
    q = arm.ik_near(poses, start[..., None, :])
    if _is_continuous(q).all():
        return q
    q[..., 0, :] = start
    for i in range(1, q.shape[-2]):
        q[..., i, :] = arm.ik_near(poses[..., i, :, :], q[..., i - 1, :])
    if not _is_continuous(q).all():
        broken = ~np.all(_is_continuous(q), axis=tuple(range(q.ndim - 2)))
        raise BrokenPath(arm.name, float(np.argmax(broken)) / (q.shape[-2] - 1))
    return q


def _is_continuous(q: Array) -> npt.NDArray[np.bool_]:
    """Between each point and the next, shape (..., m - 1); a point that is not a number is on no path."""
    return np.asarray(np.all(np.abs(np.diff(q, axis=-2)) < BRANCH_JUMP, axis=-1))
