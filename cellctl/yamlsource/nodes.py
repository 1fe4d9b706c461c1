"""The values of a file, each with its place in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from cellctl.findings import Span

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
Node: TypeAlias = "Scalar | Sequence | Mapping | Refused"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value by the YAML 1.2 core schema, and the `text` it was read from; `no`, `12:30:45` are text."""

    value: str | int | float | bool | None
    span: Span
    text: str

    @property
    def plain(self) -> Plain:
        """The value without its place."""
        return self.value


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    span: Span

    @property
    def plain(self) -> Plain:
        """The values without their places."""
        return [item.plain for item in self.items]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Nodes by key, in file order. Not `is_whole` if an entry was refused and is not here."""

    items: dict[str, Node]
    key_spans: dict[str, Span]
    span: Span
    is_whole: bool = True

    @property
    def plain(self) -> Plain:
        """The values without their places."""
        return {key: value.plain for key, value in self.items.items()}


@dataclass(frozen=True, slots=True)
class Refused:
    """Stands where a value was refused. It has its finding already: nobody else complains about it."""

    span: Span

    @property
    def plain(self) -> Plain:
        """Nothing, in the place of a value."""
        return None


def find(node: Node, *path: str | int) -> Node:
    """The node at `path`, or the deepest on the way to it that exists."""
    for step in path:
        if isinstance(node, Mapping) and step in node.items:
            node = node.items[str(step)]
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
        else:
            break
    return node
