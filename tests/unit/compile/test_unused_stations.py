"""What arms cannot reach is told of stations that no step uses, at the station in the line file, and told once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cellctl.cli.main import main
from cellctl.compile.codes import OUT_OF_REACH
from cellctl.compile.compiler import check_recipe
from cellctl.compile.reach import check_stations
from cellctl.recipe.load import parse_recipe

SHELF = "shelf: {approach: 20 mm, pose: {x: 120 mm, y: 30 mm, z: 30 mm}}"
FAR = SHELF.replace("x: 120 mm", "x: 420 mm")
BIN = "pose: {x: -150 mm, y: 110 mm, z: 50 mm}"
LENGTH = "length: 65 mm}}"
SECOND = """\
  second:
    kind: arm
    robot: meca500
    base: {x: 600 mm, y: 0 mm, z: 0 mm}
    devices: {controller: {use: mecademic, address: tcp://10.0.0.9:10000}}
    tools: {gripper: {use: megp25, controller: controller, length: 65 mm}}
    stations: {box: {pose: {second: {x: 480 mm, y: 30 mm, z: 30 mm}}}}
  bodies:
"""
RECIPE = """\
recipe: thing
steps:
  - {step: load, do: transfer, take: body, to: belt.load}
  - {step: drop, do: transfer, to: bin}
"""


@pytest.fixture
def found_in(report_of_line: Callable[..., object], tmp_path: Path) -> Callable[..., list[str]]:
    """What is found in the line after some changes, and in a recipe for it, as "file code text: message"."""

    def check(*changes: tuple[str, str], recipe: str = "") -> list[str]:
        line, report = report_of_line(*changes)  # type: ignore[misc]
        assert line is not None, report.render()
        made = parse_recipe(recipe, "thing.yaml", report) if recipe else None
        if made is not None:
            check_recipe(made, line, report)
        check_stations(line, tmp_path / "line.yaml", report)
        rows = (tmp_path / "line.yaml").read_text().split("\n")
        return [
            f"{Path(f.span.file).name} {f.severity} {f.code} {rows[f.span.line - 1].split(':')[0].strip()}: {f.message}"
            for f in report.findings
            if f.code == OUT_OF_REACH
        ]

    return check


def test_a_station_of_no_step_that_is_moved_300_mm_away_is_a_warning_at_the_station(
    found_in: Callable[..., list[str]],
) -> None:
    (found,) = found_in((SHELF, FAR))
    assert found.startswith(
        "line.yaml warning CC-C031 shelf: arm with arm.gripper cannot reach the pose of arm.shelf"
    )
    assert found_in((SHELF, FAR), recipe=RECIPE) == [found]
    assert found_in() == []


def test_what_is_told_at_a_step_is_not_told_again(found_in: Callable[..., list[str]]) -> None:
    (found,) = found_in((BIN, BIN.replace("-150", "-450")), recipe=RECIPE)
    assert found.startswith("thing.yaml error CC-C031")
    assert "arm.bin" in found


def test_an_arm_that_reaches_nothing_is_told_of_once(found_in: Callable[..., list[str]]) -> None:
    long = (LENGTH, "length: 65 cm}}")
    (found,) = found_in(long)
    assert found.startswith("line.yaml warning CC-C031 arm: ")
    assert found.endswith("; it reaches none of its stations")
    (found,) = found_in(long, recipe=RECIPE)
    assert found.startswith("thing.yaml error CC-C031")


def test_of_a_pose_for_all_arms_one_that_reaches_it_is_enough(found_in: Callable[..., list[str]]) -> None:
    assert found_in(("  bodies:\n", SECOND)) == []


def test_a_pose_for_one_arm_is_to_be_reached_by_that_one(found_in: Callable[..., list[str]]) -> None:
    own = SHELF.replace("pose: {", "pose: {second: {x: 120 mm, y: 30 mm, z: 30 mm}, arm: {").replace(
        "}}", "}}}"
    )
    (found,) = found_in(("  bodies:\n", SECOND), (SHELF, own))
    assert found.startswith("line.yaml warning CC-C031 shelf: second with second.gripper cannot reach")


def test_check_of_a_line_alone_tells_it(report_of_line: Callable[..., object], tmp_path: Path) -> None:
    report_of_line((SHELF, FAR))
    result = CliRunner().invoke(main, ["check", str(tmp_path / "line.yaml"), "--json"])
    assert result.exit_code == 0
    (found,) = json.loads(result.stdout)["findings"]
    assert (found["code"], found["severity"]) == ("CC-C031", "warning")
