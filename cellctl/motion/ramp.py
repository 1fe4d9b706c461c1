"""Jerk-limited changes of speed: the piece that all other time laws, and the ramps of drives, are made of.

Jerk, constant acceleration, opposite jerk; of all changes of speed under the same limits the fastest, and
point symmetric, so that its mean speed is the mean of its ends. With infinite jerk it is a linear ramp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True, eq=False)
class SpeedRamp:
    """Changes of speed that begin at time 0 and position 0; all arrays have one shape (...).

    Args:
        v_from, v_to: speeds before and after, signed.
        acceleration: the greatest, signed like the change.
        jerk_time: each of the two jerk phases [s].
        duration: of the whole change [s].
    """

    v_from: Array
    v_to: Array
    acceleration: Array
    jerk_time: Array
    duration: Array

    @property
    def distance(self) -> Array:
        """How far it goes while the speed changes, shape (...)."""
        return 0.5 * (self.v_from + self.v_to) * self.duration

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Position, speed and acceleration at time `t` [s], `t` broadcast against (...).

        Before the ramp the speed is `v_from`, after it `v_to`.
        """
        t = np.asarray(t, float)
        a, jerking = self.acceleration, self.jerk_time
        hold = self.duration - 2.0 * jerking
        x1 = np.clip(t, 0.0, jerking)  # time spent in each phase so far
        x2 = np.clip(t - jerking, 0.0, hold)
        x3 = np.clip(t - jerking - hold, 0.0, jerking)
        up, down = quotient(x1, jerking), quotient(x3, jerking)
        gain = a * (0.5 * up * x1 + x2 + (1.0 - 0.5 * down) * x3)
        gained = a * (
            up * x1 * x1 / 6.0
            + 0.5 * (jerking + x2) * x2
            + (0.5 * jerking + hold + (0.5 - down / 6.0) * x3) * x3
        )
        after = np.maximum(t - self.duration, 0.0)
        position = self.v_from * np.minimum(t, self.duration) + gained + self.v_to * after
        level = np.where(jerking > 0.0, up - down, t < hold)
        acceleration = np.where((t >= 0.0) & (t < self.duration), a * level, 0.0)
        velocity = np.where(after > 0.0, self.v_to, self.v_from + gain)
        return position, velocity, acceleration


def speed_ramp(
    v_from: npt.ArrayLike, v_to: npt.ArrayLike, a: npt.ArrayLike, j: npt.ArrayLike = math.inf
) -> SpeedRamp:
    """The fastest change of speed under limits of acceleration and jerk, broadcast to (...).

    `a` is above 0; `j` is above 0 and may be infinite. Neither is checked here.
    """
    v_from, v_to, a, j = np.broadcast_arrays(*(np.asarray(x, float) for x in (v_from, v_to, a, j)))
    return ramp_by(v_to - v_from, v_from, a, j)


def ramp_by(change: Array, v_from: Array, a: Array, j: Array) -> SpeedRamp:
    """As `speed_ramp`, by a signed change; exact also where the change is tiny beside the speed."""
    size = np.abs(change)
    top = top_acceleration(size, a, j)
    return SpeedRamp(v_from, v_from + change, np.copysign(top, change), top / j, ramp_time(size, a, j))


def top_acceleration(change: Array, a: Array, j: Array) -> Array:
    """The acceleration that a change of speed by `change`, at least 0, comes to."""
    squared = np.multiply(change, j, out=np.zeros(np.broadcast(change, j).shape), where=change > 0.0)
    return np.asarray(np.minimum(a, np.sqrt(squared)))


def ramp_time(change: Array, a: Array, j: Array) -> Array:
    """How long a change of speed by `change`, at least 0, takes [s]."""
    top = top_acceleration(change, a, j)
    return quotient(change, top) + top / j


def quotient(numerator: Array, denominator: Array) -> Array:
    """The quotient, and 0 where the denominator is 0."""
    zero = denominator == 0.0
    return np.asarray(np.where(zero, 0.0, numerator / np.where(zero, 1.0, denominator)))
