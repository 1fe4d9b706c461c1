"""Whether the parts on the line can all still be finished: a part enters a station only if the line stays safe.

Banker's algorithm (Dijkstra 1965) on stations: a state is safe when the parts can be finished one after another,
each with every station of its remaining routes (retry, rework and scrap included) free or its own. It may refuse
what would have gone well, never allow what can jam. Arms and grippers never wait with something in hand, since a
command starts only when its target is free; so stations are all that parts can jam over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from cellctl.flow.ahead import what_lies_ahead
from cellctl.flow.carriers import empty_carriers
from cellctl.flow.casts import targets_from
from cellctl.flow.claims import claims, is_carrier_stop, passes, reserved
from cellctl.flow.events import Dispatched
from cellctl.flow.fold import apply
from cellctl.flow.stage import Stage, stage_before, stage_of
from cellctl.flow.state import FlowState, Part
from cellctl.line.model import Line, station_of
from cellctl.line.once import once
from cellctl.recipe.executable import Executable, Step
from cellctl.skill import Works

Way = frozenset[tuple[str, int]]  # stations, and how many places of each, those that the part has included
Need = tuple[Way, ...]  # ways to go on


def is_safe_after(state: FlowState, line: Line, event: Dispatched) -> bool:
    """Whether the line can still finish every part once `event` has happened. Trivially so if it takes no station."""
    takes = {station_of(item.target) for item in event.items if item.target and item.target != item.origin}
    if all(_is_sink(line, station) for station in takes):
        return True
    return is_safe(apply(state, event), line)


def is_safe(state: FlowState, line: Line) -> bool:
    """Whether the parts in `state` can be finished one after another."""
    used = claims(state, line).used
    used.subtract(_of_empty_carriers(state, line))
    waiting = [(_held(state, line, p), needs(state, line, p)) for p in state.parts.values()]
    while waiting:
        for entry in waiting:
            held, wanted = entry
            if all(_can(line, used, held, need) for need in wanted):
                used.subtract(held)
                waiting.remove(entry)
                break
        else:
            return False
    return True


def _can(line: Line, used: dict[str, int], held: tuple[str, ...], need: Need) -> bool:
    return any(all(_has_room(line, used, held, *place) for place in way) for way in need)


def _has_room(line: Line, used: dict[str, int], held: tuple[str, ...], station: str, places: int) -> bool:
    if station not in line.stations or held.count(station) >= places:
        return True
    by_others = used.get(station, 0) - held.count(station)
    return by_others + places <= line.stations[station].capacity


def _is_sink(line: Line, station: str) -> bool:
    return station in line.stations and line.stations[station].sink


def _held(state: FlowState, line: Line, part: Part) -> tuple[str, ...]:
    """The stations that a part has: where it is, and what its job keeps for it; each place of a job is one part's."""
    places = [part.place] if part.place else []
    if part.job:
        job = state.jobs[part.job]
        own = [item for item in job.items if part.id == (item.id if item.id in job.parts else job.parts[0])]
        places += reserved(state, line, replace(job, items=tuple(own)))
    return tuple(state.station_of(place) for place in places)


def _of_empty_carriers(state: FlowState, line: Line) -> list[str]:
    """The stations that empty carriers have: they go on as soon as they stand in somebody's way."""
    empty = empty_carriers(state)
    moving = [job for job in state.jobs.values() if any(item.id in empty for item in job.items)]
    coming = [place for job in moving for place in reserved(state, line, job)]
    return [station_of(place) for place in (*empty.values(), *coming)]


def needs(state: FlowState, line: Line, part: Part) -> frozenset[Need]:
    """What a part may still have to take, over all its routes; sinks left out."""
    if part.removed:
        return frozenset()
    stage = _stage_at_begin(state, part) if part.job else stage_of(state, part)
    return _needs(line, _Made(part.recipe, state.executable(part)), stage)


def _stage_at_begin(state: FlowState, part: Part) -> Stage:
    """The stage in which the part was when its job began: whatever was told since, that is where it may be left."""
    job = state.jobs[part.job]
    stage = stage_before(state, job, part)
    riding = [item for item in job.items if item.id in state.carriers]
    return stage._replace(station=station_of(riding[0].origin)) if riding else stage


@dataclass(frozen=True, slots=True)
class _Made:
    """A recipe, known by its digest."""

    digest: str
    by: Executable = field(compare=False)


@once
def _needs(line: Line, made: _Made, stage: Stage) -> frozenset[Need]:
    steps = {step.name: step for step in (*made.by.steps, *made.by.scrap)}
    moves = (
        (ahead.place, steps[ahead.step])
        for ahead in what_lies_ahead(line, made.by, stage)
        if steps[ahead.step].works is Works.MOVES
    )
    return frozenset(need for origin, step in moves if (need := _need(line, origin, step)))


def _need(line: Line, origin: str, step: Step) -> Need:
    """Each way from here to a target; two places where the part moves on within one station; none into a sink."""
    ways = []
    for target in targets_from(line, step, origin):
        if _rides(line, origin, step, target):
            return ()
        stops = {s for s in {target, *passes(line, origin, target)} if not _is_sink(line, s)}
        ways.append(frozenset((s, 2 if s == target == origin else 1) for s in stops))
    return tuple(ways) if all(ways) else ()


def _rides(line: Line, origin: str, step: Step, target: str) -> bool:
    """Whether a carrier brings the part there: it needs no stop of its own, since all of them move up round their belt,
    on which one stop more than there are carriers is enough."""
    arms = any(line.modules[name].tools for names in step.modules.values() for name in names)
    return not arms and is_carrier_stop(line, origin) and is_carrier_stop(line, target)
