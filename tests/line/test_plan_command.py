"""`cellctl plan` and the predicted times of the report, from the command line and over a run."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cellctl.cli.main import main
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.plugins import load_drivers, load_kinds
from cellctl.runner.report import report
from cellctl_sim.simulation import Order, simulate

RECIPES = Path(__file__).parents[2] / "recipes"
SVG = "{http://www.w3.org/2000/svg}"


def plan(*arguments: str) -> Result:
    """Run it in this process."""
    return CliRunner().invoke(main, ("plan", *arguments))


def found(*arguments: str) -> dict[str, Any]:
    """Its JSON, where it ends well."""
    result = plan(*arguments, "--json")
    assert result.exit_code == 0, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def test_it_names_the_circle_that_sets_the_pace() -> None:
    result = plan("puck", "--order", "sensor-puck/indoor:4")
    assert result.exit_code == 0
    assert "busiest    arm" in result.stdout
    assert "belt.load: load: grip waits for to_press: release belt.load" in result.stdout
    assert "Parts cannot jam" in result.stdout


def test_its_data_agree_with_one_another() -> None:
    data = found("puck", "--order", "sensor-puck/indoor:4", "--optimal")
    cycle = data["cycle_s"]
    assert cycle["least"] <= cycle["likely"] <= cycle["most"]
    assert data["parts_per_hour"] == pytest.approx(3600 / cycle["likely"], rel=1e-6)
    (pace,) = data["pace"]
    assert pace["cycle"]["period_s"] == pytest.approx(cycle["likely"], rel=0.01)
    assert pace["optimal"]["bound_s"] <= pace["optimal"]["period_s"] <= pace["cycle"]["period_s"]
    assert data["jams"]["answer"] == "cannot jam"
    assert {step["step"] for step in data["steps"] if step["guess"]} == set()


def test_an_arm_that_never_rests_is_as_fast_as_any_order_can_be() -> None:
    (pace,) = found("two-arms", "--order", "valve/brass:2", "--optimal")["pace"]
    assert pace["cycle"]["bound_s"] == pytest.approx(pace["cycle"]["period_s"])
    assert pace["optimal"]["gap"] == pytest.approx(0.0, abs=1e-6)


def test_a_large_order_is_planned_by_a_part_of_it() -> None:
    data = found("puck", "--order", "sensor-puck/indoor:10000", "--order", "sensor-puck/tall:5000")
    assert data["ordered"] == 15000
    assert data["parts"] < 100
    assert {step["count"] for step in data["steps"] if step["step"] == "settle"} == {data["parts"] // 3}


def test_the_picture_has_a_row_for_every_module_that_works(tmp_path: Path) -> None:
    picture = tmp_path / "puck.svg"
    result = plan("puck", "--order", "sensor-puck/indoor:2", "--svg", str(picture))
    assert result.exit_code == 0
    texts = {element.text for element in ET.parse(picture).iter(f"{SVG}text")}
    assert {"arm", "belt", "press", "gauge", "housings", "boards", "lids"} <= texts


def test_a_recipe_that_cannot_be_made_is_told_with_its_findings() -> None:
    result = plan("puck", "--order", "sensor-puck/indor:2")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "indoor" in result.output


def test_the_report_shows_each_steps_predicted_time_beside_the_true_one() -> None:
    line = load_line(RECIPES / "lines/puck.yaml", Report(), load_kinds(), load_drivers())
    assert line
    recipe = RECIPES / "products/sensor-puck.yaml"
    result = simulate(line, [Order("1", recipe.read_text("utf-8"), str(recipe), "tall", 3)])
    steps = report(result.events, line).steps
    assert steps
    for step in steps:
        assert step.predicted_s == pytest.approx(step.mean_s, rel=0.01)
    assert all(step.predicted_s is None for step in report(result.events).steps)
