"""What is taken: places by items and by jobs under way, modules and zones by jobs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cellctl.flow.state import FlowState, Job
from cellctl.line.model import Line, Station, station_of
from cellctl.line.once import once
from cellctl.messages import GONE, LOST, Item
from cellctl.skill import Holds


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything that is taken in one state.

    `used` counts, per station, the items there and those on their way to it; `places` are the single places taken.
    """

    used: Counter[str]
    places: frozenset[str]
    exclusive: frozenset[str]  # modules that do one thing at a time and are doing it
    zones: frozenset[str]
    items: frozenset[str]  # in a job


def claims(state: FlowState, line: Line) -> Claims:
    """What is taken in `state`."""
    taken = [item.place for item in state.parts.values()]
    taken += [item.place for item in state.components.values()]
    taken += state.carriers.values()
    taken = [place for place in taken if place not in (GONE, LOST)]
    zones: set[str] = set()
    for job in state.jobs.values():
        taken += reserved(state, line, job)
        zones |= zones_of(line, tuple(job.modules.values()), job.items)
    items = frozenset([item.id for job in state.jobs.values() for item in job.items])
    used = Counter(map(station_of, taken))
    return Claims(used, frozenset(taken), held_modules(state, line), frozenset(zones), items)


def held_modules(state: FlowState, line: Line) -> frozenset[str]:
    """The modules that do one thing at a time and are doing it."""
    return frozenset(
        [m for job in state.jobs.values() for m in job.modules.values() if holds_module(line, m, job.skill)]
    )


def reserved(state: FlowState, line: Line, job: Job) -> list[str]:
    """The places that a job keeps free for itself: its targets, and the belt stops that it passes."""
    found: list[str] = []
    for item in job.items:
        if not item.target or state.place_of(item.id) == item.target:
            continue
        if item.into and item.into in state.parts and state.parts[item.into].place == item.target:
            continue  # it joins the part that stands there
        found.append(item.target)
        found += passes(line, station_of(item.origin), station_of(item.target))
    return found


@once
def passes(line: Line, origin: str, target: str) -> tuple[str, ...]:
    """The stops of one belt that lie between two others of it, in the direction of travel."""
    a, b = line.stations.get(origin), line.stations.get(target)
    if a is None or b is None or a.module != b.module or a.at is None or b.at is None:
        return ()
    stops = sorted((s for s in line.modules[a.module].stations if s.at is not None), key=_along)
    if a.at < b.at:
        return tuple(s.name for s in stops if a.at < _along(s) < b.at)
    return tuple(s.name for s in stops if _along(s) > a.at or _along(s) < b.at)


def _along(station: Station) -> float:
    return station.at or 0.0


@once
def holds_module(line: Line, module: str, skill: str) -> bool:
    """Whether `module` does nothing else while it does `skill`."""
    declared = line.modules[module].kind.skill(skill)
    return declared is None or declared.holds is Holds.MODULE


def zones_of(line: Line, modules: tuple[str, ...], items: tuple[Item, ...]) -> set[str]:
    """The zones that a job of these modules with these items must have for itself."""
    if not line.zones:
        return set()
    stations = {station_of(place) for item in items for place in (item.origin, item.target) if place}
    zones = {line.stations[s].zone for s in stations if s in line.stations}
    return {zone for zone in zones | {z for m in modules for z in line.modules[m].zones} if zone}


def carriers_in_hand(state: FlowState) -> frozenset[str]:
    """The carriers that a job moves, or out of whose nests or into which one moves something."""
    if not state.carriers:
        return frozenset()
    items = [item for job in state.jobs.values() for item in job.items]
    touched = {station_of(place) for item in items for place in (item.id, item.origin, item.target)}
    return frozenset(touched & state.carriers.keys())


def is_carrier_stop(line: Line, name: str) -> bool:
    """Whether parts stand at a station on carriers only: it is on a belt of which a carrier is at home."""
    belts = {line.stations[carrier.home].module for carrier in line.carriers}
    station = line.stations.get(name)
    return station is not None and station.at is not None and station.module in belts


def free_place(state: FlowState, line: Line, taken: Claims, name: str) -> str | None:
    """A free place at a station: the station itself, one of its nests, or a nest of the carrier that stands there."""
    for carrier in line.carriers:
        if state.carriers.get(carrier.id, carrier.home) == name:
            nests = (f"{carrier.id}#{n}" for n in range(carrier.nests))
            is_leaving = carrier.id in taken.items
            return next((nest for nest in nests if nest not in taken.places and not is_leaving), None)
    if is_carrier_stop(line, name):
        return None
    station = line.stations[name]
    if station.sink:
        return name
    if taken.used[name] >= station.capacity:
        return None
    if station.capacity == 1:
        return name
    return next(f"{name}#{n}" for n in range(station.capacity) if f"{name}#{n}" not in taken.places)
