"""How a Mecademic arm moves: straight in joint space or straight in Cartesian space, jerk-limited, from rest to rest.

The limits are those of the motion core, which reproduce a log of a real Meca500; they are taken to hold at the default
joint acceleration (80 %), and scale with it. Cartesian limits are assumed: 1 m/s and 300 deg/s (programming manual for
firmware 9.2.x, 2.1.10) are reached in the same times as the joints' full speed, at the default acceleration (50 %).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from cellctl.errors import CellctlError
from cellctl.motion.errors import JointLimit, OutOfReach
from cellctl.motion.profile import Move, scalar_move
from cellctl.motion.robot import Robot
from cellctl.motion.robots import ROBOTS, robot
from cellctl.motion.transforms import Array, compose, from_xyz_euler, inverse, to_xyz_euler

Joints = tuple[float, ...]  # six angles [rad]
Frame = tuple[float, ...]  # x, y, z [m], alpha, beta, gamma [rad]

JOINT_LIMIT, SINGULARITY, OUT_OF_REACH = 1007, 1012, 1016
DEFAULT_JOINT_ACC, DEFAULT_CART_ACC = 0.8, 0.5
TOP_LINEAR, TOP_ANGULAR = 1.0, math.radians(300.0)  # [m/s], [rad/s]
SAMPLES = 24  # along a straight line
FLIP = math.radians(30.0)  # more than this between two samples is not one motion
TINY = 1e-9


class MotionFailed(CellctlError):
    """A motion that the controller refuses; `code` is its error."""

    def __init__(self, code: int, why: str) -> None:
        self.code, self.why = code, why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the controller's settings allow: fractions of the joints' speed and acceleration, speeds of the tool."""

    joint_speed: float = 0.25
    joint_acc: float = DEFAULT_JOINT_ACC
    linear: float = 0.15  # [m/s]
    angular: float = math.radians(45.0)  # [rad/s]
    cart_acc: float = DEFAULT_CART_ACC


class Path(Protocol):
    """Where the joints are at a fraction `s` of the way."""

    def joints(self, s: float) -> Joints: ...


@dataclass(frozen=True, slots=True)
class JointPath:
    """Straight in joint space."""

    start: Joints
    end: Joints

    def joints(self, s: float) -> Joints:
        """Joint angles at `s`, 0 to 1."""
        if s >= 1.0:
            return self.end
        return tuple(a + s * (b - a) for a, b in zip(self.start, self.end, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class LinePath:
    """The flange straight in Cartesian space, turning about one axis."""

    arm: Robot
    T_start: Array
    T_end: Array
    samples: Array  # (SAMPLES + 1, 6) [rad], at even distances
    end: Joints

    def joints(self, s: float) -> Joints:
        """Joint angles at `s`, 0 to 1."""
        if s >= 1.0:
            return self.end
        near = self.samples[min(round(s * SAMPLES), SAMPLES)]
        return tuple(self.arm.ik_near(_between(self.T_start, self.T_end, np.array([s]))[0], near).tolist())


@dataclass(frozen=True, slots=True)
class Leg:
    """One motion: a path, and the greatest speed, acceleration and jerk along it [paths/s, /s^2, /s^3]."""

    path: Path
    rates: tuple[float, float, float]

    def law(self, rest: float = 1.0) -> Move:
        """How its last part `rest` is gone along, from rest to rest."""
        return scalar_move(rest, *self.rates) if self.rates[0] < math.inf and rest > 0.0 else STANDING


STANDING = Move(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
NO_WAY = (math.inf, math.inf, math.inf)


@lru_cache(maxsize=4096)
def joint_leg(name: str, start: Joints, end: Joints, limits: Limits) -> Leg:
    """To `end` straight in joint space. Raises MotionFailed (1007)."""
    arm = robot(name)
    beyond = [i for i, q in enumerate(end) if not arm.lower[i] - TINY <= q <= arm.upper[i] + TINY]
    if beyond:
        raise MotionFailed(JOINT_LIMIT, f"joint {beyond[0] + 1} would go beyond its limit")
    return Leg(JointPath(start, end), _joint_rates(arm, start, end, limits))


def _joint_rates(arm: Robot, start: Joints, end: Joints, limits: Limits) -> tuple[float, float, float]:
    ways = [abs(b - a) for a, b in zip(start, end, strict=True)]
    moving = [(i, way) for i, way in enumerate(ways) if way > TINY]
    if not moving:
        return NO_WAY
    harder = limits.joint_acc / DEFAULT_JOINT_ACC
    return (
        min(limits.joint_speed * float(arm.v_max[i]) / way for i, way in moving),
        min(harder * float(arm.a_max[i]) / way for i, way in moving),
        min(harder * float(arm.j_max[i]) / way for i, way in moving),
    )


@lru_cache(maxsize=4096)
def solve(name: str, target: Frame, near: Joints) -> Joints:
    """The joint angles for a flange pose that are nearest to `near`. Raises MotionFailed (1007, 1016)."""
    try:
        return tuple(robot(name).joints_near(matrix(target), near).tolist())
    except OutOfReach as error:
        raise MotionFailed(OUT_OF_REACH, str(error)) from None
    except JointLimit as error:
        raise MotionFailed(JOINT_LIMIT, str(error)) from None


@lru_cache(maxsize=4096)
def line_leg(name: str, start: Joints, target: Frame, limits: Limits) -> Leg:
    """The flange to `target` on a straight line. Raises MotionFailed (1007, 1012, 1016)."""
    arm = robot(name)
    T_start, T_end = arm.fk(np.array(start)), matrix(target)
    poses = _between(T_start, T_end, np.linspace(0.0, 1.0, SAMPLES + 1))
    samples = arm.ik_near(poses, np.array(start))
    if np.isnan(samples[-1]).any():
        solve(name, target, start)
        raise MotionFailed(OUT_OF_REACH, "the pose is out of reach")
    if np.isnan(samples).any() or np.abs(np.diff(samples, axis=0)).max() > FLIP:
        raise MotionFailed(SINGULARITY, "the straight way passes a singularity or leaves the workspace")
    path = LinePath(arm, T_start, T_end, samples, tuple(samples[-1].tolist()))
    return Leg(path, _line_rates(name, T_start, T_end, samples, limits))


def _line_rates(
    name: str, T_start: Array, T_end: Array, samples: Array, limits: Limits
) -> tuple[float, float, float]:
    distance = float(np.linalg.norm(T_end[:3, 3] - T_start[:3, 3]))
    angle = float(np.linalg.norm(_turn(T_start, T_end)))
    if distance < TINY and angle < TINY:
        return NO_WAY
    steps = np.abs(np.diff(samples, axis=0)).max(axis=0) * SAMPLES  # greatest joint speeds, per path [rad]
    joints = float(np.min(np.divide(robot(name).v_max, steps, where=steps > TINY, out=np.full(6, np.inf))))
    data, harder = ROBOTS[name], limits.cart_acc / DEFAULT_CART_ACC
    top = min(_per(TOP_LINEAR, distance), _per(TOP_ANGULAR, angle))
    speed = min(_per(limits.linear, distance), _per(limits.angular, angle), joints)
    acceleration = harder * top / data.speed_time
    return speed, acceleration, acceleration / data.acceleration_time


def _per(speed: float, way: float) -> float:
    return speed / way if way > TINY else math.inf


def _turn(T_start: Array, T_end: Array) -> Array:
    """The rotation from one orientation to the other as axis times angle, in the start's frame [rad]."""
    R = T_start[:3, :3].T @ T_end[:3, :3]
    axis = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    sine, cosine = float(np.linalg.norm(axis)), float(np.trace(R)) - 1.0
    angle = math.atan2(sine, cosine)
    if sine > 1e-12:
        return np.asarray(axis * (angle / sine))
    if angle < 1.0:
        return np.zeros(3)
    column = (R + np.eye(3))[:, int(np.argmax(np.diag(R)))]  # half a turn: along this axis
    return np.asarray(math.pi * column / np.linalg.norm(column))


def _between(T_start: Array, T_end: Array, s: Array) -> Array:
    """Poses between two, shape (n, 4, 4): positions straight, orientations about one axis."""
    turn = _turn(T_start, T_end)
    angle = float(np.linalg.norm(turn))
    x, y, z = turn / angle if angle > TINY else (0.0, 0.0, 1.0)
    K = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    theta = (s * angle)[:, None, None]
    R = np.eye(3) + np.sin(theta) * K + (1.0 - np.cos(theta)) * (K @ K)  # Rodrigues
    out = np.zeros((len(s), 4, 4))
    out[:, :3, :3] = T_start[:3, :3] @ R
    out[:, :3, 3] = T_start[:3, 3] + s[:, None] * (T_end[:3, 3] - T_start[:3, 3])
    out[:, 3, 3] = 1.0
    return out


def matrix(frame: Frame) -> Array:
    """A frame as a transform."""
    return from_xyz_euler(frame[:3], frame[3:])


@lru_cache(maxsize=4096)
def flange_of(wrf: Frame, pose: Frame, trf: Frame) -> Frame:
    """The flange in the base frame, when the tool frame `trf` stands at `pose` in the world frame `wrf`."""
    return _frame(compose(matrix(wrf), matrix(pose), inverse(matrix(trf))))


def tool_of(name: str, joints: Joints, wrf: Frame, trf: Frame) -> Frame:
    """The tool frame in the world frame for joint angles."""
    return _frame(compose(inverse(matrix(wrf)), robot(name).fk(np.array(joints)), matrix(trf)))


def _frame(T: Array) -> Frame:
    xyz, angles = to_xyz_euler(T)
    return (*xyz.tolist(), *angles.tolist())
