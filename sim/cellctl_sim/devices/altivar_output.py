"""The output of a simulated frequency converter: the frequency as it truly is, and as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from cellctl_sim.plant.ramp import Ramp

NANOSECONDS = 1e9


@dataclass(slots=True)
class Output:
    """One course of the output frequency [Hz]; what is shown of it is refreshed every `refresh` seconds."""

    ramp: Ramp
    refresh: float
    is_settled: bool = False  # the end of the ramp has been noticed

    def at(self, t: float) -> float:
        """The true frequency at `t`."""
        return self.ramp.at(t)

    def measured(self, t: float) -> float:
        """The frequency as it was when it was last refreshed."""
        if self.is_settled:
            return self.ramp.after
        return self.ramp.at(self.ramp.start + self._refreshments(t) * self.refresh)

    def next_refreshment(self, t: float) -> float:
        """When it is refreshed next; inf when it stays as it is."""
        if self.is_settled:
            return inf
        return round(self.ramp.start + (self._refreshments(t) + 1) * self.refresh, 9)

    def _refreshments(self, t: float) -> int:
        """How often since the course began; in whole nanoseconds, so that an instant is never on both sides."""
        return round((t - self.ramp.start) * NANOSECONDS) // round(self.refresh * NANOSECONDS)
