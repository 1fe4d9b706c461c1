"""YAML 1.2 text -> values that know the line and column where they stand, or findings that say why not.

Strict on purpose: one document, core schema, no aliases, tags or merge keys, bounded size and depth. The
parser's *events* are checked before anything is built from them, so no text is too deep or too clever. What the
values mean is not decided here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

import yaml

from cellctl.findings import CodeText, Related, Report, Span, split_lines

MOST_BYTES = 1_000_000
MOST_DEPTH = 64
MOST_NODES = 200_000
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

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


def load(path: Path, report: Report) -> Node | None:
    """Read a file as `parse` does; that it cannot be read is a finding, too."""
    try:
        with path.open("rb") as file:
            source = file.read(MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        report.error("CC-Y001", _start_of(str(path)), f"cannot be read: {why}", "check the path")
        return None
    return parse(source, str(path), report)


def parse(source: bytes | str, file: str, report: Report) -> Node | None:
    """The value that `source` holds; what is wrong with it goes to `report`. Never raises, whatever the text.

    None if there is nothing to go on with; else all of the document, with `Refused` in the places of bad values.
    """
    text = _decoded(source, file, report)
    if text is None:
        return None
    report.add_source(file, text)
    return _Builder(file, text, report).build()


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


# --- text ---------------------------------------------------------------------------------------------------

# What YAML does not allow, its surplus line breaks, and characters that make text look other than it is.
_LOST = "\N{REPLACEMENT CHARACTER}"
_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffc\U00010000-\U0010ffff]"
    "|[\u2028\u2029\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]"
)


def _decoded(source: bytes | str, file: str, report: Report) -> str | None:
    """The text with every character that may not be in it replaced by one that may, each in a finding."""
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        message = f"the file is larger than {MOST_BYTES:,} bytes"
        report.error("CC-Y002", _start_of(file), message, "split it, or check that it is the file you mean")
        return None
    if isinstance(source, bytes):
        if source.startswith((b"\xff\xfe", b"\xfe\xff")):
            report.error("CC-Y003", _start_of(file), "the file is UTF-16, not UTF-8", "save it as UTF-8")
            return None
        text = source.decode("utf-8", "surrogateescape")  # a bad byte 0xNN becomes the surrogate U+DCNN
    else:
        text = source
    text = text.removeprefix("\ufeff")
    for number, line in enumerate(split_lines(text), start=1) if _UNSEEN.search(text) else ():
        for match in _UNSEEN.finditer(line):
            column, code = match.start() + 1, ord(match[0])
            span = Span(file, number, column, number, column + 1)
            if 0xDC80 <= code <= 0xDCFF and isinstance(source, bytes):
                report.error("CC-Y003", span, f"the byte 0x{code - 0xDC00:02x} is not UTF-8", "save as UTF-8")
            elif match[0] == _LOST:
                report.error("CC-Y004", span, "a character was lost here", "write it again")
            else:
                report.error("CC-Y004", span, f"the character U+{code:04X} cannot be seen", "remove it")
    return _UNSEEN.sub(_LOST, text)


def _start_of(file: str) -> Span:
    return Span(file, 1, 1, 1, 1)


# --- scalars ------------------------------------------------------------------------------------------------

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?")
_LONGEST_NUMBER = 400  # characters; no double needs more


def resolve(text: str) -> str | int | float | bool | None:
    """What a plain scalar means in the YAML 1.2 core schema. Raises `OverflowError` beyond 64 bits or a double."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if is_int := _INT.fullmatch(text):
        number: int | float = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)) if len(text) < 100 else 2**64
    elif _FLOAT.fullmatch(text):
        number = float(text) if len(text) < _LONGEST_NUMBER else math.inf
    else:
        return text
    if math.isinf(number) or (is_int and not -(2**63) <= number < 2**63):
        raise OverflowError
    return number


# --- structure ----------------------------------------------------------------------------------------------


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


class _Mark(Protocol):
    """A place in the text, counted from 0; the C and the Python parser have each its own class for it."""

    line: int
    column: int


class _Stop(Exception):
    """Nothing behind this place can be read; its finding is in the report."""


class _Builder:
    """Builds the nodes of one document from events, on a stack of its own: no recursion, whatever the depth."""

    def __init__(self, file: str, text: str, report: Report) -> None:
        self._file, self._text, self._report = file, text, report
        self._lines = split_lines(text)
        self._is_mended = _LOST in text
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._nodes = 0

    def build(self) -> Node | None:
        """The document's value, or None after a finding that ends the reading."""
        try:
            for event in yaml.parse(self._text, Loader=LOADER):
                self._take(event)
        except _Stop:
            return None
        except yaml.MarkedYAMLError as error:
            self._refuse_syntax(error)
            return None
        except (yaml.YAMLError, ValueError, OverflowError):
            self._report.error(
                "CC-Y006", _start_of(self._file), "this is not YAML: a number in it is too large"
            )
            return None
        if self._root is None:
            self._report.error("CC-Y016", _start_of(self._file), "the file is empty", "write the first key")
        return self._root

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._begin_document(event)
            case yaml.AliasEvent():
                self._take_alias(event)
            case yaml.ScalarEvent():
                self._count(event)
                self._place(self._scalar(event))
            case yaml.CollectionStartEvent():
                self._count(event)
                self._begin(event)
            case yaml.CollectionEndEvent():
                self._place(self._open.pop().closed(self._span(event)))

    def _begin_document(self, event: yaml.DocumentStartEvent) -> None:
        span = self._span(event)
        if self._root is not None:
            self._report.error(
                "CC-Y014", span, "a second document begins here", "keep each in a file of its own"
            )
            raise _Stop
        if event.version not in (None, (1, 2)) or event.tags:
            line = Span(span.file, span.line, span.column, span.line, span.column + 1)
            self._report.error(
                "CC-Y015", line, "a directive; the file is read as YAML 1.2", "remove the line"
            )

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        span = self._span(event)
        if len(self._open) == MOST_DEPTH:
            self._report.error("CC-Y007", span, f"nested deeper than {MOST_DEPTH} levels", "flatten it")
            raise _Stop
        self._refuse_properties(event, span)
        self._open.append(_Open(span, isinstance(event, yaml.MappingStartEvent), event.flow_style is True))

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        self._count(event)
        span = self._span(event)
        if not self._in_merge():
            name = f"*{event.anchor}"
            advice = "write the value out, or in quotes if it is text"
            self._report.error("CC-Y009", span, f"the alias {name!r} stands for a value elsewhere", advice)
        self._place(Refused(span))

    def _in_merge(self) -> bool:
        """True within the value of a merge key, which has its finding."""
        return any(outer.merges for outer in self._open)

    def _count(self, event: yaml.Event) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            message = f"more than {MOST_NODES:,} values"
            self._report.error("CC-Y008", self._span(event), message, "split the file")
            raise _Stop

    def _refuse_properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, span: Span) -> bool:
        """Find fault with an anchor or a tag. True if it changes what the value is."""
        if event.anchor is None and event.tag is None:
            return False
        here = Span(span.file, span.line, span.column, span.line, span.column + 1)
        if event.anchor is not None:
            advice = "remove it and write each value out"
            self._report.error("CC-Y009", here, f"the anchor {'&' + event.anchor!r} names a value", advice)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            advice = "remove it; put what is meant as text in quotes"
            self._report.error("CC-Y010", here, f"the tag {tag!r} sets a type", advice)
        return event.tag is not None

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        span, text = self._span(event), event.value
        if (
            span.end_column == 1 and span.end_line > span.line
        ):  # a block scalar ends before its last line break
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
            self._report.error(
                "CC-Y018", span, f"{shown} is too large for a number", "put it in quotes if it is text"
            )
            return Refused(span)
        if isinstance(value, int | float) and _LEADING_ZERO.fullmatch(text):
            advice = f'write {value}, or "{text}" if it is a name'
            self._report.warn("CC-Y017", span, f"{text} is read as the number {value}", advice)
        return Scalar(value, span, text)

    def _was_mended(self, span: Span) -> bool:
        """True if a character in the text was replaced, with a finding."""
        lines = self._lines[span.line - 1 : span.end_line]
        return any(_LOST in line for line in lines) and (
            len(lines) > 1 or _LOST in lines[0][span.column - 1 : span.end_column - 1]
        )

    def _quoted(self, text: str, span: Span) -> Node:
        if any(
            "\ud800" <= character <= "\udfff" for character in text
        ):  # "\ud800", which only PyYAML lets pass
            self._report.error(
                "CC-Y004", span, "half of a surrogate pair is not a character", "write the character"
            )
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
                self._report.error("CC-Y012", node.span, message, "keep one of the two", first)
                return Refused(node.span)
            outer.merges = node.value == "<<" and self._is_plain(node.span)
            if not outer.merges:
                return node
            self._report.error(
                "CC-Y011", node.span, "a merge key brings in keys from elsewhere", "write them out"
            )
        elif isinstance(node, Scalar):
            advice = f'put it in quotes: "{node.text}"' if node.text else "write a name before the colon"
            message = f"a key must be text, but {node.text or 'nothing'} is not"
            self._report.error("CC-Y013", node.span, message, advice)
        elif not isinstance(node, Refused):
            advice = "write a name; text with braces needs quotes"
            self._report.error("CC-Y013", node.span, "a key must be text, not a list or mapping", advice)
        outer.is_whole = False
        return Refused(node.span)

    def _refuse_syntax(self, error: yaml.MarkedYAMLError) -> None:
        """Say in plain words what the parser found; the tables are `_SYNTAX` and `CODES`."""
        problem = error.problem or ""
        is_name = (
            "alphabetic or numeric" in problem
        )  # of an anchor or alias, whose first character is to blame
        here = self._mark(error.context_mark if is_name else error.problem_mark)
        text = self._lines[here.line - 1] if here.line <= len(self._lines) else ""
        if text[here.column - 1 : here.column] == "\t" or "tab character" in problem:
            self._refuse_tabs(here.line)
            return
        rows = (row for row in _SYNTAX if any(fragment in problem for fragment in row[0]))
        _, code, message, advice, label = next(rows, ((), "CC-Y006", f"this is not YAML: {problem}", "", ""))
        related = [Related(self._mark(error.context_mark), label)] if label and error.context_mark else []
        self._report.error(code, here, message, advice, *related)

    def _refuse_tabs(self, first: int) -> None:
        """Find fault with the tab in line `first`, and with those that begin later lines."""
        for number, line in enumerate(self._lines[first - 1 :], start=first):
            begin = re.match(r" *(\t+)" if number == first else r"(\t+)\s*[^\s#]", line)
            if begin or number == first:
                start, end = begin.span(1) if begin else (line.find("\t"), line.find("\t") + 1)
                span = Span(self._file, number, start + 1, number, end + 1)
                self._report.error("CC-Y005", span, "a tab in the indentation", "indent with spaces")

    def _is_plain(self, span: Span) -> bool:
        return self._lines[span.line - 1][span.column - 1] not in "'\""

    def _span(self, event: yaml.Event) -> Span:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        return Span(self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _mark(self, mark: _Mark | None) -> Span:
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Span(self._file, line, column, line, column + 1)


# --- what the findings say ----------------------------------------------------------------------------------

_ALIGN = "align it with the entries it belongs to, or put the whole text in quotes"
_COLON = "put text that holds ': ' in quotes; or mend the line above, or the indentation"
_QUOTE = "put the text in quotes"
_CLOSE = "close the quotes"

# Fragments of the parsers' words (C and Python), the code, what to say, the help, what stands where it began.
# fmt: off
_SYNTAX: tuple[tuple[tuple[str, ...], str, str, str, str], ...] = (
    (("mapping values are not",), "CC-Y006", "a colon where no key can be", _COLON, ""),
    (
        ("find expected key", "expected <block end>"),
        "CC-Y006",
        "this does not fit what is above it",
        _ALIGN,
        "",
    ),
    (("expected '-'",), "CC-Y006", "this is not an item of the list above it", _ALIGN, "it begins here"),
    (("block sequence entries",), "CC-Y006", "a list item where none can be", "begin it on a new line", ""),
    (("',' or ']'",), "CC-Y006", "a list in brackets is not closed here", "write , or ]", "it begins here"),
    (("',' or '}'",), "CC-Y006", "a mapping in braces is not closed here", "write , or }", "it begins here"),
    (("end of stream",), "CC-Y006", "the file ends within quotes", _CLOSE, "they open here"),
    (
        ("document indicator", "document separator"),
        "CC-Y006",
        "--- or ... in quotes",
        _CLOSE,
        "they open here",
    ),
    (
        ("escape",),
        "CC-Y006",
        "in double quotes a backslash begins an escape, and this is none",
        "use single quotes, or two backslashes",
        "",
    ),
    (("cannot start any token",), "CC-Y006", "text cannot begin with this character", _QUOTE, ""),
    (("alphabetic or numeric",), "CC-Y006", "text cannot begin with this character", _QUOTE, ""),
    (("expected ':'",), "CC-Y006", "a key without its colon", "write ': ' and a value behind it", "the key"),
    (("node content",), "CC-Y006", "a value was to come here", "write one, or put the text in quotes", ""),
    (("document start>",), "CC-Y006", "this does not belong to what is above it", _ALIGN, ""),
    (
        ("comment or line break", "indentation indicators"),
        "CC-Y006",
        "a text block begins on the next line",
        "end the line behind | or >, or put the text in quotes",
        "",
    ),
    (("tag handle", "'>'", "tag URI", "'!'"), "CC-Y010", "a tag sets a type", _QUOTE, ""),
    (
        ("incompatible YAML", "YAML directive", "directive name", "version number"),
        "CC-Y015",
        "a directive; the file is read as YAML 1.2",
        "remove the line",
        "",
    ),
)
# fmt: on

CODES = {
    "CC-Y001": CodeText(
        "A file cannot be read.",
        "It does not exist, is a directory, or the user may not read it.",
        "Check the path; files are named relative to the working directory.",
    ),
    "CC-Y002": CodeText(
        "A file is too large.",
        "Lines and recipes are written by people and far smaller than the limit of one megabyte; a larger file is "
        "another file, and could exhaust a line controller.",
        "Check that the path names the file you mean; split a recipe that really is this large.",
    ),
    "CC-Y003": CodeText(
        "The file is not UTF-8.",
        "Bytes of another encoding would become other characters on another computer: ± or µ would be lost.",
        "Save the file as UTF-8 in your editor.",
    ),
    "CC-Y004": CodeText(
        "A character that cannot be seen.",
        "Control characters, zero-width characters and marks of writing direction make a file look other than it is, "
        "and names that look alike differ. U+FFFD stands where an earlier program lost a character.",
        "Delete the character. Where one is needed in text, write it as an escape in double quotes.",
    ),
    "CC-Y005": CodeText(
        "A tab in the indentation.",
        "YAML's structure is its indentation, and a tab has no fixed width, so YAML forbids it there.",
        "Indent with spaces; most editors can be told to.",
    ),
    "CC-Y006": CodeText(
        "The text is not YAML.",
        "The parser cannot tell what belongs to what. It stops at the first such place, so others may follow.",
        "Usual causes: text that holds ': ' or begins with a special character and needs quotes; a line that is "
        "indented otherwise than its neighbours; a bracket or quote that is not closed.",
    ),
    "CC-Y007": CodeText(
        "Values are nested too deep.",
        "No line or recipe needs 64 levels; text that does is made to exhaust the program that reads it.",
        "Flatten the structure.",
    ),
    "CC-Y008": CodeText(
        "The file holds too many values.",
        "More than 200,000 of them are not written by people.",
        "Split the file.",
    ),
    "CC-Y009": CodeText(
        "Anchors and aliases are not used here.",
        "With them one line of a file silently changes another, and a few lines can expand to gigabytes.",
        "Write the value out. In a recipe, use a parameter or let a variant extend another.",
    ),
    "CC-Y010": CodeText(
        "Tags are not used here.",
        "A tag changes the type of a value, and in some programs runs code. The type is known from the key.",
        "Remove the tag. Put text that begins with an exclamation mark in quotes.",
    ),
    "CC-Y011": CodeText(
        "Merge keys are not used here.",
        "YAML 1.2 has no `<<`; where it works, the keys it brings in are invisible where they take effect.",
        "Write the keys out. In a recipe, let a variant extend another.",
    ),
    "CC-Y012": CodeText(
        "A key stands twice in one mapping.",
        "Many programs silently take the last one, so half of what was written would be lost.",
        "Keep one of the two, or give one another name.",
    ),
    "CC-Y013": CodeText(
        "A key is not text.",
        "Numbers, true, false, null, lists and mappings are no names. A template's `{{ ... }}` is a mapping.",
        "Put the key in quotes, or give it a name.",
    ),
    "CC-Y014": CodeText(
        "More than one document in a file.",
        "Only the first would be used.",
        "Keep each document in a file of its own, and remove the `---` between them.",
    ),
    "CC-Y015": CodeText(
        "Directives are not used here.",
        "`%YAML 1.1` would change what `no` and `010` mean; files are always read as YAML 1.2.",
        "Remove the line that begins with `%`.",
    ),
    "CC-Y016": CodeText(
        "The file is empty.",
        "It holds nothing but space and comments.",
        "Begin with the first key, `line:` or `recipe:`.",
    ),
    "CC-Y017": CodeText(
        "A number with leading zeros.",
        "It is read as a decimal number; older YAML took 010 for 8. An article number would lose its zeros.",
        "Drop the zeros of a number; put a name in quotes.",
    ),
    "CC-Y018": CodeText(
        "A number is too large.",
        "Whole numbers have 64 bits and others the range of a double; beyond it the value would be changed.",
        "Check the number; put it in quotes if it is a name.",
    ),
}
