"""When a process that ended is started again: after a pause that doubles, and not for ever. Pure."""

from __future__ import annotations

from collections import deque

FIRST_PAUSE = 0.2  # [s]
LONGEST_PAUSE = 5.0
WINDOW = 60.0  # [s] within which restarts are counted
MOST_RESTARTS = 8  # within the window; one more failure and it is given up


class Restarts:
    """The restarts of one process. Times in seconds, of any one monotonic clock."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.count = 0  # in all

    def pause_after(self, ended: float) -> float | None:
        """How long to wait [s] before the process that ended now is started again; None to give it up."""
        while self._times and ended - self._times[0] > WINDOW:
            self._times.popleft()
        recent = len(self._times)
        if recent >= MOST_RESTARTS:
            return None
        self._times.append(ended)
        self.count += 1
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2**recent))
