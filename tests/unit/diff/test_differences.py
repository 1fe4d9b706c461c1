"""Differences of described things: nothing is left out, nothing is made up, and they read as people would say them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.compile.difference import Change, Fact, How, Item, differences
from cellctl.device import Pose
from cellctl.units import Dimension, Quantity, Tolerance, parse

FACTS = st.one_of(
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["", "a", "b"]),
    st.builds(Quantity, st.floats(-10, 10), st.sampled_from(list(Dimension))),
)
NAMES = st.sampled_from("abcdef")
ITEMS = st.lists(
    st.builds(Item, st.just("step"), NAMES, st.dictionaries(st.sampled_from("xyz"), FACTS)),
    unique_by=lambda item: item.name,
    max_size=6,
)


def one(old: Fact, new: Fact) -> Change:
    """The one change between two values of a fact."""
    (change,) = differences([Item("step", "press", {"x": old})], [Item("step", "press", {"x": new})])
    return change


def names(text: str) -> list[Item]:
    return [Item("step", name, {"do": name}) for name in text]


@settings(max_examples=60)
@given(ITEMS)
def test_nothing_differs_from_itself(items: list[Item]) -> None:
    assert differences(items, items, ordered=True) == ()


@settings(max_examples=100)
@given(ITEMS, ITEMS)
def test_there_are_differences_exactly_where_items_are_not_the_same(old: list[Item], new: list[Item]) -> None:
    def said(items: Sequence[Item]) -> list[tuple[str, str]]:
        return [(item.name, repr(sorted(item.facts.items()))) for item in items]

    alike = {name: facts.replace("-0.0", "0.0") for name, facts in said(old)} == {
        name: facts.replace("-0.0", "0.0") for name, facts in said(new)
    }
    assert (differences(old, new) == ()) is alike
    in_order = alike and [item.name for item in old] == [item.name for item in new]
    assert (differences(old, new, ordered=True) == ()) is in_order


@settings(max_examples=100)
@given(ITEMS, ITEMS)
def test_the_way_back_has_the_same_differences_the_other_way_round(old: list[Item], new: list[Item]) -> None:
    def told(changes: Sequence[Change]) -> set[tuple[str, str, str]]:
        return {(change.what, change.old, change.new) for change in changes if change.how is How.CHANGED}

    there, back = differences(old, new), differences(new, old)
    assert {(what, new, old) for what, old, new in told(there)} == told(back)
    for how, other in ((How.ADDED, How.REMOVED), (How.REMOVED, How.ADDED)):
        assert sorted(c.name for c in there if c.how is how) == sorted(c.name for c in back if c.how is other)


@settings(max_examples=60)
@given(st.permutations("abcdef"), st.permutations("abcdef"))
def test_as_few_as_possible_have_moved(before: Sequence[str], after: Sequence[str]) -> None:
    moved = {c.name for c in differences(names("".join(before)), names("".join(after)), ordered=True)}
    stays = [name for name in before if name not in moved]
    assert stays == [name for name in after if name not in moved]
    longest = max(
        size
        for size in range(7)
        for kept in combinations(before, size)
        if list(kept) == [name for name in after if name in kept]
    )
    assert len(moved) == 6 - longest


@pytest.mark.parametrize(
    ("old", "new", "by"),
    [
        ("40 N", "55 N", "+15 N, +38 %"),
        ("55 N", "40 N", "-15 N, -27 %"),
        ("0.1 s", "0.3 s", "+0.2 s, +200 %"),
        ("100 N", "103 N", "+3 N, +3.0 %"),
        ("0 N", "5 N", "+5 N"),
        ("100.1 mm", "100.3 mm", "+0.2 mm"),
        ("90 deg", "92 deg", "+2 deg"),
        ("20 degC", "25 degC", "+5 K"),
        ("60 %", "80 %", "+20 points"),
        ("18.20 mm ± 0.15 mm", "18.25 mm ± 0.10 mm", "+0.05 mm, narrower"),
        ("18.20 mm ± 0.15 mm", "18.20 mm +0.3/-0.1 mm", "wider"),
    ],
)
def test_a_change_says_by_how_much(old: str, new: str, by: str) -> None:
    assert one(parse(old), parse(new)).by == by


def test_a_pose_says_how_far_away_and_by_which_angle_it_is_turned() -> None:
    change = one(
        Pose(0.2, 0.0, 0.03, 0.0, 3.141592653589793, 0.0),
        Pose(0.203, 0.004, 0.03, 0.0, 3.141592653589793, 0.5),
    )
    assert change.by == "5 mm away, turned by 28.65 deg"


def test_a_pose_that_is_only_turned_is_a_difference() -> None:
    assert one(Pose(0.2, 0.0, 0.0), Pose(0.2, 0.0, 0.0, gamma=0.5)).by == "turned by 28.65 deg"


def test_one_orientation_written_in_two_ways_is_no_difference() -> None:
    pi = 3.141592653589793
    same = [Item("station", "a", {"pose": Pose(0, 0, 0, *angles)}) for angles in ((0, pi, 0), (pi, 0, pi))]
    assert differences(same[:1], same[1:]) == ()


def test_a_quantity_comes_with_its_si_values_for_programs() -> None:
    assert one(parse("40 N"), parse("0.055 kN")).as_json() == {
        "how": "changed", "of": "step", "name": "press", "what": "x", "old": "40 N", "new": "55 N",
        "by": "+15 N, +38 %", "old_si": 40.0, "new_si": 55.0, "dimension": "force",
    }  # fmt: skip


def test_quantities_of_two_dimensions_have_no_difference_in_numbers() -> None:
    assert one(parse("40 N"), parse("40 mm")).by == ""


def test_a_tolerance_in_the_place_of_a_value_is_a_difference() -> None:
    change = one(Quantity(0.0182, Dimension.LENGTH), Tolerance(0.0182, 0.0181, 0.0183, Dimension.LENGTH))
    assert (change.old, change.new) == ("18.2 mm", "18.2 mm ± 0.1 mm")


def test_true_is_not_one() -> None:
    assert one(True, 1).how is How.CHANGED


def test_a_step_that_lost_its_name_and_nothing_else_is_renamed() -> None:
    old, new = [Item("step", "press", {"do": "run"})], [Item("step", "close", {"do": "run"})]
    (change,) = differences(old, new, ordered=True)
    assert (change.how, change.old, change.new) == (How.RENAMED, "press", "close")


def test_what_was_added_says_what_it_is_and_where_it_stands() -> None:
    (change,) = differences(names("ab"), names("acb"), ordered=True)
    assert (change.how, change.name, change.new) == (How.ADDED, "c", "c, after a")


def test_usual_facts_go_without_saying_until_they_change() -> None:
    ask = Item("step", "a", {"do": "run", "on failed": "ask"}, frozenset({"on failed"}))
    scrap = Item("step", "a", {"do": "run", "on failed": "scrap"})
    assert differences([], [ask])[0].new == "run"
    assert differences([ask], [scrap])[0].old == "ask"
