"""Nodes of a file -> a pydantic model, or findings that say where and why they do not fit it.

The models are the grammar of what people write; this module knows none of them. It brings the types of quantities,
and turns what pydantic says about data into what a person can mend: at its place, once, with a suggestion.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, RootModel, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from cellctl.errors import nearest
from cellctl.findings import CodeText, Report, Span
from cellctl.units import (
    EXAMPLES,
    UNITS_OF,
    Dimension,
    Quantity,
    Tolerance,
    UnreadableQuantity,
    parse,
    parse_quantity,
    parse_tolerance,
    pattern,
    show,
)
from cellctl.yamlsource import Mapping, Node, Refused, Scalar, Sequence

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def read(node: Node | None, model: type[M], report: Report) -> M | None:
    """The node as a `model`, or None after at least one error in `report`, there by this call or by an earlier one.

    Types are strict: text is no number, and a number no text.
    """
    if node is None or isinstance(node, Refused):
        return None
    try:
        value = model.model_validate_json(json.dumps(node.plain), strict=True)
    except ValidationError as error:
        problems = [_placed(node, model, detail) for detail in error.errors(include_url=False)]
        _report(_settled([p for p in problems if not isinstance(p.node, Refused)]), report)
        return None
    return None if _holds_refused(node) else value


def fault(code: str, message: str, help: str = "") -> PydanticCustomError:
    """What a model's own validator raises to make a finding with a code and a remedy of its own."""
    return PydanticCustomError("fault", "{message}", {"code": code, "message": message, "help": help})


def _holds_refused(node: Node) -> bool:
    match node:
        case Refused():
            return True
        case Mapping():
            return not node.is_whole or any(_holds_refused(value) for value in node.items.values())
        case Sequence():
            return any(_holds_refused(item) for item in node.items)
        case Scalar():
            return False


# --- quantities ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfDimension:
    """Annotates a `float` that is written as a quantity and read as its SI value."""

    dimension: Dimension

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read_value(value: object) -> float:
            return _read_quantity(value, self.dimension, parse_quantity).value

        def write_value(value: float) -> str:
            return show(Quantity(value, self.dimension))

        return _quantity_schema(read_value, write_value)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        units = ", ".join(unit.name for unit in UNITS_OF[self.dimension])
        return {
            "type": "string",
            "pattern": pattern(self.dimension),
            "examples": [EXAMPLES[self.dimension]],
            "description": f"{self.dimension.noun} with its unit: {units}",
        }


@dataclass(frozen=True, slots=True)
class Measured:
    """Annotates a `Quantity | Tolerance`, or a `Tolerance` alone, that keeps its dimension; of any unless given."""

    dimension: Dimension | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        reader = parse_tolerance if source is Tolerance else parse

        def read_value(value: object) -> Quantity | Tolerance:
            return _read_quantity(value, self.dimension, reader)

        return _quantity_schema(read_value, show)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": f"{pattern(self.dimension)}|{pattern(self.dimension, tolerance=True)}",
            "examples": ["150 mm", "18.20 mm ± 0.15 mm"],
            "description": f"{self.dimension.noun if self.dimension else 'a quantity'} with its unit",
        }


def _quantity_schema(reader: Callable[[object], T], writer: Callable[[T], str]) -> CoreSchema:
    as_text = core_schema.plain_serializer_function_ser_schema(writer, when_used="json")
    return core_schema.no_info_plain_validator_function(reader, serialization=as_text)


Q = TypeVar("Q", bound=Quantity | Tolerance)


def _read_quantity(
    value: object, dimension: Dimension | None, reader: Callable[[str, Dimension | None], Q]
) -> Q:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        expected = f"{dimension.noun if dimension else 'a quantity'} such as {EXAMPLES[dimension or Dimension.LENGTH]}"
        raise PydanticCustomError("quantity_type", "Input should be {expected}", {"expected": expected})
    try:
        return reader(str(value), dimension)
    except UnreadableQuantity as error:
        raise PydanticCustomError("quantity", "{why}", {"why": error.why, "instead": error.instead}) from None


@dataclass(frozen=True, slots=True)
class Between:
    """Annotates a quantity with the least and the greatest that is allowed, both as text: `Between("0 mm", "2 m")`."""

    least: str
    greatest: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        least = parse_quantity(self.least)
        greatest = parse_quantity(self.greatest, least.dimension)

        def check(value: float) -> float:
            if least.value <= value <= greatest.value:
                return value
            shown = show(Quantity(value, least.dimension))
            context = {"message": f"{shown} is outside {self.least} to {self.greatest}"}
            raise PydanticCustomError("quantity_range", "{message}", context)

        return core_schema.no_info_after_validator_function(check, handler(source))


def usually(text: str, meaning: str | None = None) -> Any:
    """The default of a quantity's field, as text: `speed: Speed = usually("150 mm/s")`; the JSON schema shows it so.

    `meaning` describes the field to editors and in the reference.
    """
    return Field(default=parse_quantity(text).value, description=meaning, json_schema_extra={"default": text})


Length = Annotated[float, OfDimension(Dimension.LENGTH)]
Duration = Annotated[float, OfDimension(Dimension.DURATION)]
Speed = Annotated[float, OfDimension(Dimension.SPEED)]
Acceleration = Annotated[float, OfDimension(Dimension.ACCELERATION)]
Jerk = Annotated[float, OfDimension(Dimension.JERK)]
Angle = Annotated[float, OfDimension(Dimension.ANGLE)]
AngularRate = Annotated[float, OfDimension(Dimension.ANGULAR_RATE)]
AngularAcceleration = Annotated[float, OfDimension(Dimension.ANGULAR_ACCELERATION)]
Force = Annotated[float, OfDimension(Dimension.FORCE)]
Torque = Annotated[float, OfDimension(Dimension.TORQUE)]
Pressure = Annotated[float, OfDimension(Dimension.PRESSURE)]
Mass = Annotated[float, OfDimension(Dimension.MASS)]
Temperature = Annotated[float, OfDimension(Dimension.TEMPERATURE)]
Voltage = Annotated[float, OfDimension(Dimension.VOLTAGE)]
Current = Annotated[float, OfDimension(Dimension.CURRENT)]
Ratio = Annotated[float, OfDimension(Dimension.RATIO)]
Count = Annotated[float, OfDimension(Dimension.COUNT)]
Frequency = Annotated[float, OfDimension(Dimension.FREQUENCY)]
Stiffness = Annotated[float, OfDimension(Dimension.STIFFNESS)]
AnyQuantity = Annotated[Quantity | Tolerance, Measured()]


# --- where a problem is -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """One part of pydantic's `loc`: a key or index of the file, or the tag by which pydantic names a union's branch."""

    name: str | int
    is_tag: bool


@dataclass(frozen=True, slots=True)
class _Problem:
    """One of pydantic's errors, and the node that it speaks of."""

    kind: str
    steps: tuple[_Step, ...]
    node: Node
    span: Span
    context: dict[str, Any]
    message: str
    other_keys: tuple[str, ...] = ()  # of an unknown key: what the mapping could have and has not

    @property
    def name(self) -> str:
        """What to call the place: its key, or its number in a list."""
        names = [step.name for step in self.steps if not step.is_tag]
        if not names:
            return "the file"
        if isinstance(names[-1], str):
            return repr(names[-1])
        return f"item {names[-1] + 1}" + (f" of {names[-2]!r}" if names[-2:-1] else "")


def _placed(root: Node, model: type[BaseModel], error: ErrorDetails) -> _Problem:
    """Walk `loc` down the nodes, and down the model to tell keys from tags: a key may have the name of a tag."""
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    node, span, steps, other_keys = root, root.span, list[_Step](), tuple[str, ...]()
    shapes, is_chosen = list(_shapes(model)), False
    for index, name in enumerate(loc):
        child = _child(node, name)
        is_own_key = kind in ("missing", "extra_forbidden") and index == len(loc) - 1
        if not is_own_key and (child is None or (len(shapes) > 1 and not is_chosen)):
            steps.append(_Step(name, is_tag=True))
            shapes, is_chosen = [shape for shape in shapes if _is_called(shape, name)] or shapes, True
            continue
        steps.append(_Step(name, is_tag=False))
        if is_own_key and isinstance(node, Mapping):
            keys = dict.fromkeys(key for shape in shapes for key in _keys(shape))
            other_keys = tuple(key for key in keys if key not in node.items)
        if child is None:
            break
        is_about_key = isinstance(node, Mapping) and (is_own_key or loc[index + 1 :] == ("[key]",))
        span = node.key_spans[str(name)] if is_about_key and isinstance(node, Mapping) else child.span
        node, is_chosen = child, False
        shapes = [inner for shape in shapes for inner in _inside(shape, name)]
    if kind == "union_tag_invalid" and (tag := _child(node, context["discriminator"].strip("'"))):
        node, span = tag, tag.span
    return _Problem(kind, tuple(steps), node, span, context, error["msg"], other_keys)


def _child(node: Node, name: str | int) -> Node | None:
    if isinstance(node, Mapping):
        return node.items.get(str(name))
    if isinstance(node, Sequence) and isinstance(name, int) and 0 <= name < len(node.items):
        return node.items[name]
    return None


def _settled(problems: list[_Problem], depth: int = 0) -> list[_Problem]:
    """The problems without those of branches of a union that were not meant."""
    settled = [problem for problem in problems if len(problem.steps) == depth]
    groups: dict[_Step, list[_Problem]] = {}
    for problem in problems:
        if len(problem.steps) > depth:
            groups.setdefault(problem.steps[depth], []).append(problem)
    branches = [group for step, group in groups.items() if step.is_tag]
    for step, group in groups.items():
        if not step.is_tag:
            settled += _settled(group, depth + 1)
    if branches:
        settled += _settled(_meant(branches, depth + 1), depth + 1)
    return settled


def _meant(branches: list[list[_Problem]], depth: int) -> list[_Problem]:
    """The problems of the branch that fits best: the right kind of value, then the fewest problems.

    Where no branch takes this kind of value, one problem that says what would do.
    """
    fitting = [
        branch for branch in branches if not any(_is_misfit(p) and len(p.steps) == depth for p in branch)
    ]
    if fitting:
        best = min(fitting, key=lambda branch: (sum(_is_of_another(p, depth) for p in branch), len(branch)))
        others = [p for branch in fitting if branch is not best for p in branch if len(p.steps) == depth]
        return [dataclasses.replace(p, context=p.context | {"others": others}) for p in best]
    first = branches[0][0]
    expected = dict.fromkeys(_expected(p) for branch in branches for p in branch if _is_misfit(p))
    return [dataclasses.replace(first, context={"expected": " or ".join(expected)})]


# --- what a problem is --------------------------------------------------------------------------------------

_KINDS_OF_VALUE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "none_required": "nothing",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "dataclass_type"), "a mapping"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), "a list"),
}
_RANGES = {
    "greater_than": "be greater than {gt}",
    "greater_than_equal": "be at least {ge}",
    "less_than": "be less than {lt}",
    "less_than_equal": "be at most {le}",
    "multiple_of": "be a multiple of {multiple_of}",
    "finite_number": "be finite",
    "too_short": "have at least {min_length} entries",
    "too_long": "have at most {max_length} entries",
    "string_too_short": "have at least {min_length} characters",
    "string_too_long": "have at most {max_length} characters",
}


def _is_of_another(problem: _Problem, depth: int) -> bool:
    """True if a key just below has a word that this branch does not take: `kind: arm` where it is no arm."""
    return problem.kind == "literal_error" and len(problem.steps) == depth + 1


def _is_misfit(problem: _Problem) -> bool:
    return problem.kind in _KINDS_OF_VALUE or problem.kind == "quantity_type"


def _expected(problem: _Problem) -> str:
    return str(problem.context.get("expected") or _KINDS_OF_VALUE[problem.kind])


def _report(problems: list[_Problem], report: Report) -> None:
    """One finding for each problem; but one for all missing keys of a mapping, and none for a key that is misspelt."""
    missing: dict[tuple[_Step, ...], dict[str, _Problem]] = {}
    misspelt: set[tuple[tuple[_Step, ...], str]] = set()
    for problem in problems:
        if problem.kind == "extra_forbidden":
            misspelt.update((problem.steps[:-1], key) for key in _unknown_key(problem, report))
        elif problem.kind in ("missing", "union_tag_not_found"):
            steps, key = problem.steps[:-1], str(problem.steps[-1].name) if problem.steps else ""
            if problem.kind == "union_tag_not_found":
                steps, key = problem.steps, problem.context["discriminator"].strip("'")
            if not isinstance(problem.node, Mapping) or problem.node.is_whole:
                missing.setdefault(steps, {})[key] = problem
        else:
            code, message, advice = _explained(problem)
            report.error(code, problem.span, message, advice)
    for steps, lacking in missing.items():
        keys = [key for key in lacking if (steps, key) not in misspelt]
        if keys:
            _missing_keys(dataclasses.replace(lacking[keys[0]], steps=steps), keys, report)


def _missing_keys(problem: _Problem, keys: list[str], report: Report) -> None:
    listed = (
        " and ".join(repr(key) for key in keys) if len(keys) < 3 else ", ".join(repr(key) for key in keys)
    )
    message = f"{problem.name} lacks the key{'s' if len(keys) > 1 else ''} {listed}"
    report.error("CC-V002", problem.span, message, f"add {', '.join(f'{key}: ...' for key in keys)}")


def _unknown_key(problem: _Problem, report: Report) -> tuple[str, ...]:
    """Report the key; the known one that it may be meant for."""
    key, others = str(problem.steps[-1].name), problem.other_keys
    close = nearest(key, others)
    advice = f"did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    if others and not close:
        advice = f"it can have: {', '.join(others[:12])}{', ...' if len(others) > 12 else ''}"
    where = dataclasses.replace(problem, steps=problem.steps[:-1]).name
    report.error("CC-V001", problem.span, f"{where} has no key {key!r}", advice)
    return close[:1]


def _explained(problem: _Problem) -> tuple[str, str, str]:
    """Code, message and help of one problem that is not about keys."""
    context, name = problem.context, problem.name
    match problem.kind:
        case "literal_error" | "enum" | "union_tag_invalid":
            return _wrong_choice(problem)
        case "quantity":
            others = [advice for other in context.get("others", ()) if (advice := _explained(other)[2])]
            return "CC-V004", context["why"], "; or ".join(filter(None, (context["instead"], *others)))
        case "quantity_range":
            return "CC-V006", f"{name}: {context['message']}", ""
        case "string_pattern_mismatch":
            return "CC-V007", f"{name} is not in the form it must have", f"it must match {context['pattern']}"
        case "fault":
            return context["code"], context["message"], context["help"]
        case kind if kind in _RANGES:
            return "CC-V006", f"{name} must {_RANGES[kind].format_map(context)}", ""
        case kind if _is_misfit(problem):
            expected = _expected(problem)
            return (
                "CC-V003",
                f"{name} must be {expected}, not {_described(problem.node)}",
                _rewritten(problem),
            )
        case _:
            return "CC-V008", f"{name}: {problem.message.removeprefix('Value error, ')}", ""


def _wrong_choice(problem: _Problem) -> tuple[str, str, str]:
    context = problem.context
    listed = str(context.get("expected_tags") or context["expected"])
    known = re.findall(r"'((?:[^'\\]|\\.)*)'", listed)
    value = context.get("tag", problem.node.plain)
    name = context.get("discriminator") or problem.name
    close = nearest(value, known) if isinstance(value, str) else ()
    advice = f"did you mean {' or '.join(repr(word) for word in close)}?" if close else f"choose {listed}"
    return "CC-V005", f"{name} cannot be {_shortened(value)}", advice


def _described(node: Node) -> str:
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Refused():
            return "a refused value"
        case Scalar(value=str()):
            return f"the text {_shortened(node.value)}"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return node.text
        case Scalar():
            return f"the number {node.text}"


def _shortened(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


_SWITCHES = {
    **dict.fromkeys(("yes", "on", "y"), "true"),
    **dict.fromkeys(("no", "off", "n"), "false"),
}


def _rewritten(problem: _Problem) -> str:
    """The value as it would be of the right kind, if that is plain."""
    node, expected = problem.node, _expected(problem)
    if not isinstance(node, Scalar) or node.value is None:
        return ""
    if expected == "text" and not isinstance(node.value, str):
        return f'put it in quotes: "{node.text}"'
    if expected == "true or false" and node.text.lower() in _SWITCHES:
        return f"write {_SWITCHES[node.text.lower()]}"
    if expected in ("a number", "a whole number") and re.fullmatch(r"[-+]?[0-9]+", node.text):
        return f"write {node.text} without quotes"
    if expected == "a list" and len(node.text) <= 60:
        return f"write [{node.text}]"
    return ""


# --- which keys a model knows -------------------------------------------------------------------------------


def _shapes(annotation: Any) -> Iterator[Any]:
    """The models and collections that an annotation allows, without unions, aliases and annotations around them."""
    annotation = getattr(annotation, "__value__", annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _shapes(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _shapes(member)
    elif isinstance(annotation, type) and origin is None and issubclass(annotation, RootModel):
        yield from _shapes(annotation.model_fields["root"].annotation)
    else:
        yield annotation


def _keys(shape: Any) -> dict[str, Any]:
    """The annotation of each key that a model knows; empty for what is not a model."""
    if not (isinstance(shape, type) and get_origin(shape) is None and issubclass(shape, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in shape.model_fields.items()}


def _inside(shape: Any, name: str | int) -> Iterator[Any]:
    if keys := _keys(shape):
        if name in keys:
            yield from _shapes(keys[str(name)])
        return
    arguments = [argument for argument in get_args(shape) if argument is not Ellipsis]
    if get_origin(shape) is tuple and isinstance(name, int) and len(arguments) > 1:
        arguments = arguments[name : name + 1]
    if arguments:
        yield from _shapes(arguments[-1])


def _is_called(shape: Any, tag: str | int) -> bool:
    """True if pydantic calls the branch `tag`: by the model's name, or by the one value of its discriminator."""
    choices = (annotation for annotation in _keys(shape).values() if get_origin(annotation) is Literal)
    return getattr(shape, "__name__", None) == tag or any(tag in get_args(choice) for choice in choices)


CODES = {
    "CC-V001": CodeText(
        "A key that is not known here.",
        "Were it ignored, a misspelt key would silently leave the value that it was to set.",
        "Take the suggestion, or remove the key. `cellctl schema` gives your editor all keys.",
    ),
    "CC-V002": CodeText(
        "A key is missing.",
        "There is no value that would be right on every line.",
        "Add the key. A key that is present but misspelt is reported as unknown instead.",
    ),
    "CC-V003": CodeText(
        "A value of the wrong kind.",
        "Text is not taken for a number, nor a number for text: 1.10 would become 1.1, and 007 become 7.",
        "Write the kind that is asked for; quotes make text.",
    ),
    "CC-V004": CodeText(
        "Not a quantity, or not the right one.",
        "A bare number leaves open whether it is millimetres or metres, which is how machines get broken.",
        "Write a number and a unit: 150 mm/s, 0.8 s, 90 deg, 18.20 mm ± 0.15 mm.",
    ),
    "CC-V005": CodeText(
        "Not one of the choices.",
        "The value must be one of a few words.",
        "Take the suggestion, or one of the words that are listed.",
    ),
    "CC-V006": CodeText(
        "Out of range.",
        "The value has the right kind, but is too small or too large to make sense here.",
        "Check the number and its unit.",
    ),
    "CC-V007": CodeText(
        "Text in the wrong form.",
        "Names and addresses have a fixed form, because commands, journals and other files refer to them.",
        "Write it in the form that is shown.",
    ),
    "CC-V008": CodeText(
        "A value that does not fit.",
        "Something in it, or in how its parts go together, is not allowed; the message says what.",
        "See the message.",
    ),
}
