"""When a module that aborted on a fault is cleared by itself once more: at once at first, then after longer and longer
pauses while it aborts again and again. Pure; times [s] of the runner's clock.

Its alarm stands meanwhile, so that whoever looks sees why nothing goes on; and a device that is away fills no journal.
"""

from __future__ import annotations

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
WELL = 10.0  # after the pause: whoever aborts later than that has not relapsed


class Relapses:
    """What the runner remembers of the modules that it cleared."""

    def __init__(self) -> None:
        self._cleared: dict[str, tuple[float, int]] = {}  # module -> when last, how often in a row

    def may_clear(self, module: str, now: float) -> bool:
        """Whether its pause is over."""
        when, times = self._cleared.get(module, (float("-inf"), 0))
        return now - when >= pause(times)

    def cleared(self, module: str, now: float) -> None:
        """It is told to clear now."""
        when, times = self._cleared.get(module, (float("-inf"), 0))
        is_relapse = now - when < pause(times) + WELL
        self._cleared[module] = (now, times + 1 if is_relapse else 1)


def pause(times: int) -> float:
    """Before a module is cleared that was cleared so often in a row."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (times - 1)) if times else 0.0
