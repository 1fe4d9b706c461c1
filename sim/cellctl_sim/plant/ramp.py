"""A quantity that ramps linearly to a new value and stays there; its integral and the inverse of it, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt


@dataclass(frozen=True, slots=True)
class Ramp:
    """From `before` at time `start` to `after` at `rate` per second. Speeds here are never negative."""

    start: float  # [s]
    before: float
    after: float
    rate: float = inf

    @property
    def end(self) -> float:
        """When `after` is reached [s]."""
        return self.start + self._time

    @property
    def _time(self) -> float:
        return abs(self.after - self.before) / self.rate

    @property
    def _slope(self) -> float:
        return self.rate if self.after > self.before else -self.rate

    def at(self, t: float) -> float:
        """The value at `t`."""
        if t >= self.end:
            return self.after
        return self.before + self._slope * max(t - self.start, 0.0)

    def integral(self, t: float) -> float:
        """The integral of the value from `start` to `t`."""
        x, ramping = t - self.start, self._time
        if x >= ramping:
            return 0.5 * (self.before + self.after) * ramping + self.after * (x - ramping)
        return (self.before + 0.5 * self._slope * x) * x

    def when(self, integral: float) -> float:
        """The first time at which the integral reaches this value; inf when it never does."""
        if integral <= 0.0:
            return self.start
        whole = 0.5 * (self.before + self.after) * self._time
        if integral > whole:
            return inf if self.after <= 0.0 else self.end + (integral - whole) / self.after
        root = sqrt(max(self.before * self.before + 2.0 * self._slope * integral, 0.0))
        return self.start + 2.0 * integral / (self.before + root)  # the stable root, also for a slope near 0
