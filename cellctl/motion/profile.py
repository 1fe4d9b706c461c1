"""Jerk-limited, time-optimal moves from rest to rest, of one axis, of many, and of many at once.

Every such move is a ramp up, a cruise and the same ramp down, and each ramp is jerk, constant
acceleration, opposite jerk. Three times therefore describe it completely; everything else follows from
them and the distance. The trapezoidal profile is the limit of infinite jerk. Formulas: L. Biagiotti, C.
Melchiorri, "Trajectory Planning for Automatic Machines and Robots", Springer 2008, section 3.4, brought
here to one expression without cases.

Targets that move stand in `targets.py`, corners and paths in `corners.py` and `retime.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.ramp import quotient
from cellctl.motion.transforms import Array

ROUNDING = 1e-12  # relative; a limit exceeded by no more than this is kept
BLOCK = 6144  # numbers worked on at once, so that the intermediates stay in the cache


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Moves from rest to rest; all arrays have one shape (...), times in [s].

    Args:
        distance: signed, in any unit; the unit of what `at` returns.
        jerk_time: each of the four jerk phases.
        constant_time: each of the two phases of constant acceleration.
        cruise_time: the phase of constant speed.
    """

    distance: Array
    jerk_time: Array
    constant_time: Array
    cruise_time: Array

    @property
    def ramp_time(self) -> Array:
        """From rest to top speed, shape (...) [s]."""
        return 2.0 * self.jerk_time + self.constant_time

    @property
    def duration(self) -> Array:
        """From rest to rest, shape (...) [s]."""
        return 2.0 * self.ramp_time + self.cruise_time

    @property
    def top_speed(self) -> Array:
        """Greatest speed along the move, signed like the distance, shape (...)."""
        return quotient(self.distance, self.ramp_time + self.cruise_time)

    @property
    def top_acceleration(self) -> Array:
        """Greatest acceleration along the move, signed like the distance, shape (...)."""
        return quotient(self.top_speed, self.jerk_time + self.constant_time)

    @property
    def jerk(self) -> Array:
        """Jerk of the first phase, signed like the distance; infinite for a trapezoid, shape (...)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            jerk = self.top_acceleration / self.jerk_time
        return np.where(self.distance == 0.0, 0.0, jerk)

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Position, velocity and acceleration at time `t` [s] after the start, `t` broadcast against (...).

        At rest at 0 before the start, at rest at the distance after the end. The halves mirror.
        """
        t = np.asarray(t, float)
        late = t > 0.5 * self.duration
        u = np.where(late, self.duration - t, t)  # time from the nearer end
        moving = (u >= 0.0) & (self.distance != 0.0)
        ramp, hold = self.jerk_time, self.constant_time
        a, v = self.top_acceleration, self.top_speed
        x1 = np.clip(u, 0.0, ramp)  # time spent in each phase so far
        x2 = np.clip(u - ramp, 0.0, hold)
        x3 = np.clip(u - ramp - hold, 0.0, ramp)
        x4 = np.maximum(u - self.ramp_time, 0.0)
        up, down = quotient(x1, ramp), quotient(x3, ramp)  # how far each jerk phase is done

        v1 = 0.5 * a * ramp  # speed after the first jerk phase
        v2 = v1 + a * hold
        position = (
            a * up * x1 * x1 / 6.0
            + (v1 + 0.5 * a * x2) * x2
            + (v2 + a * (0.5 - down / 6.0) * x3) * x3
            + v * x4
        )
        velocity = a * (0.5 * up * x1 + x2 + (1.0 - 0.5 * down) * x3)
        level = np.where(ramp > 0.0, up - down, u < hold)
        acceleration = np.where(moving & (t < self.duration), np.where(late, -a, a) * level, 0.0)
        return np.where(late, self.distance - position, position), velocity, acceleration

    def stretched(self, duration: npt.ArrayLike) -> Profile:
        """The same moves made slower, to take `duration` [s], broadcast against (...).

        Speed falls with the stretch, acceleration with its square and jerk with its cube, so no limit
        that held is broken. Moves of no distance wait.
        """
        duration = np.asarray(duration, float)
        still = self.duration == 0.0
        k = np.where(still, 0.0, quotient(duration, self.duration))
        return Profile(
            self.distance,
            k * self.jerk_time,
            k * self.constant_time,
            np.where(still, duration, k * self.cruise_time),
        )


def rest_to_rest(
    distance: npt.ArrayLike, v: npt.ArrayLike, a: npt.ArrayLike, j: npt.ArrayLike = math.inf
) -> Profile:
    """The fastest move over `distance` under limits of speed, acceleration and jerk, broadcast to (...).

    Args:
        distance: signed.
        v, a: limits, finite and above 0.
        j: limit above 0; infinite for a trapezoidal profile.

    Raises:
        BadMotionLimit: when a limit or a distance is none of these.
    """
    d, v, a, j = (np.asarray(x, float) for x in (distance, v, a, j))
    check_limits(d, v, a, j)
    return _rest_to_rest(d, v, a, j)


def _rest_to_rest(d: Array, v: Array, a: Array, j: Array) -> Profile:
    """As `rest_to_rest`, without looking at the limits."""
    D = np.abs(d)
    # whichever the move meets first: full acceleration, full speed, or its own middle
    full = np.minimum(a / j, np.sqrt(v / j))
    jerk_time = np.array(np.broadcast_to(full, np.broadcast(D, full).shape))
    with np.errstate(invalid="ignore"):
        is_short = 2.0 * j * full**3 > D
    np.cbrt(0.5 * D / j, out=jerk_time, where=is_short)
    to_middle = 0.5 * (np.sqrt(jerk_time**2 + 4.0 * D / a) - 3.0 * jerk_time)
    constant_time = np.maximum(np.minimum(v / a - jerk_time, to_middle), 0.0)
    cruise_time = np.maximum(D / v - 2.0 * jerk_time - constant_time, 0.0)
    d, jerk_time, constant_time, cruise_time = np.broadcast_arrays(d, jerk_time, constant_time, cruise_time)
    return Profile(d, jerk_time, constant_time, cruise_time)


def synchronised(
    distances: npt.ArrayLike, v: npt.ArrayLike, a: npt.ArrayLike, j: npt.ArrayLike = math.inf
) -> Profile:
    """Moves of several axes that start and end together, in the time of the slowest; shapes (..., n).

    Where every axis can follow the slowest axis's profile scaled to its own distance, the axes stay in
    proportion and the path is a straight line in joint space. Where one cannot (its acceleration or jerk
    is weaker for its speed), all make their own fastest move stretched to the common time.

    Raises:
        BadMotionLimit: as `rest_to_rest`.
    """
    d, v, a, j = (np.asarray(x, float) for x in (distances, v, a, j))
    check_limits(d, v, a, j)
    shape = np.broadcast_shapes(d.shape, v.shape, a.shape, j.shape)
    if v.ndim > 1 or a.ndim > 1 or j.ndim > 1 or d.size <= BLOCK:
        return _synchronised(np.broadcast_to(d, shape), v, a, j)
    times = np.empty((4, *shape))
    rows = np.broadcast_to(d, shape).reshape(-1, shape[-1])
    flat = times.reshape(4, *rows.shape)
    for start in range(0, len(rows), -(-BLOCK // shape[-1])):
        block = slice(start, start + -(-BLOCK // shape[-1]))
        part = _synchronised(rows[block], v, a, j)
        flat[:, block] = part.distance, part.jerk_time, part.constant_time, part.cruise_time
    return Profile(*times)


def _synchronised(d: Array, v: Array, a: Array, j: Array) -> Profile:
    own = _rest_to_rest(d, v, a, j)
    duration = own.duration
    slowest = np.argmax(duration, axis=-1, keepdims=True)
    jerk_time, constant_time, cruise_time = (
        np.take_along_axis(times, slowest, axis=-1)
        for times in (own.jerk_time, own.constant_time, own.cruise_time)
    )
    # the distances that keep each limit when all axes follow the profile of the slowest
    by_speed = 2.0 * jerk_time + constant_time + cruise_time
    by_acceleration = by_speed * (jerk_time + constant_time)
    within = np.minimum(by_speed * v, by_acceleration * a)
    with np.errstate(invalid="ignore"):
        by_jerk = by_acceleration * jerk_time * j
    within = np.where(j < math.inf, np.minimum(within, by_jerk), within)
    straight = np.all(np.abs(d) <= within * (1.0 + ROUNDING), axis=-1, keepdims=True)
    if straight.all():
        return Profile(*np.broadcast_arrays(d, jerk_time, constant_time, cruise_time))
    apart = own.stretched(np.take_along_axis(duration, slowest, axis=-1))
    return Profile(
        own.distance,
        np.where(straight, jerk_time, apart.jerk_time),
        np.where(straight, constant_time, apart.constant_time),
        np.where(straight, cruise_time, apart.cruise_time),
    )


@dataclass(frozen=True, slots=True)
class Move:
    """One move of one axis in plain floats, for inner loops; the same numbers as `Profile`, to rounding."""

    distance: float
    jerk_time: float
    constant_time: float
    cruise_time: float
    duration: float
    speed: float  # signed, at cruise
    acceleration: float  # signed, at most

    def at(self, t: float) -> tuple[float, float]:
        """Position and velocity at time `t` [s] after the start."""
        if t <= 0.0:
            return 0.0, 0.0
        if t >= self.duration:
            return self.distance, 0.0
        if t > 0.5 * self.duration:
            position, velocity = self._first_half(self.duration - t)
            return self.distance - position, velocity
        return self._first_half(t)

    def position(self, t: float) -> float:
        """Position at time `t` [s] after the start."""
        return self.at(t)[0]

    def _first_half(self, u: float) -> tuple[float, float]:
        a, ramp, hold = self.acceleration, self.jerk_time, self.constant_time
        if u < ramp:
            return a * u * u * u / (6.0 * ramp), a * u * u / (2.0 * ramp)
        if u < ramp + hold:
            x = u - ramp
            return a * (ramp * ramp / 6.0 + 0.5 * (ramp + x) * x), a * (0.5 * ramp + x)
        left = 2.0 * ramp + hold - u  # until top speed, negative when cruising
        position = self.speed * (0.5 * (2.0 * ramp + hold) - left)
        if left <= 0.0:
            return position, self.speed
        return position + a * left * left * left / (6.0 * ramp), self.speed - a * left * left / (2.0 * ramp)


def scalar_move(distance: float, v: float, a: float, j: float = math.inf) -> Move:
    """`rest_to_rest` for one axis, without arrays.

    Raises:
        BadMotionLimit: as `rest_to_rest`.
    """
    if not (0.0 < v < math.inf and 0.0 < a < math.inf and j > 0.0 and -math.inf < distance < math.inf):
        check_limits(*(np.asarray(x, float) for x in (distance, v, a, j)))
    D = abs(distance)
    jerk_time = min(a / j, math.sqrt(v / j), (0.5 * D / j) ** (1.0 / 3.0))
    to_middle = 0.5 * (math.sqrt(jerk_time * jerk_time + 4.0 * D / a) - 3.0 * jerk_time)
    constant_time = max(min(v / a - jerk_time, to_middle), 0.0)
    ramp_time = 2.0 * jerk_time + constant_time
    cruise_time = max(D / v - ramp_time, 0.0)
    speed = distance / (ramp_time + cruise_time) if D else 0.0
    acceleration = speed / (jerk_time + constant_time) if D else 0.0
    duration = 2.0 * ramp_time + cruise_time
    return Move(distance, jerk_time, constant_time, cruise_time, duration, speed, acceleration)


def scalar_duration(distance: float, v: float, a: float, j: float = math.inf) -> float:
    """How long the fastest move over `distance` takes [s]; `rest_to_rest(...).duration` without arrays."""
    return scalar_move(distance, v, a, j).duration


def check_limits(distance: Array, v: Array, a: Array, j: Array) -> None:
    """Raise BadMotionLimit for the first value that makes no sense."""
    finite = (("distance", distance, np.isfinite(distance), "is not a number of finite size"),)
    limits = (
        ("speed limit", v, (v > 0.0) & np.isfinite(v), "is not above 0 and finite"),
        ("acceleration limit", a, (a > 0.0) & np.isfinite(a), "is not above 0 and finite"),
        ("jerk limit", j, j > 0.0, "is not above 0"),
    )
    for what, values, good, why in finite + limits:
        if not np.all(good):
            raise BadMotionLimit(what, float(values[~good].flat[0]), why)
