"""Sub-recipes: what becomes of them where they are included, with their parameters and in each variant."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from block_recipes import INCLUDING, TIGHT, well

from cellctl.findings import Report
from cellctl.recipe.load import load_recipe
from cellctl.recipe.subrecipes import included_texts

Check = Callable[..., Any]


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
