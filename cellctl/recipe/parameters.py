"""Parameters of a recipe: what kind of value each has, and whether what a variant sets fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cellctl.findings import Related
from cellctl.recipe.codes import BAD_PARAMETER, RESERVED_NAME, WRONG_VALUE
from cellctl.recipe.file import ParameterFile
from cellctl.sheet import Path, Sheet, suggestion
from cellctl.units import Quantity, Tolerance, UnreadableQuantity, parse, show
from cellctl.yamlsource import Node, Refused, Scalar

VARIANT_KEYS = ("extends", "steps")


class ValueKind(StrEnum):
    """What a parameter's value is; each is also the key that gives its usual value."""

    MATERIAL = "material"
    QUANTITY = "default"
    TEXT = "text"
    NUMBER = "number"

    @property
    def noun(self) -> str:
        """What to call such a value."""
        return "a quantity" if self is ValueKind.QUANTITY else f"a {self.value}"


@dataclass(frozen=True)
class Parameter:
    """A declared parameter; `usual` is its value where no variant says otherwise."""

    name: str
    kind: ValueKind
    usual: Scalar
    declared: ParameterFile


def read_parameters(sheet: Sheet, written: Mapping[str, ParameterFile]) -> dict[str, Parameter]:
    """The parameters that hold together; the others are reported."""
    found = {}
    for name, declared in written.items():
        path: Path = ("parameters", name)
        kinds = [kind for kind in ValueKind if getattr(declared, kind.value) is not None]
        if name in VARIANT_KEYS:
            message = f"a variant's key {name!r} is no parameter"
            sheet.error(RESERVED_NAME, sheet.key_span(*path), message, "choose another name")
        elif len(kinds) != 1:
            given = " and ".join(kind.value for kind in kinds) or "none of them"
            message = f"{name!r} must have one of material, default, text and number, and has {given}"
            sheet.error(
                BAD_PARAMETER, sheet.key_span(*path), message, "write {default: 40 N} or {material: lid}"
            )
        else:
            usual = sheet.node(*path, kinds[0].value)
            assert isinstance(usual, Scalar)
            found[name] = Parameter(name, kinds[0], usual, declared)
            _check_declaration(sheet, path, found[name])
    return found


def _check_declaration(sheet: Sheet, path: Path, parameter: Parameter) -> None:
    """Bounds stand beside a quantity of the same dimension, choices beside a text, and the usual value keeps them."""
    declared, kind = parameter.declared, parameter.kind
    fitting = {"min": ValueKind.QUANTITY, "max": ValueKind.QUANTITY, "choices": ValueKind.TEXT}
    for key, wanted in fitting.items():
        if sheet.has(*path, key) and kind is not wanted:
            message = f"{parameter.name!r} is {kind.noun}, which has no {key!r}"
            sheet.error(BAD_PARAMETER, sheet.key_span(*path, key), message, "remove it")
    for key, bound in (("min", declared.min), ("max", declared.max)):
        if bound is None or declared.default is None:
            continue
        if isinstance(bound, Tolerance) or bound.dimension is not declared.default.dimension:
            message = f"{key!r} must be {declared.default.dimension.noun} without a tolerance"
            sheet.error(BAD_PARAMETER, sheet.span(*path, key), message)
            return
    check_value(sheet, parameter, parameter.usual, BAD_PARAMETER)


def check_value(sheet: Sheet, parameter: Parameter, node: Node, code: str = WRONG_VALUE) -> Scalar | None:
    """The value if it fits the parameter; reported if not."""
    if isinstance(node, Refused):
        return None
    declared_at = Related(sheet.key_span("parameters", parameter.name), "declared here")
    if not isinstance(node, Scalar):
        sheet.error(code, node.span, f"{parameter.name!r} must be {parameter.kind.noun}", "", declared_at)
        return None
    wrong = _misfit(parameter, node)
    if wrong is None:
        return node
    message, advice = wrong
    sheet.error(code, node.span, message, advice, *(() if node is parameter.usual else (declared_at,)))
    return None


def _misfit(parameter: Parameter, node: Scalar) -> tuple[str, str] | None:
    """What is wrong with the value, and what to write instead."""
    name, declared, value = parameter.name, parameter.declared, node.value
    match parameter.kind:
        case ValueKind.QUANTITY:
            return _misfit_quantity(parameter, node.text)
        case ValueKind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float):
                return f"{name!r} must be a number", ""
        case ValueKind.MATERIAL | ValueKind.TEXT:
            if not isinstance(value, str):
                return (
                    f"{name!r} must be {parameter.kind.noun}, not {node.text}",
                    f'put it in quotes: "{node.text}"',
                )
            if declared.choices and value not in declared.choices:
                return f"{name!r} cannot be {value!r}", suggestion(value, declared.choices)
    return None


def _misfit_quantity(parameter: Parameter, text: str) -> tuple[str, str] | None:
    usual = parameter.declared.default
    assert usual is not None
    try:
        found = parse(text, usual.dimension)
    except UnreadableQuantity as error:
        return error.why, error.instead
    if isinstance(found, Tolerance) is not isinstance(usual, Tolerance):
        wanted = "a value with its tolerance" if isinstance(usual, Tolerance) else "one value"
        return f"{parameter.name!r} must be {wanted}, not {text}", f"write it like {show(usual)}"
    value = found.value if isinstance(found, Quantity) else found.nominal
    for bound, sign, word in ((parameter.declared.min, 1, "least"), (parameter.declared.max, -1, "greatest")):
        if isinstance(bound, Quantity) and (value - bound.value) * sign < 0:
            return f"{parameter.name!r} is {text}, but its {word} value is {show(bound)}", ""
    return None
