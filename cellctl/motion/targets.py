"""Jerk-limited moves between two speeds: the fastest one of one axis, and many axes that arrive together.

A move starts and ends without acceleration, at speeds of any sign. The fastest goes from its first speed to
a top speed, keeps it, and goes on to its last speed: no more switches are needed when the accelerations at
both ends are zero (L. Berscheid, T. Kroeger, "Jerk-limited Real-time Trajectory Generation with Arbitrary
Target States", RSS 2021, profiles UDDU and its mirror image).

For several axes one observation replaces a case analysis: in a given time an axis can cover any distance
between a least and a greatest, since the mean of two motions that keep the limits keeps them too. So a
common time is possible when each axis's distance lies between its two extremes (`together.py`),
and the motion of each axis is the mean of its extremes with the right weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.profile import BLOCK, ROUNDING, check_limits
from cellctl.motion.ramp import SpeedRamp, quotient, ramp_by, ramp_time, top_acceleration
from cellctl.motion.roots import crossing
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """Moves from one speed by way of a top speed to another; all arrays have one shape (...).

    Args:
        rise: from the first speed to the top speed.
        cruise_time: at the top speed [s].
        fall: from the top speed to the last.
    """

    rise: SpeedRamp
    cruise_time: Array
    fall: SpeedRamp

    @property
    def duration(self) -> Array:
        """From start to end, shape (...) [s]."""
        return self.rise.duration + self.cruise_time + self.fall.duration

    @property
    def top_speed(self) -> Array:
        """The speed between the two ramps, signed, shape (...)."""
        return self.rise.v_to

    @property
    def distance(self) -> Array:
        """From start to end, signed, shape (...)."""
        return self.rise.distance + self.top_speed * self.cruise_time + self.fall.distance

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Position, velocity and acceleration at time `t` [s] after the start, `t` broadcast against (...).

        Before the start it moves with its first speed, after the end with its last.
        """
        t = np.asarray(t, float)
        falling_at = self.rise.duration + self.cruise_time
        is_falling = t >= falling_at
        rise, fall = self.rise.at(t), self.fall.at(t - falling_at)
        offset = self.rise.distance + self.top_speed * self.cruise_time
        return (
            np.where(is_falling, offset + fall[0], rise[0]),
            np.where(is_falling, fall[1], rise[1]),
            np.where(is_falling, fall[2], rise[2]),
        )


def reach(
    distance: npt.ArrayLike,
    v_from: npt.ArrayLike,
    v_to: npt.ArrayLike,
    v: npt.ArrayLike,
    a: npt.ArrayLike,
    j: npt.ArrayLike = math.inf,
) -> Passage:
    """The fastest move over `distance` from speed `v_from` to speed `v_to`, broadcast to (...).

    Args:
        distance, v_from, v_to: signed.
        v, a, j: limits of speed, acceleration and jerk as `rest_to_rest` takes them.

    Raises:
        BadMotionLimit: when a limit is senseless, or a speed at an end beyond the speed limit.
    """
    return reach_checked(checked(distance, v_from, v_to, v, a, j))


def reach_checked(given: tuple[Array, ...]) -> Passage:
    """As `reach`, of what `checked` gives."""
    d, v_from, v_to, v, a, j = given
    sign = np.where(beyond_ramp(d, v_from, v_to, a, j) >= 0.0, 1.0, -1.0)
    swing = _in_blocks(_fastest, sign * d, sign * v_from, sign * v_to, v, a, j)
    return _passage(swing, sign, v_from, v_to, a, j)


def farthest(
    T: Array, sign: npt.ArrayLike, v_from: Array, v_to: Array, v: Array, a: Array, j: Array
) -> Passage:
    """The move that comes farthest in time `T` [s], forward for sign 1 and backward for sign -1.

    NaN where `T` is too short for the change of speed alone.
    """
    sign = np.asarray(sign, float)
    return _passage(_in_blocks(_swing, T, sign * v_from, sign * v_to, v, a, j), sign, v_from, v_to, a, j)


def greatest_distance(T: Array, v_from: Array, v_to: Array, v: Array, a: Array, j: Array) -> Array:
    """How far forward one can come in time `T`; NaN where `T` is too short; shape (...)."""
    up, down, cruise_time = _in_blocks(_swing, T, v_from, v_to, v, a, j)
    there = _ramp_distance(v_from, up, a, j) + _ramp_distance(v_to, down, a, j)
    return np.asarray(there + (v_from + up) * cruise_time)


def checked(*arguments: npt.ArrayLike) -> tuple[Array, ...]:
    """Distance, speeds at the ends and limits as arrays of one shape.

    Raises:
        BadMotionLimit: as `reach`.
    """
    d, v_from, v_to, v, a, j = np.broadcast_arrays(*(np.asarray(x, float) for x in arguments))
    check_limits(d, v, a, j)
    for what, speed in (("speed at the start", v_from), ("speed at the end", v_to)):
        beyond = ~(np.abs(speed) <= v)
        if np.any(beyond):
            raise BadMotionLimit(
                what, float(speed[beyond].flat[0]), f"is beyond the limit of {v[beyond].flat[0]:g}"
            )
    return d, v_from, v_to, v, a, j


Swing = tuple[Array, Array, Array]
"""A move forward: by how much the top speed is above the first and the last speed, and the time at it."""


def _in_blocks(f: Callable[..., Swing], *arguments: Array) -> Swing:
    """The same, worked out in blocks that stay in the cache."""
    arrays = np.broadcast_arrays(*arguments)
    if arrays[0].size <= BLOCK:
        return f(*arrays)
    flat = [array.ravel() for array in arrays]
    out = np.empty((3, flat[0].size))
    for start in range(0, flat[0].size, BLOCK):
        rows = slice(start, start + BLOCK)
        out[:, rows] = f(*(array[rows] for array in flat))
    up, down, cruise_time = out.reshape(3, *arrays[0].shape)
    return up, down, cruise_time


def _passage(swing: Swing, sign: Array, v_from: Array, v_to: Array, a: Array, j: Array) -> Passage:
    """The move in the direction of `sign`."""
    up, down, cruise_time = swing
    fall = ramp_by(-sign * down, v_to + sign * down, a, j)
    return Passage(ramp_by(sign * up, v_from, a, j), cruise_time, fall)


def _ramp_distance(v_from: Array, change: Array, a: Array, j: Array) -> Array:
    """How far a change of speed goes; the same forth and back."""
    return np.asarray((v_from + 0.5 * change) * ramp_time(np.abs(change), a, j))


def _guess(d: Array, v_from: Array, v_to: Array, v: Array, a: Array, j: Array) -> Array:
    """The time of the fastest move over `d` when both its ramps reach full acceleration; else a start for it."""
    whole = a * a / j
    square = 0.25 * whole**2 + a * d + 0.5 * (v_from**2 + v_to**2 - whole * (v_from + v_to))
    top = np.sqrt(np.maximum(square, 0.0)) - 0.5 * whole
    top = np.clip(top, np.maximum(v_from, v_to), v)
    return ramp_time(top - v_from, a, j) + ramp_time(top - v_to, a, j)


def beyond_ramp(d: Array, v_from: Array, v_to: Array, a: Array, j: Array) -> Array:
    """How far `d` is beyond what the plain change of speed covers, 0 where that is no more than rounding.

    Beside it, where both speeds point the other way, the least time jumps by that of a turn back and forth.
    """
    ramp = ramp_time(np.abs(v_to - v_from), a, j)
    rest = d - 0.5 * (v_from + v_to) * ramp
    noise = ROUNDING * (np.abs(d) + np.maximum(np.abs(v_from), np.abs(v_to)) * ramp)
    return np.where(np.abs(rest) <= noise, 0.0, rest)


def _fastest(d: Array, v_from: Array, v_to: Array, v: Array, a: Array, j: Array) -> Swing:
    """The fastest move over `d`, which is not behind the plain change of speed."""
    up, down = np.array(v - v_from), np.array(v - v_to)
    through = _ramp_distance(v_from, up, a, j) + _ramp_distance(v_to, down, a, j)
    cruise_time = np.maximum(d - through, 0.0) / v
    short = cruise_time == 0.0  # the top speed stays below the limit
    if np.any(short):
        rows = [x[short] for x in (v_from, v_to, v, a, j)]
        low = ramp_time(np.abs(v_to - v_from), a, j)[short]
        high = (ramp_time(up, a, j) + ramp_time(down, a, j))[short]
        is_plain = beyond_ramp(d, v_from, v_to, a, j)[short] <= 0.0
        start = _guess(d[short], *rows)
        T = np.where(
            is_plain, low, crossing(beyond, low, high, d[short], *rows, start=np.clip(start, low, high))
        )
        up[short], down[short], _ = _swing(T, *rows)
    return up, down, cruise_time


def beyond(
    T: Array, d: Array, v_from: Array, v_to: Array, v: Array, a: Array, j: Array
) -> tuple[Array, Array]:
    """How far beyond `d` one can come in time `T`, and the slope of that over `T`."""
    up, down, cruise_time = _swing(T, v_from, v_to, v, a, j)
    a_up, a_down = top_acceleration(up, a, j), top_acceleration(down, a, j)
    t_up, t_down = quotient(up, a_up) + a_up / j, quotient(down, a_down) + a_down / j
    mean_up, mean_down, top = v_from + 0.5 * up, v_to + 0.5 * down, v_from + up
    way = mean_up * t_up + mean_down * t_down + top * cruise_time - d
    # the top speed rises with T at the rate 1 / (1 / a_up + 1 / a_down)
    bend = 0.5 * a_up * a_down * (t_up + t_down) + mean_up * a_down + mean_down * a_up
    is_plain = (cruise_time > 0.0) | (a_up + a_down == 0.0)
    return way, np.where(is_plain, top, quotient(bend, a_up + a_down))


def _swing(T: Array, v_from: Array, v_to: Array, v: Array, a: Array, j: Array) -> Swing:
    """The move that comes farthest forward in time `T`.

    The faster end changes its speed by y, the slower by y + step, in times that add up to T. Each is
    either without or with a phase of constant acceleration, and in all three combinations that are
    possible y follows in closed form.
    """
    step = np.abs(v_to - v_from)
    ramp = ramp_time(step, a, j)
    whole = a * a / j  # the change of speed that just reaches full acceleration
    with np.errstate(divide="ignore", invalid="ignore"):
        half = 0.5 * np.sqrt(j) * T
        y_jerks = (0.5 * (half - step / half)) ** 2
        y_one = (np.sqrt(np.maximum(a * T - step, 0.0)) - np.sqrt(whole)) ** 2
        y_both = 0.5 * (a * T - step) - whole
        y = np.where(y_both >= whole, y_both, np.where(y_jerks + step <= whole, y_jerks, y_one))
    too_short = ramp * (1.0 - ROUNDING) > T
    y = np.where(too_short, np.nan, np.where(ramp < T, y, 0.0))
    room = v - np.maximum(v_from, v_to)
    y = np.minimum(y, room)
    up, down = y + np.maximum(v_to - v_from, 0.0), y + np.maximum(v_from - v_to, 0.0)
    spare = np.maximum(T - ramp_time(up, a, j) - ramp_time(down, a, j), 0.0)
    return up, down, np.where(y < room, 0.0, spare)
