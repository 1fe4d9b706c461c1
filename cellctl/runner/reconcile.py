"""The journal's view of the part map against what the sensors say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cellctl.flow.state import FlowState
from cellctl.line.model import Line, station_of


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A station where journal and sensor disagree."""

    station: str
    items: tuple[str, ...]  # what the journal has there
    occupied: bool  # what the sensor sees

    @property
    def views(self) -> str:
        """Both views, in words."""
        journal = " and ".join(self.items) or "nothing"
        sensor = "something" if self.occupied else "nothing"
        return f"the journal has {journal} there, the sensor sees {sensor}"

    def __str__(self) -> str:
        return f"{self.station}: {self.views}"


def contradictions(state: FlowState, line: Line, seen: Mapping[str, bool | None]) -> list[Contradiction]:
    """Where what sensors saw at stations contradicts the part map. Stations of commands under way are left out."""
    moving = {
        station_of(p) for job in state.jobs.values() for i in job.items for p in (i.origin, i.target) if p
    }
    moving |= {  # an arm may have gripped or let go, and its word of that is still on the way
        tool.name
        for job in state.jobs.values()
        for m in job.modules.values()
        for tool in line.module(m).tools
    }
    places, found = state.places(), []
    for name, occupied in seen.items():
        station = line.stations.get(name)
        if occupied is None or name in moving or station is None or station.sink:
            continue
        items = tuple(item for item, place in places.items() if state.station_of(place) == name and place)
        if bool(items) != occupied and not (station.source and occupied):
            found.append(Contradiction(name, items, occupied))
    return found
