"""One file under examination: its nodes by path, and whether anything in it was found wrong.

Shared by the readers of line and recipe files. What is right or wrong is theirs to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel

from cellctl.errors import nearest
from cellctl.findings import Related, Report, Severity, Span
from cellctl.reading import read
from cellctl.yamlsource import Mapping, Node, Refused, find

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]


class Sheet:
    """The nodes of one file, and the report that its mistakes go to; `mistakes` counts them."""

    def __init__(self, root: Node, report: Report) -> None:
        self.root, self.report, self.mistakes = root, report, 0

    @classmethod
    def just_read(cls, root: Node, report: Report) -> Sheet:
        """The sheet of a file whose text was read just now: mistakes in its text count."""
        sheet = cls(root, report)
        sheet.mistakes = sum(
            finding.span.file == root.span.file and finding.severity is Severity.ERROR
            for finding in report.findings
        )
        return sheet

    @property
    def is_well(self) -> bool:
        """True while nothing was found wrong."""
        return not self.mistakes

    def node(self, *path: str | int) -> Node:
        """The node at `path`, or the deepest on the way to it that exists."""
        return find(self.root, *path)

    def span(self, *path: str | int) -> Span:
        """Where the value at `path` stands."""
        return self.node(*path).span

    def key_span(self, *path: str | int) -> Span:
        """Where the last key of `path` stands; the deepest value on the way to it when it does not exist."""
        parent = self.node(*path[:-1])
        if isinstance(parent, Mapping) and path[-1] in parent.key_spans:
            return parent.key_spans[str(path[-1])]
        return parent.span

    def keys(self, *path: str | int) -> tuple[str, ...]:
        """The keys of the mapping at `path` whose values can be read; none when there is no mapping."""
        node = find(self.root, *path)
        if not isinstance(node, Mapping) or not self.has(*path):
            return ()
        return tuple(key for key, value in node.items.items() if not isinstance(value, Refused))

    def has(self, *path: str | int) -> bool:
        """True if there is a value at `path`, or one that was refused."""
        if not path:
            return True
        parent = find(self.root, *path[:-1])
        return self.has(*path[:-1]) and find(parent, path[-1]) is not parent

    def read(self, model: type[M], *path: str | int) -> M | None:
        """The value at `path` as a `model`; None after findings."""
        return self.read_node(model, self.node(*path), str(path[-1]) if path else "")

    def read_node(self, model: type[M], node: Node, name: str = "") -> M | None:
        """A node of this file as a `model`; None after findings, which call it `name`."""
        found: M | None
        if name:
            around = Mapping({name: node}, {name: node.span}, node.span)
            section = read(around, _section_of(model), self.report)
            found = section.root[name] if section else None
        else:
            found = read(node, model, self.report)
        self.mistakes += found is None
        return found

    def parts(self, path: Path, name: str, *key_sets: Collection[str]) -> tuple[Node, ...]:
        """The mapping at `path` divided by who knows its keys; a key that nobody knows is reported.

        What is not a mapping is returned as it is, for each of the parts.
        """
        node = self.node(*path)
        if not isinstance(node, Mapping):
            return (node,) * len(key_sets)
        known = [key for keys in key_sets for key in keys]
        strange = [key for key in node.items if key not in known]
        for key in strange:
            advice = suggestion(key, [each for each in known if each not in node.items])
            self.error("CC-V001", node.key_spans[key], f"{name!r} has no key {key!r}", advice)
        is_whole = node.is_whole and not strange
        return tuple(
            Mapping({k: v for k, v in node.items.items() if k in keys}, node.key_spans, node.span, is_whole)
            for keys in key_sets
        )

    def error(self, code: str, span: Span, message: str, advice: str = "", *related: Related) -> None:
        """Report a mistake: the file cannot be used."""
        self.mistakes += 1
        self.report.error(code, span, message, advice, *related)

    def take(self, other: Sheet) -> None:
        """Take up what was found in the same file on another sheet."""
        self.mistakes += other.mistakes
        for finding in other.report.findings:
            self.report.add(finding)

    def unknown(
        self, code: str, span: Span, what: str, name: str, known: Iterable[str], *related: Related
    ) -> None:
        """Report a name that nothing answers to, with the known ones most like it."""
        self.error(code, span, f"no {what} is called {name!r}", suggestion(name, known), *related)


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name."""
    names = list(dict.fromkeys(known))
    if close := nearest(name, names):
        return f"did you mean {' or '.join(repr(each) for each in close)}?"
    if not names:
        return "none is known here"
    return f"known: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"


@cache
def _section_of(model: type[BaseModel]) -> Any:
    """A mapping of one key, so that findings can call what is in it by its name."""
    return RootModel[dict[str, model]]  # type: ignore[valid-type]
