"""Orders whose parts have values of their own: each compiled by itself, each mistake told with the part that has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cellctl.compile.order import OrderText, PartGiven, RecipeRefused, compile_order
from cellctl.findings import Finding
from cellctl.line.model import Line

Check = Callable[..., Any]

RECIPE = """\
recipe: thing
parameters:
  lid: {material: lid}
  force: {default: 40 N, min: 20 N, max: 60 N}
  seal: {text: none, choices: [none, hard]}
steps:
  - {step: load, do: transfer, take: $lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {step: press, do: run, program: close, force: $force}
  - {step: settle, do: run, program: close, force: 20 N, when: {seal: hard}}
  - {step: out, do: advance, to: belt.exit}
"""


def made(line: Line, parts: str, quantity: int) -> tuple[PartGiven, ...]:
    return compile_order(
        OrderText(RECIPE, "thing.yaml", parts=parts, parts_source="parts.yaml"), line, quantity
    )[1]


def refused(line: Line, parts: str, quantity: int) -> tuple[Finding, ...]:
    with pytest.raises(RecipeRefused) as error:
        made(line, parts, quantity)
    return error.value.report.findings


def test_each_part_is_made_by_a_recipe_of_its_own(small_line: Line) -> None:
    parts = made(small_line, "- {force: 30 N}\n- {}\n- {force: 55 N, seal: hard}\n", 3)
    assert [part.executable.step("press").parameters["force"] for part in parts] == [30.0, 40.0, 55.0]
    assert ["settle" in [step.name for step in part.executable.steps] for part in parts] == [
        False,
        False,
        True,
    ]
    assert len({part.executable.digest for part in parts}) == 3
    assert [dict(part.values) for part in parts] == [{"force": "30 N"}, {}, {"force": "55 N", "seal": "hard"}]


def test_the_usual_values_give_the_digest_of_the_variant(small_line: Line) -> None:
    order = OrderText(RECIPE, "thing.yaml", parts="- {force: 0.04 kN}\n- {}\n")
    usual, parts = compile_order(order, small_line, 2)
    assert {part.executable.digest for part in parts} == {usual.digest}


def test_an_order_without_values_has_no_such_parts(small_line: Line) -> None:
    assert made(small_line, "", 7) == ()


MISTAKES = {
    "beyond the bounds": ("- {}\n- {force: 61 N}\n", "CC-P004", 2, "greatest value is 60 N"),
    "of another dimension": ("- {}\n- {force: 61 mm}\n", "CC-P004", 2, "force"),
    "without a unit": ("- {force: 50}\n- {}\n", "CC-P004", 1, "50 N"),
    "of no parameter": ("- {}\n- {forse: 50 N}\n", "CC-P009", 2, "'force'"),
    "among no choices": ("- {}\n- {seal: hrad}\n", "CC-P004", 2, "'hard'"),
    "composed": ("- {}\n- {seal: [hard]}\n", "CC-P004", 2, "text"),
    "for too few": ("- {}\n", "CC-P023", 1, "1 parts"),
    "for too many": ("- {}\n- {}\n- {}\n", "CC-P023", 1, "2 are ordered"),
    "not a list": ("force: 40 N\n", "CC-P023", 1, "list"),
    "not of mappings": ("- {}\n- 40 N\n", "CC-P023", 1, "list"),
    "twice": ("- {}\n- {force: 40 N, force: 50 N}\n", "CC-Y012", 2, "force"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds_values(small_line: Line, mistake: str) -> None:
    parts, code, line, said = MISTAKES[mistake]
    (finding,) = refused(small_line, parts, 2)
    assert (finding.code, finding.span.file, finding.span.line) == (code, "parts.yaml", line)
    assert said in f"{finding.message} {finding.help}"


def test_every_part_with_a_mistake_is_told(small_line: Line) -> None:
    found = refused(small_line, "- {force: 61 N}\n- {}\n- {force: 19 N}\n", 3)
    assert [(finding.code, finding.span.line) for finding in found] == [("CC-P004", 1), ("CC-P004", 3)]
    assert found[0].related[0].label == "declared here"


def test_what_the_line_cannot_do_shows_the_part_that_wants_it(small_line: Line) -> None:
    (finding,) = refused(small_line, "- {}\n- {lid: lit}\n", 2)
    assert (finding.code, finding.span.file) == ("CC-C004", "thing.yaml")
    assert [(r.label, r.span.file, r.span.line) for r in finding.related] == [
        ("the value of $lid", "parts.yaml", 2)
    ]


def test_more_different_parts_than_can_be_compiled_at_once_are_refused(small_line: Line) -> None:
    parts = "".join(f"- {{force: {20 + number / 10} N}}\n" for number in range(101))
    (finding,) = refused(small_line, parts, 101)
    assert (finding.code, "several orders" in finding.help) == ("CC-P023", True)
