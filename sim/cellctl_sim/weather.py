"""Bad weather between two processes: messages that get lost, come twice, late, or in another order.

lossy       this share of the messages is lost          late         they come so many seconds later, in their order
doubled     this share comes twice, the second later    disordered   each comes up to so many seconds later
"""

from __future__ import annotations

from cellctl.runtime import RandomStream
from cellctl_sim.loop import nanoseconds
from cellctl_sim.spells import Spells

ECHO = 3.0  # [s] within which a message comes for the second time


class Weather(Spells):
    """The weather on one wire, both ways."""

    def __init__(self, random: RandomStream) -> None:
        super().__init__()
        self._random = random
        self._last: dict[str, int] = {}  # way -> when the last message in order arrives [ns]

    def arrivals(self, way: str, now: int, latency: float) -> list[int]:
        """When a message arrives that leaves `now`: not at all, once or twice [ns]."""
        if self._random.random() < (self.value("lossy", now) or 0.0):
            return []
        due = max(now + nanoseconds(latency + (self.value("late", now) or 0.0)), self._last.get(way, 0))
        self._last[way] = due
        found = [due + self._spread(self.value("disordered", now))]
        if self._random.random() < (self.value("doubled", now) or 0.0):
            found.append(due + self._spread(ECHO))
        return found

    def _spread(self, most: float | None) -> int:
        return nanoseconds(most * self._random.random()) if most else 0
