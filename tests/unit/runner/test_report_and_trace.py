"""The report and the trace are folds over the runner's journal."""

from __future__ import annotations

import pytest

from cellctl.errors import UnknownName
from cellctl.flow.events import (
    Answered,
    Decided,
    Dispatched,
    LotLoaded,
    OrderTaken,
    PartBorn,
    PartEnded,
    RecipeTaken,
)
from cellctl.messages import Item, Limits, Move
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.runner.report import report
from cellctl.runner.trace import trace
from cellctl.skill import Works

RECIPE = Executable(
    "cup",
    3,
    "blue",
    "digest",
    (
        Step("load", "transfer", Works.MOVES, {"": ("arm",)}, take="blank", to=("nest",)),
        Step(
            "check",
            "measure",
            Works.STAYS,
            {"": ("gauge",)},
            needs=("load",),
            routes={"reject": Route(then="scrap")},
        ),
    ),
)


def life(part: str, first: int, t: float, verdict: str) -> list:
    """A part that is loaded (missed once) in 2 s and measured in 1 s."""
    item = (Item(f"c{first}", "feeder", "nest", "blank", part),)
    arm, gauge = {"": "arm"}, {"": "gauge"}
    return [
        Dispatched(first, first, "feeder", "feed", items=(Item(f"c{first}", "", "feeder", "blank"),), at=t),
        Answered(first, "done", (Move(f"c{first}", "feeder"),), {}, t, t + 1, 1.0),
        PartBorn(part, "o1", at=t),
        Dispatched(first + 1, first + 1, "arm", "transfer", "load", (part,), item, arm, at=t + 1),
        Answered(first + 1, "missed", (), {}, t + 1, t + 2, 0.9),
        Decided(part, "retry", "anna", t + 2),
        Dispatched(first + 2, first + 2, "arm", "transfer", "load", (part,), item, arm, 0, 2, 2, {}, t + 2),
        Answered(first + 2, "done", (Move(f"c{first}", "nest"),), {}, t + 2, t + 4, 1.9),
        Dispatched(first + 3, first + 3, "gauge", "measure", "check", (part,), (), gauge, at=t + 4),
        Answered(
            first + 3, "done" if verdict == "good" else "reject", (), {"height": 0.018}, t + 4, t + 5, 0.9
        ),
        PartEnded(part, verdict, t + 5),
    ]


JOURNAL = [
    RecipeTaken(RECIPE.digest, RECIPE),
    LotLoaded("feeder", "blank", "L1", 10, "anna"),
    OrderTaken("o1", RECIPE.digest, 3),
    *life("p1", 1, 100.0, "good"),
    *life("p2", 5, 110.0, "scrap"),
    *life("p3", 9, 120.0, "good"),
]


def test_the_report_counts_by_verdict_and_variant():
    made = report(JOURNAL)
    assert (made.parts_made, made.parts_scrapped, made.parts_in_flight) == (2, 1, 0)
    assert made.by_variant == {"blue": {"good": 2, "scrap": 1}}
    assert made.yield_ratio == pytest.approx(2 / 3)
    assert made.retries == 3


def test_the_report_knows_the_times():
    made = report(JOURNAL)
    assert made.makespan_s == 25.0
    assert made.cycle_time_s == 20.0
    assert made.modules == {"arm": 0.36, "feeder": 0.12, "gauge": 0.12}
    assert made.busiest_module == "arm"
    assert {s.step: (s.count, s.mean_s) for s in made.steps} == {"load": (3, 2.0), "check": (2, 1.0)}


def test_work_that_overlaps_in_one_module_is_counted_once():
    overlapping = [
        Dispatched(90, 90, "arm", "x", "x", ("p3",), at=101.0),
        Answered(90, "done", (), {}, 101.0, 104.0),
    ]
    journal = [*JOURNAL[:4], *overlapping, *JOURNAL[4:]]
    assert report(journal).modules["arm"] == report(JOURNAL).modules["arm"]


def test_an_empty_journal_gives_an_empty_report():
    made = report([])
    assert (made.parts_made, made.yield_ratio, made.cycle_time_s, made.modules) == (0, None, None, {})


def test_the_trace_tells_a_parts_whole_life():
    found = trace(JOURNAL, "p2")
    assert (found.verdict, found.variant, found.revision) == ("scrap", "blue", 3)
    assert [(v.step, v.outcome, v.attempt) for v in found.visits] == [
        ("load", "missed", 1),
        ("load", "done", 2),
        ("check", "reject", 1),
    ]
    assert found.visits[-1].results == {"height": 0.018}
    assert found.lots == {"blank c5": "L1"}
    assert found.decisions[0]["who"] == "anna"
    assert found.recipe_digest == RECIPE.digest


def test_the_trace_knows_what_a_result_is_measured_in_by_the_limits_of_its_step():
    limits = {"expect.height": Limits(0.018, 0.017, 0.019, "length"), "expect.mass": Limits(1.0, 0.9, 1.1)}
    sent = Dispatched(90, 90, "gauge", "measure", "check", ("p2",), parameters=limits, at=101.0)
    journal = [*JOURNAL, sent, Answered(90, "done", (), {"height": 0.018, "mass": 1.0}, 101.0, 102.0)]
    at = next(n for n, event in enumerate(journal) if isinstance(event, PartEnded) and event.part == "p2")
    journal = [*journal[:at], *journal[-2:], *journal[at:-2]]
    assert trace(journal, "p2").visits[-1].dimensions == {"height": "length"}


def test_the_trace_of_an_unknown_part_names_those_that_are_known():
    with pytest.raises(UnknownName, match="p1"):
        trace(JOURNAL, "p11")
