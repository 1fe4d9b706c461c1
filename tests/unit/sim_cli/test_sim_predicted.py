"""`cellctl sim` shows beside each step's time what the plan says that it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Sim = Callable[..., Any]

ORDER = ("--order", "sensor-puck/outdoor:2")


def test_every_step_of_a_simulation_has_the_time_that_the_plan_predicts(sim: Sim) -> None:
    steps = json.loads(sim(*ORDER, "--json").stdout)["steps"]
    assert len(steps) == 8
    for step in steps:
        assert step["predicted_s"] == pytest.approx(step["mean_s"], rel=0.01)


def test_people_see_it_too(sim: Sim) -> None:
    head = next(line for line in sim(*ORDER).stdout.splitlines() if "mean s" in line)
    assert head.endswith("predicted s")
