"""A recipe on a line: what the executable says, and everything that the line cannot do found at its place."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cellctl.compile.compiler import compile_recipe
from cellctl.compile.order import RecipeRefused, compile_order_text
from cellctl.findings import Report
from cellctl.line.model import Line
from cellctl.messages import Limits
from cellctl.recipe.executable import Executable, Route

Check = Callable[..., Any]
RECIPES = Path(__file__).parents[3] / "recipes"


# --- what it means ---------------------------------------------------------------------------------------------


def test_every_variant_compiles(check_small_recipe: Check) -> None:
    checked = check_small_recipe()
    assert list(checked.made) == ["plain", "hard", "harder"]
    assert len({executable.digest for executable in checked.made.values()}) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timeout: 6 s", "timeout: 6000 ms"),
        (
            "force: {default: 40 N, min: 20 N, max: 60 N}",
            "force: {max: 60 N, min: 0.020 kN, default: 0.04 kN}",
        ),
        ("height: {default: 18.20 mm ± 0.15 mm}", "height: {default: 1.820 cm +150/-150 um}"),
        ("do: transfer, take: $lid, to: belt.load", "to: [belt.load], take: $lid, do: transfer"),
        ("{step: out, do: advance, to: belt.exit}", "{step: out, do: advance, to: exit, needs: measure}"),
    ],
)
def test_what_is_only_said_otherwise_is_the_same_recipe(
    check_small_recipe: Check, old: str, new: str
) -> None:
    one, other = check_small_recipe().made["plain"], check_small_recipe((old, new)).made["plain"]
    assert one.digest == other.digest


def test_the_same_text_and_line_give_the_same_digest(check_small_recipe: Check) -> None:
    first, second = (
        check_small_recipe().made["hard"],
        check_small_recipe(("revision: 2", "revision: 2 # two")).made["hard"],
    )
    assert first.digest == second.digest


def test_values_are_si_and_limits_are_named_by_their_feature(check_small_recipe: Check) -> None:
    executable = check_small_recipe().made["hard"]
    assert executable.step("press").parameters == {"program": "close", "force": 55.0}
    assert executable.step("press").timeout == 6.0
    assert executable.step("measure").parameters == {
        "expect.height": Limits(0.0182, 0.01805, 0.01835, "length")
    }


def test_each_step_finds_who_can_do_it_and_where(check_small_recipe: Check) -> None:
    executable = check_small_recipe().made["plain"]
    assert {s.name: (s.modules[""], s.to, s.at) for s in (*executable.steps, *executable.scrap)} == {
        "load": (("arm",), ("belt.load",), ()),
        "to_press": (("belt",), ("belt.press",), ()),
        "press": (("press",), (), ("belt.press",)),
        "measure": (("gauge",), (), ("belt.press",)),
        "out": (("belt",), ("belt.exit",), ()),
        "drop": (("arm",), ("arm.bin",), ()),
    }


def test_every_outcome_has_a_route_the_skills_own_repeats_where_the_recipe_says_nothing(
    check_small_recipe: Check,
) -> None:
    executable = check_small_recipe(("to: belt.load}", "to: belt.load, on: {dropped: ask}}")).made["plain"]
    assert executable.step("load").routes == {"missed": Route(retry=1), "dropped": Route(), "failed": Route()}
    assert executable.step("measure").routes["reject"] == Route(1, "press", "scrap")


def test_a_result_of_an_earlier_step_is_a_reference(check_small_recipe: Check) -> None:
    again = "{after: press, do: run, program: close, force: $press.peak}"
    executable = check_small_recipe(("{after: press, do: run, program: close, force: $force}", again)).made[
        "harder"
    ]
    assert executable.step("again").references == {"force": "press.peak"}
    assert executable.step("again").parameters == {"program": "close"}


def test_steps_stand_behind_what_they_need(check_small_recipe: Check) -> None:
    text = """\
recipe: x
steps:
  - {step: out, do: advance, to: belt.exit, needs: to_press}
  - {step: to_press, do: advance, to: belt.press, needs: load}
  - {step: load, do: transfer, take: lid, to: belt.load, needs: []}
"""
    executable = check_small_recipe(text=text).made[""]
    assert [step.name for step in executable.steps] == ["load", "to_press", "out"]


def test_an_executable_survives_its_journal(check_small_recipe: Check) -> None:
    executable = check_small_recipe().made["harder"]
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(executable), type=Executable)
    assert again == executable
    assert again.digest == executable.digest


def test_a_station_may_be_named_shortly_where_only_one_is_called_so(check_small_recipe: Check) -> None:
    assert check_small_recipe(("to: belt.exit", "to: exit")).made["plain"].step("out").to == ("belt.exit",)


def test_by_chooses_among_the_modules_that_can(check_small_recipe: Check) -> None:
    assert check_small_recipe(("to: belt.exit", "to: belt.exit, by: belt")).made["plain"].step(
        "out"
    ).modules == {"": ("belt",)}


def test_the_shipped_recipe_compiles_for_the_shipped_line(pucks: list[Executable]) -> None:
    indoor, outdoor, tall = pucks
    assert outdoor.step("press").parameters["force"] == 55.0
    assert tall.step("load").take == "housing-tall"
    assert len(tall.steps) == len(indoor.steps) + 1


def test_the_shipped_materials_give_the_heights_that_the_recipe_expects(
    puck_line: Line, pucks: list[Executable]
) -> None:
    for executable in pucks:
        parts = [puck_line.materials[step.take] for step in executable.steps if step.take]
        force = executable.step("press").parameters["force"]
        assert isinstance(force, float)
        pressed = sum(m.height for m in parts) - sum(force / m.stiffness for m in parts if m.stiffness)
        expected = executable.step("measure").parameters["expect.height"]
        assert isinstance(expected, Limits)
        assert pressed == pytest.approx(expected.nominal, abs=1e-9)


# --- what is wrong ----------------------------------------------------------------------------------------------

MISTAKES = {
    "a skill that no module has": (("do: advance, to: belt.press", "do: «advanse, to: belt.press"), "CC-C001", "'advance'"),
    "a step that feeds": (("do: advance, to: belt.press", "do: «feed, to: belt.press"), "CC-C009", "by themselves"),
    "a station that does not exist": (("to: belt.press", "to: «belt.pres"), "CC-C003", "'belt.press'"),
    "a parameter that the skill does not have": (("timeout: 6 s", "«timeuot: 6 s"), "CC-C005", "'timeout'"),
    "a value without a unit": (("program: $program, force: $force", "program: $program, force: «50"), "CC-C006", "50 N"),
    "a value of another dimension": (("program: $program, force: $force", "program: $program, force: «50 mm"), "CC-C006", "force"),
    "a value beyond what the program takes": (("program: $program, force: $force", "program: $program, force: «81 N"), "CC-C006", "10 N to 80 N"),
    "a number where text is needed": (("program: $program, force", "program: «3, force"), "CC-C006", "quotes"),
    "a value that the program needs": (("step: press, do: run, program: $program, force: $force", "step: «press, do: run, program: $program"), "CC-C007", "force: 10 N"),
    "a parameter that the skill needs": (("step: press, do: run, program: $program, force: $force", "step: «press, do: run, force: $force"), "CC-C007", "program: close"),
    "a program that the machine does not have": (("program: $program, force", "program: «clos, force"), "CC-C008", "'close'"),
    "a feature that the gauge does not have": (("{height: $height}", "{«hight: $height}"), "CC-C008", "'height'"),
    "a feature without a tolerance": (("{height: $height}", "{height: «18 mm}"), "CC-C006", "tolerance"),
    "limits that are one value": (("expect: {height: $height}", "expect: «18 mm"), "CC-C006", "height"),
    "a target for what moves nothing": (("timeout: 6 s", "«to: belt.exit"), "CC-C009", "'to'"),
    "no target for what moves": (("step: out, do: advance, to: belt.exit", "step: «out, do: advance"), "CC-C009", "to: ..."),
    "an outcome that the skill does not have": (("on: {reject:", "on: {«rejekt:"), "CC-C010", "'reject'"),
    "a step before the part is there": (("  - {step: load, do: transfer, take: $lid, to: belt.load}\n  - {step: to_press,", "  - {step: «to_press,"), "CC-C011", "none yet"),
    "a second part on the first": (("do: advance, to: belt.press", "do: transfer, take: «lid, to: belt.load"), "CC-C011", "belt.load already"),
    "a step that works where the part is not": (("timeout: 6 s", "at: «belt.load"), "CC-C011", "belt.press"),
    "a step after the part has left": (("scrap:\n", "  - {step: «late, do: advance, to: belt.load}\nscrap:\n"), "CC-C011", "left the line"),
    "a move that no arm has a pose for": (("do: advance, to: belt.exit", "do: transfer, to: «belt.exit"), "CC-C002", "arm has no pose for belt.exit"),
    "a machine that is elsewhere": (("do: advance, to: belt.press}\n  - {step: press, do: run", "do: transfer, to: arm.rack}\n  - {step: press, do: «run"), "CC-C002", "arm.rack"),
    "a result that the program does not give": (("{after: press, do: run, program: close, force: $force}", "{after: press, do: run, program: close, force: «$press.peek}"), "CC-C012", "'peak'"),
    "a module that does not have the skill": (("to: belt.exit", "by: «amr, to: belt.exit"), "CC-C013", "belt"),
    "parts announced where nobody does": (("revision: 2", "revision: 2\narrives: «belt.load"), "CC-C017", "announces"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds_at_its_place(check_small_recipe: Check, mistake: str) -> None:
    change, code, said = MISTAKES[mistake]
    checked = check_small_recipe(change)
    assert checked.recipe is not None, checked.report.render()
    checked.has(code, said)
    assert "plain" not in checked.made or "harder" not in checked.made


def test_finds_a_material_that_the_line_does_not_have_where_it_is_taken(check_small_recipe: Check) -> None:
    checked = check_small_recipe(("take: $lid", "take: «$lid"), ("hard: {force: 55 N}", "hard: {lid: lit}"))
    checked.has_only("CC-C004", "'lid'")
    assert list(checked.made) == ["plain"]


def test_finds_a_material_that_nothing_yields(check_small_recipe: Check) -> None:
    check_small_recipe(("take: $lid", "take: «$lid"), ("{material: lid}", "{material: body}")).has(
        "CC-C004", "yields"
    )


def test_finds_a_route_to_scrap_that_nothing_ends(check_small_recipe: Check) -> None:
    no_scrap = ("scrap:\n  - {step: drop, do: transfer, to: bin}\n", "")
    check_small_recipe(no_scrap, ("on: {reject", "on: «{reject")).has_only("CC-C015", "add scrap")


def test_finds_a_place_from_which_nobody_takes_scrap_away(
    check_line: Check, check_small_recipe: Check
) -> None:
    no_pose = check_line((", pose: {x: 200 mm, y: 100 mm, z: 30 mm}", "")).line
    checked = check_small_recipe(("do: transfer, to: bin", "do: transfer, to: «bin"), line=no_pose)
    checked.has_only("CC-C002", "arm has no pose for belt.press")


def test_warns_of_a_part_that_stays_on_the_line(check_small_recipe: Check) -> None:
    checked = check_small_recipe(
        ("  - {step: out, do: advance, to: belt.exit}\n", ""), ("step: measure,", "step: «measure,")
    )
    checked.has("CC-C014", "belt.press")
    assert "plain" in checked.made


def test_finds_more_parts_at_once_than_the_station_holds(check_small_recipe: Check) -> None:
    text = """\
recipe: x
steps:
  - {step: make, do: make, program: close, force: 20 N, parts: «4}
  - {step: out, do: advance, to: belt.exit}
"""
    check_small_recipe(text=text).has_only("CC-C016", "belt.press holds 1")


def test_an_unknown_variant_is_a_finding(check_small_recipe: Check, small_line: Line) -> None:
    recipe, report = check_small_recipe().recipe, Report()
    assert compile_recipe(recipe, "hrad", small_line, report) is None
    assert [finding.code for finding in report.findings] == ["CC-P001"]
    assert "'hard'" in report.findings[0].help


def test_an_order_for_a_recipe_that_cannot_be_made_is_refused_with_the_findings(small_line: Line) -> None:
    text = "recipe: x\nsteps:\n  - {step: load, do: transfer, take: lit, to: belt.exit}\n"
    with pytest.raises(RecipeRefused, match=r"order\.yaml:3:38") as refused:
        compile_order_text(text, "order.yaml", "", small_line)
    assert [finding.code for finding in refused.value.report.findings] == ["CC-C004"]
