"""An executable recipe as facts, by the keys of the recipe file and with units: for `cellctl.compile.difference`.

Executables carry plain SI values; what a value measures, the line's skills and programs say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cellctl.compile.casting import doing
from cellctl.compile.difference import Change, Fact, Item, differences
from cellctl.line.model import Line, Module
from cellctl.messages import Limits, Value
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Parameter, Skill
from cellctl.units import Dimension, Quantity, Tolerance

_DIMENSIONS = {dimension.value for dimension in Dimension}
_TOLD = {
    "name",
    "skill",
    "take",
    "to",
    "at",
    "parameters",
    "references",
    "modules",
    "needs",
    "routes",
    "timeout",
}


@dataclass(frozen=True, slots=True)
class RecipeDifference:
    """What is different in how a part is made, and what that means for whoever sets up the line."""

    changes: tuple[Change, ...]
    set_up: tuple[Change, ...]  # materials, tools and programs to change over


def compare_recipes(old: Executable, new: Executable, old_line: Line, new_line: Line) -> RecipeDifference:
    """The differences of two executables; names, revision and line of a recipe make none."""
    changes = differences([_whole(old)], [_whole(new)])
    for section in ("steps", "scrap"):
        items = [step_items(e, line, section) for e, line in ((old, old_line), (new, new_line))]
        changes += differences(*items, ordered=True)
    set_ups = [list(set_up_items(e, line)) for e, line in ((old, old_line), (new, new_line))]
    return RecipeDifference(changes, differences(*set_ups))


def _whole(executable: Executable) -> Item:
    facts: dict[str, Fact] = {"arrives": " or ".join(executable.arrives)}
    return Item("recipe", "", {what: fact for what, fact in facts.items() if fact})


def step_items(executable: Executable, line: Line, section: str) -> list[Item]:
    """Each of the `steps`, or of the `scrap` steps, with its facts."""
    steps: tuple[Step, ...] = getattr(executable, section)
    of = "step" if section == "steps" else "scrap step"
    above = [(), *((step.name,) for step in steps)]
    return [
        Item(of, step.name, dict(_facts(step, line, needs)), _usual(step, line))
        for step, needs in zip(steps, above, strict=False)
    ]


def _usual(step: Step, line: Line) -> frozenset[str]:
    """What follows from the skill: the form of its step, its commands, and routes as the skill itself has them."""
    what = doing(line, step.skill)
    outcomes = what.outcomes if what else {}
    routes = {name: Route(retry=outcome.repeats) for name, outcome in outcomes.items()}
    ready = {f"on {name}" for name, route in step.routes.items() if route == routes.get(name)}
    return frozenset({"works", "phases", *ready})


def _facts(step: Step, line: Line, usual: tuple[str, ...]) -> Iterator[tuple[str, Fact]]:
    """The facts of a step that are not as they usually are; it usually needs the one above."""
    yield "do", step.skill
    yield from _named({"take": step.take, "to": " or ".join(step.to), "at": " or ".join(step.at)})
    for name, value in step.parameters.items():
        yield name, _measured(value, dimension_of(line, step, name))
    yield from ((name, f"${result}") for name, result in step.references.items())
    for role, modules in step.modules.items():
        yield f"by ({role})" if role else "by", " or ".join(modules)
    if step.needs != usual:
        yield "needs", " and ".join(step.needs) or "nothing"
    yield from ((f"on {outcome}", _route(route)) for outcome, route in step.routes.items())
    if step.timeout is not None:
        yield "timeout", Quantity(step.timeout, Dimension.DURATION)
    yield from _rest(step)


def _named(facts: Mapping[str, str]) -> Iterator[tuple[str, Fact]]:
    return ((what, fact) for what, fact in facts.items() if fact)


def _rest(step: Step) -> Iterator[tuple[str, Fact]]:
    """Whatever else differs from its default, so that nothing of which the hash tells is left out."""
    for each in msgspec.structs.fields(type(step)):
        value = getattr(step, each.name)
        if each.name not in _TOLD and value != each.default:
            plain = msgspec.to_builtins(value)
            yield (
                each.name,
                plain if isinstance(plain, str | int | float) else msgspec.json.encode(plain).decode(),
            )


def _route(route: Route) -> str:
    again = (
        f"retry {route.retry}{f' from {route.start}' if route.start else ''}, then " if route.retry else ""
    )
    return f"{again}{route.then}"


def _measured(value: Value, dimension: Dimension | None) -> Fact:
    match value:
        case Limits():
            return Tolerance(value.nominal, value.lower, value.upper, Dimension(value.dimension))
        case bool() | str():
            return value
        case int() | float():
            return Quantity(float(value), dimension) if dimension else float(value)
        case _:
            return msgspec.json.encode(value).decode()


# --- what a parameter measures --------------------------------------------------------------------------------------


def dimension_of(line: Line, step: Step, parameter: str) -> Dimension | None:
    """What a parameter of a step measures, by the modules that may do it; None for text, plain and unknown ones."""
    found = measure_of(line, step, parameter)
    return Dimension(found) if found in _DIMENSIONS else None


def measure_of(line: Line, step: Step, parameter: str) -> str:
    """What a parameter of a step is: a `Dimension` value, "text", "number", or "limits"; "" where nobody says."""
    for module, skill in doers(line, step):
        for declared in skill.parameters:
            found = declared.dimension if declared.name == parameter else ""
            found = found or _taken(module, declared, step, parameter)
            if found:
                return found
    return ""


def doers(line: Line, step: Step) -> Iterator[tuple[Module, Skill]]:
    """Each module that may do the step, or a phase of it, with the skill that it does then."""
    phases = step.phases or tuple((role, step.skill) for role in step.modules)
    for role, name in phases:
        for candidate in step.modules.get(role, ()):
            module = line.modules.get(candidate)
            skill = module.kind.skill(name) if module else None
            if module and skill:
                yield module, skill


def _taken(module: Module, declared: Parameter, step: Step, parameter: str) -> str:
    """What the chosen entry of a module's option takes under this name: a program's force; "" for nothing."""
    option = getattr(module.options, declared.among, None) if declared.among else None
    chosen = option.get(step.parameters.get(declared.name)) if isinstance(option, Mapping) else None
    takes: Mapping[str, Any] = getattr(chosen, "takes", None) or {}
    if parameter not in takes:
        return ""
    known = getattr(takes[parameter], "min", None) or getattr(takes[parameter], "max", None)
    return known.dimension.value if isinstance(known, Quantity) else "number"


# --- the set-up -----------------------------------------------------------------------------------------------------


def set_up_items(executable: Executable, line: Line) -> Iterator[Item]:
    """The materials with where they come from, the tools and the programs that the line must have ready."""
    counts = Counter(step.take for step in executable.steps if step.take)
    for material, count in counts.items():
        sources = [s.name for s in line.stations.values() if s.source == material]
        facts: dict[str, Fact] = {"from": " or ".join(sources)} if sources else {}
        yield Item("material", material, facts | ({"per part": count} if count > 1 else {}))
    steps = (*executable.steps, *executable.scrap)
    yield from (Item("tool", name) for name in dict.fromkeys(_tools(line, steps)))
    yield from (Item("program", name) for name in dict.fromkeys(_programs(line, steps)))


def _tools(line: Line, steps: Iterable[Step]) -> Iterator[str]:
    """The tool that each step names, else the first of each arm that may do it."""
    for step in steps:
        for module, skill in doers(line, step):
            named = step.parameters.get("tool")
            if module.tools and any(declared.name == "tool" for declared in skill.parameters):
                yield f"{module.name}.{named}" if isinstance(named, str) else module.tools[0].name


def _programs(line: Line, steps: Iterable[Step]) -> Iterator[str]:
    """What each step chooses among the entries of a module's option, such as `press.close`."""
    for step in steps:
        for module, skill in doers(line, step):
            for declared in skill.parameters:
                chosen = step.parameters.get(declared.name)
                option = getattr(module.options, declared.among, None) if declared.among else None
                if isinstance(option, Mapping) and isinstance(chosen, str):
                    yield f"{module.name}.{chosen}"
