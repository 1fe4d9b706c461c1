"""Jerk limits for a motion that keeps speeds and accelerations only: its running mean over a short window.

The mean of motions within limits is within the same limits, so speeds and accelerations stay as they are,
and no jerk exceeds the greatest change of acceleration across the window, divided by it. The motion takes
longer by the window T, begins and ends where it did, and leaves the path in between: a joint by at most
a_max T^2 / 24. Where the tool must keep to its line, `straight_move` is slower and exact. Source: L.
Biagiotti, C. Melchiorri, "FIR filters for online trajectory planning with time- and frequency-domain
specifications", Control Engineering Practice 20(12), 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.path import Arm
from cellctl.motion.retime import Traversal
from cellctl.motion.transforms import Array

STEPS = 16  # of the least window, in which wider ones are tried and jerks are looked at
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)  # exact for a cubic in s with s quadratic in t


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """The running mean of joint motions along paths.

    Args:
        traversal: the motions, a batch of shape (...).
        window: shape (...) [s].
        area: integral of the joints over time up to each point of the paths' grid, shape (..., m, n).
    """

    traversal: Traversal
    window: Array
    area: Array

    @property
    def duration(self) -> Array:
        """From rest to rest, shape (...) [s]."""
        return np.asarray(self.traversal.duration + self.window)

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Joint positions, velocities and accelerations at times `t` [s], broadcast against (...), then (n,)."""
        t, window = np.asarray(t, float), self.window[..., None]
        q, dq, _ = self.traversal.at(t)
        q_old, dq_old, _ = self.traversal.at(t - self.window)
        mean = (self._area(t) - self._area(t - self.window)) / window
        return mean, (q - q_old) / window, (dq - dq_old) / window

    def jerk_at(self, t: npt.ArrayLike) -> Array:
        """Joint jerks at times `t` [s], broadcast against (...), then (n,)."""
        t = np.asarray(t, float)
        new, old = self.traversal.at(t)[2], self.traversal.at(t - self.window)[2]
        return np.asarray((new - old) / self.window[..., None])

    def _area(self, t: Array) -> Array:
        """Integral of the joints from the start to `t`."""
        law = self.traversal
        shape = np.broadcast_shapes(t.shape, self.window.shape)
        t = np.broadcast_to(t, shape)
        inside = np.clip(t, 0.0, law.duration)
        i = np.sum(inside[..., None] >= law.t[..., 1:-1], axis=-1)
        begun = np.take_along_axis(np.broadcast_to(law.t, (*shape, law.t.shape[-1])), i[..., None], axis=-1)[
            ..., 0
        ]
        done = np.broadcast_to(self.area, (*shape, *self.area.shape[-2:]))
        area = np.take_along_axis(done, i[..., None, None], axis=-2)[..., 0, :]
        first, last = law.at(0.0)[0], law.at(law.duration)[0]
        outside = np.minimum(t, 0.0)[..., None] * first + np.maximum(t - law.duration, 0.0)[..., None] * last
        return np.asarray(area + _integral(law, begun, inside) + outside)


def smoothed(arm: Arm, traversal: Traversal) -> Smoothed:
    """The motion with the arm's joint jerks kept too.

    The window is the time from no to full acceleration, or up to twice as long where the acceleration
    turns round within it; jerks are looked at in steps of a sixteenth of it.
    """
    least = float(np.max(arm.a_max / arm.j_max))
    dt = least / STEPS
    count = int(np.ceil(np.max(traversal.duration, initial=0.0) / dt)) + 2
    t = (np.arange(count) * dt).reshape(-1, *[1] * traversal.duration.ndim)
    acceleration = traversal.at(t)[2]
    padded = np.concatenate((np.zeros((2 * STEPS, *acceleration.shape[1:])), acceleration), axis=0)
    window = np.full(traversal.duration.shape, 2.0 * least)
    for wide in range(2 * STEPS - 1, STEPS - 1, -1):
        change = np.abs(acceleration - padded[2 * STEPS - wide :][:count])
        keeps = np.all(change <= arm.j_max * wide * dt, axis=(0, -1))
        window = np.where(keeps & (window == (wide + 1) * dt), wide * dt, window)
    pieces = _integral(traversal, traversal.t[..., :-1], traversal.t[..., 1:], grid=True)
    area = np.concatenate((np.zeros_like(pieces[..., :1, :]), np.cumsum(pieces, axis=-2)), axis=-2)
    return Smoothed(traversal, window, area)


def _integral(law: Traversal, t_from: Array, t_to: Array, grid: bool = False) -> Array:
    """Integral of the joints between times inside one interval; with `grid` the intervals come last in the shape."""
    middle, half = 0.5 * (t_from + t_to), 0.5 * (t_to - t_from)
    total: Array = np.zeros(())
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        t = middle + node * half
        q = np.moveaxis(law.at(np.moveaxis(t, -1, 0))[0], 0, -2) if grid else law.at(t)[0]
        total = total + weight * half[..., None] * q
    return total
