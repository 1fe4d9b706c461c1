"""A drive that trips when a part has just left its stop: nothing is put down onto that part's edge."""

from __future__ import annotations

import pytest

from cellctl.journal import ActionBegan
from cellctl.line.model import Line
from cellctl_sim.crash_search import Recipe, evidence_of, run, try_seed
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault
from cellctl_sim.runtime import START
from cellctl_sim.scenario import Latencies, Scenario
from cellctl_sim.simulation import Order, simulate


def orders(recipe: Recipe) -> tuple[Order, ...]:
    return (Order("o1", recipe.text, recipe.source, "indoor", 2),)


@pytest.fixture(scope="module")
def leaves(puck_line: Line, puck_recipe: Recipe) -> float:
    """When the stop of loading begins to let the first part go, which leaves its eye 0.1 s later [s]."""
    evidence = evidence_of(puck_line, simulate(puck_line, orders(puck_recipe), seed=0))
    at = next(began.at for _, began in evidence.records(ActionBegan) if began.name == "release belt.load")
    return at - START


@pytest.mark.parametrize("after", [0.01, 0.06, 0.1, 0.14, 0.2, 0.26, 0.33, 0.4])
@pytest.mark.parametrize(
    "killed", [None, 0.001, 0.03, 0.06, 0.1], ids=lambda it: f"killed after {it} s" if it else ""
)
def test_nothing_is_put_down_before_the_part_has_left_by_its_length(
    puck_line: Line, puck_recipe: Recipe, leaves: float, after: float, killed: float | None
) -> None:
    trip = {"device": "belt.drive", "fault": "trip", "at": leaves + after, "for": 1.0}
    faults: list[Fault | ProcessFault] = [Fault.model_validate(trip)]
    if killed is not None:
        kill = {"process": "belt", "fault": "kill", "at": leaves + after + killed, "for": 0.3}
        faults.append(ProcessFault.model_validate(kill))
    latencies = Latencies(200e-6, 1e-3, {})
    # a person starts the belt again: the arm has time to come with the next part
    trial = run(puck_line, Scenario(0, "operator", orders(puck_recipe), latencies, tuple(faults), ()))
    assert not trial.findings, "\n".join(map(str, trial.findings))
    assert trial.result is not None
    assert [order["good"] for order in trial.result.status["orders"]] == [2]


@pytest.mark.parametrize("seed", [32463])
def test_a_seed_that_once_found_a_part_on_the_edge_of_another_finds_nothing(
    puck_line: Line, puck_recipe: Recipe, seed: int
) -> None:
    trial = try_seed(puck_line, puck_recipe, seed)
    assert not trial.findings, f"{trial.scenario}\n" + "\n".join(map(str, trial.findings))
