"""What is wrong with conditions, repetitions and sub-recipes is found at its place."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from block_recipes import BLOCK, INCLUDING, RECIPE, TIGHT

Check = Callable[..., Any]


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


def test_a_result_of_another_dimension_is_found(check_small_recipe: Check) -> None:
    text = BLOCK.replace(
        "  - {step: out,",
        "  - {step: last, do: run, program: close, force: «$measure#2.height}\n  - {step: out,",
    )
    checked = check_small_recipe(text=text)
    checked.has_only("CC-C030", "a length")
