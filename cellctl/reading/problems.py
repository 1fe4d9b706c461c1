"""pydantic's errors, each with the node that it speaks of; those of a union's branches that were not meant left out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cellctl.findings import Span
from cellctl.reading.shapes import is_called, keys_of, shapes_inside, shapes_of
from cellctl.yamlsource import Mapping, Node, Sequence

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


@dataclass(frozen=True, slots=True)
class Step:
    """One part of pydantic's `loc`: a key or index of the file, or the tag by which pydantic names a union's branch."""

    name: str | int
    is_tag: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """One of pydantic's errors, and the node that it speaks of."""

    kind: str
    steps: tuple[Step, ...]
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


def placed(root: Node, model: type[BaseModel], error: ErrorDetails) -> Problem:
    """Walk `loc` down the nodes, and down the model to tell keys from tags: a key may have the name of a tag."""
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    node, span, steps, other_keys = root, root.span, list[Step](), tuple[str, ...]()
    shapes, is_chosen = list(shapes_of(model)), False
    for index, name in enumerate(loc):
        child = _child(node, name)
        is_own_key = kind in ("missing", "extra_forbidden") and index == len(loc) - 1
        if not is_own_key and (child is None or (len(shapes) > 1 and not is_chosen)):
            steps.append(Step(name, is_tag=True))
            shapes, is_chosen = [shape for shape in shapes if is_called(shape, name)] or shapes, True
            continue
        steps.append(Step(name, is_tag=False))
        if is_own_key and isinstance(node, Mapping):
            keys = dict.fromkeys(key for shape in shapes for key in keys_of(shape))
            other_keys = tuple(key for key in keys if key not in node.items)
        if child is None:
            break
        is_about_key = isinstance(node, Mapping) and (is_own_key or loc[index + 1 :] == ("[key]",))
        span = node.key_spans[str(name)] if is_about_key and isinstance(node, Mapping) else child.span
        node, is_chosen = child, False
        shapes = [inner for shape in shapes for inner in shapes_inside(shape, name)]
    if kind == "union_tag_invalid" and (tag := _child(node, context["discriminator"].strip("'"))):
        node, span = tag, tag.span
    return Problem(kind, tuple(steps), node, span, context, error["msg"], other_keys)


def _child(node: Node, name: str | int) -> Node | None:
    if isinstance(node, Mapping):
        return node.items.get(str(name))
    if isinstance(node, Sequence) and isinstance(name, int) and 0 <= name < len(node.items):
        return node.items[name]
    return None


def settled(problems: list[Problem], depth: int = 0) -> list[Problem]:
    """The problems without those of branches of a union that were not meant."""
    own = [problem for problem in problems if len(problem.steps) == depth]
    groups: dict[Step, list[Problem]] = {}
    for problem in problems:
        if len(problem.steps) > depth:
            groups.setdefault(problem.steps[depth], []).append(problem)
    branches = [group for step, group in groups.items() if step.is_tag]
    for step, group in groups.items():
        if not step.is_tag:
            own += settled(group, depth + 1)
    if branches:
        own += settled(_meant(branches, depth + 1), depth + 1)
    return own


def _meant(branches: list[list[Problem]], depth: int) -> list[Problem]:
    """The problems of the branch that fits best: the right kind of value, then the fewest problems.

    Where no branch takes this kind of value, one problem that says what would do.
    """
    fitting = [
        branch for branch in branches if not any(is_misfit(p) and len(p.steps) == depth for p in branch)
    ]
    if fitting:
        best = min(fitting, key=lambda branch: (sum(_is_of_another(p, depth) for p in branch), len(branch)))
        others = [p for branch in fitting if branch is not best for p in branch if len(p.steps) == depth]
        return [dataclasses.replace(p, context=p.context | {"others": others}) for p in best]
    first = branches[0][0]
    expected = dict.fromkeys(expected_of(p) for branch in branches for p in branch if is_misfit(p))
    return [dataclasses.replace(first, context={"expected": " or ".join(expected)})]


def _is_of_another(problem: Problem, depth: int) -> bool:
    """True if a key just below has a word that this branch does not take: `kind: arm` where it is no arm."""
    return problem.kind == "literal_error" and len(problem.steps) == depth + 1


def is_misfit(problem: Problem) -> bool:
    """True if the value is of another kind than the model takes."""
    return problem.kind in _KINDS_OF_VALUE or problem.kind == "quantity_type"


def expected_of(problem: Problem) -> str:
    """The kind of value that the model takes there, with its article."""
    return str(problem.context.get("expected") or _KINDS_OF_VALUE[problem.kind])
