"""Lot size one in virtual time: parts of one order with values of their own, judged by what the plant did to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellctl.flow.events import Dispatched, PartBorn
from cellctl.line.model import Line
from cellctl.runner.trace import Visit, trace
from cellctl_sim.loop import UnhandledError
from cellctl_sim.simulation import Order, Result, simulate

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"
PARTS = "- {force: 30 N}\n- {force: 40 N, lid: lid-sealed}\n- {force: 55 N}\n"


def order(parts: str, quantity: int = 3) -> Order:
    return Order("own", RECIPE.read_text("utf-8"), RECIPE.name, "indoor", quantity, parts=parts)


@pytest.fixture(scope="module")
def result(puck_line: Line) -> Result:
    return simulate(puck_line, [order(PARTS)], seed=1, until=300.0)


def test_three_parts_of_one_order_are_pressed_with_three_forces(result: Result) -> None:
    assert result.complete
    assert result.incidents == []
    born = [event.part for event in result.events if isinstance(event, PartBorn)]
    pressed = {
        e.parts[0]: e.parameters["force"]
        for e in result.events
        if isinstance(e, Dispatched) and e.step == "press"
    }
    assert [pressed[part] for part in born] == [30.0, 40.0, 55.0]


def test_the_plant_has_three_heights_and_the_lid_that_was_asked_for(result: Result) -> None:
    heights = sorted(item["height"] for item in result.items if item["components"])  # type: ignore[type-var]
    usual = 0.0182  # [m] of the black lid at 40 N
    softer, harder = usual + 10 / 400e3, usual - 15 / 400e3  # the lid gives 400 N/mm
    sealed = usual + 0.0375e-3  # the sealed lid is so much higher
    assert heights == pytest.approx(sorted([softer, harder, sealed]), abs=1e-6)


def test_each_part_records_its_values_and_a_hash_of_its_own(result: Result) -> None:
    lives = [trace(result.events, e.part) for e in result.events if isinstance(e, PartBorn)]
    assert len({life.recipe_digest for life in lives}) == 3
    dispatched = {
        (e.parts[0], e.parameters["force"])
        for e in result.events
        if isinstance(e, Dispatched) and e.step == "press"
    }
    assert {(life.part, *_forces(life.visits)) for life in lives} == dispatched
    assert [life.variant for life in lives] == ["indoor"] * 3


def test_a_value_that_does_not_fit_is_refused_before_anything_moves(puck_line: Line) -> None:
    with pytest.raises(UnhandledError, match="operator failed") as error:
        simulate(puck_line, [order("- {}\n- {force: 99 N}\n", 2)], until=60.0)
    said = str(error.value.__cause__)
    assert "parts:2:11" in said
    assert "greatest value is 60 N" in said


def _forces(visits: list[Visit]) -> list[object]:
    return [visit.parameters["force"] for visit in visits if visit.step == "press"]
