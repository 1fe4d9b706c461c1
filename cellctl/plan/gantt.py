"""A Gantt picture as SVG text: a row for each module or station, a bar for each thing that it does, a time axis.

One text without scripts or outside files, alone or in a page; its colours follow the reader's light or dark scheme.
What does not fit into its bar is still there when the pointer rests on it.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from cellctl.plan.errors import BadPlan

WIDTH = 1000.0  # [px] of the whole picture
ROW, BAR = 28.0, 20.0  # [px] heights
TOP, FOOT, EDGE = 44.0, 40.0, 12.0  # [px] above, below and beside the rows
CHARACTER = 7.0  # [px] width of one, generously
COLOURS = 8
TICKS = 10  # about so many
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

STYLE = """
.gantt { color-scheme: light dark; background: #ffffff; font: 12px system-ui, sans-serif }
.gantt text { fill: #1c2430 } .gantt .title { font-size: 15px; font-weight: 600 } .gantt .bar { fill: #10151c }
.gantt .line { stroke: #d5dae1 } .gantt .mark { stroke: #b3261e; stroke-dasharray: 4 3 }
.gantt .c0 { fill: #8ec1f0 } .gantt .c1 { fill: #f4bd7a } .gantt .c2 { fill: #9ad6a4 }
.gantt .c3 { fill: #f2a3a8 } .gantt .c4 { fill: #c9b3ec } .gantt .c5 { fill: #e6d778 }
.gantt .c6 { fill: #8fd6d2 } .gantt .c7 { fill: #d3c4b4 }
@media (prefers-color-scheme: dark) {
.gantt { background: #14181e } .gantt text { fill: #dde3ea } .gantt .bar { fill: #10151c }
.gantt .line { stroke: #38414c } .gantt .mark { stroke: #ff8a80 }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasts from `start` to `end` [s]; bars of one `group` have one colour (without one, the label)."""

    start: float
    end: float
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the picture; bars that overlap in time lie one behind the other."""

    label: str
    bars: tuple[Bar, ...]


def gantt(rows: Sequence[Row], title: str, marks: Sequence[float] = ()) -> str:
    """The picture of some rows as the text of an SVG file; the axis begins with the first bar.

    Args:
        marks: instants at which a dashed line is drawn, such as the ends of periods [s].

    Raises:
        BadPlan: a bar that ends before it begins, or whose times are no numbers.
    """
    scale = _Scale.of(rows, marks)
    height = TOP + ROW * len(rows) + FOOT
    parts = [
        f'<svg class="gantt" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" '
        f'height="{height:g}" role="img" aria-label={_attribute(title)}>',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="{EDGE:g}" y="24">{_text(title)}</text>',
        *_axis(scale, height),
        *(element for number, row in enumerate(rows) for element in _row(row, TOP + ROW * number, scale)),
        *(_vertical("mark", scale.x(mark), height) for mark in marks),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Scale:
    """From seconds to pixels."""

    begin: float
    end: float
    left: float
    seconds: float  # in one unit of the axis
    unit: str

    @classmethod
    def of(cls, rows: Sequence[Row], marks: Sequence[float]) -> _Scale:
        for row in rows:
            for bar in row.bars:
                if not (math.isfinite(bar.start) and math.isfinite(bar.end) and bar.start <= bar.end):
                    raise BadPlan(row.label, f"{bar.label!r} lasts from {bar.start:g} s to {bar.end:g} s")
        times = [t for row in rows for bar in row.bars for t in (bar.start, bar.end)] + list(marks)
        begin, end = min(times, default=0.0), max(times, default=1.0)
        end = end if end > begin else begin + 1.0
        left = 2 * EDGE + min(max((len(row.label) for row in rows), default=0) * CHARACTER, WIDTH / 3)
        return cls(begin, end, left, *_unit(end - begin))

    def x(self, t: float) -> float:
        return self.left + (t - self.begin) * self.per_second

    @property
    def per_second(self) -> float:
        return (WIDTH - EDGE - self.left) / (self.end - self.begin)


def _unit(span: float) -> tuple[float, str]:
    """The axis counts milliseconds, seconds, minutes or hours."""
    if span < 0.5:
        return 1e-3, "ms"
    if span < 600.0:
        return 1.0, "s"
    return (60.0, "min") if span < 36000.0 else (3600.0, "h")


def _axis(scale: _Scale, height: float) -> Iterator[str]:
    """A tick at round numbers, about ten of them, and the unit at the end."""
    base = height - FOOT
    rough = (scale.end - scale.begin) / scale.seconds / TICKS
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(decade * m for m in (1, 2, 5, 10) if decade * m >= rough * (1 - 1e-9))
    for k in range(
        math.ceil(scale.begin / scale.seconds / step), math.floor(scale.end / scale.seconds / step) + 1
    ):
        x = scale.x(k * step * scale.seconds)
        yield _vertical("line", x, height)
        yield f'<text x="{x:.2f}" y="{base + 16:g}" text-anchor="middle">{k * step:.6g}</text>'
    yield f'<text x="{WIDTH - EDGE:g}" y="{base + 32:g}" text-anchor="end">time [{scale.unit}]</text>'


def _vertical(kind: str, x: float, height: float) -> str:
    return f'<line class="{kind}" x1="{x:.2f}" y1="{TOP - 8:g}" x2="{x:.2f}" y2="{height - FOOT:g}"/>'


def _row(row: Row, top: float, scale: _Scale) -> Iterator[str]:
    middle = top + ROW / 2 + 4
    label = _shortened(row.label, scale.left - 2 * EDGE)
    yield f'<text x="{EDGE:g}" y="{middle:g}">{_text(label)}<title>{_text(row.label)}</title></text>'
    for bar in row.bars:
        yield from _bar(bar, top, scale)


def _bar(bar: Bar, top: float, scale: _Scale) -> Iterator[str]:
    x, width = scale.x(bar.start), (bar.end - bar.start) * scale.per_second
    colour = zlib.crc32((bar.group or bar.label).encode()) % COLOURS
    times = f"{bar.start:.6g} s to {bar.end:.6g} s ({bar.end - bar.start:.6g} s)"
    yield (
        f'<rect class="c{colour}" x="{x:.4f}" y="{top + (ROW - BAR) / 2:g}" width="{width:.4f}" '
        f'height="{BAR:g}" rx="2"><title>{_text(f"{bar.label}: {times}")}</title></rect>'
    )
    if label := _shortened(bar.label, width - 4):
        yield f'<text class="bar" pointer-events="none" x="{x + 3:.2f}" y="{top + ROW / 2 + 4:g}">{_text(label)}</text>'


def _shortened(label: str, width: float) -> str:
    """As much of it as fits; nothing if not even three characters do."""
    room = int(width / CHARACTER)
    if len(label) <= room:
        return label
    return f"{label[: room - 1]}…" if room >= 4 else ""


def _text(text: str) -> str:
    return escape(NOT_IN_XML.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(NOT_IN_XML.sub("\ufffd", text))
