"""Parts that modules find: which order takes one, why one is not taken on, and what becomes of one that left. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cellctl.flow.claims import claims
from cellctl.flow.events import PartBorn, PartWithdrawn
from cellctl.flow.state import FlowState, Order
from cellctl.line.model import Line, station_of
from cellctl.messages import Announced, Withdrawn


@dataclass(frozen=True, slots=True)
class Unwanted:
    """No open order is for the part."""

    why: str


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The part cannot be where it is said to be: the place is full by the part map, or there is none such."""

    why: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """The part waits as all parts do: the line is drained, or has as many as it may have at a time."""


def arrival(
    state: FlowState, line: Line, message: Announced, at: float
) -> PartBorn | Unwanted | NoRoom | NotNow | None:
    """The birth of a part that a module found, for the most urgent order that wants such, or why it waits.

    None for an announcement that was taken before.
    """
    if message.number <= state.announced.get(message.module, 0):
        return None
    order = _order_for(state, message)
    if order is None:
        return Unwanted(_unwanted(message))
    if full := _no_room(state, line, message):
        return NoRoom(full)
    if state.draining or (line.work_in_process and len(state.parts) >= line.work_in_process):
        return NotNow()
    name = f"p{state.next_part}"
    return PartBorn(name, order.id, message.place, at, message.module, message.number, message.given)


def _order_for(state: FlowState, message: Announced) -> Order | None:
    for order in sorted(state.orders.values(), key=lambda order: -order.priority):
        executable = state.recipes[order.recipe]
        if (
            order.open
            and executable.announced
            and message.recipe in ("", executable.recipe)
            and message.variant in ("", executable.variant)
        ):
            return order
    return None


def _unwanted(message: Announced) -> str:
    kind = f"{message.recipe}{f'/{message.variant}' if message.variant else ''}" if message.recipe else "it"
    return f"{message.module} found a part at {message.place}; no open order is for {kind}"


def _no_room(state: FlowState, line: Line, message: Announced) -> str:
    name, _, nest = message.place.partition("#")
    station = line.stations.get(name)
    found = f"{message.module} found a part at {message.place}"
    if station is None or station.module != message.module:
        return f"{found}, which is no station of {message.module}"
    if nest and nest not in map(str, range(station.capacity)):
        return f"{found}; the nests of {name} are 0 to {station.capacity - 1}"
    if station.sink:
        return ""
    taken = claims(state, line)
    is_taken = message.place in taken.places if nest else False
    if not is_taken and taken.used[name] < station.capacity:
        return ""
    there = [item for item, place in state.places().items() if place and station_of(place) == name]
    return f"{found}, where the journal has {' and '.join(there) or 'what is on its way there'} already"


def withdrawal(state: FlowState, message: Withdrawn, at: float) -> PartWithdrawn | None:
    """That a part which was announced has left; None where that is known, or the part has ended."""
    is_new = message.number > state.announced.get(message.module, 0)
    part = state.found_as(message.module, message.number)
    if is_new or (part is not None and not part.withdrawn):
        return PartWithdrawn(message.module, message.number, at)
    return None


def bereft(state: FlowState) -> tuple[int, ...]:
    """The commands for parts that have left the place where a module found them: they are taken back if they can be."""
    left = {part.id for part in state.parts.values() if part.has_left}
    if not left:
        return ()
    return tuple(number for number, job in state.commands().items() if not left.isdisjoint(job.parts))
