"""Several axes that leave together and arrive together, each from one speed to another, jerk-limited.

In a given time an axis can cover any distance between a least and a greatest and no other, since the mean of
two motions that keep the limits keeps them too. So the axes can arrive after a time T when each distance
lies between the extremes of its axis, and each axis then makes the mean of its two extreme motions with
the right weight. From rest to rest this is the fastest motion, made smaller. Times at which an axis cannot
arrive (too long to keep its speeds, too short to turn back) are left out, as L. Berscheid, T. Kroeger,
"Jerk-limited Real-time Trajectory Generation with Arbitrary Target States", RSS 2021, do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.profile import ROUNDING
from cellctl.motion.ramp import ramp_time
from cellctl.motion.roots import crossing
from cellctl.motion.targets import (
    Passage,
    beyond,
    beyond_ramp,
    checked,
    farthest,
    greatest_distance,
    reach_checked,
)
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Moves of one duration each; all arrays have one shape (...).

    Args:
        forward, backward: the motions that come farthest forward and farthest backward in that time.
        share: of `forward` in the motion, 0 to 1.
    """

    forward: Passage
    backward: Passage
    share: Array

    @property
    def duration(self) -> Array:
        """From start to end, shape (...) [s]."""
        return self.forward.duration

    @property
    def distance(self) -> Array:
        """From start to end, signed, shape (...)."""
        return self.share * self.forward.distance + (1.0 - self.share) * self.backward.distance

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Position, velocity and acceleration at time `t` [s] after the start, `t` broadcast against (...).

        Before the start it moves with its first speed, after the end with its last.
        """
        near, far = self.backward.at(t), self.forward.at(t)
        x, v, a = (n + self.share * (f - n) for n, f in zip(near, far, strict=True))
        return x, v, a


def arrive(
    distance: npt.ArrayLike,
    v_from: npt.ArrayLike,
    v_to: npt.ArrayLike,
    v: npt.ArrayLike,
    a: npt.ArrayLike,
    j: npt.ArrayLike = math.inf,
    duration: npt.ArrayLike | None = None,
) -> Arrival:
    """Axes (..., n) that move by `distance` from speeds `v_from` to speeds `v_to` in one common time.

    Args:
        distance, v_from, v_to, v, a, j: as `reach` takes them.
        duration: the time [s], shape (...); the shortest common one when not given.

    Raises:
        BadMotionLimit: as `reach`, and for a duration in which an axis cannot arrive.
    """
    given = checked(distance, v_from, v_to, v, a, j)
    if duration is None:
        _, extremes = _shortest(given)
    else:
        T = np.broadcast_to(np.asarray(duration, float)[..., None], given[0].shape)
        extremes = _extremes(T, given)
        impossible = ~_lies_between(extremes, given)
        if np.any(impossible):
            why = "is not one in which every axis can arrive at its speed"
            raise BadMotionLimit("duration [s]", float(T[impossible].flat[0]), why)
    backward, forward = extremes
    near, far = backward.distance, forward.distance
    apart = far > near
    share = np.where(apart, (given[0] - near) / np.where(apart, far - near, 1.0), 1.0)
    return Arrival(forward, backward, np.clip(share, 0.0, 1.0))


def shortest_common_time(
    distance: npt.ArrayLike,
    v_from: npt.ArrayLike,
    v_to: npt.ArrayLike,
    v: npt.ArrayLike,
    a: npt.ArrayLike,
    j: npt.ArrayLike = math.inf,
) -> Array:
    """The least time in which all axes, shape (..., n), can arrive, shape (...) [s].

    Raises:
        BadMotionLimit: as `reach`.
    """
    return _shortest(checked(distance, v_from, v_to, v, a, j))[0]


Given = tuple[Array, ...]
"""Distance, speeds at the ends and limits of speed, acceleration and jerk, of one shape."""


def _extremes(T: Array, given: Given) -> tuple[Passage, Passage]:
    """The motions that come farthest backward and farthest forward in time `T`."""
    return farthest(T, -1.0, *given[1:]), farthest(T, 1.0, *given[1:])


def _lies_between(extremes: tuple[Passage, Passage], given: Given) -> npt.NDArray[np.bool_]:
    """Whether each axis can cover its distance in the time of these extremes, to rounding."""
    near, far = (extreme.distance for extreme in extremes)
    slack = 1e-9 * (far - near) + 2.0 * ROUNDING * (np.abs(given[0]) + given[3] * extremes[0].duration)
    return np.asarray((near - slack <= given[0]) & (given[0] <= far + slack))


def _shortest(given: Given) -> tuple[Array, tuple[Passage, Passage]]:
    """The least common time of axes (..., n), and their extremes in it."""
    fastest = reach_checked(given).duration
    least = fastest.max(axis=-1)
    extremes = _extremes(np.broadcast_to(least[..., None], fastest.shape), given)
    blocked = ~np.all(_lies_between(extremes, given), axis=-1)
    if not np.any(blocked):
        return least, extremes
    least = np.array(least)
    least[blocked] = _after_gaps(fastest[blocked], *(x[blocked] for x in given))
    return least, _extremes(np.broadcast_to(least[..., None], fastest.shape), given)


def _after_gaps(fastest: Array, *given: Array) -> Array:
    """The least common time where the slowest axis's least time lies in another's gap."""
    start, end = _gap(fastest, *given)
    least = fastest.max(axis=-1, keepdims=True)
    times = np.concatenate((least, np.where(np.isfinite(end), end, math.inf)), axis=-1)[..., None]
    is_free = np.all((times <= start[..., None, :]) | (times >= end[..., None, :]), axis=-1)
    times = times[..., 0]
    return np.asarray(np.min(np.where(is_free & (times >= least), times, math.inf), axis=-1))


def clearance(T: Array, d: Array, v_from: Array, v_to: Array, v: Array, a: Array, j: Array) -> Array:
    """How far `d` lies inside what is possible in time `T`, negative outside, shape (...).

    Infinitely far outside where `T` is too short for the change of speed, or anything is NaN. Limits and
    end speeds are not checked: where a speed is beyond its limit nothing is possible.
    """
    with np.errstate(invalid="ignore"):
        far = greatest_distance(T, v_from, v_to, v, a, j)
        near = -greatest_distance(T, -v_from, -v_to, v, a, j)
        inside = np.minimum(far - d, d - near)
        possible = np.isfinite(inside) & (np.abs(v_from) <= v) & (np.abs(v_to) <= v)
    return np.where(possible, inside, -math.inf)


def _gap(
    fastest: Array, d: Array, v_from: Array, v_to: Array, v: Array, a: Array, j: Array
) -> tuple[Array, Array]:
    """Between which times, both excluded, the axis cannot arrive although it can sooner; infinite where none.

    There is one only when the axis moves forward throughout: it can dawdle no longer than its speeds and
    its brakes allow, and needs much longer to come to rest, go back and start once more. Seen backward
    the farthest distance over time falls first and then rises, and the gap is where it is too short.
    """
    sign = np.where(v_from + v_to >= 0.0, 1.0, -1.0)
    begins, ends = np.full(d.shape, math.inf), np.full(d.shape, math.inf)
    u, w = sign * v_from, sign * v_to
    ramp = ramp_time(np.abs(u - w), a, j)
    both = (u > 0.0) & (w > 0.0) & (beyond_ramp(sign * d, u, w, a, j) >= 0.0)
    if not np.any(both):
        return begins, ends
    d, u, w, v, a, j, low = (x[both] for x in (-sign * d, -u, -w, v, a, j, ramp))
    standing = ramp_time(-u, a, j) + ramp_time(-w, a, j)  # comes to rest on the way
    turn = crossing(_slope_of_farthest, low, standing, u, w, v, a, j)
    through = ramp_time(v - u, a, j) + ramp_time(v - w, a, j)
    missing = np.maximum(d - greatest_distance(through, u, w, v, a, j), 0.0)
    is_gap = greatest_distance(turn, u, w, v, a, j) < d
    first = crossing(_short, low, turn, d, u, w, v, a, j)
    last = crossing(beyond, turn, through + 2.0 * missing / v, d, u, w, v, a, j)
    begins[both] = np.where(is_gap, np.maximum(first, fastest[both]), math.inf)
    ends[both] = np.where(is_gap, last, math.inf)
    return begins, ends


def _short(T: Array, d: Array, *limits: Array) -> tuple[Array, Array]:
    """How far short of `d` one stays in time `T`, and its slope."""
    value, slope = beyond(T, d, *limits)
    return -value, -slope


def _slope_of_farthest(T: Array, *limits: Array) -> tuple[Array, Array]:
    """The slope of the greatest distance over time; its own slope is not known and not needed."""
    slope = beyond(T, np.zeros_like(T), *limits)[1]
    return slope, np.full_like(slope, math.nan)
