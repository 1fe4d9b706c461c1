"""A device's communication watchdog: expires when nobody has asked the device anything for a time."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from cellctl_sim.plant.agenda import Agenda


class Watchdog:
    """Calls `expire(t)` once when nothing was heard for `time` [s]; inf switches it off."""

    def __init__(self, agenda: Agenda, expire: Callable[[float], None]) -> None:
        self.time = inf
        self._heard = agenda.now
        self._periods: list[float] = []  # of those who poll without the polls being made
        self._is_fed = False  # by one of those
        self.timer = agenda.timer(expire)

    def start(self, t: float, time: float) -> None:
        """Watch from `t` on."""
        self.time, self._heard = time, t
        self._watch()

    def stop(self) -> None:
        """Watch no more."""
        self.time = inf
        self.timer.clear()

    def heard(self, t: float) -> None:
        """A request has come."""
        self._heard = t
        if not self._is_fed:
            self.timer.set(t + self.time)

    def attend(self, t: float, every: float) -> Callable[[float], None]:
        """As `ModbusDevice.attend`: somebody polls every `every` seconds from `t` until the returned `leave`."""
        self._heard = max(self._heard, t)
        self._periods.append(every)
        self._watch()

        def leave(t: float) -> None:
            self._periods.remove(every)
            self._heard = max(self._heard, t - every)
            self._watch()

        return leave

    def _watch(self) -> None:
        self._is_fed = bool(self._periods) and min(self._periods) < self.time
        self.timer.set(inf if self._is_fed else self._heard + self.time)
