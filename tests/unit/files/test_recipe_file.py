"""The recipe file by itself: variants, parameters, steps and references, and every mistake found at its place."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellctl.findings import Report
from cellctl.recipe.load import load_recipe

Check = Callable[..., Any]
PRODUCTS = Path(__file__).parents[3] / "recipes" / "products"


def names(variant: Any) -> list[str]:
    return [step.name for step in variant.steps]


# --- what it means --------------------------------------------------------------------------------------------


def test_a_right_file_is_a_recipe_without_findings(check_small_recipe: Check) -> None:
    checked = check_small_recipe()
    assert checked.recipe is not None
    assert checked.report.findings == ()
    assert list(checked.recipe.variants) == ["plain", "hard", "harder"]


def test_each_step_needs_the_one_above(check_small_recipe: Check) -> None:
    steps = check_small_recipe().recipe.variants["plain"].steps
    assert [step.needs for step in steps] == [(), ("load",), ("to_press",), ("press",), ("measure",)]


def test_a_step_may_say_what_it_needs(check_small_recipe: Check) -> None:
    recipe = check_small_recipe(("to: belt.exit}", "to: belt.exit, needs: [press, measure]}")).recipe
    assert recipe.variants["plain"].steps[-1].needs == ("press", "measure")


def test_a_variant_takes_the_values_of_those_that_it_extends(check_small_recipe: Check) -> None:
    variants = check_small_recipe().recipe.variants
    assert [variants[name].values["force"].text for name in variants] == ["40 N", "55 N", "60 N"]
    changed = check_small_recipe(("extends: hard, force: 60 N, ", "extends: hard, ")).recipe
    assert changed.variants["harder"].values["force"].text == "55 N"


def test_a_variant_adds_a_step_behind_another(check_small_recipe: Check) -> None:
    variant = check_small_recipe().recipe.variants["harder"]
    assert names(variant) == ["load", "to_press", "press", "again", "measure", "out"]
    assert variant.steps[4].needs == ("again",)


def test_a_variant_adds_a_step_before_another(check_small_recipe: Check) -> None:
    recipe = check_small_recipe(("after: press", "before: press")).recipe
    assert names(recipe.variants["harder"]) == ["load", "to_press", "again", "press", "measure", "out"]


def test_a_variant_removes_a_step(check_small_recipe: Check) -> None:
    recipe = check_small_recipe(("hard: {force: 55 N}", "hard: {steps: {measure: remove}}")).recipe
    assert names(recipe.variants["hard"]) == ["load", "to_press", "press", "out"]
    assert recipe.variants["hard"].steps[-1].needs == ("press",)


def test_a_variant_changes_keys_of_a_step_and_keeps_the_others(check_small_recipe: Check) -> None:
    recipe = check_small_recipe(("hard: {force: 55 N}", "hard: {steps: {press: {force: 59 N}}}")).recipe
    press = recipe.variants["hard"].steps[2]
    assert {key: node.plain for key, node in press.parameters.items()} == {
        "program": "close",
        "force": "59 N",
    }
    assert press.file.timeout == 6.0


def test_parameters_stand_where_they_are_referred_to(check_small_recipe: Check) -> None:
    press = check_small_recipe().recipe.variants["hard"].steps[2]
    assert press.parameters["force"].plain == "55 N"
    assert press.parameters["program"].plain == "close"
    assert check_small_recipe().recipe.variants["hard"].steps[0].file.take == "lid"


def test_a_recipe_without_variants_has_one_without_a_name(check_small_recipe: Check) -> None:
    text = "recipe: x\nsteps:\n  - {step: load, do: transfer, take: lid, to: belt.exit}\n"
    assert list(check_small_recipe(text=text).recipe.variants) == [""]


def test_the_shipped_recipe_loads_and_a_variant_is_one_line_or_a_few(check_small_recipe: Check) -> None:
    report = Report()
    recipe = load_recipe(PRODUCTS / "sensor-puck.yaml", report)
    assert recipe is not None, report.render()
    assert report.findings == ()
    assert "settle" in names(recipe.variants["tall"])
    assert "settle" not in names(recipe.variants["outdoor"])


# --- what is wrong ----------------------------------------------------------------------------------------------

MISTAKES = {
    "a key that the file does not have": (("variants:", "«varaints:"), "CC-V001", "'variants'"),
    "a revision that is no number": (("revision: 2", "revision: «two"), "CC-V003", "whole number"),
    "the same key twice": (("revision: 2", "revision: 2\n«revision: 3"), "CC-Y012", "'revision'"),
    "a variant that does not exist": (("extends: hard,", "extends: «hrad,"), "CC-P001", "'hard'"),
    "variants that extend each other": (("hard: {force: 55 N}", "hard: {force: 55 N, extends: «harder}"), "CC-P002", "->"),
    "a parameter of two kinds": (("lid: {material: lid}", "«lid: {material: lid, text: lid}"), "CC-P003", "one of"),
    "a parameter of no kind": (("lid: {material: lid}", "«lid: {}"), "CC-P003", "one of"),
    "bounds of another dimension": (("min: 20 N", "min: «20 mm"), "CC-P003", "a force"),
    "bounds of a material": (("lid: {material: lid}", "lid: {material: lid, «min: 1 N}"), "CC-P003", "no 'min'"),
    "a default out of its bounds": (("default: 40 N, min: 20 N", "default: «4 N, min: 20 N"), "CC-P003", "least"),
    "a text that is not among the choices": (("program: {text: close", "program: {text: «clos"), "CC-P003", "'close'"),
    "a variant's value out of bounds": (("hard: {force: 55 N}", "hard: {force: «65 N}"), "CC-P004", "greatest value is 60 N"),
    "a variant's value without a unit": (("hard: {force: 55 N}", "hard: {force: «55}"), "CC-P004", "55 N"),
    "a variant's value of another dimension": (("hard: {force: 55 N}", "hard: {force: «55 mm}"), "CC-P004", "force"),
    "a variant's value without tolerance": (("hard: {force: 55 N}", "hard: {height: «18 mm}"), "CC-P004", "tolerance"),
    "a variant's list where one value is meant": (("hard: {force: 55 N}", "hard: {force: «[1, 2]}"), "CC-P004", "quantity"),
    "a number where a material is meant": (("hard: {force: 55 N}", "hard: {lid: «7}"), "CC-P004", '"7"'),
    "a variant's key that is no parameter": (("hard: {force: 55 N}", "hard: {«forse: 55 N}"), "CC-V001", "'force'"),
    "a parameter that variants could not set": (("lid: {material: lid}", "«steps: {material: lid}\n  lid: {material: lid}"), "CC-P012", ""),
    "two steps of one name": (("{step: out,", "{step: «press,"), "CC-P005", "'press'"),
    "a step that a route would not find": (("{step: out,", "{step: «scrap,"), "CC-P012", "'scrap'"),
    "a step without a skill": (("{step: out, do: advance,", "«{step: out,"), "CC-V002", "'do'"),
    "a timeout without a unit": (("timeout: 6 s", "timeout: «6"), "CC-V004", "6 s"),
    "a need that no step meets": (("to: belt.exit}", "to: belt.exit, needs: «mesure}"), "CC-P006", "'measure'"),
    "needs in a circle": (("to: belt.press}", "to: belt.press, needs: «measure}"), "CC-P008", "->"),
    "a route to nowhere": (("then: scrap}", "then: «scarp}"), "CC-P006", "'scrap'"),
    "a retry from nowhere": (("from: press", "from: «pres"), "CC-P006", "'press'"),
    "a retry from a later step": (("from: press", "from: «out"), "CC-P013", "before"),
    "a start without a retry": (("retry: 1, from: press", "from: «press"), "CC-P013", "retry: 1"),
    "a key that routes do not have": (("then: scrap}", "«than: scrap}"), "CC-V001", "'then'"),
    "a change of a step that is not there": (("hard: {force: 55 N}", "hard: {steps: {«pres: {force: 3 N}}}"), "CC-P006", "'press'"),
    "the removal of a step that is not there": (("hard: {force: 55 N}", "hard: {steps: {«pres: remove}}"), "CC-P006", "'press'"),
    "a new step behind one that is not there": (("after: press", "after: «pres"), "CC-P006", "'press'"),
    "a new step of a name that is taken": (("steps: {again:", "steps: {«load:"), "CC-P005", "already"),
    "a change that changes nothing": (("hard: {force: 55 N}", "hard: {steps: {press: «delete}}"), "CC-P007", "remove"),
    "a need for a step that the variant removed": (
        ("hard: {force: 55 N}", "hard: {steps: {measure: remove, out: {needs: «measure}}}"), "CC-P006", "measure",
    ),
    "a reference to no parameter": (("force: $force, timeout", "force: «$forse, timeout"), "CC-P009", "'$force'"),
    "a result of no step": (("force: $force, timeout", "force: «$loud.peak, timeout"), "CC-P009", "'load'"),
    "a result of a step that comes later": (("force: $force, timeout", "force: «$measure.height, timeout"), "CC-P011", "not known yet"),
    "a result where none can be": (("to: belt.exit}", "to: «$press.peak}"), "CC-P011", "'to'"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds_at_its_place(check_small_recipe: Check, mistake: str) -> None:
    change, code, said = MISTAKES[mistake]
    checked = check_small_recipe(change)
    checked.has_only(code, said)
    assert checked.recipe is None


def test_warns_of_a_parameter_that_nobody_uses(check_small_recipe: Check) -> None:
    checked = check_small_recipe(
        ("  lid: {material: lid}\n", "  lid: {material: lid}\n  «oil: {text: thin}\n")
    )
    checked.has_only("CC-P010", "$oil")
    assert checked.recipe is not None


def test_a_mistake_in_a_common_step_is_told_once_for_all_variants(check_small_recipe: Check) -> None:
    checked = check_small_recipe(("timeout: 6 s", "timeout: «6"))
    assert len(checked.errors) == 1


def test_finds_many_mistakes_in_one_run(check_small_recipe: Check) -> None:
    checked = check_small_recipe(
        ("hard: {force: 55 N}", "hard: {force: «65 N}"),
        ("to: belt.press}", "to: belt.press, timeout: «3}"),
        ("{step: out, do: advance, to: belt.exit}", "{step: out, do: advance, to: belt.exit, needs: «all}"),
    )
    assert [finding.code for finding in checked.errors] == ["CC-P004", "CC-V004", "CC-P006"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "text",
        "recipe: x\n",
        "recipe: x\nsteps: []\n",
        "recipe: x\nsteps: [3, {step: 4}]\n",
        "steps: {}\n",
    ],
)
def test_a_file_that_is_no_recipe_is_findings(check_small_recipe: Check, text: str) -> None:
    checked = check_small_recipe(text=text)
    assert checked.recipe is None
    assert checked.errors
