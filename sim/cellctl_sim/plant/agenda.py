"""The plant's clock: what will happen by itself, and when. Exact and event-driven; nobody polls, nobody steps."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

Happening = Callable[[float], None]


class Agenda:
    """Timers in one order: by time, then by who was there first. `now` is the time up to which all has happened.

    `changes` counts what was set, cleared or happened.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._due: list[float] = []
        self._happenings: list[Happening] = []
        self.changes = 0
        self._first: float | None = inf  # when the next one is due; None: to be found again

    def timer(self, happening: Happening) -> Timer:
        """A new timer that calls `happening(t)` when it is due; not set yet."""
        self._due.append(inf)
        self._happenings.append(happening)
        return Timer(self, self._due, len(self._due) - 1)

    def first(self) -> float:
        """When the next timer is due; inf when none is set."""
        if self._first is None:
            self._first = min(self._due, default=inf)
        return self._first

    def set(self, slot: int, when: float) -> None:
        """The timer in `slot` is due at `when`; inf: never."""
        self.changes += 1
        before, self._due[slot] = self._due[slot], when
        if self._first is not None and when <= self._first:
            self._first = when
        elif before == self._first:
            self._first = None

    def advance(self, t: float) -> None:
        """Let everything happen that is due by `t`, in order. A time before `now` counts as `now`."""
        while (due := self.first()) <= t and due < inf:
            slot = self._due.index(due)
            self.set(slot, inf)
            self.now = max(due, self.now)
            self._happenings[slot](self.now)
        self.now = max(t, self.now)


class Timer:
    """Something that will happen once, unless it is set anew or cleared before."""

    __slots__ = ("_agenda", "_due", "_slot")

    def __init__(self, agenda: Agenda, due: list[float], slot: int) -> None:
        self._agenda, self._due, self._slot = agenda, due, slot

    @property
    def due(self) -> float:
        """When it happens; inf when it is not set."""
        return self._due[self._slot]

    def set(self, when: float) -> None:
        """Let it happen at `when`, rounded to a microsecond and not before now; inf clears it."""
        self._agenda.set(self._slot, when if when == inf else max(round(when, 6), self._agenda.now))

    def clear(self) -> None:
        """It will not happen."""
        self._agenda.set(self._slot, inf)
