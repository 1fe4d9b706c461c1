"""Conditions, repetition and sub-recipes: what becomes of them in each variant, and every mistake at its place."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellctl.findings import Report
from cellctl.recipe.load import load_recipe
from cellctl.recipe.subrecipes import included_texts

Check = Callable[..., Any]

RECIPE = """\
recipe: thing
parameters:
  seal: {text: none, choices: [none, soft, hard]}
  force: {default: 40 N, min: 20 N, max: 60 N}
  times: {number: 2}
variants:
  plain: {}
  soft: {seal: soft, times: 3}
  hard: {seal: hard, force: 0.05 kN}
steps:
  - {step: load, do: transfer, take: lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {step: press, do: run, program: close, force: $force, repeat: $times}
  - {step: settle, do: run, program: close, force: 20 N, when: {seal: [soft, hard]}}
  - {step: crush, do: run, program: close, force: 60 N, when: {seal: hard, force: 50 N}}
  - {step: out, do: advance, to: belt.exit}
"""

TIGHT = """\
subrecipe: tight
parameters:
  force: {default: 30 N, max: 50 N}
  twice: {text: "no", choices: ["yes", "no"]}
steps:
  - {step: press, do: run, program: close, force: $force}
  - {step: again, do: run, program: close, force: $press.peak, when: {twice: "yes"}}
  - {step: measure, do: measure, expect: {height: 18.2 mm ± 0.1 mm}, on: {reject: {retry: 1, from: press, then: next}}}
"""

INCLUDING = """\
recipe: thing
parameters:
  force: {default: 40 N}
  twice: {text: "no"}
variants:
  plain: {}
  twice: {twice: "yes", force: 45 N}
steps:
  - {step: load, do: transfer, take: lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {include: {recipe: tight, with: {force: $force, twice: $twice}}}
  - {step: out, do: advance, to: belt.exit}
"""

BLOCK = """\
recipe: thing
steps:
  - {step: load, do: transfer, take: lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - repeat: 2
    steps:
      - {step: press, do: run, program: close, force: 40 N}
      - {step: measure, do: measure, expect: {height: 18.2 mm ± 0.1 mm}, on: {reject: {retry: 1, from: press, then: next}}}
  - {step: out, do: advance, to: belt.exit}
"""


def needs(variant: Any) -> dict[str, tuple[str, ...]]:
    return {step.name: step.needs for step in variant.steps}


def well(checked: Any) -> Any:
    assert not checked.report.findings, checked.report.render()
    return checked


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


# --- sub-recipes --------------------------------------------------------------------------------------------------


def test_an_include_stands_for_the_steps_of_the_sub_recipe(check_small_recipe: Check) -> None:
    made = well(check_small_recipe(text=INCLUDING, included={"tight": TIGHT})).made
    assert [s.name for s in made["twice"].steps] == [
        "load",
        "to_press",
        "tight.press",
        "tight.again",
        "tight.measure",
        "out",
    ]
    assert "tight.again" not in [s.name for s in made["plain"].steps]
    assert made["twice"].step("tight.press").parameters["force"] == 45.0
    assert made["twice"].step("tight.again").references == {"force": "tight.press.peak"}
    assert made["plain"].step("tight.measure").needs == ("tight.press",)
    assert made["plain"].step("tight.measure").routes["reject"].start == "tight.press"
    assert made["plain"].step("out").needs == ("tight.measure",)


def test_a_sub_recipe_is_included_twice_under_two_names(check_small_recipe: Check) -> None:
    twice = "  - {step: left, include: {recipe: tight}}\n  - {step: right, include: {recipe: tight, with: {force: 35 N}}, repeat: 2}\n"
    text = INCLUDING.replace("  - {include: {recipe: tight, with: {force: $force, twice: $twice}}}\n", twice)
    made = check_small_recipe(text=text, included={"tight": TIGHT}).made["plain"]
    forces = {s.name: s.parameters["force"] for s in made.steps if "force" in s.parameters}
    assert forces == {"left.press": 30.0, "right.press#1": 35.0, "right.press#2": 35.0}
    assert made.step("right.press#1").needs == ("left.measure",)


def test_a_sub_recipe_may_include_another(check_small_recipe: Check) -> None:
    outer = "subrecipe: outer\nparameters: {f: {default: 20 N}}\nsteps:\n  - {step: inner, include: {recipe: tight, with: {force: $f}}, repeat: 2}\n"
    text = INCLUDING.replace(
        "{recipe: tight, with: {force: $force, twice: $twice}}", "{recipe: outer, with: {f: $force}}"
    )
    made = check_small_recipe(text=text, included={"tight": TIGHT, "outer": outer}).made["plain"]
    assert made.step("outer.inner.press#2").parameters["force"] == 40.0


def test_a_step_of_a_sub_recipe_without_needs_begins_after_its_first(check_small_recipe: Check) -> None:
    sub = TIGHT.replace("then: next}}}", "then: next}}, needs: []}")
    made = check_small_recipe(text=INCLUDING, included={"tight": sub}).made["twice"]
    assert made.step("tight.measure").needs == ("tight.press",)


def test_a_variant_changes_a_step_of_a_sub_recipe(check_small_recipe: Check) -> None:
    text = INCLUDING.replace(
        "  plain: {}",
        "  plain: {steps: {tight.press: {force: 33 N}, extra: {after: tight.press, do: run, program: close, force: 20 N}}}",
    )
    made = well(check_small_recipe(text=text, included={"tight": TIGHT})).made["plain"]
    assert made.step("tight.press").parameters["force"] == 33.0
    assert made.step("tight.measure").needs == ("extra",)


def test_a_finding_in_a_sub_recipe_shows_where_it_is_included(check_small_recipe: Check) -> None:
    checked = check_small_recipe(
        text=INCLUDING,
        included={"tight": TIGHT.replace("program: close, force: $force", "program: «clos, force: $force")},
    )
    finding = checked.has("CC-C008", "'clos'")
    assert finding.span.file == "tight.yaml"
    assert [(r.label, r.span.file, r.span.line) for r in finding.related] == [
        ("included here", "thing.yaml", 11)
    ]
    assert len(checked.errors) == 1


def test_sub_recipes_are_found_beside_the_file_and_go_with_an_order(tmp_path: Path) -> None:
    (tmp_path / "thing.yaml").write_text(INCLUDING, encoding="utf-8")
    (tmp_path / "tight.yaml").write_text(TIGHT, encoding="utf-8")
    report = Report()
    assert load_recipe(tmp_path / "thing.yaml", report) is not None, report.render()
    assert included_texts(tmp_path / "thing.yaml") == {"tight": TIGHT}


# --- what is wrong ------------------------------------------------------------------------------------------------

MISTAKES = {
    "a condition on no parameter": (("when: {seal: [soft, hard]}", "when: {«sael: soft}"), "CC-P009", "'seal'"),
    "a condition with a value that the parameter never has": (("when: {seal: [soft, hard]}", "when: {seal: [soft, «hrad]}"), "CC-P004", "'hard'"),
    "a condition of another dimension": (("force: 50 N}}", "force: «50 mm}}"), "CC-P004", "force"),
    "a condition that is no mapping": (("when: {seal: [soft, hard]}", "when: «soft"), "CC-V003", "a mapping"),
    "a condition on something composed": (("when: {seal: [soft, hard]}", "when: {seal: «{a: b}}"), "CC-V003", "text"),
    "a repetition of nothing": (("repeat: $times", "repeat: «0"), "CC-P014", "1 to 100"),
    "too many repetitions": (("repeat: $times", "repeat: «101"), "CC-P014", "1 to 100"),
    "a repetition that is no number": (("repeat: $times", "repeat: «often"), "CC-P014", "often"),
    "a repetition by a parameter that is no number": (("repeat: $times", "repeat: «$seal"), "CC-P014", "$seal = none"),
    "a repetition by no parameter": (("repeat: $times", "repeat: «$tmes"), "CC-P009", "'$times'"),
    "a step that is called like a repeated one": (("{step: settle,", "{step: «press#1,"), "CC-V007", ""),
    "a result of some round": (("{step: out, do: advance,", "{step: more, do: run, program: close, force: «$press.peak}\n  - {step: out, do: advance,"), "CC-P009", "'press#1'"),
    "a need of a round that there is not": (("to: belt.exit}", "to: belt.exit, needs: «press#9}"), "CC-P006", "'press#1'"),
    "a route to a step that is not taken": (("take: lid, to: belt.load}", "take: lid, to: belt.load, on: {missed: «settle}}"), "CC-P017", "settle"),
    "a result of a step that is not taken": (("{step: out, do: advance,", "{step: more, do: run, program: close, force: «$crush.peak}\n  - {step: out, do: advance,"), "CC-P017", "crush"),
    "a variant that renames a step": (("plain: {}", "plain: {steps: {settle: {step: «rest}}}"), "CC-P007", "rename"),
    "a variant from which every step is removed": (("plain: {}", "«plain: {steps: {load: remove, to_press: remove, press: remove, settle: remove, crush: remove, out: remove}}"), "CC-P018", "no step"),
    "a block of nothing": (("  - {step: settle,", "  - «{repeat: 2, step: x, needs: load, include: {recipe: a}, steps: [{step: y}]}\n  - {step: settle,"), "CC-P021", "either"),
    "a block with a strange key": (("  - {step: settle,", "  - {«repaet: 2, steps: [{step: y, do: run}]}\n  - {step: settle,"), "CC-V001", "'repeat'"),
    "needs that are said twice": (("  - {step: settle,", "  - {needs: «load, steps: [{step: y, do: run, program: close, force: 20 N, needs: press}]}\n  - {step: settle,"), "CC-P021", "twice"),
    "two blocks of one name": (("  - {step: settle,", "  - {step: b, steps: [{step: y, do: run, program: close, force: 20 N}]}\n  - «{step: b, steps: [{step: z, do: run, program: close, force: 20 N}]}\n  - {step: settle,"), "CC-P005", "'b'"),
    "a sub-recipe that is not there": (("  - {step: settle,", "  - {include: {recipe: «tigt}}\n  - {step: settle,"), "CC-P019", "'tight'"),
    "a sub-recipe that is a recipe": (("  - {step: settle,", "  - {include: {recipe: «whole}}\n  - {step: settle,"), "CC-P019", "of its own"),
    "a parameter that the sub-recipe does not have": (("  - {step: settle,", "  - {include: {recipe: tight, with: {«forse: 40 N}}}\n  - {step: settle,"), "CC-P009", "'force'"),
    "a value beyond the sub-recipe's bounds": (("  - {step: settle,", "  - {include: {recipe: tight, with: {force: «51 N}}}\n  - {step: settle,"), "CC-P004", "greatest value is 50 N"),
    "a parameter beyond the sub-recipe's bounds in one variant": (("  - {step: settle,", "  - {include: {recipe: tight, with: {force: «$force}}}\n  - {step: settle,"), "", ""),
    "a parameter of another kind": (("  - {step: settle,", "  - {include: {recipe: tight, with: {force: «$seal}}}\n  - {step: settle,"), "CC-P004", "force"),
    "a parameter that the recipe does not have": (("  - {step: settle,", "  - {include: {recipe: tight, with: {force: «$forse}}}\n  - {step: settle,"), "CC-P009", "'$force'"),
    "a condition that waits for a result": (("  - {step: settle,", "  - {include: {recipe: tight, with: {twice: $press#1.peak}}}\n  - {step: settle,"), "CC-P011", "cannot wait"),
}  # fmt: skip
WHOLE = "recipe: whole\nsteps:\n  - {step: load, do: transfer, take: lid, to: belt.exit}\n"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds_at_its_place(check_small_recipe: Check, mistake: str) -> None:
    change, code, said = MISTAKES[mistake]
    included = {"tight": TIGHT, "whole": WHOLE}
    if not code:
        included["tight"] = TIGHT.replace("max: 50 N", "max: 45 N")
        code, said = "CC-P004", "greatest value is 45 N"
    if mistake == "a condition that waits for a result":
        included["tight"] = TIGHT.replace('when: {twice: "yes"}', 'when: {«twice: "yes"}')
    checked = check_small_recipe(change, text=RECIPE, included=included)
    checked.has_only(code, said)
    assert checked.recipe is None


INSIDE = {
    "a need of the recipe around": (("then: next}}}", "then: next}}, needs: «load}"), "CC-P006", "press"),
    "a result of the recipe around": (("force: $press.peak", "force: «$load.peak"), "CC-P009", "press"),
    "a parameter of the recipe around": (("force: $press.peak", "force: «$times"), "CC-P009", "in this sub-recipe"),
    "a route to a step of the recipe around": (("then: next", "then: «out"), "CC-P006", "'out'"),
    "a key that sub-recipes do not have": (("steps:\n", "«scrap: []\nsteps:\n"), "CC-V001", "'scrap'"),
    "a usual value out of its bounds": (("default: 30 N", "default: «60 N"), "CC-P003", "50 N"),
    "a step without a skill": (("{step: press, do: run,", "«{step: press,"), "CC-V002", "'do'"),
    "itself": (("steps:\n", "steps:\n  - {include: {recipe: «tight}}\n"), "CC-P020", "tight -> tight"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", INSIDE)
def test_finds_in_the_sub_recipe(check_small_recipe: Check, mistake: str) -> None:
    (old, new), code, said = INSIDE[mistake]
    text = INCLUDING.replace(
        "recipe: thing\nparameters:\n", "recipe: thing\nparameters:\n  times: {number: 3}\n"
    ).replace("to: belt.exit}", "to: belt.exit, repeat: $times}")
    checked = check_small_recipe(text=text, included={"tight": TIGHT.replace(old, new)})
    finding = checked.has(code, said)
    assert finding.span.file == "tight.yaml"
    assert any(related.label == "included here" for related in finding.related)
    assert len(checked.errors) == 1, checked.report.render()


def test_warns_of_a_parameter_that_the_sub_recipe_does_not_use(check_small_recipe: Check) -> None:
    sub = TIGHT.replace("parameters:\n", "parameters:\n  «oil: {text: thin}\n")
    check_small_recipe(text=INCLUDING, included={"tight": sub}).has("CC-P010", "oil")


def test_steps_that_double_with_every_sub_recipe_are_stopped(check_small_recipe: Check) -> None:
    included = {
        f"s{n}": f"subrecipe: s{n}\nsteps:\n  - {{step: a, include: {{recipe: s{n + 1}}}}}\n  - {{step: b, include: {{recipe: s{n + 1}}}}}\n"
        for n in range(14)
    }
    included["s14"] = "subrecipe: s14\nsteps:\n  - {step: x, do: run, program: close, force: 20 N}\n"
    checked = check_small_recipe(
        text=INCLUDING.replace("{recipe: tight, with: {force: $force, twice: $twice}}", "{recipe: s0}"),
        included=included,
    )
    assert "CC-P022" in {finding.code for finding in checked.errors}


def test_repetitions_that_multiply_are_stopped(check_small_recipe: Check) -> None:
    text = BLOCK.replace("repeat: 2\n", "repeat: 100\n").replace("force: 40 N}", "force: 40 N, repeat: «100}")
    check_small_recipe(text=text).has("CC-P022", "lower")


def test_a_sub_recipe_is_not_made_by_itself(check_small_recipe: Check) -> None:
    check_small_recipe(text="«" + TIGHT).has_only("CC-P019", "only where a recipe includes it")


# --- results ------------------------------------------------------------------------------------------------------


def test_a_result_of_another_dimension_is_found(check_small_recipe: Check) -> None:
    text = BLOCK.replace(
        "  - {step: out,",
        "  - {step: last, do: run, program: close, force: «$measure#2.height}\n  - {step: out,",
    )
    checked = check_small_recipe(text=text)
    checked.has_only("CC-C030", "a length")
