"""The parser's events -> nodes. Each event is checked before anything is built from it, so no text is too deep or
too clever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from cellctl.findings import Related, Report, Span, split_lines
from cellctl.yamlsource.codes import (
    ALIAS,
    DIRECTIVE,
    EMPTY,
    KEY_NOT_TEXT,
    KEY_TWICE,
    LEADING_ZEROS,
    MERGE_KEY,
    NOT_YAML,
    NUMBER_TOO_LARGE,
    SECOND_DOCUMENT,
    TAG,
    TOO_DEEP,
    TOO_MANY,
    UNSEEN,
)
from cellctl.yamlsource.nodes import Mapping, Node, Refused, Scalar, Sequence
from cellctl.yamlsource.scalars import LEADING_ZEROS as WITH_LEADING_ZEROS
from cellctl.yamlsource.scalars import resolve
from cellctl.yamlsource.syntax import refuse_syntax
from cellctl.yamlsource.text import LOST, start_of

MOST_DEPTH = 64
MOST_NODES = 20_000  # the shipped files have some hundreds; so many are read and checked within a second
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A sequence or mapping whose end has not been met."""

    start: Span
    is_mapping: bool
    is_flow: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    key_spans: dict[str, Span] = field(default_factory=dict)
    is_whole: bool = True
    key: Scalar | Refused | None = None  # read, and waiting for its value
    merges: bool = False  # the waiting key is a merge key

    def closed(self, end: Span) -> Node:
        """The finished node. A block collection ends with its last value, not at the next token."""
        last = end
        if not self.is_flow:
            inside = list(self.entries.values()) if self.is_mapping else self.items
            last = inside[-1].span if inside else self.start
        start = self.start
        span = Span(start.file, start.line, start.column, last.end_line, last.end_column)
        if self.is_mapping:
            return Mapping(self.entries, self.key_spans, span, self.is_whole)
        return Sequence(tuple(self.items), span)


class _Stop(Exception):
    """Nothing behind this place can be read; its finding is in the report."""


class Builder:
    """Builds the nodes of one document from events, on a stack of its own: no recursion, whatever the depth."""

    def __init__(self, file: str, text: str, report: Report) -> None:
        self._file, self._text, self._report = file, text, report
        self._lines = split_lines(text)
        self._is_mended = LOST in text
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._nodes = 0

    def build(self) -> Node | None:
        """The document's value, or None after a finding that ends the reading."""
        try:
            for event in yaml.parse(self._text, Loader=LOADER):
                if take := _TAKEN.get(type(event)):
                    take(self, event)
        except _Stop:
            return None
        except yaml.MarkedYAMLError as error:
            refuse_syntax(error, self._file, self._lines, self._report)
            return None
        except (yaml.YAMLError, ValueError, OverflowError):
            message = "this is not YAML: a number in it is too large"
            self._report.error(NOT_YAML, start_of(self._file), message)
            return None
        if self._root is None:
            self._report.error(EMPTY, start_of(self._file), "the file is empty", "write the first key")
        return self._root

    def _begin_document(self, event: yaml.DocumentStartEvent) -> None:
        span = self._span(event)
        if self._root is not None:
            advice = "keep each in a file of its own"
            self._report.error(SECOND_DOCUMENT, span, "a second document begins here", advice)
            raise _Stop
        if event.version not in (None, (1, 2)) or event.tags:
            line = Span(span.file, span.line, span.column, span.line, span.column + 1)
            message = "a directive; the file is read as YAML 1.2"
            self._report.error(DIRECTIVE, line, message, "remove the line")

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._count(event)
        span = self._span(event)
        if len(self._open) == MOST_DEPTH:
            self._report.error(TOO_DEEP, span, f"nested deeper than {MOST_DEPTH} levels", "flatten it")
            raise _Stop
        self._refuse_properties(event, span)
        self._open.append(_Open(span, isinstance(event, yaml.MappingStartEvent), event.flow_style is True))

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        self._count(event)
        span = self._span(event)
        if not self._in_merge():
            name = f"*{event.anchor}"
            advice = "write the value out, or in quotes if it is text"
            self._report.error(ALIAS, span, f"the alias {name!r} stands for a value elsewhere", advice)
        self._place(Refused(span))

    def _in_merge(self) -> bool:
        """True within the value of a merge key, which has its finding."""
        return any(outer.merges for outer in self._open)

    def _count(self, event: yaml.Event) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            message = f"more than {MOST_NODES:,} values"
            self._report.error(TOO_MANY, self._span(event), message, "split the file")
            raise _Stop

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        self._place(self._open.pop().closed(self._span(event)))

    def _refuse_properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, span: Span) -> bool:
        """Find fault with an anchor or a tag. True if it changes what the value is."""
        if event.anchor is None and event.tag is None:
            return False
        here = Span(span.file, span.line, span.column, span.line, span.column + 1)
        if event.anchor is not None:
            advice = "remove it and write each value out"
            self._report.error(ALIAS, here, f"the anchor {'&' + event.anchor!r} names a value", advice)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            advice = "remove it; put what is meant as text in quotes"
            self._report.error(TAG, here, f"the tag {tag!r} sets a type", advice)
        return event.tag is not None

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        self._count(event)
        self._place(self._scalar(event))

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        span, text = self._span(event), event.value
        # a block scalar ends before its last line break
        if span.end_column == 1 and span.end_line > span.line:
            end = span.end_line - 1
            span = Span(span.file, span.line, span.column, end, len(self._lines[end - 1]) + 1)
        if self._refuse_properties(event, span) or (self._is_mended and self._was_mended(span)):
            return Refused(span)
        if not event.implicit[0]:
            return self._quoted(text, span)
        try:
            value = resolve(text)
        except OverflowError:
            shown = text if len(text) < 40 else f"{text[:40]}..."
            message = f"{shown} is too large for a number"
            self._report.error(NUMBER_TOO_LARGE, span, message, "put it in quotes if it is text")
            return Refused(span)
        if isinstance(value, int | float) and WITH_LEADING_ZEROS.fullmatch(text):
            advice = f'write {value}, or "{text}" if it is a name'
            self._report.warn(LEADING_ZEROS, span, f"{text} is read as the number {value}", advice)
        return Scalar(value, span, text)

    def _was_mended(self, span: Span) -> bool:
        """True if a character in the text was replaced, with a finding."""
        lines = self._lines[span.line - 1 : span.end_line]
        return any(LOST in line for line in lines) and (
            len(lines) > 1 or LOST in lines[0][span.column - 1 : span.end_column - 1]
        )

    def _quoted(self, text: str, span: Span) -> Node:
        # the escape "\ud800", which only PyYAML's own parser lets pass
        if any("\ud800" <= character <= "\udfff" for character in text):
            message = "half of a surrogate pair is not a character"
            self._report.error(UNSEEN, span, message, "write the character")
            return Refused(span)
        return Scalar(text, span, text)

    def _place(self, node: Node) -> None:
        """Put a finished node where it belongs: the root, an item, a key, or a key's value."""
        if not self._open:
            self._root = node
            return
        outer = self._open[-1]
        if not outer.is_mapping:
            outer.items.append(node)
        elif outer.key is None:
            outer.key = self._key(node, outer)
        else:
            if isinstance(outer.key, Scalar):
                outer.entries[outer.key.text] = node
                outer.key_spans[outer.key.text] = outer.key.span
            outer.key, outer.merges = None, False

    def _key(self, node: Node, outer: _Open) -> Scalar | Refused:
        """The node as a key, or `Refused` after its finding."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if node.value in outer.key_spans:
                first = Related(outer.key_spans[node.value], "first here")
                message = f"the key {node.value!r} stands twice in one mapping"
                self._report.error(KEY_TWICE, node.span, message, "keep one of the two", first)
                return Refused(node.span)
            outer.merges = node.value == "<<" and self._is_plain(node.span)
            if not outer.merges:
                return node
            message = "a merge key brings in keys from elsewhere"
            self._report.error(MERGE_KEY, node.span, message, "write them out")
        elif isinstance(node, Scalar):
            advice = f'put it in quotes: "{node.text}"' if node.text else "write a name before the colon"
            message = f"a key must be text, but {node.text or 'nothing'} is not"
            self._report.error(KEY_NOT_TEXT, node.span, message, advice)
        elif not isinstance(node, Refused):
            advice = "write a name; text with braces needs quotes"
            self._report.error(KEY_NOT_TEXT, node.span, "a key must be text, not a list or mapping", advice)
        outer.is_whole = False
        return Refused(node.span)

    def _is_plain(self, span: Span) -> bool:
        return self._lines[span.line - 1][span.column - 1] not in "'\""

    def _span(self, event: yaml.Event) -> Span:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        return Span(self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


_TAKEN: dict[type[yaml.Event], Callable[[Builder, Any], None]] = {
    yaml.DocumentStartEvent: Builder._begin_document,
    yaml.AliasEvent: Builder._take_alias,
    yaml.ScalarEvent: Builder._take_scalar,
    yaml.SequenceStartEvent: Builder._begin,
    yaml.MappingStartEvent: Builder._begin,
    yaml.SequenceEndEvent: Builder._end,
    yaml.MappingEndEvent: Builder._end,
}
