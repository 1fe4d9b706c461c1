"""An arm whose controller boots has the settings of the factory again: whatever was said to it before is said anew."""

from __future__ import annotations

import pytest

from cellctl.journal import ActionBegan
from cellctl.line.model import Line
from cellctl_drivers import mecademic_queue
from cellctl_sim.crash_search import Recipe, evidence_of
from cellctl_sim.plant.faults import Fault
from cellctl_sim.runtime import START
from cellctl_sim.simulation import Order, Result, simulate

Known = mecademic_queue.Known


@pytest.fixture(scope="module")
def reaches(puck_line: Line, puck_recipe: Recipe) -> float:
    """When the arm, which has come above the first part, goes down to it; it holds nothing that could fall [s]."""
    evidence = evidence_of(puck_line, simulate(puck_line, orders(puck_recipe)))
    began = (began for _, began in evidence.records(ActionBegan) if began.name.startswith("reach"))
    return next(began).at - START


def orders(recipe: Recipe) -> tuple[Order, ...]:
    return (Order("o1", recipe.text, recipe.source, "indoor", 1),)


def boots(line: Line, recipe: Recipe, at: float, fault: str = "restart") -> Result:
    """One part; the arm's controller boots, or its emergency stop is pressed for a second."""
    happens = Fault.model_validate({"device": "arm.controller", "fault": fault, "at": at, "for": 1.0})
    return simulate(line, orders(recipe), faults=(happens,), until=120.0)


@pytest.mark.parametrize("fault", ["restart", "estop"])
def test_after_the_controller_booted_the_part_is_made_as_before(
    puck_line: Line, puck_recipe: Recipe, reaches: float, fault: str
) -> None:
    result = boots(puck_line, puck_recipe, reaches + 0.05, fault)
    assert result.complete
    assert result.report.parts_made == 1
    assert not result.incidents
    assert "arm.gripper.missed" not in result.counters


def test_an_arm_that_still_believed_in_its_settings_would_grip_beside_the_part(
    puck_line: Line, puck_recipe: Recipe, reaches: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    believed: dict[str, str] = {}
    monkeypatch.setattr(mecademic_queue, "Known", lambda disturbances: Known(disturbances, believed))
    assert not boots(puck_line, puck_recipe, reaches + 0.05).complete
