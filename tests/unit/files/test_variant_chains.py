"""Chains of variants: what each takes over from those that it extends, and what cannot be taken over."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Check = Callable[..., Any]


def variants(check: Check, written: str) -> Any:
    base = "variants:\n  plain: {}\n  hard: {force: 55 N}\n  harder: {extends: hard, force: 60 N, steps: {again: {after: press, do: run, program: close, force: $force}}}\n"
    return check((base, f"variants:\n{written}"))


def names(checked: Any, variant: str) -> list[str]:
    assert checked.recipe is not None, checked.report.render()
    return [step.name for step in checked.recipe.variants[variant].steps]


def test_a_chain_applies_the_farthest_ancestor_first(check_small_recipe: Check) -> None:
    checked = variants(
        check_small_recipe,
        "  c: {extends: b, force: 57 N}\n  b: {extends: a, steps: {press: {timeout: 9 s}}}\n  a: {force: 50 N, steps: {press: {timeout: 7 s, force: 41 N}}}\n",
    )
    press = checked.recipe.variants["c"].steps[2]
    assert (press.file.timeout, press.parameters["force"].text) == (9.0, "41 N")
    assert checked.recipe.variants["b"].values["force"].text == "50 N"
    assert checked.recipe.variants["c"].values["force"].text == "57 N"


def test_a_step_that_an_ancestor_removed_can_come_back(check_small_recipe: Check) -> None:
    again = "measure: {before: out, do: measure, expect: {height: $height}}"
    checked = variants(
        check_small_recipe, f"  a: {{steps: {{measure: remove}}}}\n  b: {{extends: a, steps: {{{again}}}}}\n"
    )
    assert names(checked, "a") == ["load", "to_press", "press", "out"]
    assert names(checked, "b") == ["load", "to_press", "press", "measure", "out"]


def test_a_step_that_an_ancestor_added_can_be_changed_and_removed(check_small_recipe: Check) -> None:
    added = "a: {steps: {soft: {after: press, do: run, program: close, force: 20 N}}}"
    checked = variants(
        check_small_recipe,
        f"  {added}\n  b: {{extends: a, steps: {{soft: {{force: 25 N}}}}}}\n  c: {{extends: b, steps: {{soft: remove}}}}\n",
    )
    assert checked.recipe.variants["b"].steps[3].parameters["force"].text == "25 N"
    assert "soft" not in names(checked, "c")


def test_two_variants_of_one_ancestor_do_not_see_each_other(check_small_recipe: Check) -> None:
    checked = variants(
        check_small_recipe,
        "  a: {force: 50 N}\n  b: {extends: a, steps: {measure: remove}}\n  c: {extends: a}\n",
    )
    assert "measure" not in names(checked, "b")
    assert "measure" in names(checked, "c")


def test_steps_added_one_behind_the_other_keep_their_order(check_small_recipe: Check) -> None:
    more = "x: {after: press, do: run, program: close, force: 20 N}, y: {after: x, do: run, program: close, force: 21 N}, z: {before: x, do: run, program: close, force: 22 N}"
    assert names(variants(check_small_recipe, f"  a: {{steps: {{{more}}}}}\n"), "a")[2:6] == [
        "press",
        "z",
        "x",
        "y",
    ]


MISTAKES = {
    "itself": ("  a: {extends: «a}\n", "CC-P002", "a -> a"),
    "each other in a ring of three": ("  a: {extends: «b}\n  b: {extends: c}\n  c: {extends: a}\n", "CC-P002", "a -> b -> c -> a"),
    "one that is in a ring": ("  d: {extends: a}\n  a: {extends: «b}\n  b: {extends: a}\n", "CC-P002", "a -> b -> a"),
    "a change of a step that an ancestor removed": ("  a: {steps: {measure: remove}}\n  b: {extends: a, steps: {«measure: {timeout: 4 s}}}\n", "CC-P006", "measure"),
    "a removal of a step that an ancestor removed": ("  a: {steps: {measure: remove}}\n  b: {extends: a, steps: {«measure: remove}}\n", "CC-P006", "measure"),
    "a step behind one that an ancestor removed": ("  a: {steps: {measure: remove}}\n  b: {extends: a, steps: {x: {after: «measure, do: advance, to: belt.load}}}\n", "CC-P006", "measure"),
    "a step behind and before": ("  a: {steps: {x: {after: press, «before: out, do: run, program: close, force: 20 N}}}\n", "CC-P007", "after"),
    "a change that is a list": ("  a: {steps: {press: «[remove]}}\n", "CC-P007", "remove"),
    "changes that are a list": ("  a: {steps: «[press]}\n", "CC-P007", "mapping"),
    "an ancestor that is a list": ("  a: {}\n  b: {extends: «[a]}\n", "CC-P001", "one variant"),
    "a value beyond the bounds in an ancestor, told once": ("  a: {force: «99 N}\n  b: {extends: a}\n  c: {extends: b}\n", "CC-P004", "60 N"),
    "a retry from a removed step": ("  a: {steps: {press: remove, measure: {on: {reject: {retry: 1, from: «press, then: scrap}}}}}\n", "CC-P006", "press"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds_variants_that_extend_or_change(check_small_recipe: Check, mistake: str) -> None:
    written, code, said = MISTAKES[mistake]
    checked = variants(check_small_recipe, written)
    checked.has_only(code, said)
    assert checked.recipe is None
