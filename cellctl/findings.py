"""What is wrong with a file that people wrote: each finding with its place, its reason and its remedy.

Not for what goes wrong while a line runs: those are errors and alarms.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

MOST_ALIKE = 20  # findings of one code in one file that are kept; the rest are counted
WIDEST = 110  # characters of a source line that are shown


class Severity(StrEnum):
    """An error makes the file unusable; a warning says that it may not mean what its author thinks."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class CodeText:
    """What a code means: the long text of `cellctl explain`."""

    what: str
    why: str
    instead: str


def split_lines(text: str) -> tuple[str, ...]:
    """The lines of a text as YAML 1.2 counts them, without their ends."""
    return tuple(re.split(r"\r\n|\r|\n", text))


def merge(*tables: Mapping[str, CodeText]) -> dict[str, CodeText]:
    """One table of all codes: each module that finds things owns a `CODES`, and who explains them merges.

    Raises `ValueError` if two tables claim the same code.
    """
    merged: dict[str, CodeText] = {}
    for table in tables:
        if twice := merged.keys() & table.keys():
            raise ValueError(f"codes with two meanings: {', '.join(sorted(twice))}")
        merged |= table
    return dict(sorted(merged.items()))


class Span(NamedTuple):
    """A stretch of a file. Lines and columns count characters from 1; the end is the place just behind it."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a finding speaks of, and what is there."""

    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or looks wrong. Text that people wrote stands in `message` as a `repr`."""

    code: str
    severity: Severity
    span: Span
    message: str
    help: str = ""
    related: tuple[Related, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """The finding as plain data, for `--json`."""
        related: list[Json] = [{"label": other.label, **_place(other.span)} for other in self.related]
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "help": self.help,
            **_place(self.span),
            "related": related,
        }


class Report:
    """Findings of one run over any number of files, ordered as the files were read and by their lines.

    A file full of one mistake keeps the first twenty of its kind; the others are counted.
    """

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._lines: dict[str, tuple[str, ...]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._known: set[Finding] = set()

    def add_source(self, file: str, text: str) -> None:
        """Keep the text of a file, to show excerpts of it and to know the order of files."""
        self._lines[file] = split_lines(text)

    def add(self, finding: Finding) -> None:
        """Take up one finding; the same twice is one."""
        if finding in self._known:
            return
        self._lines.setdefault(finding.span.file, ())
        alike = (finding.span.file, finding.code)
        self._counts[alike] += 1
        if self._counts[alike] <= MOST_ALIKE:
            self._known.add(finding)
            self._findings.append(finding)

    def keeps(self, file: str, code: str) -> bool:
        """Whether one more finding of this code in the file would be kept; one that would not is counted here."""
        is_kept = self._counts[file, code] < MOST_ALIKE
        if not is_kept:
            self._counts[file, code] += 1
        return is_kept

    def take(self, other: Report) -> None:
        """Take up everything of another report, the texts of its files too."""
        self._lines |= {file: rows for file, rows in other._lines.items() if rows or file not in self._lines}
        for finding in other.findings:
            self.add(finding)
        self._counts.update(other.left_out)

    def error(self, code: str, span: Span, message: str, help: str = "", *related: Related) -> None:
        """Take up one error."""
        self.add(Finding(code, Severity.ERROR, span, message, help, related))

    def warn(self, code: str, span: Span, message: str, help: str = "", *related: Related) -> None:
        """Take up one warning."""
        self.add(Finding(code, Severity.WARNING, span, message, help, related))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that were kept, in file order."""
        order = {file: index for index, file in enumerate(self._lines)}
        return tuple(sorted(self._findings, key=lambda finding: (order[finding.span.file], finding.span)))

    @property
    def has_errors(self) -> bool:
        """True once there is a finding that is more than a warning."""
        return any(finding.severity is Severity.ERROR for finding in self._findings)

    @property
    def left_out(self) -> dict[tuple[str, str], int]:
        """How many findings of a (file, code) were counted but not kept."""
        return {alike: count - MOST_ALIKE for alike, count in self._counts.items() if count > MOST_ALIKE}

    def as_json(self) -> dict[str, Json]:
        """The whole report as plain data, for `--json`."""
        left_out: list[Json] = [
            {"file": file, "code": code, "count": count} for (file, code), count in self.left_out.items()
        ]
        findings: list[Json] = [finding.as_json() for finding in self.findings]
        return {"schema_version": 1, "ok": not self.has_errors, "findings": findings, "left_out": left_out}

    def render(self, *, colour: bool = False) -> str:
        """The report as text for a terminal, with excerpts; empty if nothing was found."""
        ink = _coloured if colour else _uncoloured
        blocks = [_render(finding, self._lines, ink) for finding in self.findings]
        blocks += [
            f"... and {count} more of {code} in {file}" for (file, code), count in self.left_out.items()
        ]
        return "\n\n".join(blocks) + ("\n" if blocks else "")


# --- as text ------------------------------------------------------------------------------------------------

_COLOURS = {"error": "1;31", "warning": "1;33", "frame": "34", "bold": "1"}
Ink: TypeAlias = Callable[[str, str], str]  # (style, text) -> text


def _coloured(style: str, text: str) -> str:
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"


def _uncoloured(style: str, text: str) -> str:
    return text


def _render(finding: Finding, sources: Mapping[str, tuple[str, ...]], ink: Ink) -> str:
    severity = finding.severity.value
    places = [Related(finding.span, ""), *sorted(finding.related, key=lambda other: other.span)]
    gutter = len(str(max(place.span.line for place in places)))
    rows = [ink(severity, f"{severity}[{finding.code}]") + ink("bold", f": {finding.message}")]
    file = None
    for place in places:
        if place.span.file != file:
            file = place.span.file
            rows.append(f"{ink('frame', ' ' * gutter + '-->')} {place.span}")
        lines = sources.get(file, ())
        if place.span.line <= len(lines):
            first = place is places[0]
            mark, style = ("^", severity) if first else ("-", "frame")
            rows += _excerpt(lines[place.span.line - 1], place, gutter, mark, style, ink)
    if finding.help:
        rows.append(f"{ink('frame', ' ' * gutter + ' =')} {ink('bold', 'help:')} {finding.help}")
    return "\n".join(rows)


def _excerpt(line: str, place: Related, gutter: int, mark: str, style: str, ink: Ink) -> list[str]:
    """An empty row, the line (of a long one the part that matters), and a row of marks with the label."""
    span = place.span
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    first = max(0, start - WIDEST // 3) if len(line) > WIDEST else 0
    last = first + WIDEST
    lead, tail = "..." if first else "", "..." if len(line) > last else ""
    before = len(lead) + _cells(_shown(line[first:start]))
    marks = mark * max(1, _cells(_shown(line[start : min(end, last)])))
    bar = ink("frame", " " * gutter + " |")
    return [
        bar,
        f"{ink('frame', f'{span.line:{gutter}} |')} {lead}{_shown(line[first:last])}{tail}".rstrip(),
        f"{bar} {' ' * before}{ink(style, f'{marks} {place.label}'.rstrip())}",
    ]


def _shown(text: str) -> str:
    """The text with nothing in it that moves a cursor; a tab takes two cells."""
    return "".join(c if c.isprintable() else _SPACES.get(c, "\N{REPLACEMENT CHARACTER}") for c in text)


_SPACES = {"\t": "  ", "\xa0": " ", "\u202f": " "}


def _cells(text: str) -> int:
    """Terminal cells that a text takes: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _place(span: Span) -> dict[str, Json]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
