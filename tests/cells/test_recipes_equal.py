"""A product written with conditions, repetition or a sub-recipe is the very product that is written out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cellctl.compile.compiler import check_recipe
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import parse_recipe

HERE = Path(__file__).parent
RECIPES = HERE.parents[1] / "recipes"


def line_of(cell: str, installed: Any) -> Line:
    shipped = RECIPES / "lines" / f"{cell}.yaml"
    line = load_line(shipped if shipped.is_file() else HERE / cell / "line.yaml", Report(), *installed)
    assert line is not None
    return line


def made(text: str, line: Line, included: dict[str, str] | None = None) -> dict[str, Executable]:
    report = Report()
    recipe = parse_recipe(text, "recipe.yaml", report, included)
    assert recipe is not None, report.render()
    found = check_recipe(recipe, line, report)
    assert not report.findings, report.render()
    return found


KIT = ("screw", "washer", "nut", "spring", "pin", "clip", "seal", "spacer", "bolt", "rivet")


def kit(variants: str, cap: str, lean: str) -> str:
    inserts = "".join(f"  - {{step: {m}, do: insert, take: {m}, into: arm.bench, needs: box}}\n" for m in KIT)
    last = "".join(
        f"  - {{step: {m}, do: insert, take: {m}, into: arm.bench, needs: box{cap}}}\n"
        for m in ("cap", "label")
    )
    needs = ", ".join((*KIT, "cap", "label"))
    return (
        f"recipe: kit\n{variants}steps:\n  - {{step: box, do: transfer, take: box, to: arm.bench}}\n{inserts}{last}"
        f"  - {{step: out, do: transfer, to: arm.out, needs: [{needs}]}}\n"
    )


def test_steps_with_a_condition_are_those_that_a_variant_removes(with_example_plugin: Any) -> None:
    needs = f"out: {{needs: [{', '.join(KIT)}]}}"
    removed = f"variants: {{full: {{}}, lean: {{steps: {{label: remove, cap: remove, {needs}}}}}}}\n"
    taken = (
        "parameters: {set: {text: full, choices: [full, lean]}}\nvariants: {full: {}, lean: {set: lean}}\n"
    )
    line = line_of("kitting", with_example_plugin)
    by_hand, by_condition = (
        made(kit(removed, "", ""), line),
        made(kit(taken, ", when: {set: full}", ""), line),
    )
    assert [by_hand[name].digest for name in ("full", "lean")] == [
        by_condition[name].digest for name in ("full", "lean")
    ]


RING = """\
recipe: ring-check
steps:
  - {step: load, do: transfer, take: ring, to: belt.load}
  - {step: to_gauge, do: advance, to: belt.gauge}
  - {step: height, do: measure, expect: {height: 8.00 mm ± 0.05 mm}, on: {reject: high}}
  - {step: mass, do: measure, expect: {mass: 12.0 g ± 0.2 g}, on: {reject: heavy}}
  - {step: to_inlet, do: hand_over, to: diverter.inlet}
  - {step: good, do: divert, to: diverter.good}
scrap:
"""
LANE = """\
subrecipe: lane
parameters: {to: {text: diverter.high}}
steps:
  - {step: inlet, do: hand_over, to: diverter.inlet}
  - {step: divert, do: divert, to: $to}
"""


@pytest.mark.parametrize("name", ["high", "heavy"])
def test_a_sub_recipe_is_the_steps_that_it_stands_for(name: str, with_example_plugin: Any) -> None:
    included = "".join(
        f"  - {{step: {each}, include: {{recipe: lane, with: {{to: diverter.{each}}}}}, needs: []}}\n"
        for each in ("high", "heavy")
    )
    lanes = made(RING + included, line_of("sorting", with_example_plugin), {"lane": LANE})[""]
    by_hand = "".join(
        f"  - {{step: {each}_inlet, do: hand_over, to: diverter.inlet, needs: []}}\n"
        f"  - {{step: {each}, do: divert, to: diverter.{each}}}\n"
        for each in ("high", "heavy")
    )
    plain = RING.replace("reject: high", "reject: high_inlet").replace("reject: heavy", "reject: heavy_inlet")
    hand = made(plain + by_hand, line_of("sorting", with_example_plugin))[""]
    assert lanes.step("height").routes["reject"].then == "high.inlet"
    assert lanes.step(f"{name}.divert").to == hand.step(name).to == (f"diverter.{name}",)
    assert lanes.step(f"{name}.divert").needs == (f"{name}.inlet",)
    assert lanes.step(f"{name}.inlet").needs == hand.step(f"{name}_inlet").needs == ()


def test_a_repeated_step_is_the_steps_written_out(with_example_plugin: Any) -> None:
    text = """\
recipe: ring
steps:
  - {step: load, do: transfer, take: housing, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
ROUNDS
  - {step: to_gauge, do: advance, to: belt.gauge}
  - {step: out, do: advance, to: belt.exit}
"""
    press = "  - {step: press, do: run, program: close, force: 40 N, repeat: 3}"
    by_hand = "\n".join(f"  - {{step: press{n}, do: run, program: close, force: 40 N}}" for n in (1, 2, 3))
    line = line_of("puck", with_example_plugin)
    repeated, written = (made(text.replace("ROUNDS", rounds), line)[""] for rounds in (press, by_hand))
    assert [step.name.replace("#", "") for step in repeated.steps] == [step.name for step in written.steps]
    assert [step.parameters for step in repeated.steps] == [step.parameters for step in written.steps]
    assert [tuple(n.replace("#", "") for n in step.needs) for step in repeated.steps] == [
        s.needs for s in written.steps
    ]
