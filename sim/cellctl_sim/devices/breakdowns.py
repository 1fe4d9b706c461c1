"""A machine that breaks down: after so much time in operation it stands still for its repair, and then goes on.

Operation-dependent failures: only while a program runs does it wear, so a machine that is starved or blocked never
breaks (Gershwin, Manufacturing Systems Engineering, 1994, 3.3). What is in it stays in it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from cellctl.line.distributions import Failures
from cellctl.runtime import RandomStream
from cellctl_sim.plant.agenda import Agenda, Timer

Count = Callable[[str], None]


class Breakdowns:
    """The wear of one machine. Counts `NAME.broke` and `NAME.repaired`; without `failures` it never breaks.

    `ending` is the timer of what it does: a breakdown moves that, a repair's length later.
    """

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        ending: Timer,
        failures: Failures | None,
        streams: Callable[[str], RandomStream],
        count: Count,
    ) -> None:
        self._name, self._ending, self._failures, self._count = name, ending, failures, count
        self._after, self._repair = streams(f"{name}.fails.after"), streams(f"{name}.fails.repair")
        self._breaking, self._repaired = agenda.timer(self._break), agenda.timer(self._mend)
        self._left = inf if failures is None else failures.after.draw(self._after)  # [s] in operation

    def whole(self, t: float) -> float:
        """From when on it can work: `t`, or the end of the repair in hand."""
        return t if self._repaired.due == inf else self._repaired.due

    def begin(self, t: float) -> None:
        """It begins to work at `t`."""
        self._breaking.set(t + self._left)

    def rest(self, t: float) -> None:
        """It has ended, or broken off, what it did."""
        if self._breaking.due < inf:
            self._left = min(self._left, max(0.0, self._breaking.due - t))
            self._breaking.clear()

    def delay(self, by: float) -> None:
        """Something else holds it up in what it does."""
        self._breaking.set(self._breaking.due + by)

    def _break(self, t: float) -> None:
        assert self._failures is not None
        self._count(f"{self._name}.broke")
        repair = self._failures.repair.draw(self._repair)
        self._left = self._failures.after.draw(self._after)
        self._ending.set(self._ending.due + repair)
        self._repaired.set(t + repair)

    def _mend(self, t: float) -> None:
        self._count(f"{self._name}.repaired")
        if self._ending.due < inf and self._breaking.due == inf:
            self.begin(t)
