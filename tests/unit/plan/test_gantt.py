"""A Gantt picture is well-formed, true to scale, and shows any text as text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.plan.errors import BadPlan
from cellctl.plan.gantt import Bar, Row, gantt
from cellctl.plan.line_cycle import LineStep, cycle_time
from cellctl.plan.pictures import line_rows, schedule_rows
from cellctl.plan.schedule import best_schedule

SVG = "{http://www.w3.org/2000/svg}"


def bars_of(picture: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(picture).findall(f"{SVG}rect")


def texts_of(picture: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(picture).iter() if element.text]


times = st.floats(0, 1e5).map(lambda t: round(t, 3))
bars = st.builds(lambda a, b, label: Bar(min(a, b), max(a, b), label), times, times, st.text(max_size=30))
rows = st.lists(st.builds(Row, st.text(max_size=40), st.lists(bars, max_size=4).map(tuple)), max_size=4)


@settings(max_examples=60, deadline=None)
@given(rows, st.text(max_size=40), st.lists(times, max_size=2))
def test_any_rows_make_a_well_formed_picture(rows, title, marks):
    root = ElementTree.fromstring(gantt(rows, title, marks))
    assert root.tag == f"{SVG}svg"
    assert len(root.findall(f"{SVG}rect")) == sum(len(row.bars) for row in rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(bars, min_size=1, max_size=6))
def test_widths_are_proportional_to_durations_and_places_to_times(own):
    drawn = bars_of(gantt([Row("arm", tuple(own))], "scale"))
    begin, end = min(bar.start for bar in own), max(bar.end for bar in own)
    span = end - begin or 1.0
    left = 1000.0 - 12.0 - (1000.0 - 12.0 - 24.0 - 21.0)
    for bar, rect in zip(own, drawn, strict=True):
        scale = (1000.0 - 12.0 - left) / span
        assert float(rect.get("width")) == pytest.approx((bar.end - bar.start) * scale, abs=1e-3)
        assert float(rect.get("x")) == pytest.approx(left + (bar.start - begin) * scale, abs=1e-3)


def test_labels_are_escaped_and_come_back_as_they_were():
    label, title = '<b>"R&D" & more</b>', "a < b & 'c' > \"d\""
    picture = gantt([Row(label, (Bar(0, 5, label),))], title)
    assert "<b>" not in picture
    assert label in texts_of(picture)
    assert ElementTree.fromstring(picture).get("aria-label") == title


def test_what_xml_cannot_hold_is_replaced():
    picture = gantt([Row("a\x00b", (Bar(0, 1, "\x1b[31m"),))], "\ufffe")
    assert "a\ufffdb" in texts_of(picture)


@pytest.mark.parametrize(
    ("end", "unit", "last"),
    [(0.2, "ms", "200"), (9.0, "s", "9"), (1800.0, "min", "30"), (36000.0, "h", "10")],
)
def test_the_axis_has_round_numbers_and_a_unit(end, unit, last):
    texts = texts_of(gantt([Row("arm", (Bar(0, end, "work"),))], "axis"))
    assert f"time [{unit}]" in texts
    assert last in texts


def test_a_label_that_does_not_fit_is_shortened_and_still_told_whole():
    picture = gantt([Row("arm", (Bar(0, 1, "a very long name"), Bar(1, 20, "short")))], "labels")
    shown = [element.text for element in ElementTree.fromstring(picture).findall(f"{SVG}text")]
    assert "short" in shown
    assert "a very long name" not in shown
    assert any("a very long name: 0 s to 1 s (1 s)" in text for text in texts_of(picture))


def test_both_colour_schemes_are_served():
    picture = gantt([], "nothing")
    assert "prefers-color-scheme: dark" in picture
    assert "<script" not in picture


@pytest.mark.parametrize("bar", [Bar(2, 1, "x"), Bar(0, float("nan"), "x"), Bar(0, float("inf"), "x")])
def test_a_bar_without_a_time_is_refused(bar):
    with pytest.raises(BadPlan, match="lasts from"):
        gantt([Row("arm", (bar,))], "wrong")


def test_the_rows_of_a_schedule_show_every_move_in_every_period(robotic_cell):
    cell = robotic_cell([28, 31], 4, 7)
    schedule = best_schedule(cell)
    rows = {row.label: row.bars for row in schedule_rows(cell, schedule, periods=3)}
    assert set(rows) == {"robot", "m1", "m2"}
    moved = sum(bar.end - bar.start for bar in rows["robot"])
    assert moved == pytest.approx(3 * sum(move.duration for move in schedule.moves))
    worked = [bar for bar in rows["m1"] if bar.end - bar.start >= 28]
    assert 2 <= len(worked) <= 3
    assert max(bar.end for own in rows.values() for bar in own) <= 3 * schedule.period + 1e-9


def test_the_rows_of_a_line_show_how_busy_its_modules_are():
    steps = [LineStep("load", 2, ("arm",)), LineStep("press", 6, ("press",), after=("load",))]
    cycle = cycle_time(steps)
    for row in line_rows(steps, cycle, periods=5):
        busy = sum(bar.end - bar.start for bar in row.bars)
        assert busy == pytest.approx(5 * cycle.period * cycle.utilisation[row.label])
