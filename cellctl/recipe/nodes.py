"""A step on its way from the file to a variant: still nodes, so that every value knows where it stands, and what is to
become of it: the conditions under which it is taken, and the loops that repeat it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from cellctl.findings import Span
from cellctl.recipe.parameters import Parameter
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Scalar, Sequence

Names = Mapping[str, str]  # old -> new


@dataclass(frozen=True)
class Condition:
    """A step is taken only if a parameter has one of the wanted values."""

    parameter: Parameter
    given: Scalar  # its value, or a reference to a parameter of the recipe around
    wanted: tuple[Scalar, ...]
    span: Span


@dataclass(frozen=True, eq=False)
class Loop:
    """Steps that are repeated together; each loop is only itself, however alike another looks."""

    count: Node


@dataclass(frozen=True)
class StepNode:
    """A step of one variant before its keys are read. The outermost loop comes first."""

    name: str
    node: MappingNode
    conditions: tuple[Condition, ...] = ()
    loops: tuple[Loop, ...] = ()

    @property
    def span(self) -> Span:
        """Where its name stands."""
        return self.node.items["step"].span if "step" in self.node.items else self.node.span

    @property
    def needs(self) -> tuple[str, ...] | None:
        """The names under `needs`; None where nothing is said."""
        match self.node.items.get("needs"):
            case Scalar(value=str(name)):
                return (name,) if name else ()
            case Sequence(items=items):
                return tuple(item.text for item in items if isinstance(item, Scalar) and _is_text(item))
            case _:
                return None

    @cached_property
    def refers(self) -> bool:
        """Whether anything in it is a reference."""
        return bool(references_in(self.node))

    def needing(self, names: tuple[str, ...]) -> StepNode:
        """The step with other needs, which stand where the old ones stood, else at its name."""
        where = self.node.items["needs"].span if "needs" in self.node.items else self.span
        needs = Sequence(tuple(Scalar(name, where, name) for name in names), where)
        node = MappingNode(
            {**self.node.items, "needs": needs},
            {**self.node.key_spans, "needs": self.node.key_spans.get("needs", where)},
            self.node.span,
            self.node.is_whole,
        )
        return replace(self, node=node)

    def pointing(self, needs: Mapping[str, tuple[str, ...]], routes: Names) -> StepNode:
        """The step with names that stand for others replaced: in its needs by all of them, in its routes by one."""
        if not needs and not routes:
            return self
        step = self
        if any(name in needs for name in self.needs or ()):
            each = (other for name in self.needs or () for other in needs.get(name, (name,)))
            step = self.needing(tuple(dict.fromkeys(each)))
        if any(route.text in routes for route in routes_in(self.node)):
            on = mapped(step.node.items["on"], lambda scalar: _renamed_one(scalar, routes))
            step = replace(step, node=replace(step.node, items={**step.node.items, "on": on}))
        return step

    def renamed(self, name: str, names: Names) -> StepNode:
        """The step under another name; others that it speaks of have new names, too."""
        items = {key: _renamed(key, value, names) for key, value in self.node.items.items()}
        node = MappingNode(items, self.node.key_spans, self.node.span, self.node.is_whole)
        return replace(self, name=name, node=node)


def routes_in(step: MappingNode) -> Iterator[Scalar]:
    """Every name of a step that a route leads to."""
    on = step.items.get("on")
    for route in on.items.values() if isinstance(on, MappingNode) else ():
        inner = (
            [route.items.get(key) for key in ("then", "from")] if isinstance(route, MappingNode) else [route]
        )
        yield from (each for each in inner if isinstance(each, Scalar) and _is_text(each))


def is_reference(node: Node) -> bool:
    """Whether the node is `$parameter` or `$step.result`."""
    return isinstance(node, Scalar) and isinstance(node.value, str) and node.value.startswith("$")


def references_in(node: Node) -> Iterable[Scalar]:
    """Every text in the node that is a reference."""
    match node:
        case Scalar():
            return (node,) if is_reference(node) else ()
        case Sequence(items=items):
            return [each for item in items for each in references_in(item)]
        case MappingNode(items=entries):
            return [each for value in entries.values() for each in references_in(value)]
        case _:
            return ()


def mapped(node: Node, change: Callable[[Scalar], Scalar]) -> Node:
    """The node with every scalar in it changed; the same node where no scalar is."""
    if isinstance(node, Scalar):
        return change(node)
    if isinstance(node, Sequence):
        items = tuple(mapped(item, change) for item in node.items)
        is_same = all(new is old for new, old in zip(items, node.items, strict=True))
        return node if is_same else Sequence(items, node.span)
    if isinstance(node, MappingNode):
        entries = {key: mapped(value, change) for key, value in node.items.items()}
        is_same = all(entries[key] is old for key, old in node.items.items())
        return node if is_same else MappingNode(entries, node.key_spans, node.span, node.is_whole)
    return node


def _renamed(key: str, node: Node, names: Names) -> Node:
    def name(scalar: Scalar) -> Scalar:
        return _renamed_one(scalar, names)

    def reference(scalar: Scalar) -> Scalar:
        source, dot, result = scalar.text[1:].rpartition(".")
        if not (_is_text(scalar) and scalar.text.startswith("$") and dot and source in names):
            return scalar
        new = f"${names[source]}.{result}"
        return Scalar(new, scalar.span, new)

    if key == "step":
        return node  # as it was written: it is read once more
    if key == "needs":
        return mapped(node, name)
    return mapped(mapped(node, name) if key == "on" else node, reference)


def _renamed_one(scalar: Scalar, names: Names) -> Scalar:
    new = names.get(scalar.text) if _is_text(scalar) else None
    return Scalar(new, scalar.span, new) if new else scalar


def _is_text(scalar: Scalar) -> bool:
    return isinstance(scalar.value, str)
