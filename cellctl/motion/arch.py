"""Pick and place with one arm: in pieces from rest to rest, or over an arch in one continuous motion.

Paths around obstacles and moving targets are not here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from cellctl.motion.corners import Chain, joint_chain, widest_zones
from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.path import Arm, JointPath, Line, follow
from cellctl.motion.profile import Profile, rest_to_rest, synchronised
from cellctl.motion.retime import NO_TOOL_LIMITS, ToolLimits, fastest
from cellctl.motion.smooth import Smoothed, smoothed
from cellctl.motion.transforms import Array

SAMPLES = 32  # intervals of a straight line, between which its joints are looked at


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


def arm_move(robot: Arm, q_from: npt.ArrayLike, q_to: npt.ArrayLike, speed_fraction: float = 1.0) -> Profile:
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
    robot: Arm, q_from: npt.ArrayLike, q_to: npt.ArrayLike, speed_fraction: float = 1.0
) -> Array:
    """How long `arm_move` takes, shape (...) [s]; raises as it does."""
    return np.asarray(arm_move(robot, q_from, q_to, speed_fraction).duration.max(axis=-1))


def straight_move(
    robot: Arm,
    q_from: npt.ArrayLike,
    shift: npt.ArrayLike,
    limits: StraightLimits | None = None,
    speed_fraction: float = 1.0,
) -> Segment:
    """The flange moved by `shift`, shape (3,) [m] in the base frame, in a straight line without turning.

    Takes the time of the flange's own profile, or longer where the speed or acceleration of a joint
    needs it; its jerk is not looked at.

    Raises:
        BrokenPath: when the arm cannot follow the line.
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

    T_from = robot.fk(q_from)
    T_to = T_from.copy()
    T_to[:3, 3] += shift
    path = follow(robot, Line(T_from, T_to), q_from, SAMPLES)
    stretch = _stretch_for_joints(robot, flange, path, speed_fraction * robot.v_max)
    return Segment(Piece.STRAIGHT, q_from, path.joints(1.0), stretch * duration)


def _stretch_for_joints(robot: Arm, flange: Profile, path: JointPath, v_max: Array) -> float:
    """By how much a line must be slowed, at least 1, for joints that follow `path` with the profile of the flange.

    With s(t) the fraction, joint speeds are q' ds/dt, accelerations q'' (ds/dt)^2 + q' d2s/dt2.
    """
    full = float(flange.jerk_time), float(flange.jerk_time + flange.constant_time)  # where acceleration peaks
    t = np.concatenate((np.linspace(0.0, float(flange.duration), 4 * SAMPLES), full))
    t = np.concatenate((t, float(flange.duration) - t))
    s, rate, change = (x[:, None] / float(flange.distance) for x in flange.at(t))
    slope, bend = path.joints(s[:, 0], 1), path.joints(s[:, 0], 2)
    speed = np.abs(slope * rate) / v_max
    force = np.abs(bend * rate**2 + slope * change) / robot.a_max
    return max(1.0, float(speed.max()), math.sqrt(float(force.max())))


def pick_and_place(
    robot: Arm,
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
        BrokenPath: when it cannot go down to it.
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


def arch(
    robot: Arm,
    q_from: npt.ArrayLike,
    T_to: npt.ArrayLike,
    clearance: float,
    zone: float | None = None,
    limits: ToolLimits = NO_TOOL_LIMITS,
    speed_fraction: float = 1.0,
) -> Smoothed:
    """Up, across and down without a stop: the fastest such motion that keeps every joint's limits.

    Going across begins before the top is reached and going down before it has ended. The standard test of
    fast arms is 25 mm up, 305 mm across, 25 mm down, and back.

    Args:
        q_from: joints at the start, shape (..., n).
        T_to: flange poses at the end, in the base frame, shape (..., 4, 4).
        clearance: height of the arch above both ends, along base z [m].
        zone: how far before and after each upper corner the legs overlap [m]; as far as the legs allow when
            not given.
        limits: of the flange.
        speed_fraction: lowers the speeds of joints and flange.

    Raises:
        BrokenPath: when the arm cannot follow the arch.
        BadMotionLimit: when the fraction is out of range, or a zone longer than its leg allows.
    """
    _check_fraction(speed_fraction)
    T_from = robot.fk(q_from)
    T_to = np.broadcast_to(np.asarray(T_to, float), T_from.shape)
    T = np.stack((T_from, T_from, T_to, T_to), axis=-3)
    T[..., 1:3, 2, 3] += clearance
    chain = Chain(T, np.zeros((*T.shape[:-3], 2)))
    chain = Chain(T, widest_zones(chain.lengths) if zone is None else np.full((*T.shape[:-3], 2), zone))
    return smoothed(robot, fastest(robot, follow(robot, chain, q_from), limits, speed_fraction))


def jump(
    robot: Arm,
    q_from: npt.ArrayLike,
    T_to: npt.ArrayLike,
    clearance: float,
    blend: float = 1.0,
    speed_fraction: float = 1.0,
) -> Smoothed:
    """As `arch`, but straight in joint space between the four corners: faster, and across not on a straight line.

    This is the pick and place of SCARA controllers, whose vertical joint makes up and down exact.

    Args:
        blend: of the corners, as a share of the widest, 0 to 1.

    Raises:
        OutOfReach, JointLimit: when the arm cannot be at a corner; of a batch the first that it cannot.
        BadMotionLimit: when the fraction or the blend is out of range.
    """
    _check_fraction(speed_fraction)
    T_from = robot.fk(q_from)
    T_to = np.broadcast_to(np.asarray(T_to, float), T_from.shape)
    q = [np.asarray(q_from, float)]
    for T, height in ((T_from, clearance), (T_to, clearance), (T_to, 0.0)):
        T_corner = T.copy()
        T_corner[..., 2, 3] += height
        q.append(_joints(robot, T_corner, q[-1]))
    path = joint_chain(np.stack(q, axis=-2), robot.v_max, blend)
    return smoothed(robot, fastest(robot, path, speed_fraction=speed_fraction))


def _joints(robot: Arm, T: Array, q_near: Array) -> Array:
    """Joints at poses (..., 4, 4), nearest to `q_near`; says why where there are none."""
    q = robot.ik_near(T, q_near)
    for index in np.argwhere(np.isnan(q).any(axis=-1))[:1]:
        robot.joints_near(T[tuple(index)], q_near[tuple(index)])
    return q


def _check_fraction(speed_fraction: float) -> None:
    if not 0.0 < speed_fraction <= 1.0:
        raise BadMotionLimit("speed fraction", speed_fraction, "is not above 0 and at most 1")
