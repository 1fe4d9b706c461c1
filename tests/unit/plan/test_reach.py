"""What an arm cannot reach is found before it moves: every station, approach, nest and point on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cellctl.compile.codes import OUT_OF_REACH
from cellctl.compile.compiler import check_recipe
from cellctl.device import Pose
from cellctl.findings import Finding, Report, Severity
from cellctl.line.load import load_line
from cellctl.line.model import Grid, Line, Station
from cellctl.plan.reach import troubles
from cellctl.plugins import load_drivers, load_kinds
from cellctl.recipe.load import Recipe, load_recipe
from cellctl_sim.devices.mecademic_motion import Limits, MotionFailed, flange_of, line_leg, solve

RECIPES = Path(__file__).parents[3] / "recipes"
USED = (
    "belt.load",
    "belt.gauge",  # from where a rejected part is taken to the bin
    "housings.pick",
    "housings.tall_pick",
    "boards.pick",
    "lids.black_pick",
    "lids.sealed_pick",
    "arm.bin",
)
FAR = 0.3  # [m]
HOME = (0.0,) * 6
TRF = (0.0, 0.0, 0.065, 0.0, 0.0, 0.0)
NONE = (0.0,) * 6


@pytest.fixture(scope="module")
def puck() -> tuple[Line, Recipe]:
    report = Report()
    line = load_line(RECIPES / "lines" / "puck.yaml", report, load_kinds(), load_drivers())
    recipe = load_recipe(RECIPES / "products" / "sensor-puck.yaml", report)
    assert line
    assert recipe
    assert not report.findings
    return line, recipe


def changed(line: Line, name: str, change: Callable[[Station], Station]) -> Line:
    """The line with one station changed."""
    module = line.modules[line.stations[name].module]
    stations = tuple(change(each) if each.name == name else each for each in module.stations)
    return replace(line, modules={**line.modules, module.name: replace(module, stations=stations)})


def found(line: Line, recipe: Recipe) -> list[Finding]:
    report = Report()
    check_recipe(recipe, line, report)
    return list(report.findings)


def outwards(pose: Pose) -> Pose:
    """The pose 300 mm farther from the arm, which stands at the line's origin."""
    distance = math.hypot(pose.x, pose.y)
    return replace(pose, x=pose.x * (1 + FAR / distance), y=pose.y * (1 + FAR / distance))


def test_the_shipped_line_reaches_everything(puck: tuple[Line, Recipe]) -> None:
    assert not found(*puck)


@pytest.mark.parametrize("name", USED)
def test_a_station_moved_300_mm_away_is_found_with_the_distance(puck: tuple[Line, Recipe], name: str) -> None:
    line, recipe = puck

    def away(station: Station) -> Station:
        return replace(station, poses={arm: outwards(pose) for arm, pose in station.poses.items()})

    findings = found(changed(line, name, away), recipe)
    assert findings
    assert {f.code for f in findings} == {OUT_OF_REACH}
    assert all(f.severity is Severity.ERROR and name in f.message for f in findings)
    beyond = re.search(r"([\d.]+) mm beyond the reach", findings[0].message)
    assert beyond
    assert 0.0 < float(beyond[1]) < 1e3 * FAR  # the wrist had some way to spare


@pytest.mark.parametrize("name", USED)
def test_an_approach_300_mm_above_is_found(puck: tuple[Line, Recipe], name: str) -> None:
    line, recipe = puck
    findings = found(changed(line, name, lambda station: replace(station, approach=FAR)), recipe)
    assert findings
    assert all(f"the approach of {name}" in f.message for f in findings)


@pytest.mark.parametrize("name", USED)
def test_a_point_on_the_way_300_mm_off_is_found(puck: tuple[Line, Recipe], name: str) -> None:
    line, recipe = puck

    def round_about(station: Station) -> Station:
        near = replace(station.poses[""], z=station.poses[""].z + 0.05)
        return replace(station, via=(near, outwards(near)))

    findings = found(changed(line, name, round_about), recipe)
    assert findings
    assert all(f"the via 2 of {name}" in f.message for f in findings)


def test_only_the_nests_that_are_too_far_are_found(puck: tuple[Line, Recipe]) -> None:
    line, _ = puck
    grid = Grid(columns=3, rows=1, column_pitch=-0.15, row_pitch=0.0)
    tray = changed(line, "arm.bin", lambda station: replace(station, grid=grid, capacity=3))
    arm = tray.modules["arm"]
    assert {trouble.place for trouble in troubles(tray, arm, arm.tools[0])["arm.bin"]} == {
        "arm.bin#1",
        "arm.bin#2",
    }


def test_a_nest_of_a_tray_is_found_in_a_recipe(puck: tuple[Line, Recipe]) -> None:
    line, recipe = puck
    grid = Grid(columns=2, rows=1, column_pitch=-0.3, row_pitch=0.0)
    tray = changed(line, "arm.bin", lambda station: replace(station, grid=grid, capacity=2))
    assert any("the pose of arm.bin#1" in finding.message for finding in found(tray, recipe))


def test_the_nests_of_a_pallet_are_found_at_the_stop_where_they_are_unloaded() -> None:
    report = Report()
    line = load_line(RECIPES / "lines" / "pallets.yaml", report, load_kinds(), load_drivers())
    recipe = load_recipe(RECIPES / "products" / "ring.yaml", report)
    assert line
    assert recipe

    def away(station: Station) -> Station:
        return replace(station, poses={arm: outwards(pose) for arm, pose in station.poses.items()})

    assert not found(line, recipe)
    messages = [f.message for f in found(changed(line, "loop.unload", away), recipe)]
    carrier = line.carriers[0].id
    assert any(f"the pose of {carrier}#0@loop.unload" in message for message in messages)


def test_a_joint_beyond_its_limit_is_named_with_its_limits(puck: tuple[Line, Recipe]) -> None:
    line, recipe = puck
    high = Pose(-0.035, 0.094, 0.23, beta=math.pi)
    raised = changed(line, "arm.bin", lambda station: replace(station, poses={"": high}))
    messages = [finding.message for finding in found(raised, recipe)]
    assert messages
    assert any(re.search(r"joint 5 at [\d.]+ deg is outside -115 deg to 115 deg", m) for m in messages)


@pytest.mark.parametrize(
    ("pose", "approach"),
    [
        (Pose(-0.02, 0.0, 0.16, alpha=-0.7, beta=math.pi), 0.05),
        (Pose(-0.06, 0.15, 0.14, alpha=1.0, beta=math.pi), 0.1),
        (Pose(-0.07, 0.07, 0.19, alpha=1.0, beta=math.pi), 0.05),
    ],
)
def test_a_straight_way_that_the_controller_refuses_is_found(
    puck: tuple[Line, Recipe], pose: Pose, approach: float
) -> None:
    line, recipe = puck
    above = (pose.x, pose.y, pose.z + approach, pose.alpha, pose.beta, pose.gamma)
    start = solve("meca500", flange_of(NONE, above, TRF), HOME)
    below = flange_of(NONE, (pose.x, pose.y, pose.z, *above[3:]), TRF)
    with pytest.raises(MotionFailed) as refused:
        line_leg("meca500", start, below, Limits())
    assert refused.value.code == 1012

    bent = changed(line, "arm.bin", lambda station: replace(station, poses={"": pose}, approach=approach))
    findings = [f for f in found(bent, recipe) if "straight way down" in f.message]
    assert findings
    assert findings[0].severity is Severity.ERROR


def test_a_way_that_depends_on_where_the_arm_comes_from_is_a_warning(puck: tuple[Line, Recipe]) -> None:
    line, recipe = puck
    pose = Pose(-0.15, 0.14, 0.15, alpha=0.5, beta=math.pi)
    odd = changed(line, "arm.bin", lambda station: replace(station, poses={"": pose}, approach=0.02))
    findings = [f for f in found(odd, recipe) if f.code == OUT_OF_REACH]
    assert findings
    assert {finding.severity for finding in findings} == {Severity.WARNING}


def test_a_longer_tool_reaches_farther_down(puck: tuple[Line, Recipe]) -> None:
    line, _ = puck
    low = changed(
        line, "arm.bin", lambda station: replace(station, poses={"": Pose(-0.15, 0.11, -0.12, beta=math.pi)})
    )
    arm, tool = low.modules["arm"], low.modules["arm"].tools[0]
    assert "arm.bin" in troubles(low, arm, tool)
    assert "arm.bin" not in troubles(low, arm, replace(tool, length=0.2))
