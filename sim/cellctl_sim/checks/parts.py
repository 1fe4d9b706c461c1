"""Every order ends, every part is accounted for, and the plant has what the journal says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

from cellctl.flow.events import (
    Answered,
    PartBorn,
    PartEnded,
)
from cellctl.flow.fold import apply
from cellctl.line.model import Line, Station, station_of
from cellctl.messages import GONE, LOST, Move
from cellctl_sim.evidence import Evidence, initial_state
from cellctl_sim.plant.items import FLOOR

Findings = Iterator[str]


def every_order_ends(evidence: Evidence) -> Findings:
    """Each order has as many parts as were asked for, and each of them came to an end; or an alarm says why a person
    is waited for, where only a person can help."""
    for order in evidence.state.orders.values():
        if not order.is_complete and not (evidence.doubtful and evidence.alarms):
            waits = "; ".join(evidence.alarms) or "no alarm says why"
            yield f"order {order.id}: {order.ended} of {order.quantity} parts came to an end ({waits})"


def every_part_is_accounted_for(evidence: Evidence) -> Findings:
    """Good, scrapped, removed and on the line make up what was begun; no part is born or ends twice."""
    for order in evidence.state.orders.values():
        here = sum(part.order == order.id for part in evidence.state.parts.values())
        if order.begun != order.ended + here:
            yield f"order {order.id}: {order.begun} parts begun, {order.ended} ended, {here} on the line"
    born = Counter(event.part for _, event in evidence.happened(PartBorn))
    ended = Counter(event.part for _, event in evidence.happened(PartEnded))
    for part, times in born.items():
        if times > 1 or ended[part] > 1:
            yield f"part {part} was born {times} times and ended {ended[part]} times"
    for part in ended.keys() - born.keys():
        yield f"part {part} ended and was never born"


def items_are_where_the_part_map_says(evidence: Evidence) -> Findings:
    """Station by station the plant has as many things as the journal; those of jobs under way may be on their way.

    Where something may have fallen out of a gripper only a person can say what lies where.
    """
    if evidence.may_drop:
        return
    state, line = evidence.state, evidence.line
    moving = {station_of(p) for j in state.jobs.values() for i in j.items for p in (i.origin, i.target)}
    places = [p for name, p in state.places().items() if name not in state.carriers and p != GONE]
    mapped = Counter(state.station_of(place) for place in places)
    mapped.update(_swallowed(evidence))
    mapped[FLOOR] += mapped.pop(LOST, 0)
    real = Counter(station_of(str(item["place"])) for item in evidence.items)
    for place in sorted(mapped.keys() | real.keys()):
        station = line.stations.get(place)
        is_unsettled = place in moving or (station is None and bool(moving))
        spare = _unannounced(evidence.line, station) if station is not None else 0
        if not is_unsettled and not mapped[place] <= real[place] <= mapped[place] + spare:
            yield f"{place or 'nowhere'}: {real[place]} things are there, the journal has {mapped[place]}"


def _unannounced(line: Line, station: Station) -> float:
    """How much more may lie there than the journal has: a feeder is ahead of its word, a camera sees what nobody
    ordered."""
    return inf if line.modules[station.module].kind.announces else 1 if station.source else 0


def _swallowed(evidence: Evidence) -> Counter[str]:
    """Sink -> how many things the journal has moved into it."""
    state, found = initial_state(evidence.line), Counter[str]()
    for _, event in evidence.events:
        if isinstance(event, PartEnded):
            place = state.parts[event.part].place if event.part in state.parts else GONE
            station = evidence.line.stations.get(station_of(place))
            if station is not None and station.sink:
                found[station.name] += 1
        state = apply(state, event)
    return found


def parts_are_made_as_the_journal_says(evidence: Evidence) -> Findings:
    """What went into a sink consists of what the journal joined, and was worked on as often as it says.

    Not where something may have fallen out of a gripper at the very place where it was to be let go.
    """
    if evidence.may_drop:
        return
    written, real = Counter(_written(evidence)), Counter(_real(evidence))
    for what in sorted(written.keys() | real.keys()):
        if written[what] != real[what]:
            sink, components, work = what
            made = f"{'+'.join(components)}, worked on {work} times"
            yield f"{sink}: {real[what]} of {made}; the journal has {written[what]}"


Made = tuple[str, tuple[str, ...], int]  # sink, components, how often it was worked on


def _written(evidence: Evidence) -> Iterator[Made]:
    state = initial_state(evidence.line)
    components: dict[str, list[str]] = {}
    work: Counter[str] = Counter()
    for _, event in evidence.events:
        if isinstance(event, Answered):
            job = state.commands().get(event.number)
            for item in job.items if job else ():
                if item.into and Move(item.id, item.target) in event.moves:
                    components.setdefault(item.into, []).append(item.material)
            if job and event.outcome == "done" and job.skill == "run":
                work.update(job.parts)
        elif isinstance(event, PartEnded):
            place = station_of(state.parts[event.part].place)
            if place in evidence.line.stations and evidence.line.stations[place].sink:
                yield place, tuple(sorted(components.get(event.part, ()))), work[event.part]
        state = apply(state, event)


def _real(evidence: Evidence) -> Iterator[Made]:
    for item in evidence.items:
        station = evidence.line.stations.get(str(item["place"]))
        if station is not None and station.sink:
            work = sum(str(e["what"]).startswith(("pressed", "worked on")) for e in item["history"])
            yield station.name, tuple(sorted(_joined(evidence, item))), work


def _joined(evidence: Evidence, item: Mapping[str, Any]) -> Sequence[str]:
    """The components that an item got from sources: not what a machine made, or what came along by itself."""
    born = str(item["history"][0]["what"]).removeprefix("appeared at ")
    station = evidence.line.stations.get(station_of(born))
    components: Sequence[str] = item["components"]
    return components if station is not None and station.source else components[1:]
