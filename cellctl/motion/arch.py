"""Pick and place with one arm: across above the stations by joint moves, down and up in straight lines.

Each piece starts and ends at rest. Blended corners, paths around obstacles and moving targets are not here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit, MotionError
from cellctl.motion.opw import OpwArm
from cellctl.motion.profile import Profile, rest_to_rest, synchronised
from cellctl.motion.transforms import Array

SAMPLES = 33  # along a straight line, where its joints are looked at
BRANCH_JUMP = math.radians(45.0)  # a joint that moves more than this between samples has changed its solution


class Piece(StrEnum):
    """How the arm goes from one pose to the next."""

    JOINTS = "joints"
    STRAIGHT = "straight"


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One piece of a path, from rest to rest; joint positions of shape (6,) [rad], duration in [s]."""

    piece: Piece
    q_from: Array
    q_to: Array
    duration: float


@dataclass(frozen=True, slots=True)
class StraightLimits:
    """Limits of the flange along straight lines: speed [m/s], acceleration [m/s^2], jerk [m/s^3]."""

    speed: float = 0.25
    acceleration: float = 2.5
    jerk: float = 50.0


class NoStraightPath(MotionError):
    """A straight line that leaves the workspace or the joint limits on its way, or turns the wrist over."""

    def __init__(self, robot: str, at: float) -> None:
        self.robot, self.at = robot, at  # fraction of the line
        super().__init__(f"{robot}: the straight line cannot be followed beyond {at:.0%} of its length")


def arm_move(
    robot: OpwArm, q_from: npt.ArrayLike, q_to: npt.ArrayLike, speed_fraction: float = 1.0
) -> Profile:
    """Synchronised joint moves from rest to rest, joint vectors of shape (..., 6) [rad].

    `speed_fraction`, above 0 up to 1, lowers the joint speeds; accelerations and jerks keep their limits.

    Raises:
        BadMotionLimit: when the fraction is out of range.
        JointLimit: when either end lies outside the joint limits.
    """
    _check_fraction(speed_fraction)
    robot.check_limits(q_from)
    robot.check_limits(q_to)
    change = np.asarray(q_to, float) - np.asarray(q_from, float)
    return synchronised(change, speed_fraction * robot.v_max, robot.a_max, robot.j_max)


def arm_move_duration(
    robot: OpwArm, q_from: npt.ArrayLike, q_to: npt.ArrayLike, speed_fraction: float = 1.0
) -> Array:
    """How long `arm_move` takes, shape (...) [s]; raises as it does."""
    return np.asarray(arm_move(robot, q_from, q_to, speed_fraction).duration.max(axis=-1))


def straight_move(
    robot: OpwArm,
    q_from: npt.ArrayLike,
    shift: npt.ArrayLike,
    limits: StraightLimits | None = None,
    speed_fraction: float = 1.0,
) -> Segment:
    """The flange moved by `shift`, shape (3,) [m] in the base frame, in a straight line without turning.

    Takes the time of the flange's own profile, or longer where the speed or acceleration of a joint
    needs it; its jerk is not looked at.

    Raises:
        NoStraightPath: when the arm cannot follow the line.
        BadMotionLimit: when the fraction is out of range.
    """
    _check_fraction(speed_fraction)
    limits = limits or StraightLimits()
    shift = np.asarray(shift, float)
    q_from = np.asarray(q_from, float)
    length = float(np.linalg.norm(shift))
    flange = rest_to_rest(length, speed_fraction * limits.speed, limits.acceleration, limits.jerk)
    duration = float(flange.duration)
    if not length:
        return Segment(Piece.STRAIGHT, q_from, q_from, 0.0)

    along = np.linspace(0.0, 1.0, SAMPLES)  # fraction of the line
    q = _follow(robot, q_from, along[:, None] * shift)
    stretch = _stretch_for_joints(robot, flange, along * length, q, speed_fraction * robot.v_max)
    return Segment(Piece.STRAIGHT, q_from, q[-1], stretch * duration)


def _follow(robot: OpwArm, q_from: Array, shifts: Array) -> Array:
    """Joint positions, shape (samples, 6) [rad], with the flange shifted from where `q_from` has it."""
    poses = np.tile(robot.fk(q_from), (len(shifts), 1, 1))
    poses[:, :3, 3] += shifts
    q = np.empty((len(shifts), 6))
    q[0] = q_from
    for i in range(1, len(shifts)):
        q[i] = robot.ik_near(poses[i], q[i - 1])
        if not np.all(np.abs(q[i] - q[i - 1]) < BRANCH_JUMP):  # also when not a number
            raise NoStraightPath(robot.name, (i - 1) / (len(shifts) - 1))
    return q


def _stretch_for_joints(robot: OpwArm, flange: Profile, s: Array, q: Array, v_max: Array) -> float:
    """By how much a line must be slowed, at least 1, for joints that pass `q` (samples, 6) at `s` [m] along it.

    With q(s) and the flange's s(t), joint speeds are q' ds/dt, accelerations q'' (ds/dt)^2 + q' d2s/dt2.
    """
    first = np.gradient(q, s, axis=0, edge_order=2)
    second = np.gradient(first, s, axis=0, edge_order=2)
    full = float(flange.jerk_time), float(flange.jerk_time + flange.constant_time)  # where acceleration peaks
    t = np.concatenate((np.linspace(0.0, float(flange.duration), 4 * SAMPLES), full))
    t = np.concatenate((t, float(flange.duration) - t))
    position, velocity, acceleration = (x[:, None] for x in flange.at(t))
    dq_ds, d2q_ds2 = (
        np.stack([np.interp(position[:, 0], s, values) for values in derivative.T], axis=-1)
        for derivative in (first, second)
    )  # (times, 6)
    speed = np.abs(dq_ds * velocity) / v_max
    force = np.abs(d2q_ds2 * velocity**2 + dq_ds * acceleration) / robot.a_max
    return max(1.0, float(speed.max()), math.sqrt(float(force.max())))


def pick_and_place(
    robot: OpwArm,
    q_start: npt.ArrayLike,
    T_pick: npt.ArrayLike,
    T_place: npt.ArrayLike,
    clearance: float,
    limits: StraightLimits | None = None,
    speed_fraction: float = 1.0,
) -> tuple[Segment, ...]:
    """Approach above the pick, down, up, across to above the place, down, up: six segments.

    Args:
        q_start: where the arm comes from, shape (6,) [rad].
        T_pick, T_place: flange poses in the base frame, shape (4, 4).
        clearance: height of the approach above each pose, along base z [m].

    Raises:
        OutOfReach, JointLimit: when the arm cannot be above a station.
        NoStraightPath: when it cannot go down to it.
    """
    q = np.asarray(q_start, float)
    segments: list[Segment] = []
    up = np.array((0.0, 0.0, clearance))
    for T_station in (T_pick, T_place):
        T_above = np.array(T_station, float)
        T_above[:3, 3] += up
        q_above = robot.joints_near(T_above, q)
        across = float(arm_move_duration(robot, q, q_above, speed_fraction))
        down = straight_move(robot, q_above, -up, limits, speed_fraction)
        back = Segment(Piece.STRAIGHT, down.q_to, q_above, down.duration)
        segments += [Segment(Piece.JOINTS, q, q_above, across), down, back]
        q = q_above
    return tuple(segments)


def total_duration(segments: tuple[Segment, ...]) -> float:
    """How long all segments take one after another [s]."""
    return sum(segment.duration for segment in segments)


def _check_fraction(speed_fraction: float) -> None:
    if not 0.0 < speed_fraction <= 1.0:
        raise BadMotionLimit("speed fraction", speed_fraction, "is not above 0 and at most 1")
