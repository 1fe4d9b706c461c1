"""Holds what sensors say against the part map, and believes a contradiction only when two readings have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cellctl.flow.state import FlowState
from cellctl.line.model import Line
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.reconcile import Contradiction, contradictions


class Comparison:
    """The stations where sensors contradict the part map, and those where one reading did.

    The map may be newer than a reading that was on its way, so one reading proves nothing; but nothing new is begun
    before the next one.
    """

    def __init__(self, line: Line, alarms: AlarmBoard) -> None:
        self._line, self._alarms = line, alarms
        self._suspected: dict[str, Contradiction] = {}
        self._in_hands: set[str] = set()
        self.contradictions: dict[str, Contradiction] = {}

    @property
    def doubtful(self) -> frozenset[str]:
        """The stations of which nobody can be sure; nothing is begun while there are any."""
        return frozenset({*self._suspected, *self.contradictions, *self._in_hands})

    def compare(self, state: FlowState, seen: Mapping[str, bool | None]) -> bool:
        """Take a fresh reading. True when another one is needed to be sure."""
        found = {c.station: c for c in contradictions(state, self._line, seen)}
        self.void(station for station in seen if station not in found)
        for station, contradiction in found.items():
            if self._suspected.get(station) == contradiction:
                self.contradictions[station] = contradiction
                self._alarms.raise_alarm("R012", station, contradiction.views)
            self._suspected[station] = contradiction
        return any(station not in self.contradictions for station in found)

    def leave_to_hands(self, stations: Iterable[str]) -> None:
        """Their module is moved by hand: what is there is read when that is over; until then nobody can be sure."""
        stations = tuple(stations)
        self.void(stations)
        self._in_hands.update(stations)

    def void(self, stations: Iterable[str]) -> None:
        """What was read of these stations is worth nothing: their module is silent, or a person took it out."""
        for station in stations:
            self._in_hands.discard(station)
            self._suspected.pop(station, None)
            self.contradictions.pop(station, None)
            self._alarms.clear("R012", station)
