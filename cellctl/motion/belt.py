"""Where a belt is: a speed drive that is told speeds, ramps from one to the next, and turns a belt.

Drives ramp linearly at set rates, up and down apart, or with rounded ends (an S ramp), which is a limit of
jerk. A ramp that a new command breaks off goes on from the speed that it had come to; a rounded one then
begins without acceleration, as if it started anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.ramp import SpeedRamp, speed_ramp
from cellctl.motion.roots import crossing
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True)
class SpeedDrive:
    """Ramps of a drive, at the belt: up and down [m/s^2], and the jerk of rounded ramps [m/s^3]."""

    acceleration: float
    deceleration: float
    jerk: float = math.inf

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0.0:
                raise BadMotionLimit(f"{field.name} of the belt's drive", value, "is not above 0")


@dataclass(frozen=True, slots=True, eq=False)
class BeltRun:
    """Belts (...) that were told k speeds each.

    Args:
        starts: when each ramp begins, shape (..., k) [s]; before the first the belt keeps its first speed.
        positions: where the belt is then, shape (..., k) [m].
        ramps: from speed to speed, shape (..., k).
    """

    starts: Array
    positions: Array
    ramps: SpeedRamp

    def at(self, t: npt.ArrayLike) -> tuple[Array, Array, Array]:
        """Position [m], speed [m/s] and acceleration [m/s^2] at times `t` [s], broadcast against (...)."""
        t = np.asarray(t, float)
        i = np.sum(t[..., None] >= self.starts[..., 1:], axis=-1)
        moved, speed, acceleration = self._ramp(i).at(t - _of(self.starts, i))
        return _of(self.positions, i) + moved, speed, acceleration

    def when(self, position: npt.ArrayLike) -> Array:
        """The first time at which the belt is at a position or beyond, broadcast against (...) [s].

        Infinite where it never comes so far; minus infinite where it always was.
        """
        position = np.asarray(position, float)
        i = np.sum(position[..., None] > self.positions[..., 1:], axis=-1)
        way = position - _of(self.positions, i)
        ramp = self._ramp(i)
        within = crossing(_beyond, 0.0, ramp.duration, way, *(getattr(ramp, f.name) for f in fields(ramp)))
        rest = way - ramp.distance
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            after = ramp.duration + np.where(rest > 0.0, rest / ramp.v_to, 0.0)
            before = np.where(way < 0.0, way / ramp.v_from, 0.0)
        local = np.where(way <= 0.0, before, np.where(rest >= 0.0, after, within))
        return np.asarray(_of(self.starts, i) + local)

    def _ramp(self, i: npt.NDArray[np.intp]) -> SpeedRamp:
        return SpeedRamp(*(_of(getattr(self.ramps, field.name), i) for field in fields(self.ramps)))


def belt_run(
    drive: SpeedDrive,
    commands: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    speed: npt.ArrayLike = 0.0,
    position: npt.ArrayLike = 0.0,
) -> BeltRun:
    """What a belt does that is told speeds at times.

    Args:
        commands: time [s] and speed [m/s], at least one, in order of time; numbers or arrays that broadcast
            to (...).
        speed, position: of the belt when the first command comes [m/s, m].

    Raises:
        BadMotionLimit: for a speed that is negative or no number, or commands out of order.
    """
    arrays = [np.asarray(x, float) for x in (speed, position, *(x for command in commands for x in command))]
    v, x, *told = np.broadcast_arrays(*arrays)
    _check_speeds(v, *told[1::2])
    starts: list[Array] = []
    positions: list[Array] = []
    ramps: list[SpeedRamp] = []
    for i, (t, wanted) in enumerate(zip(told[::2], told[1::2], strict=True)):
        if i:
            spent = t - starts[-1]
            if np.any(spent < 0.0):
                raise BadMotionLimit("time between commands [s]", float(spent.min()), "is below 0")
            moved, v, _ = ramps[-1].at(spent)
            x = x + moved
        rate = np.where(wanted > v, drive.acceleration, drive.deceleration)
        ramps.append(speed_ramp(v, wanted, rate, drive.jerk))
        starts.append(t)
        positions.append(x)
    all_ramps = (np.stack([getattr(r, field.name) for r in ramps], axis=-1) for field in fields(SpeedRamp))
    return BeltRun(np.stack(starts, axis=-1), np.stack(positions, axis=-1), SpeedRamp(*all_ramps))


def _check_speeds(*speeds: Array) -> None:
    for speed in speeds:
        good = (speed >= 0.0) & np.isfinite(speed)
        if not np.all(good):
            raise BadMotionLimit(
                "belt speed [m/s]", float(speed[~good].flat[0]), "is not at least 0 and finite"
            )


def _beyond(t: Array, way: Array, *ramp: Array) -> tuple[Array, Array]:
    """How far beyond `way` the belt is, and how fast that grows."""
    position, speed, _ = SpeedRamp(*ramp).at(t)
    return position - way, speed


def _of(values: Array, i: npt.NDArray[np.intp]) -> Array:
    """values[..., i], with the leading dimensions of both broadcast."""
    shape = np.broadcast_shapes(values.shape[:-1], i.shape)
    wide = np.broadcast_to(values, (*shape, values.shape[-1]))
    return np.take_along_axis(wide, np.broadcast_to(i, shape)[..., None], axis=-1)[..., 0]
