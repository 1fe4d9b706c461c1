"""Speed override: a motion made slower while it goes, without leaving its path and within its accelerations.

The motion's own clock runs at a rate from 0 to 1. At rate r and change of rate c a joint with velocity w and
acceleration b in the motion has velocity r w and acceleration r^2 b + c w. The rate is moved towards what is
asked for as fast as no joint's acceleration limit is exceeded and as the override's own ramp allows. At full
acceleration of the motion itself nothing may be left for that, and then it waits: 0 is always allowed.
Rate 0 is a hold on the path; 1 goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.transforms import Array

STEP = 2e-3  # [s] in which the rate is decided
AROUND = 4  # samples of the motion, half a step apart, that surely span a step
RAMP = 0.1  # [s] from no speed to full speed at the fastest

Motion = Callable[[Array], tuple[Array, Array, Array]]
"""Positions, velocities and accelerations, shape (..., n), at times of shape (...)."""


@dataclass(frozen=True, slots=True, eq=False)
class Overridden:
    """A motion under changes of override.

    Args:
        motion: at its own speed.
        length: of the motion at its own speed, shape (...) [s].
        clock: the motion's own time at each step, shape (steps + 1, ...) [s].
        rate: of that clock, shape (steps + 1, ...), 0 to 1.
        step: [s].
    """

    motion: Motion
    length: Array
    clock: Array
    rate: Array
    step: float

    @property
    def duration(self) -> Array:
        """Until the motion's end, shape (...) [s]; infinite where it still is on its way."""
        before = np.clip(np.sum(self.clock < self.length, axis=0) - 1, 0, len(self.clock) - 2)
        clock, rate, after = self._around(before)
        rest, change = self.length - clock, (after - rate) / self.step
        root = np.sqrt(np.maximum(rate**2 + 2.0 * change * rest, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            spent = np.where(rest > 0.0, 2.0 * rest / (rate + root), 0.0)
        return np.where(self.clock[-1] >= self.length, before * self.step + spent, math.inf)

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Positions, velocities and accelerations, shape (..., n), at times `t` [s], broadcast against (...)."""
        shape = np.broadcast_shapes(np.shape(t), self.clock.shape[1:])
        t = np.broadcast_to(np.asarray(t, float), shape)
        i = np.clip((t / self.step).astype(np.intp), 0, len(self.clock) - 2)
        clock, rate, after = self._around(i)
        change = (after - rate) / self.step
        spent = np.clip(t - i * self.step, 0.0, self.step)
        q, w, b = self.motion(clock + (rate + 0.5 * change * spent) * spent)
        r, c = (rate + change * spent)[..., None], change[..., None]
        return q, r * w, r * r * b + c * w

    def _around(self, i: npt.NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """The clock and the rate before step i, and the rate after it."""
        own = np.indices(i.shape)[i.ndim - (self.clock.ndim - 1) :]
        return self.clock[i, *own], self.rate[i, *own], self.rate[i + 1, *own]


def overridden(
    motion: Motion,
    duration: npt.ArrayLike,
    a: npt.ArrayLike,
    changes: Sequence[tuple[float, float]],
    until: float,
    rate: float = 1.0,
    ramp: float = RAMP,
    step: float = STEP,
) -> Overridden:
    """A motion whose override is changed while it goes.

    Args:
        motion: within the limits at its own speed.
        duration: of the motion, shape (...) [s].
        a: acceleration limits, shape (n,).
        changes: time [s] and override from then on, 0 to 1; in order of time.
        until: how long to look at most [s]; the motion may be held for good.
        rate: the override before the first change.
        ramp: from no speed to full speed at the fastest [s].

    Raises:
        BadMotionLimit: for an override beyond 0 to 1.
    """
    for share in (rate, *(share for _, share in changes)):
        if not 0.0 <= share <= 1.0:
            raise BadMotionLimit("speed override", share, "is not between 0 and 1")
    duration, a = np.asarray(duration, float), np.asarray(a, float)
    _, w, b = _samples(motion, duration, 0.5 * step)
    clocks, rates = [np.zeros_like(duration)], [np.full_like(duration, rate)]
    for number in range(math.ceil(until / step)):
        clock, r = clocks[-1], rates[-1]
        if np.all(clock >= duration):
            break
        wanted = next((share for t, share in reversed(changes) if t <= number * step + 1e-12), rate)
        first = np.minimum((clock / (0.5 * step)).astype(np.intp), len(w) - AROUND)
        around = (first + np.arange(AROUND).reshape(-1, *[1] * r.ndim), *np.indices(r.shape))
        change = np.clip((wanted - r) / step, *_room(w[around], b[around], r, a, step, ramp))
        clocks.append(clock + (r + 0.5 * change * step) * step)
        rates.append(np.clip(r + change * step, 0.0, 1.0))
    return Overridden(motion, duration, np.stack(clocks), np.stack(rates), step)


def _samples(motion: Motion, duration: Array, dt: float) -> tuple[Array, Array, Array]:
    """The motion at even times from its start to beyond its end."""
    count = math.ceil(float(np.max(duration)) / dt) + AROUND + 1
    t = np.arange(count).reshape(-1, *[1] * duration.ndim) * dt
    return motion(np.broadcast_to(t, (count, *duration.shape)))


def _room(w: Array, b: Array, r: Array, a: Array, step: float, ramp: float) -> tuple[Array, Array]:
    """Between which changes of rate no joint exceeds its acceleration, from now to the step's end, shape (...).

    `w` and `b` are the motion's velocities and accelerations around that step, shape (samples, ..., n).
    """
    least, most = np.full(r.shape, -1.0 / ramp), np.full(r.shape, 1.0 / ramp)
    for pace in (np.maximum(r - step / ramp, 0.0), np.minimum(r + step / ramp, 1.0)):
        rest = pace[..., None] ** 2 * b  # the rate may come to either pace by the step's end
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other = (-a - rest) / w, (a - rest) / w
        low = np.where(w != 0.0, np.minimum(one, other), -math.inf).max(axis=(0, -1))
        high = np.where(w != 0.0, np.maximum(one, other), math.inf).min(axis=(0, -1))
        least, most = np.maximum(least, low), np.minimum(most, high)
    return np.minimum(least, 0.0), np.maximum(most, 0.0)
