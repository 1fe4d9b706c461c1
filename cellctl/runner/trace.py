"""A part's whole life out of the runner's journal: each command with times and results, lots, decisions. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from cellctl.errors import UnknownName
from cellctl.flow.events import (
    Answered,
    Corrected,
    Decided,
    Dispatched,
    FlowEvent,
    PartBorn,
    PartEnded,
)
from cellctl.flow.fold import apply
from cellctl.flow.state import FlowState
from cellctl.messages import Limits, Value


class Visit(msgspec.Struct):
    """One command that worked on the part."""

    step: str
    module: str
    skill: str
    visit: int
    attempt: int
    number: int
    outcome: str = ""  # "" while it is not answered
    started: float = 0.0  # UTC [s]
    ended: float = 0.0
    results: dict[str, Value] = {}  # SI
    dimensions: dict[str, str] = {}  # of results of which the step says it: `cellctl.units.Dimension` values
    parameters: dict[str, Value] = {}
    places: list[str] = []
    detail: str = ""


class Life(msgspec.Struct):
    """Everything that is on record about one part."""

    part: str
    order: str
    recipe: str
    revision: int
    variant: str
    recipe_digest: str
    born: float
    ended: float | None = None
    verdict: str = ""
    lots: dict[str, str] = {}  # component -> lot
    visits: list[Visit] = []
    decisions: list[dict[str, Any]] = []


def trace(events: Iterable[FlowEvent], part: str) -> Life:
    """The life of `part`. Raises UnknownName when the journal has no such part."""
    state, life, known = FlowState(), None, []
    open_visits: dict[int, Visit] = {}
    for event in events:
        match event:
            case PartBorn(name, order) if name == part:
                life = _born(state, part, order, event.at)
            case PartBorn(name):
                known.append(name)
            case Dispatched() if life is not None and part in event.parts:
                visit = _visit(event)
                open_visits[event.number] = visit
                life.visits.append(visit)
            case Answered(number) if number in open_visits:
                _answer(open_visits.pop(number), event)
            case Decided(name) | Corrected(name) if name == part and life is not None:
                life.decisions.append(msgspec.to_builtins(event))
            case PartEnded(name, verdict) if name == part and life is not None:
                life.ended, life.verdict, life.lots = event.at, verdict, state.parts[part].lots
                break
            case _:
                pass
        state = apply(state, event)
    if life is None:
        raise UnknownName("part", part, known)
    if part in state.parts:
        life.lots = state.parts[part].lots
    return life


def _born(state: FlowState, part: str, order: str, at: float) -> Life:
    taken = state.orders[order]
    digest = taken.recipe_of(taken.begun)
    executable = state.recipes[digest]
    return Life(part, order, executable.recipe, executable.revision, executable.variant, digest, at)


def _visit(event: Dispatched) -> Visit:
    return Visit(
        event.step,
        event.module,
        event.skill,
        event.visit,
        event.attempt,
        event.number,
        parameters=event.parameters,
    )


def _dimensions(parameters: dict[str, Value]) -> dict[str, str]:
    """What each feature is measured in, by the limits that the step gives it (`expect.height`)."""
    return {
        name.rpartition(".")[2]: value.dimension
        for name, value in parameters.items()
        if isinstance(value, Limits) and value.dimension
    }


def _answer(visit: Visit, event: Answered) -> None:
    visit.outcome, visit.started, visit.ended = event.outcome, event.started, event.ended
    visit.results, visit.detail = event.results, event.detail
    visit.dimensions = _dimensions(visit.parameters)
    visit.places = [move.place for move in event.moves]
