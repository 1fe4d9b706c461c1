"""An arm whose controller boots has the settings of the factory again: whatever was said to it before is said anew."""

from __future__ import annotations

import pytest

from cellctl.line.model import Line
from cellctl_drivers.mecademic_conversation import Conversation
from cellctl_sim.crash_search import Recipe, Trial, run
from cellctl_sim.plant.faults import Fault
from cellctl_sim.scenario import Latencies, Scenario
from cellctl_sim.simulation import Order

ON_ITS_WAY = 6.7  # [s], to the first part: it holds nothing that homing would let fall


def boots(line: Line, recipe: Recipe, fault: str = "restart") -> Trial:
    """One part; the arm's controller boots, or its emergency stop is pressed for a second."""
    happens = Fault.model_validate({"device": "arm.controller", "fault": fault, "at": ON_ITS_WAY, "for": 1.0})
    orders = (Order("o1", recipe.text, recipe.source, "indoor", 1),)
    return run(line, Scenario(0, "automatic", orders, Latencies(200e-6, 1e-3, {}), (happens,), ()))


@pytest.mark.parametrize("fault", ["restart", "estop"])
def test_after_the_controller_booted_the_part_is_made_as_before(
    puck_line: Line, puck_recipe: Recipe, fault: str
) -> None:
    trial = boots(puck_line, puck_recipe, fault)
    assert not trial.findings, "\n".join(map(str, trial.findings))


def test_an_arm_that_still_believed_in_its_settings_would_be_found(
    puck_line: Line, puck_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conversation, "disturbances", property(lambda self: 0, lambda self, value: None))
    monkeypatch.setattr("cellctl_drivers.mecademic_queue.Queue.forget", lambda self: None)
    assert boots(puck_line, puck_recipe).findings
