"""Which modules can do a step, and between which stations they can carry. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cellctl.flow.claims import is_carrier_stop
from cellctl.line.model import Line, Module
from cellctl.recipe.executable import Step
from cellctl.skill import Works


def casts(step: Step) -> Iterator[dict[str, str]]:
    """Every way to give each role a module, in the recipe's order."""
    chosen: list[dict[str, str]] = [{}]
    for role, candidates in step.modules.items():
        chosen = [{**c, role: m} for c in chosen for m in candidates if m not in c.values()]
    return iter(chosen)


def serves(line: Line, module: Module, station: str) -> bool:
    """Whether a module can take from or bring to a station: an arm where it has a pose, others at their own."""
    if module.tools:
        return station in line.stations and line.stations[station].pose_for(module.name) is not None
    return station in line.stations and line.stations[station].module == module.name


def can_carry(line: Line, modules: Mapping[str, str], origin: str, target: str) -> bool:
    """Whether these modules, each in its role, can bring something from one station to another."""
    if len(modules) == 1:
        module = line.modules[next(iter(modules.values()))]
        return serves(line, module, origin) and serves(line, module, target)
    used = [line.modules[m] for m in modules.values()]
    return any(serves(line, m, origin) for m in used) and any(serves(line, m, target) for m in used)


def can_work(line: Line, modules: Mapping[str, str], station: str) -> bool:
    """Whether these modules all do their work at a station."""
    used = [line.modules[name] for name in modules.values()]
    return all(m.at == station if m.at else serves(line, m, station) for m in used)


def can_be_done(line: Line, step: Step, place: str) -> bool:
    """Whether some modules can do a step on a part at this place; wherever that is, where it is no station."""
    if place not in line.stations or step.works is Works.MAKES or (step.take and step.works is Works.MOVES):
        return True
    if step.works is Works.JOINS:
        return not (step.to or step.at) or place in (*step.to, *step.at)
    if step.at and place not in step.at:
        return False
    if step.works is Works.MOVES:
        return bool(targets_from(line, step, place))
    return any(can_work(line, cast, place) for cast in casts(step))


def targets_from(line: Line, step: Step, place: str) -> tuple[str, ...]:
    """The targets of a move that some modules can come to from a place, or from where its component is; all of them
    from a place that is no station."""
    origins = [s.name for s in line.stations.values() if s.source == step.take] if step.take else [place]
    if not all(origin in line.stations for origin in origins):
        return step.to
    ways = [(cast, origin) for cast in casts(step) for origin in origins]
    return tuple(
        to
        for to in step.to
        if not _stands_in_its_own_way(line, place, to)
        and any(can_carry(line, cast, origin, to) for cast, origin in ways)
    )


def _stands_in_its_own_way(line: Line, place: str, target: str) -> bool:
    """Whether a part cannot go where it stands since there is but one place; a carrier takes it round a closed belt."""
    return place == target and line.stations[target].capacity < 2 and not is_carrier_stop(line, target)
