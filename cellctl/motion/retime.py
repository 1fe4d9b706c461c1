"""The fastest way along a given path under limits of speed and acceleration of every joint, and of the tool.

With s the fraction of the path, joint speeds are q' ds/dt and accelerations q'' (ds/dt)^2 + q' d2s/dt2:
linear in x = (ds/dt)^2 and u = d2s/dt2. On a grid with one u for each interval the greatest x from which
rest can still be reached is found backward, and the fastest motion forward: H. Pham, Q.-C. Pham, "A New
Approach to Time-Optimal Path Parameterization based on Reachability Analysis", IEEE T-RO 34(3), 2018. All
its linear programmes have two variables and are solved here in closed form, for a batch of paths at once.
The limits are kept at both ends of every interval by the programmes and inside it, where they may be missed
by the square of its length, by lowering x there and at last by slowing the whole motion a little. Jerk is not limited.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.path import Arm, JointPath
from cellctl.motion.transforms import Array

INSIDE = (0.001, 0.25, 0.5, 0.75, 0.999)  # of each interval, where limits are looked at once more
ROUNDS = 2  # of lowering x where an interval goes beyond a limit inside
NEARLY = 2e-4  # relative; what is beyond by no more is slowed as a whole
FLAT = 1e-12  # relative; a slope this small says nothing about u


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Limits of the tool's place along a path: speed [m/s], acceleration along and across the path [m/s^2]."""

    speed: float = math.inf
    acceleration: float = math.inf


NO_TOOL_LIMITS = ToolLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Traversal:
    """How paths are gone along, from rest to rest.

    Args:
        path: the paths, a batch of shape (...).
        squared_rate: (ds/dt)^2 on the path's grid, shape (..., m) [1/s^2]; linear in s between.
        t: when the points of the grid are passed, shape (..., m) [s].
    """

    path: JointPath
    squared_rate: Array
    t: Array

    @property
    def duration(self) -> Array:
        """From rest to rest, shape (...) [s]."""
        return np.asarray(self.t[..., -1])

    def fraction_at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """The fraction s of the path, ds/dt and d2s/dt2 at times `t` [s], broadcast against (...)."""
        shape = np.broadcast_shapes(np.shape(t), self.t.shape[:-1])
        asked = np.broadcast_to(np.asarray(t, float), shape)
        inside = np.clip(asked, 0.0, self.duration)
        i = np.sum(inside[..., None] >= self.t[..., 1:-1], axis=-1)
        x0, x1 = _pick(self.squared_rate, i, shape), _pick(self.squared_rate, i + 1, shape)
        u, rate, spent = 0.5 * (x1 - x0) / self.path.s[1], np.sqrt(x0), inside - _pick(self.t, i, shape)
        s = np.minimum(self.path.s[i] + (rate + 0.5 * u * spent) * spent, self.path.s[i + 1])
        moves = (asked >= 0.0) & (asked < self.duration)
        return s, np.maximum(rate + u * spent, 0.0), np.where(moves, u, 0.0)

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Joint positions, velocities and accelerations at times `t` [s], broadcast against (...), then (n,)."""
        s, rate, u = (x[..., None] for x in self.fraction_at(t))
        q, slope, bend = _on_spline(self.path, s[..., 0])
        return q, slope * rate, bend * rate**2 + slope * u


def fastest(
    arm: Arm, path: JointPath, tool: ToolLimits = NO_TOOL_LIMITS, speed_fraction: float = 1.0
) -> Traversal:
    """The fastest traversal within the arm's joint speeds and accelerations, and the tool's.

    `speed_fraction` lowers the speeds of joints and tool; accelerations keep their limits. A path of no
    length takes no time.
    """
    return fastest_under(path, speed_fraction * arm.v_max, arm.a_max, tool, speed_fraction)


def fastest_under(
    path: JointPath,
    v: npt.ArrayLike,
    a: npt.ArrayLike,
    tool: ToolLimits = NO_TOOL_LIMITS,
    speed_fraction: float = 1.0,
) -> Traversal:
    """As `fastest`, under joint limits `v` and `a`, shape (n,) or broadcast to (..., n).

    The motion is slower than the fastest by what it loses where a limit takes over inside an interval of the grid,
    since x is linear there: on a straight line of length 1 under one v and a, with intervals of length h and
    r = v^2 / a < 1, by a share of at most h^2 / (4 r (1 + r)) to the lowest order in h: 2.3e-6 for r = 1/3 and
    h = 1/500. For r > 1 it is h^2 / 8, or nothing where a point of the grid lies in the middle.
    """
    slope, bend, top = _rows(path, np.asarray(a, float), tool)
    x_speed = _speed_bound(path, np.asarray(v, float), speed_fraction * tool.speed)
    stands = np.all(np.isinf(x_speed), axis=0)
    x_speed = np.where(stands, 0.0, x_speed)
    ds = float(path.s[1])
    tilt, width, x_free = _strips(slope, bend, top, ds)
    allowed = _allowed(tilt, width, np.minimum(x_speed[:-1], x_free), ds)
    x, excess = _within(path, (tilt, width, allowed), np.asarray(v, float), np.asarray(a, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = 2.0 * ds / (np.sqrt(x[1:]) + np.sqrt(x[:-1]))
    steps = np.where(stands, 0.0, steps)
    t = np.concatenate((np.zeros_like(x[:1]), np.cumsum(steps, axis=0)))
    return Traversal(path, np.moveaxis(x / excess**2, 0, -1), np.moveaxis(t * excess, 0, -1))


def _rows(path: JointPath, a: Array, tool: ToolLimits) -> tuple[Array, Array, Array]:
    """Everything with limited acceleration: first and second derivative over s, shape (m, ..., rows), and limit."""
    slope, bend = path.joints(path.s, 1), path.joints(path.s, 2)
    top = np.broadcast_to(a, slope.shape)
    if path.tool is None or tool.acceleration == math.inf:
        return slope, bend, top
    dp, ddp = path.tool(path.s, 1), path.tool(path.s, 2)
    length = np.linalg.norm(dp, axis=-1, keepdims=True)
    along = np.sum(dp * ddp, axis=-1, keepdims=True) / np.where(length > 0.0, length, 1.0)
    across = np.sqrt(np.maximum(np.sum(ddp**2, axis=-1, keepdims=True) - along**2, 0.0))
    slope = np.concatenate((slope, length, np.zeros_like(length)), axis=-1)
    bend = np.concatenate((bend, along, across), axis=-1)
    return slope, bend, np.concatenate((top, np.full((*length.shape[:-1], 2), tool.acceleration)), axis=-1)


def _speed_bound(path: JointPath, v: Array, tool_speed: float) -> Array:
    """The greatest x that the speeds allow, shape (m, ...); infinite where nothing moves."""
    slope = np.abs(path.joints(path.s, 1))
    with np.errstate(divide="ignore"):
        rate = np.min(v / slope, axis=-1)
        if path.tool is not None and tool_speed < math.inf:
            rate = np.minimum(rate, tool_speed / np.linalg.norm(path.tool(path.s, 1), axis=-1))
    return np.asarray(rate**2)


def _strips(slope: Array, bend: Array, top: Array, ds: float) -> tuple[Array, Array, Array]:
    """For each interval the limits as |u - tilt x| <= width, shape (m - 1, 2 rows, ...), and those on x alone.

    The first rows hold at the start of the interval, the others at its end, where x has grown by 2 u ds.
    """
    slope, bend, top = (np.moveaxis(rows, -1, 1) for rows in (slope, bend, top))
    slope = np.concatenate((slope[:-1], slope[1:] + 2.0 * ds * bend[1:]), axis=1)
    bend = np.concatenate((bend[:-1], bend[1:]), axis=1)
    top = np.concatenate((top[:-1], top[1:]), axis=1)
    flat = np.abs(slope) <= FLAT * np.max(np.abs(slope), axis=0, keepdims=True)
    divisor = np.where(flat, 1.0, slope)
    tilt, width = np.where(flat, 0.0, -bend / divisor), np.where(flat, math.inf, top / np.abs(divisor))
    with np.errstate(divide="ignore"):
        x_free = np.min(np.where(flat, top / np.abs(bend), math.inf), axis=1)
    return tilt, width, x_free


def _allowed(tilt: Array, width: Array, x: Array, ds: float) -> Array:
    """The greatest x at which some u keeps all limits and the next x is not negative, shape (m - 1, ...).

    The room between the least upper and the greatest lower bound of u is concave in x and open at 0, so
    that going from crossing to crossing from the right ends at its edge.
    """
    falling = 1.0 + 2.0 * ds * tilt
    with np.errstate(divide="ignore"):
        x = np.minimum(x, np.min(np.where(falling < 0.0, 2.0 * ds * width / -falling, math.inf), axis=1))
    for _ in range(tilt.shape[1]):
        finite = np.where(np.isfinite(x), x, 0.0)
        at = finite[:, None] * tilt
        upper, lower = np.argmin(at + width, axis=1)[:, None], np.argmax(at - width, axis=1)[:, None]
        (t_up, w_up), (t_low, w_low) = (
            [np.take_along_axis(values, index, axis=1)[:, 0] for values in (tilt, width)]
            for index in (upper, lower)
        )
        closed = (t_low - t_up) * finite > (w_up + w_low) * (1.0 + 1e-15)
        if not closed.any():
            break
        x = np.where(closed, (w_up + w_low) / np.where(closed, t_low - t_up, 1.0), x)
    return x


def _backward(tilt: Array, width: Array, allowed: Array, ds: float) -> Array:
    """The greatest x from which rest at the end can be reached, shape (m, ...)."""
    falling = 1.0 + 2.0 * ds * tilt
    brakes = falling > 0.0
    factor = np.where(brakes, 1.0 / np.where(brakes, falling, 1.0), 0.0)
    offset = np.where(brakes, 2.0 * ds * width * factor, math.inf)
    out = np.zeros((len(allowed) + 1, *allowed.shape[1:]))
    for i in range(len(allowed) - 1, -1, -1):
        np.minimum(allowed[i], np.minimum.reduce(out[i + 1] * factor[i] + offset[i]), out=out[i : i + 1])
    return out


def _forward(tilt: Array, width: Array, greatest: Array, ds: float) -> Array:
    """The fastest motion from rest below the greatest x, shape (m, ...)."""
    x = np.zeros_like(greatest)
    factor, offset = 1.0 + 2.0 * ds * tilt, 2.0 * ds * width
    for i in range(len(tilt)):
        np.minimum(greatest[i + 1], np.minimum.reduce(x[i] * factor[i] + offset[i]), out=x[i + 1 : i + 2])
    return x


def _within(path: JointPath, strips: tuple[Array, Array, Array], v: Array, a: Array) -> tuple[Array, Array]:
    """The fastest x, shape (m, ...), and by how much it is to be slowed yet, at least 1, shape (...).

    Where an interval goes beyond a limit inside, x is lowered at its ends and the whole solved again.
    """
    tilt, width, allowed = strips
    ds = float(path.s[1])
    shares = np.array(INSIDE)[:, None]
    inside = path.s[:-1] + shares * ds  # (shares, m - 1)
    slope, bend = np.abs(path.joints(inside, 1)) / v, path.joints(inside, 2) / a
    force = path.joints(inside, 1) / a
    for attempt in range(ROUNDS + 1):
        x = _forward(tilt, width, _backward(tilt, width, allowed, ds), ds)
        excess = _excess(x, ds, slope, force, bend)
        if attempt == ROUNDS or excess.max() <= 1.0 + NEARLY:
            break
        at_start = np.concatenate((excess[:1], np.maximum(excess[1:], excess[:-1])))
        allowed = np.where(at_start > 1.0, np.minimum(allowed, x[:-1] / at_start**2), allowed)
    return x, excess.max(axis=0)


def _excess(x: Array, ds: float, slope: Array, force: Array, bend: Array) -> Array:
    """By how much the joints would have to be slowed, at least 1, inside each interval, shape (m - 1, ...).

    `slope`, shape (shares, m - 1, ..., n), by speed limits; `force` and `bend` by acceleration limits.
    """
    worst = np.ones((len(x) - 1, *x.shape[1:]))
    change = x[1:] - x[:-1]
    pull = (0.5 / ds * change)[..., None]
    for i, share in enumerate(INSIDE):
        squared = x[:-1] + share * change
        speed = slope[i].max(axis=-1) * np.sqrt(squared)
        pulled = np.sqrt(np.abs(bend[i] * squared[..., None] + force[i] * pull).max(axis=-1))
        worst = np.maximum(worst, np.maximum(speed, pulled))
    return worst


def _pick(values: Array, i: npt.NDArray[np.intp], shape: tuple[int, ...]) -> Array:
    """values[..., i], with the leading dimensions of `values` broadcast to those of `i`."""
    return np.take_along_axis(np.broadcast_to(values, (*shape, values.shape[-1])), i[..., None], axis=-1)[
        ..., 0
    ]


def _on_spline(path: JointPath, s: Array) -> tuple[Array, Array, Array]:
    """Value, first and second derivative of the joints, each path of the batch at its own `s`, shape (..., n)."""
    i = np.minimum((s / path.s[1]).astype(np.intp), len(path.s) - 2)
    x = (s - path.s[i])[..., None]
    c = path.joints.c  # (4, intervals, ..., n)
    batch = c.shape[2:-1]
    own = np.ogrid[tuple(slice(n) for n in batch)]
    c3, c2, c1, c0 = c[(slice(None), i, *own)]
    return ((c3 * x + c2) * x + c1) * x + c0, (3.0 * c3 * x + 2.0 * c2) * x + c1, 6.0 * c3 * x + 2.0 * c2
