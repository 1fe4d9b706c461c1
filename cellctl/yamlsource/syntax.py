"""What the parser found wrong, in words that help: its own tell of its state, not of the mistake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import yaml

from cellctl.findings import Related, Report, Span
from cellctl.yamlsource.codes import DIRECTIVE, NOT_YAML, TAB, TAG


def refuse_syntax(error: yaml.MarkedYAMLError, file: str, lines: Sequence[str], report: Report) -> None:
    """Say in plain words, and at the place that is to blame, why the parser stopped in a file of these lines."""
    problem = error.problem or ""
    # of an anchor or alias, whose first character is to blame
    is_name = "alphabetic or numeric" in problem
    here = _span(file, error.context_mark if is_name else error.problem_mark)
    text = lines[here.line - 1] if here.line <= len(lines) else ""
    if text[here.column - 1 : here.column] == "\t" or "tab character" in problem:
        _refuse_tabs(file, lines, here.line, report)
        return
    unknown = _Meaning((), f"this is not YAML: {problem}")
    meaning = next((row for row in _MEANINGS if any(words in problem for words in row.words)), unknown)
    began = error.context_mark if meaning.began else None
    related = [Related(_span(file, began), meaning.began)] if began else []
    report.error(meaning.code, here, meaning.says, meaning.help, *related)


def _refuse_tabs(file: str, lines: Sequence[str], first: int, report: Report) -> None:
    """Find fault with the tab in line `first`, and with those that begin later lines."""
    for number, line in enumerate(lines[first - 1 :], start=first):
        begin = re.match(r" *(\t+)" if number == first else r"(\t+)\s*[^\s#]", line)
        if begin or number == first:
            start, end = begin.span(1) if begin else (line.find("\t"), line.find("\t") + 1)
            span = Span(file, number, start + 1, number, end + 1)
            report.error(TAB, span, "a tab in the indentation", "indent with spaces")


class _Mark(Protocol):
    """A place in the text, counted from 0; the C and the Python parser have each its own class for it."""

    line: int
    column: int


def _span(file: str, mark: _Mark | None) -> Span:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Span(file, line, column, line, column + 1)


class _Meaning(NamedTuple):
    """What is meant when the parsers (C and Python) use some words; `began` labels the place where it began."""

    words: tuple[str, ...]
    says: str
    help: str = ""
    began: str = ""
    code: str = NOT_YAML


_ALIGN = "align it with the entries it belongs to, or put the whole text in quotes"
_COLON = "put text that holds ': ' in quotes; or mend the line above, or the indentation"
_QUOTE = "put the text in quotes"
_CLOSE = "close the quotes"
_BLOCK = "end the line behind | or >, or put the text in quotes"
_ESCAPE = "in double quotes a backslash begins an escape, and this is none"
_VERSION = "a directive; the file is read as YAML 1.2"

_MEANINGS = (
    _Meaning(("mapping values are not",), "a colon where no key can be", _COLON),
    _Meaning(("find expected key", "expected <block end>"), "this does not fit what is above it", _ALIGN),
    _Meaning(("expected '-'",), "this is not an item of the list above it", _ALIGN, "it begins here"),
    _Meaning(("block sequence entries",), "a list item where none can be", "begin it on a new line"),
    _Meaning(("',' or ']'",), "a list in brackets is not closed here", "write , or ]", "it begins here"),
    _Meaning(("',' or '}'",), "a mapping in braces is not closed here", "write , or }", "it begins here"),
    _Meaning(("end of stream",), "the file ends within quotes", _CLOSE, "they open here"),
    _Meaning(("document indicator", "document separator"), "--- or ... in quotes", _CLOSE, "they open here"),
    _Meaning(("escape",), _ESCAPE, "use single quotes, or two backslashes"),
    _Meaning(("cannot start any token",), "text cannot begin with this character", _QUOTE),
    _Meaning(("alphabetic or numeric",), "text cannot begin with this character", _QUOTE),
    _Meaning(("expected ':'",), "a key without its colon", "write ': ' and a value behind it", "the key"),
    _Meaning(("node content",), "a value was to come here", "write one, or put the text in quotes"),
    _Meaning(("document start>",), "this does not belong to what is above it", _ALIGN),
    _Meaning(
        ("comment or line break", "indentation indicators"), "a text block begins on the next line", _BLOCK
    ),
    _Meaning(("tag handle", "'>'", "tag URI", "'!'"), "a tag sets a type", _QUOTE, code=TAG),
    _Meaning(
        ("incompatible YAML", "YAML directive", "directive name", "version number"),
        _VERSION,
        "remove the line",
        code=DIRECTIVE,
    ),
)
