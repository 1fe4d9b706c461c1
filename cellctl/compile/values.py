"""The parameters of a step, as the skill of one module takes them: read, converted to SI, within their bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cellctl.compile.codes import BAD_VALUE, MISSING_PARAMETER, UNKNOWN_CHOICE, UNKNOWN_PARAMETER
from cellctl.findings import Span
from cellctl.line.model import Module
from cellctl.messages import Limits, Value
from cellctl.recipe.file import StepFile
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet, suggestion
from cellctl.skill import Parameter, Skill
from cellctl.units import Dimension, Quantity, Unit, UnreadableQuantity, parse_quantity, parse_tolerance, show
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Scalar


@dataclass
class Values:
    """What a step gives its skill: plain values by name, and references to results of earlier steps."""

    given: dict[str, Value] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)


def read_values(sheet: Sheet, step: StepText, skill: Skill, module: Module) -> Values:
    """The step's parameters as `module` takes them for `skill`; what does not fit is reported."""
    values = Values()
    declared = {parameter.name: parameter for parameter in parameters_of(skill, module, step)}
    for name, node in step.parameters.items():
        where = step.node.key_spans[name]
        if name not in declared and skill.open_parameters and not _knows_what_it_takes(skill, module, step):
            values.given[name] = _as_it_is(node)
        elif name not in declared:
            message = f"{skill.name!r} has no parameter {name!r}"
            known = [*declared, *(key for key in StepFile.model_fields if key not in step.node.items)]
            sheet.error(UNKNOWN_PARAMETER, where, message, suggestion(name, known))
        elif declared[name].dimension == "limits":
            values.given |= _limits(
                sheet, name, node, _measured(getattr(module.options, declared[name].among, None)), module
            )
        elif isinstance(node, Scalar) and isinstance(node.value, str) and node.value.startswith("$"):
            values.references[name] = node.value[1:]
        else:
            value = _value(sheet, declared[name], node, module)
            if value is not None:
                values.given[name] = value
    for parameter in declared.values():
        if parameter.required and parameter.name not in step.parameters:
            example = f"add {parameter.name}: {_example(parameter, module)}"
            where = step.node.items["step"].span
            sheet.error(
                MISSING_PARAMETER, where, f"{step.name!r} lacks the parameter {parameter.name!r}", example
            )
    return values


def parameters_of(skill: Skill, module: Module, step: StepText) -> Iterator[Parameter]:
    """The parameters that the skill declares, and those of the program that the step names."""
    yield from skill.parameters
    for parameter in skill.parameters:
        chosen = _chosen(parameter, module, step)
        for name, bounds in (getattr(chosen, "takes", None) or {}).items():
            yield _taken(name, bounds)


def results_of(skill: Skill, module: Module, step: StepText) -> dict[str, str]:
    """What the step can give back, by name: a `Dimension` value, "text" or "number"; "" where nobody says."""
    declared = skill.results
    found = dict(declared) if isinstance(declared, Mapping) else dict.fromkeys(declared, "")
    for parameter in skill.parameters:
        if parameter.dimension == "limits" and parameter.among:
            found |= _measured(getattr(module.options, parameter.among, None))
        found |= _measured(getattr(_chosen(parameter, module, step), "gives", None))
    return found


def _measured(names: object) -> dict[str, str]:
    """What is measured, and as what, by a mapping of names to units or a list of names."""
    if isinstance(names, Mapping):
        return {
            str(name): unit.dimension.value if isinstance(unit, Unit) else "" for name, unit in names.items()
        }
    return {str(name): "" for name in names} if isinstance(names, Iterable) else {}


def _chosen(parameter: Parameter, module: Module, step: StepText) -> object:
    """The entry of the module's option that the step names, such as a program; None where it names none."""
    option = getattr(module.options, parameter.among, None) if parameter.among else None
    node = step.parameters.get(parameter.name)
    if isinstance(option, Mapping) and isinstance(node, Scalar):
        return option.get(str(node.value))
    return None


def _taken(name: str, bounds: Any) -> Parameter:
    """What a program takes, as a parameter: of its bounds' dimension, a plain number where it has none."""
    least, greatest = getattr(bounds, "min", None), getattr(bounds, "max", None)
    known = least or greatest
    if not isinstance(known, Quantity):
        return Parameter(name, "number", "", required=True)
    lower = least.value if isinstance(least, Quantity) else None
    upper = greatest.value if isinstance(greatest, Quantity) else None
    return Parameter(name, known.dimension.value, "", required=True, lower=lower, upper=upper)


def _knows_what_it_takes(skill: Skill, module: Module, step: StepText) -> bool:
    return any(hasattr(_chosen(parameter, module, step), "takes") for parameter in skill.parameters)


def _as_it_is(node: Node) -> Value:
    """A value of which only the device knows what it must be: SI where it is a quantity."""
    if not isinstance(node, Scalar):
        return None
    try:
        return parse_quantity(node.text).value
    except UnreadableQuantity:
        return node.value


def _choices(module: Module, among: str) -> tuple[str, ...]:
    option = getattr(module.options, among, ()) if among else ()
    return tuple(str(each) for each in option) if isinstance(option, Iterable) else ()


def _example(parameter: Parameter, module: Module) -> str:
    choices = _choices(module, parameter.among)
    if choices:
        return " or ".join(choices[:3])
    if parameter.lower is not None and parameter.dimension in _DIMENSIONS:
        return show(Quantity(parameter.lower, Dimension(parameter.dimension)))
    return "..."


# --- one value ------------------------------------------------------------------------------------------------

_DIMENSIONS = {dimension.value for dimension in Dimension}


def _value(sheet: Sheet, parameter: Parameter, node: Node, module: Module) -> Value:
    """The value in SI; None after a finding."""
    name = parameter.name
    if not isinstance(node, Scalar) or node.value is None:
        sheet.error(
            BAD_VALUE,
            node.span,
            f"{name!r} must be one value",
            f"write {name}: {_example(parameter, module)}",
        )
        return None
    if parameter.dimension in _DIMENSIONS:
        return _quantity(sheet, parameter, node)
    if parameter.dimension == "number":
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            sheet.error(BAD_VALUE, node.span, f"{name!r} must be a number, not {node.text!r}")
            return None
        return _bounded(sheet, parameter, float(node.value), node.text, node.span)
    if not isinstance(node.value, str):
        sheet.error(BAD_VALUE, node.span, f"{name!r} must be text", f'put it in quotes: "{node.text}"')
        return None
    choices = _choices(module, parameter.among)
    if parameter.among and node.value not in choices:
        message = f"{module.name} knows no {name} called {node.value!r}"
        sheet.error(UNKNOWN_CHOICE, node.span, message, suggestion(node.value, choices))
        return None
    return node.value


def _quantity(sheet: Sheet, parameter: Parameter, node: Scalar) -> float | None:
    try:
        found = parse_quantity(node.text, Dimension(parameter.dimension))
    except UnreadableQuantity as error:
        sheet.error(BAD_VALUE, node.span, f"{parameter.name}: {error.why}", error.instead)
        return None
    return _bounded(sheet, parameter, found.value, node.text, node.span)


def _bounded(sheet: Sheet, parameter: Parameter, value: float, text: str, where: Span) -> float | None:
    lower, upper = parameter.lower, parameter.upper
    if (lower is None or value >= lower) and (upper is None or value <= upper):
        return value
    shown = [_shown(bound, parameter.dimension) for bound in (lower, upper)]
    within = (
        " to ".join(shown)
        if "" not in shown
        else f"at least {shown[0]}"
        if shown[0]
        else f"at most {shown[1]}"
    )
    sheet.error(BAD_VALUE, where, f"{parameter.name!r} is {text}", f"allowed: {within}")
    return None


def _shown(bound: float | None, dimension: str) -> str:
    if bound is None:
        return ""
    return show(Quantity(bound, Dimension(dimension))) if dimension in _DIMENSIONS else f"{bound:g}"


def _limits(
    sheet: Sheet, name: str, node: Node, features: Mapping[str, str], module: Module
) -> dict[str, Value]:
    """`expect: {height: 18.20 mm ± 0.15 mm}` as one value for each feature, under `expect.height`."""
    if not isinstance(node, MappingNode):
        first = next(iter(features), "height")
        example = f"{name}: {{{first}: 18.20 mm ± 0.15 mm}}"
        sheet.error(BAD_VALUE, node.span, f"{name!r} must give limits for each feature", f"write {example}")
        return {}
    found: dict[str, Value] = {}
    for feature, written in node.items.items():
        if feature not in features:
            message = f"{module.name} has no feature {feature!r}"
            sheet.error(UNKNOWN_CHOICE, node.key_spans[feature], message, suggestion(feature, features))
        elif isinstance(written, Scalar):
            dimension = Dimension(features[feature]) if features[feature] else None
            limits = _tolerance(sheet, feature, written, dimension)
            if limits is not None:
                found[f"{name}.{feature}"] = limits
        else:
            sheet.error(BAD_VALUE, written.span, f"{feature!r} must be a value with its tolerance")
    return found


def _tolerance(sheet: Sheet, feature: str, node: Scalar, dimension: Dimension | None) -> Limits | None:
    try:
        found = parse_tolerance(node.text, dimension)
    except UnreadableQuantity as error:
        sheet.error(BAD_VALUE, node.span, f"{feature}: {error.why}", error.instead)
        return None
    return Limits(found.nominal, found.lower, found.upper, found.dimension.value)
