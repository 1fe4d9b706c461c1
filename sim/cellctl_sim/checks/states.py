"""States are legal, stations hold what they can, and nobody waits for a person without need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cellctl.device import Recovery
from cellctl.flow.events import (
    LineEntered,
)
from cellctl.flow.fold import apply
from cellctl.flow.state import FlowState
from cellctl.journal import ActionBegan, Asked, Entered
from cellctl.line.model import Line, Station
from cellctl.packml import ACTING, TRANSITIONS, Edition, State
from cellctl_sim.evidence import Evidence

Findings = Iterator[str]


_AFTER_RESTART = (State.STOPPED, State.ABORTED, State.HELD)


def states_are_legal(evidence: Evidence) -> Findings:
    """Every recorded state can be reached from the one before by PackML's table, or by a restart."""
    edges = _edges(Edition.E2022)
    for entries in evidence.entries.values():
        last: dict[str, State] = {}
        for record in (entry.record for entry in entries):
            if isinstance(record, Entered):
                before = last.get(record.module, State.STOPPED)
                starts = {before, before if before in _AFTER_RESTART else State.STOPPED}
                if not any(record.state in _rests(start, edges) for start in starts):
                    yield f"{record.module} went from {before} to {record.state}"
                last[record.module] = record.state
    state = State.STOPPED
    for _, event in evidence.events:
        if isinstance(event, LineEntered):
            if event.state is not state and event.state not in edges[state] and event.who != "restart":
                yield f"the line went from {state} to {event.state}"
            state = event.state


def _edges(edition: Edition) -> dict[State, set[State]]:
    edges: dict[State, set[State]] = {state: set() for state in State}
    for sources, target in TRANSITIONS[edition].values():
        for source in sources:
            edges[source].add(target)
    for state, after in ACTING.items():
        edges[state].add(after)
    return edges


def _rests(start: State, edges: dict[State, set[State]]) -> set[State]:
    """The states that do not act and are reached from `start` through acting ones only; `start` among them."""
    found, todo = {start}, [start]
    while todo:
        for state in edges[todo.pop()] - found:
            found.add(state)
            if state in ACTING:
                todo.append(state)
    return found - ACTING.keys()


def stations_hold_what_they_can(evidence: Evidence) -> Findings:
    """The part map never has more at a station than its places; in the plant nothing happened that never should."""
    state = FlowState(carriers={carrier.id: carrier.home for carrier in evidence.line.carriers})
    full: set[str] = set()
    for _, event in evidence.events:
        state = apply(state, event)
        used = Counter(state.station_of(p) for n, p in state.places().items() if n not in state.carriers)
        for name, count in used.items():
            station = evidence.line.stations.get(name)
            if station is not None and not station.sink and count > _room(station) and name not in full:
                full.add(name)
                yield f"{name} has {count} things in a journal that allows {_room(station)}"
    for t, text in evidence.incidents:
        if not (evidence.may_drop and text.partition(":")[0] in evidence.line.devices):  # a gripper lost it
            yield f"at {t:.3f} s {text}"


def _room(station: Station) -> int:
    return station.grid.columns * station.grid.rows if station.grid else station.capacity


def nobody_waits_for_a_person(evidence: Evidence) -> Findings:
    """Only an action whose end nobody can know asks a person; no part waits for one, and no map is in question."""
    actions = {(e.process, r.action): r for e, r in evidence.records(ActionBegan)}
    for entry, asked in evidence.records(Asked):
        began = actions.get((entry.process, asked.question.number))
        if began is None or not (
            began.device in evidence.doubtful or _may_ask(evidence.line, asked.module, began)
        ):
            yield f"{asked.module} asks: {asked.question.text}"
    for part in evidence.state.parts.values():
        if part.asking is not None and not evidence.doubtful:
            yield f"{part.id} waits: {part.asking.step} ended with {part.asking.outcome} {part.asking.detail}".rstrip()
    for alarm in evidence.alarms:
        if alarm.startswith("R011") or (alarm.startswith("R012") and not evidence.may_drop):
            yield alarm


def _may_ask(line: Line, module: str, began: ActionBegan) -> bool:
    """Whether the action is declared as one whose end nobody can know."""
    name = began.name.partition(" ")[0]
    declared = line.devices[began.device].declaration.recovery.get(name, {})
    declared = {**declared, **line.module(module).kind.actions.get(name, {})}
    return Recovery.IN_DOUBT in declared.values()
