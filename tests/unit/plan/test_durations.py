"""How long a step takes by itself, and what a prediction says of what it cannot know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cellctl.compile.codes import TIMEOUT_TOO_SHORT
from cellctl.compile.compiler import compile_recipe
from cellctl.findings import Report, Severity
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plan.cycle import plan
from cellctl.plan.durations import predicted, quickest
from cellctl.plan.flow_run import Wanted
from cellctl.plan.timing import Duration
from cellctl.plugins import load_drivers, load_kinds
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import load_recipe, parse_recipe
from cellctl_drivers import timing
from cellctl_sim.devices.bowl_feeder import BowlFeederProperties
from cellctl_sim.devices.megp25 import Megp25Properties
from cellctl_sim.devices.register_gauge import RegisterGaugeProperties

RECIPES = Path(__file__).parents[3] / "recipes"
PUCK = RECIPES / "products" / "sensor-puck.yaml"


@pytest.fixture(scope="module")
def puck() -> tuple[Line, Executable]:
    report = Report()
    line = load_line(RECIPES / "lines" / "puck.yaml", report, load_kinds(), load_drivers())
    recipe = load_recipe(PUCK, report)
    assert line
    assert recipe
    executable = compile_recipe(recipe, "indoor", line, report)
    assert executable
    return line, executable


def test_looks_see_a_change_at_the_first_one_after_it() -> None:
    assert Duration(0.0, 0.05, 0.06).seen(0.01, 0.02) == Duration(0.01, 0.05, pytest.approx(0.07))


def test_one_of_several_durations_may_be_any_of_them() -> None:
    found = Duration.among([Duration(1.0, 2.0, 3.0), Duration.exactly(4.0)])
    assert found == Duration(1.0, 3.0, 4.0)


def test_a_step_between_named_stations_is_one_of_those_between_any(puck: tuple[Line, Executable]) -> None:
    line, executable = puck
    anyhow = predicted(line, executable, "to_press")
    named = predicted(line, executable, "to_press", "belt.load", "belt.press")
    assert anyhow.least <= named.least <= named.likely <= named.most <= anyhow.most


def test_a_belt_that_stands_takes_its_ramp_longer(puck: tuple[Line, Executable]) -> None:
    line, executable = puck
    named = predicted(line, executable, "to_press", "belt.load", "belt.press")
    ramp = 0.5 * 30.0 / 50.0  # ACC counts to 50 Hz; the belt runs at 30 Hz
    assert named.most - named.least > ramp


def test_an_arm_far_from_its_station_takes_longer_than_one_that_is_near(
    puck: tuple[Line, Executable],
) -> None:
    line, executable = puck
    board = predicted(line, executable, "board", "boards.pick", "belt.load")
    assert board.least < 2.235 < board.most  # from above belt.load, as measured on the virtual line


def test_a_machine_takes_the_time_of_its_program(puck: tuple[Line, Executable]) -> None:
    line, executable = puck
    assert predicted(line, executable, "press").likely == pytest.approx(2.0, abs=0.06)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("gauge.head", "measure"),
        ("arm.controller", "load"),
        ("arm.gripper", "board"),
        ("belt.drive", "to_press"),
        ("lids.black_bowl", "feed (lids)"),
    ],
)
def test_what_nobody_declares_is_a_guess_that_says_so(
    puck: tuple[Line, Executable], name: str, step: str
) -> None:
    line, executable = puck
    device = line.devices[name]
    silent = replace(device, declaration=replace(device.declaration, timing=""))
    unsure = replace(line, devices={**line.devices, name: silent})
    steps = {step.step: step for step in plan(unsure, [Wanted(executable, 2)]).steps}
    assert steps[step].is_guess
    assert not steps["press"].is_guess
    assert steps[step].takes.least < steps[step].takes.most


def test_drivers_assume_of_their_devices_what_the_simulated_ones_do() -> None:
    bowl = BowlFeederProperties()
    assert bowl.takes.mean == timing.FEEDING
    assert bowl.takes.range == pytest.approx(((1 - timing.SPREAD) * 0.8, (1 + timing.SPREAD) * 0.8))
    assert Megp25Properties().time == timing.STROKE
    assert RegisterGaugeProperties().takes.mean == timing.MEASURING


@pytest.mark.parametrize(
    ("step", "seconds"),
    [
        ("load, do: transfer, take: $housing, to: belt.load", "1 s"),
        ("to_gauge, do: advance, to: belt.gauge", "0.5 s"),
    ],
)
def test_a_timeout_that_no_motion_keeps_is_found(
    puck: tuple[Line, Executable], step: str, seconds: str
) -> None:
    line, _ = puck
    text = PUCK.read_text("utf-8")
    assert step in text
    report = Report()
    recipe = parse_recipe(text.replace(step, f"{step}, timeout: {seconds}"), "hasty.yaml", report)
    assert recipe
    assert compile_recipe(recipe, "indoor", line, report) is None
    (finding,) = [f for f in report.findings if f.code == TIMEOUT_TOO_SHORT]
    assert finding.severity is Severity.ERROR
    assert seconds.removesuffix(" s") in finding.message


def test_the_least_time_of_an_arm_is_below_every_time_that_it_takes(puck: tuple[Line, Executable]) -> None:
    line, executable = puck
    least = quickest(line, executable.step("board"), line.modules["arm"])
    assert least is not None
    assert 1.0 < least <= predicted(line, executable, "board").least
