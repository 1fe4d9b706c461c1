"""Nothing lost, nothing twice, in virtual time: a swarm of kills and faults, and kills at every so manieth step."""

from __future__ import annotations

import pytest

from cellctl.line.model import Line
from cellctl_sim.checkers import check
from cellctl_sim.crash_search import Recipe, evidence_of, run, try_seed
from cellctl_sim.scenario import Latencies, Scenario
from cellctl_sim.simulation import Order, simulate
from cellctl_sim.universe import Universe

SEEDS = 30  # tests/crash/swarm.py tries more
PROCESSES = ("belt", "arm", "io2", "press", "gauge", "runner")
SWEEP = 6  # kills of each process, spread evenly over the steps of the loop
AWAY = 0.7  # [s]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_swarm_of_kills_and_faults_loses_nothing_and_does_nothing_twice(
    puck_line: Line, puck_recipe: Recipe, seed: int
) -> None:
    trial = try_seed(puck_line, puck_recipe, seed)
    assert not trial.findings, f"{trial.scenario}\n" + "\n".join(map(str, trial.findings))


def one_part(recipe: Recipe) -> Scenario:
    order = Order("o1", recipe.text, recipe.source, "indoor", 1)
    return Scenario(0, "automatic", (order,), Latencies(200e-6, 1e-3, {}), (), ())


@pytest.fixture(scope="module")
def steps(puck_line: Line, puck_recipe: Recipe) -> int:
    """How many steps the loop makes for one part when nothing disturbs it."""
    result = simulate(puck_line, one_part(puck_recipe).orders, seed=0)
    assert not check(evidence_of(puck_line, result))
    return result.steps


@pytest.mark.parametrize("process", PROCESSES)
def test_a_kill_at_any_step_of_one_part_loses_nothing(
    puck_line: Line, puck_recipe: Recipe, steps: int, process: str
) -> None:
    offset = PROCESSES.index(process)  # so that the processes are killed at different steps
    for step in range(steps // SWEEP // 2 + offset, steps, steps // SWEEP):
        kill_at_step(puck_line, puck_recipe, process, step)


def kill_at_step(line: Line, recipe: Recipe, process: str, step: int) -> None:
    def stage(universe: Universe) -> None:
        def strike() -> None:
            universe.kill(process)
            universe.at(universe.now + AWAY, lambda: universe.restart(process))

        universe.at_step(step, strike)

    trial = run(line, one_part(recipe), stage=stage)
    assert not trial.findings, f"{process} killed at step {step}\n" + "\n".join(map(str, trial.findings))


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("process", PROCESSES)
def test_a_kill_at_every_tenth_step_of_one_part_loses_nothing(
    puck_line: Line, puck_recipe: Recipe, steps: int, process: str
) -> None:
    for step in range(PROCESSES.index(process), steps, 10):
        kill_at_step(puck_line, puck_recipe, process, step)
