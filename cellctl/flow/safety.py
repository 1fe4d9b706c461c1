"""Whether the parts on the line can all still be finished: a part enters a station only if the line stays safe.

Banker's algorithm (Dijkstra 1965) on stations: a state is safe when the parts can be finished one after another,
each with every station of its remaining routes (retry, rework and scrap included) free or its own. It may refuse
what would have gone well, never allow what can jam. Arms and grippers never wait with something in hand, since a
command starts only when its target is free; so stations are all that parts can jam over.
"""

from __future__ import annotations

from collections.abc import Iterator

from cellctl.flow.carriers import empty_carriers
from cellctl.flow.claims import claims, passes, reserved
from cellctl.flow.events import Dispatched
from cellctl.flow.fold import apply
from cellctl.flow.routes import depending_on
from cellctl.flow.state import FlowState, Part
from cellctl.line.model import Line, station_of
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
    waiting = [(_held(state, line, p), tuple(needs(state, line, p))) for p in state.parts.values()]
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
    """The stations that a part has: where it is, and what its job keeps for it."""
    places = [part.place] if part.place else []
    if part.job:
        places += reserved(state, line, state.jobs[part.job])
    return tuple(state.station_of(place) for place in places)


def _of_empty_carriers(state: FlowState, line: Line) -> list[str]:
    """The stations that empty carriers have: they go on as soon as they stand in somebody's way."""
    empty = empty_carriers(state)
    moving = [job for job in state.jobs.values() if any(item.id in empty for item in job.items)]
    coming = [place for job in moving for place in reserved(state, line, job)]
    return [station_of(place) for place in (*empty.values(), *coming)]


def needs(state: FlowState, line: Line, part: Part) -> Iterator[Need]:
    """What a part may still have to take, over all its routes; sinks left out."""
    if part.removed:
        return
    executable = state.executable(part)
    place = state.station_of(part.place)
    routes = [executable.scrap] if part.scrapping else [_to_come(executable, part), executable.scrap]
    for route in routes:
        here: tuple[str, ...] = ()
        is_ahead = False  # whether the step before is to be done still: then the part comes from there
        for step in route:
            is_done = step.name in part.done
            if is_done and (part.scrapping or route is executable.scrap):
                continue
            for origin in (here or ("",)) if is_ahead or is_done else (place,):
                yield from _need(line, origin, step)
            here = step.to or here or (place,)
            is_ahead = not is_done


def _need(line: Line, origin: str, step: Step) -> Iterator[Need]:
    """Each way from here to a target; two places where the part moves on within one station."""
    ways = []
    for target in step.to:
        stops = {s for s in {target, *passes(line, origin, target)} if not _is_sink(line, s)}
        moves_within = step.works is Works.MOVES and target == origin
        ways.append(frozenset((s, 2 if moves_within else 1) for s in stops))
    if ways and all(ways):
        yield tuple(ways)


def _to_come(executable: Executable, part: Part) -> tuple[Step, ...]:
    """Every step of the main route that the part may still do, with those that a retry repeats."""
    names = {step.name for step in executable.steps if step.name not in part.done}
    while True:
        again = {
            name
            for step in executable.steps
            if step.name in names
            for route in step.routes.values()
            for start in _starts(route.start, route.then)
            for name in depending_on(executable, start)
        }
        if again <= names:
            return tuple(step for step in executable.steps if step.name in names)
        names |= again


def _starts(start: str, then: str) -> list[str]:
    return [name for name in (start, then) if name and name not in ("scrap", "ask", "next")]
