"""The plan against the virtual line: the same orders, once on paper and once by runner, modules, drivers and plant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cellctl.compile.order import compile_order_text
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plan.cycle import Plan, plan
from cellctl.plan.flow_run import Wanted
from cellctl.plan.timing import Duration
from cellctl.plugins import load_drivers, load_kinds
from cellctl_sim.simulation import Order, Result, simulate

ROOT = Path(__file__).parents[2]
PUCK, PUCKS = ROOT / "recipes/lines/puck.yaml", ROOT / "recipes/products/sensor-puck.yaml"
ONE_PERCENT = 0.01
STEP = 0.01  # of a step's mean; looks at eyes and sensors are milliseconds off here and there


@dataclass(frozen=True)
class Both:
    plan: Plan
    result: Result


def both(
    path: Path, recipe: Path, orders: Sequence[tuple[str, int]], changes: Sequence[tuple[str, str]] = ()
) -> Both:
    line, text = changed(path, changes), recipe.read_text("utf-8")
    wanted = [Wanted(compile_order_text(text, str(recipe), v, line), quantity) for v, quantity in orders]
    ordered = [Order(v, text, str(recipe), v, quantity) for v, quantity in orders]
    found = Both(plan(line, wanted), simulate(line, ordered))
    assert found.result.complete
    assert not found.plan.run.waiting
    return found


def changed(path: Path, changes: Sequence[tuple[str, str]]) -> Line:
    """The line with some words of its file replaced."""
    text, report = path.read_text("utf-8"), Report()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with TemporaryDirectory() as directory:
        copy = Path(directory) / path.name
        copy.write_text(text, "utf-8")
        line = load_line(copy, report, load_kinds(), load_drivers())
    assert line, report.render()
    return line


@pytest.fixture(scope="module")
def mixed() -> Both:
    return both(PUCK, PUCKS, [("indoor", 4), ("outdoor", 3), ("tall", 3)])


def test_the_cycle_of_a_mixed_order_is_predicted_within_one_percent(mixed: Both) -> None:
    assert mixed.plan.cycle is not None
    assert mixed.plan.cycle.likely == pytest.approx(mixed.result.report.cycle_time_s, rel=ONE_PERCENT)
    assert mixed.plan.makespan.likely == pytest.approx(mixed.result.report.makespan_s, rel=ONE_PERCENT)


def test_every_step_of_it_is_predicted(mixed: Both) -> None:
    predicted = {step.step: step for step in mixed.plan.steps}
    for step in mixed.result.report.steps:
        assert predicted[step.step].count == step.count
        assert predicted[step.step].takes.likely == pytest.approx(step.mean_s, rel=STEP)


def test_every_single_command_ends_within_what_was_predicted(mixed: Both) -> None:
    predicted: dict[str, Duration] = {step.step: step.takes for step in mixed.plan.steps}
    for step in mixed.result.report.steps:
        assert predicted[step.step].least - 0.001 <= step.min_s
        assert step.max_s <= predicted[step.step].most + 0.001


def test_utilisation_and_the_busiest_module_are_predicted(mixed: Both) -> None:
    actual = mixed.result.report
    assert mixed.plan.bottleneck == actual.busiest_module
    for module, share in actual.modules.items():
        assert mixed.plan.modules[module] == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    "changes",
    [
        [("speed: 150 mm/s", "speed: 60 mm/s")],
        [("time: 2 s", "time: 5 s"), ("speed: 150 mm/s", "speed: 60 mm/s")],
        [("start: do2, present: di2}", "start: do2, present: di2, simulated: {takes: 9.5 s}}")],
        [
            ("approach_speed: 60 %", "approach_speed: 10 %\n    speed: 60 %"),
            ("controller: {use: mecademic, ", "controller: {use: mecademic, joint_speed: 50 %, "),
        ],
        [("speed_per_hz: 5 mm}", "speed_per_hz: 5 mm, acceleration: 2 s, deceleration: 0.2 s}")],
    ],
    ids=["slow belt", "slow press and belt", "slow bowl", "slow arm", "slow ramps"],
)
def test_it_holds_whatever_sets_the_pace(changes: list[tuple[str, str]]) -> None:
    found = both(PUCK, PUCKS, [("indoor", 4)], changes)
    assert found.plan.cycle is not None
    assert found.plan.cycle.likely == pytest.approx(found.result.report.cycle_time_s, rel=ONE_PERCENT)


def test_the_circle_that_sets_the_pace_gives_the_cycle() -> None:
    alone = both(PUCK, PUCKS, [("indoor", 4)])
    (pace,) = alone.plan.paces
    assert pace.cycle is not None
    assert pace.cycle.period == pytest.approx(alone.result.report.cycle_time_s, rel=ONE_PERCENT)
    assert any("belt.load" in why for why in pace.cycle.critical)


@pytest.mark.parametrize(
    ("line", "recipe", "variant", "quantity"),
    [("two-arms", "valve", "brass", 3), ("kitting", "kit", "lean", 1)],
)
def test_other_lines_are_predicted_as_well(line: str, recipe: str, variant: str, quantity: int) -> None:
    recipes = ROOT / "recipes"
    found = both(recipes / f"lines/{line}.yaml", recipes / f"products/{recipe}.yaml", [(variant, quantity)])
    assert found.plan.makespan.likely == pytest.approx(found.result.report.makespan_s, rel=ONE_PERCENT)
    for step, actual in zip(
        (step for step in found.plan.steps if "(" not in step.step), found.result.report.steps, strict=True
    ):
        assert step.takes.likely == pytest.approx(actual.mean_s, rel=STEP)
