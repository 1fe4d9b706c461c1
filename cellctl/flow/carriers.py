"""Carriers that go on by themselves: empty ones out of the way of parts, and to where a part is to be put on one. Pure.

On a closed belt carriers keep their order, so each moves one stop at a time, and only into a free one. Nobody moves
without a reason: a part that cannot go on, or one that nothing stands ready for.
"""

from __future__ import annotations

from collections.abc import Iterator

from cellctl.flow.claims import Claims, carriers_in_hand, claims, is_carrier_stop
from cellctl.flow.events import Dispatched
from cellctl.flow.state import FlowState, Part
from cellctl.line.model import Line, station_of
from cellctl.messages import Item
from cellctl.recipe.executable import Step
from cellctl.skill import Works

ADVANCE = "advance"

Needs = list[tuple[Part | None, Step]]  # steps that wait, and the part that waits; None: one not begun yet


def empty_carriers(state: FlowState) -> dict[str, str]:
    """The carriers with nothing on them and nothing coming, and where they are; also those that are on their way."""
    loaded = {station_of(place) for place in state.places().values()}
    loaded |= {station_of(item.target) for job in state.jobs.values() for item in job.items}
    return {carrier: place for carrier, place in state.carriers.items() if carrier not in loaded}


def carrier_move(
    state: FlowState, line: Line, ready: frozenset[str], needs: Needs, at: float
) -> Dispatched | None:
    """The next way of a carrier to the stop after its own, for no step's sake; None where nobody needs one."""
    if not line.carriers:
        return None
    taken = claims(state, line)
    in_hand = carriers_in_hand(state)
    idle = {
        place: carrier
        for carrier, place in empty_carriers(state).items()
        if carrier not in in_hand and carrier not in state.stuck
    }
    for carrier, stop in _that_should_go_on(state, line, taken, in_hand, idle, needs):
        module, target = line.stations[stop].module, following(line, stop)
        if target != stop and not taken.used[target] and module in ready and module not in state.out:
            number, item = state.next_command, Item(carrier, stop, target)
            return Dispatched(number, number, module, ADVANCE, items=(item,), modules={"": module}, at=at)
    return None


def following(line: Line, stop: str) -> str:
    """The stop that comes after this one; after the last of a belt comes the first."""
    stops = _stops(line, stop)
    return stops[(stops.index(stop) + 1) % len(stops)]


def _way(line: Line, origin: str, target: str) -> list[str]:
    """The stops after `origin` as far as `target`, in the direction of travel."""
    stops = _stops(line, origin)
    start, end = stops.index(origin), stops.index(target)
    return stops[start + 1 : end + 1] if start < end else stops[start + 1 :] + stops[: end + 1]


def _stops(line: Line, stop: str) -> list[str]:
    module = line.modules[line.stations[stop].module]
    return [s.name for s in sorted(module.stations, key=lambda s: s.at or 0.0) if s.at is not None]


def _that_should_go_on(
    state: FlowState, line: Line, taken: Claims, in_hand: frozenset[str], idle: dict[str, str], needs: Needs
) -> Iterator[tuple[str, str]]:
    """Carriers that somebody wants farther on, and the stops at which they are."""
    for part, step in needs:
        rides = part is not None and station_of(part.place) in state.carriers
        for target in step.to if step.works is Works.MOVES else ():
            if not is_carrier_stop(line, target):
                continue
            if rides and part is not None:
                carrier = station_of(part.place)
                is_free = carrier not in in_hand and carrier not in state.stuck
                if is_free and state.carriers[carrier] in line.stations:
                    yield from _making_way(line, taken, idle, carrier, state.carriers[carrier], target)
            elif target not in state.carriers.values():
                yield from _coming_up(line, taken, idle, target)


def _making_way(
    line: Line, taken: Claims, idle: dict[str, str], carrier: str, origin: str, target: str
) -> Iterator[tuple[str, str]]:
    """Where a part's way is not free: the foremost of the empty carriers in it that stand one behind the other; if
    that one cannot go on, the part's own as far as the next stop, since others may come to where it stands."""
    way = _way(line, origin, target)
    if not any(taken.used[stop] for stop in way):
        return
    first = next((stop for stop in way if stop in idle), None)
    if first is not None:
        queue = [first]
        while (after := following(line, queue[-1])) in idle and after not in queue:
            queue.append(after)
        yield idle[queue[-1]], queue[-1]
    if way[0] != target:
        yield carrier, origin


def _coming_up(line: Line, taken: Claims, idle: dict[str, str], target: str) -> Iterator[tuple[str, str]]:
    """The next empty carrier that would come to `target`, unless something else comes before it."""
    stops = _stops(line, target)
    place = stops.index(target)
    upstream = reversed(stops[place + 1 :] + stops[:place])
    nearest = next((stop for stop in upstream if taken.used[stop]), None)
    if nearest in idle:
        yield idle[nearest], nearest
