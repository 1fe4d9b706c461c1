"""Conditions and repetition: what becomes of them in each variant."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from block_recipes import BLOCK, RECIPE, needs, well

Check = Callable[..., Any]


# --- conditions ---------------------------------------------------------------------------------------------------


def test_a_step_is_taken_only_where_its_condition_is_met(check_small_recipe: Check) -> None:
    variants = well(check_small_recipe(text=RECIPE)).recipe.variants
    taken = {name: {s.name for s in v.steps} & {"settle", "crush"} for name, v in variants.items()}
    assert taken == {"plain": set(), "soft": {"settle"}, "hard": {"settle", "crush"}}


def test_who_needs_a_step_that_is_not_taken_needs_what_it_needed(check_small_recipe: Check) -> None:
    variants = well(check_small_recipe(text=RECIPE)).recipe.variants
    assert {name: needs(variant)["out"] for name, variant in variants.items()} == {
        "plain": ("press#2",),
        "soft": ("settle",),
        "hard": ("crush",),
    }


def test_needs_are_inherited_through_several_steps_and_each_once(check_small_recipe: Check) -> None:
    wide = RECIPE.replace(
        "do: advance, to: belt.exit", "do: advance, to: belt.exit, needs: [crush, settle, press]"
    )
    assert needs(check_small_recipe(text=wide).recipe.variants["plain"])["out"] == ("press#2",)


def test_a_first_step_that_is_not_taken_leaves_the_next_one_first(check_small_recipe: Check) -> None:
    text = RECIPE.replace(
        "steps:\n",
        "steps:\n  - {step: zero, do: transfer, take: lid, to: belt.load, when: {seal: hard}}\n",
        1,
    )
    assert needs(check_small_recipe(text=text).recipe.variants["plain"])["load"] == ()


def test_a_variant_may_change_a_condition(check_small_recipe: Check) -> None:
    text = RECIPE.replace("plain: {}", "plain: {steps: {settle: {when: {seal: none}}}}")
    assert "settle" in needs(check_small_recipe(text=text).recipe.variants["plain"])


def test_a_step_that_no_variant_takes_can_never_run(check_small_recipe: Check) -> None:
    checked = check_small_recipe(
        text=RECIPE.replace("{seal: hard, force: 50 N}", "{«seal: soft, force: 50 N}")
    )
    assert checked.recipe is not None
    text = RECIPE.replace("{seal: hard, force: 50 N}", "{«force: 55 N}")
    checked = check_small_recipe(text=text)
    checked.has("CC-P015", "can never run")
    assert not checked.errors


def test_a_condition_that_every_variant_meets_is_told(check_small_recipe: Check) -> None:
    text = RECIPE.replace("{seal: [soft, hard]}", "{«seal: [soft, hard, none]}")
    checked = check_small_recipe(text=text)
    checked.has("CC-P016", "excludes nothing")
    assert not checked.errors


def test_a_recipe_without_variants_may_leave_conditions_to_its_orders(check_small_recipe: Check) -> None:
    text = RECIPE[: RECIPE.index("variants:")] + RECIPE[RECIPE.index("steps:") :]
    well(check_small_recipe(text=text))


# --- repetition ---------------------------------------------------------------------------------------------------


def test_a_step_is_done_again_as_often_as_the_parameter_says(check_small_recipe: Check) -> None:
    variants = well(check_small_recipe(text=RECIPE)).recipe.variants
    assert list(needs(variants["soft"]))[2:5] == ["press#1", "press#2", "press#3"]
    assert [needs(variants["soft"])[f"press#{n}"] for n in (1, 2, 3)] == [
        ("to_press",),
        ("press#1",),
        ("press#2",),
    ]


def test_a_block_is_done_again_in_turn_and_speaks_of_its_own_round(check_small_recipe: Check) -> None:
    made = well(check_small_recipe(text=BLOCK)).made[""]
    assert [s.name for s in made.steps] == [
        "load",
        "to_press",
        "press#1",
        "measure#1",
        "press#2",
        "measure#2",
        "out",
    ]
    assert [made.step(f"measure#{n}").routes["reject"].start for n in (1, 2)] == ["press#1", "press#2"]
    assert made.step("press#2").needs == ("measure#1",)
    assert made.step("out").needs == ("measure#2",)


def test_a_result_of_the_same_round_is_meant_inside_and_one_is_named_outside(
    check_small_recipe: Check,
) -> None:
    inside = BLOCK.replace(
        "      - {step: measure,",
        "      - {step: more, do: run, program: close, force: $press.peak}\n      - {step: measure,",
    )
    outside = inside.replace(
        "  - {step: out,", "  - {step: last, do: run, program: close, force: $press#1.peak}\n  - {step: out,"
    )
    made = well(check_small_recipe(text=outside)).made[""]
    references = [made.step(name).references["force"] for name in ("more#1", "more#2", "last")]
    assert references == ["press#1.peak", "press#2.peak", "press#1.peak"]


def test_rounds_that_say_what_they_need_are_side_by_side(check_small_recipe: Check) -> None:
    text = RECIPE.replace("repeat: $times", "repeat: $times, needs: to_press")
    made = needs(well(check_small_recipe(text=text)).recipe.variants["soft"])
    assert [made[f"press#{n}"] for n in (1, 2, 3)] == [("to_press",)] * 3
    assert made["settle"] == ("press#1", "press#2", "press#3")
    named = text.replace("when: {seal: [soft, hard]}", "when: {seal: [soft, hard]}, needs: press")
    assert needs(check_small_recipe(text=named).recipe.variants["soft"])["settle"] == (
        "press#1",
        "press#2",
        "press#3",
    )


def test_blocks_may_stand_in_blocks(check_small_recipe: Check) -> None:
    text = BLOCK.replace("force: 40 N}", "force: 40 N, repeat: 2}")
    made = well(check_small_recipe(text=text)).made[""]
    assert [s.name for s in made.steps][2:8] == [
        "press#1#1",
        "press#1#2",
        "measure#1",
        "press#2#1",
        "press#2#2",
        "measure#2",
    ]
    assert made.step("measure#2").routes["reject"].start == "press#2#1"


def test_a_named_block_gives_its_name_to_its_steps(check_small_recipe: Check) -> None:
    made = well(
        check_small_recipe(text=BLOCK.replace("  - repeat: 2", "  - step: both\n    repeat: 2"))
    ).made[""]
    assert made.step("both.press#2").needs == ("both.measure#1",)


def test_a_variant_repeats_a_step_or_one_inside_a_block(check_small_recipe: Check) -> None:
    text = BLOCK.replace(
        "steps:\n",
        "variants:\n  soft: {steps: {measure: {repeat: 2}, wait: {after: press, do: run, program: close, force: 20 N}}}\nsteps:\n",
        1,
    )
    made = well(check_small_recipe(text=text)).made["soft"]
    assert [s.name for s in made.steps][2:6] == ["press#1", "wait#1", "measure#1#1", "measure#1#2"]
