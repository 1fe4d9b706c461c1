"""From a step that may come next to the command that does it now, or the reason why it must wait."""

from __future__ import annotations

from collections.abc import Iterator

from cellctl.flow.casts import can_carry, can_work, casts
from cellctl.flow.claims import (
    Claims,
    carriers_in_hand,
    claims,
    free_place,
    is_carrier_stop,
    passes,
    zones_of,
)
from cellctl.flow.events import Dispatched
from cellctl.flow.safe_states import SafeStates
from cellctl.flow.safety import is_safe_after
from cellctl.flow.state import FlowState, Part
from cellctl.line.model import Line, station_of
from cellctl.messages import GONE, LOST, Item, Value
from cellctl.recipe.executable import Step
from cellctl.skill import Works

Wait = str  # why a step cannot be done now, in words


def next_steps(state: FlowState, part: Part) -> Iterator[Step]:
    """The steps whose needs are met and that are not done."""
    for step in state.route(part):
        if step.name not in part.done and all(need in part.done for need in step.needs):
            yield step


def bind(
    state: FlowState,
    line: Line,
    ready: frozenset[str],
    parts: tuple[Part, ...],
    step: Step,
    at: float,
    known: SafeStates | None = None,
    taken: Claims | None = None,
) -> Dispatched | Wait:
    """The command that does `step` on `parts` now, all its modules and places free and the line safe after it.

    `ready` are the modules that take commands; `taken` is what `claims` says, where that is known already. Returns why
    it must wait otherwise.
    """
    why: Wait = f"{step.name}: no module can do it from where the part is"
    for choice in choices(state, line, ready, parts, step, at, taken):
        if isinstance(choice, Wait):
            why = choice
        elif _is_allowed(state, line, choice, known):
            return choice
        else:
            why = f"{step.name}: {_targets(choice.items)} stays free, or the line could jam"
    return why


def choices(
    state: FlowState,
    line: Line,
    ready: frozenset[str],
    parts: tuple[Part, ...],
    step: Step,
    at: float,
    taken: Claims | None = None,
) -> Iterator[Dispatched | Wait]:
    """Every command that could do `step` on `parts` now if nothing could jam, and why the others cannot."""
    taken = taken or claims(state, line)
    on = {station_of(part.place) for part in parts} & carriers_in_hand(state)
    if on:
        yield f"{step.name}: the carrier {min(on)} is on its way, or something is done at it"
        return
    for modules in casts(step):
        blocked = _blocked_modules(state, taken, ready, modules)
        if blocked:
            yield blocked
            continue
        for items in _item_choices(state, line, taken, modules, parts, step):
            if isinstance(items, Wait):
                yield items
                continue
            zones = zones_of(line, tuple(modules.values()), items) & taken.zones
            if zones:
                yield f"{step.name}: zone {min(zones)} is in use"
                continue
            yield _dispatched(state, modules, items, parts, step, at)


def _is_allowed(state: FlowState, line: Line, event: Dispatched, known: SafeStates | None) -> bool:
    """Whether the line cannot jam after `event`: by the table of its states, and where that has none, by the banker."""
    permitted = known.permits(state, line, event) if known else None
    return is_safe_after(state, line, event) if permitted is None else permitted


def continued(state: FlowState, number: int, at: float) -> Dispatched:
    """The next command of a joint skill whose last one is done."""
    job = state.jobs[number]
    step = state.executable(state.parts[job.parts[0]]).step(job.step)
    phase = job.phase + 1
    role, skill = step.phases[phase]
    return Dispatched(
        state.next_command,
        job.number,
        job.modules[role],
        skill,
        job.step,
        job.parts,
        job.items,
        job.modules,
        phase,
        job.visit,
        job.attempt,
        job.parameters,
        at,
    )


# --- modules ----------------------------------------------------------------------------------------------------


def _blocked_modules(state: FlowState, taken: Claims, ready: frozenset[str], modules: dict[str, str]) -> Wait:
    for module in modules.values():
        if module in state.out:
            return f"{module} is taken out of use"
        if module not in ready:
            return f"{module} is not ready"
        if module in taken.exclusive:
            return f"{module} is busy"
    return ""


# --- items ------------------------------------------------------------------------------------------------------


def _item_choices(
    state: FlowState,
    line: Line,
    taken: Claims,
    modules: dict[str, str],
    parts: tuple[Part, ...],
    step: Step,
) -> Iterator[tuple[Item, ...] | Wait]:
    match step.works:
        case Works.STAYS:
            yield _staying(state, line, modules, parts, step)
        case Works.MAKES:
            yield from _made(state, line, taken, modules, parts, step)
        case Works.JOINS:
            yield _joining(state, line, taken, modules, parts[0], step)
        case Works.MOVES:
            for target in step.to:
                yield _moving(state, line, taken, modules, parts, step, target)
        case Works.SUPPLIES:
            yield f"{step.name}: feeding is not a step"


def _staying(
    state: FlowState, line: Line, modules: dict[str, str], parts: tuple[Part, ...], step: Step
) -> tuple[Item, ...] | Wait:
    for part in parts:
        station = state.station_of(part.place)
        if step.at and station not in step.at:
            return f"{step.name}: the part is at {_named(part.place)}, not at {' or '.join(step.at)}"
        for role, name in modules.items():
            if not can_work(line, {role: name}, station):
                return f"{step.name}: {name} does not work at {_named(part.place)}"
    return tuple(Item(part.id, part.place) for part in parts)


def _moving(
    state: FlowState,
    line: Line,
    taken: Claims,
    modules: dict[str, str],
    parts: tuple[Part, ...],
    step: Step,
    target: str,
) -> tuple[Item, ...] | Wait:
    part = parts[0]
    carrier = station_of(part.place)
    rides = carrier in state.carriers and not any(line.modules[m].tools for m in modules.values())
    place = _free_stop(line, taken, target) if rides else free_place(state, line, taken, target)
    if place is None:
        if is_carrier_stop(line, target) and not rides:
            return f"{step.name}: no free carrier stands at {target}"
        return f"{step.name}: {target} is taken"
    if step.take:
        return _bringing(state, line, taken, modules, part, step, place)
    origin = state.station_of(part.place)
    if step.at and origin not in step.at:
        return f"{step.name}: the part is at {_named(part.place)}, not at {' or '.join(step.at)}"
    if not can_carry(line, modules, origin, target):
        return f"{step.name}: {' and '.join(modules.values())} cannot go from {_named(origin)} to {target}"
    for stop in passes(line, origin, target):
        if taken.used[stop] >= line.stations[stop].capacity:
            return f"{step.name}: something stands in the way at {stop}"
    if not _hand_free(line, taken, modules):
        return f"{step.name}: the gripper of {' and '.join(modules.values())} holds something"
    if rides:
        return (Item(carrier, state.carriers[carrier], target),)
    return (Item(part.id, part.place, place),)


def _free_stop(line: Line, taken: Claims, target: str) -> str | None:
    """The stop itself, where it has room for a carrier."""
    return target if taken.used[target] < line.stations[target].capacity else None


def _hand_free(line: Line, taken: Claims, modules: dict[str, str]) -> bool:
    for module in (line.modules[m] for m in modules.values()):
        if module.tools and all(tool.name in taken.places for tool in module.tools):
            return False
    return True


def _bringing(
    state: FlowState,
    line: Line,
    taken: Claims,
    modules: dict[str, str],
    part: Part,
    step: Step,
    target: str,
) -> tuple[Item, ...] | Wait:
    """A component from a source where one lies ready, to a place, there to become or join the part."""
    if not _hand_free(line, taken, modules):
        return f"{step.name}: the gripper of {' and '.join(modules.values())} holds something"
    for component in state.components.values():
        station = station_of(component.place)
        if component.material != step.take or component.id in taken.items:
            continue
        if (
            station in line.stations
            and line.stations[station].source
            and can_carry(line, modules, station, state.station_of(target))
        ):
            return (Item(component.id, component.place, target, component.material, part.id),)
    return f"{step.name}: no {step.take} lies ready"


def _joining(
    state: FlowState, line: Line, taken: Claims, modules: dict[str, str], part: Part, step: Step
) -> tuple[Item, ...] | Wait:
    station = state.station_of(part.place)
    if (step.to or step.at) and station not in (*step.to, *step.at):
        return f"{step.name}: the part is at {_named(part.place)}, not at {' or '.join((*step.to, *step.at))}"
    return _bringing(state, line, taken, modules, part, step, part.place)


def _made(
    state: FlowState,
    line: Line,
    taken: Claims,
    modules: dict[str, str],
    parts: tuple[Part, ...],
    step: Step,
) -> Iterator[tuple[Item, ...] | Wait]:
    module = line.modules[modules[""]]
    stations = [module.at] if module.at else [s.name for s in module.stations]
    for name in (s for s in stations if not step.at or s in step.at):
        nests = [f"{name}#{n}" for n in range(line.stations[name].capacity)]
        places = [name] if len(nests) == 1 else nests
        if taken.used[name]:
            yield f"{step.name}: {name} is not empty"
        elif len(places) < len(parts):
            yield f"{step.name}: {name} has only {len(places)} places"
        else:
            yield tuple(Item(part.id, GONE, place) for part, place in zip(parts, places, strict=False))


# --- the event --------------------------------------------------------------------------------------------------


def _dispatched(
    state: FlowState,
    modules: dict[str, str],
    items: tuple[Item, ...],
    parts: tuple[Part, ...],
    step: Step,
    at: float,
) -> Dispatched:
    role, skill = step.phases[0] if step.phases else ("", step.skill)
    number, first = state.next_command, parts[0]
    failed = sum(count for key, count in first.failures.items() if key.startswith(f"{step.name}:"))
    return Dispatched(
        number,
        number,
        modules[role],
        skill,
        step.name,
        tuple(part.id for part in parts),
        items,
        modules,
        0,
        first.visits.get(step.name, 0) + 1,
        failed + 1,
        parameters(first, step),
        at,
    )


def parameters(part: Part, step: Step) -> dict[str, Value]:
    """The step's parameters for this part: the recipe's, its earlier results, and what was given for it.

    An order gives them by the step's name; a module that announced the part knows only its skill's.
    """
    values = dict(step.parameters)
    values |= {name: part.results.get(source) for name, source in step.references.items()}
    for prefix in (f"{step.skill}.", f"{step.name}."):
        values |= {name.removeprefix(prefix): v for name, v in part.given.items() if name.startswith(prefix)}
    return values


def _named(place: str) -> str:
    return {GONE: "no station", LOST: "an unknown place"}.get(place, place)


def _targets(items: tuple[Item, ...]) -> str:
    return ", ".join(item.target for item in items if item.target) or "nothing"
