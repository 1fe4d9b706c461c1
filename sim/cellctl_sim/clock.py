"""The clock of one computer: as the world's, too fast by a share, or with a time of day that somebody set."""

from __future__ import annotations


class Clock:
    """Its time since the world began goes on whatever happens to it; its time of day may jump."""

    def __init__(self) -> None:
        self.rate = 1.0  # seconds of this clock in one of the world
        self.ahead = 0.0  # of its time of day [s]
        self._is_true = True  # it never went otherwise than the world's time
        self._since, self._shown = 0.0, 0.0  # [s]: at this time of the world it showed that

    def now(self, t: float) -> float:
        """What it shows at the world's time `t` [s]."""
        if self._is_true:
            return t
        return self._shown + (t - self._since) * self.rate

    def go(self, t: float, rate: float) -> None:
        """From `t` [s] on it goes at this rate."""
        self._shown, self._since, self.rate = self.now(t), t, rate
        self._is_true = False
