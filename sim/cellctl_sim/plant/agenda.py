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
        self.changes = 0
        self._timers: list[Timer] = []
        self._due: list[float] = []  # of each timer
        self._first = inf  # the least of them

    def timer(self, happening: Happening) -> Timer:
        """A new timer that calls `happening(t)` when it is due; not set yet."""
        timer = Timer(self, len(self._timers), happening)
        self._timers.append(timer)
        self._due.append(inf)
        return timer

    def first(self) -> float:
        """When the next timer is due; inf when none is set."""
        return self._first

    def set(self, timer: Timer, when: float) -> None:
        """The timer is due at `when`; inf: never."""
        self.changes += 1
        before, timer.due = timer.due, when
        self._due[timer.slot] = when
        if when <= self._first:
            self._first = when
        elif before == self._first:
            self._first = min(self._due)

    def advance(self, t: float) -> None:
        """Let everything happen that is due by `t`, in order. A time before `now` counts as `now`."""
        while self._first <= t and self._first < inf:
            timer = self._timers[self._due.index(self._first)]
            self.now = max(timer.due, self.now)
            self.set(timer, inf)
            timer.happening(self.now)
        if t > self.now:
            self.now = t


class Timer:
    """Something that will happen once, at `due`, unless it is set anew or cleared before; inf: it is not set."""

    __slots__ = ("_agenda", "due", "happening", "slot")

    def __init__(self, agenda: Agenda, slot: int, happening: Happening) -> None:
        self._agenda, self.slot, self.happening = agenda, slot, happening
        self.due = inf

    def set(self, when: float) -> None:
        """Let it happen at `when`, rounded to a microsecond and not before now; inf clears it."""
        self._agenda.set(self, when if when == inf else max(round(when, 6), self._agenda.now))

    def clear(self) -> None:
        """It will not happen."""
        self._agenda.set(self, inf)
