"""An eye that is looked at too seldom: what fell into the sink unseen has arrived, what was taken away has not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cellctl.journal import ActionBegan
from cellctl.line.model import Line
from cellctl.modules.stops import Watch
from cellctl_sim.crash_search import Recipe, Trial, evidence_of, run, try_seed
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import START
from cellctl_sim.scenario import Latencies, Scenario
from cellctl_sim.simulation import Order, simulate
from cellctl_sim.universe import Universe

BETWEEN = 0.4  # [m] on the belt, between the gauge and the exit


@pytest.fixture(scope="module")
def leaves(puck_line: Line, puck_recipe: Recipe) -> float:
    """When the stopper of the gauge lets the part go, which comes to the exit 0.7 s later [s]."""
    evidence = evidence_of(puck_line, simulate(puck_line, orders(puck_recipe), seed=0))
    (at,) = (began.at for _, began in evidence.records(ActionBegan) if began.name == "release belt.gauge")
    return at - START


def orders(recipe: Recipe) -> tuple[Order, ...]:
    return (Order("o1", recipe.text, recipe.source, "indoor", 1),)


def late(at: float, value: float, lasts: float) -> Fault:
    """The island of the eyes answers `value` [s] late."""
    return Fault.model_validate({"device": "io1", "fault": "late", "at": at, "for": lasts, "value": value})


def make_one(
    line: Line, recipe: Recipe, *faults: Fault, stage: Callable[[Universe], object] = lambda universe: None
) -> Trial:
    scenario = Scenario(0, "automatic", orders(recipe), Latencies(200e-6, 1e-3, {}), faults, ())
    return run(line, scenario, stage=stage)


@pytest.mark.parametrize(("look", "misses"), [(0.08, False), (0.1, True)])
def test_between_two_looks_of_a_tenth_of_a_second_a_part_passes_in_a_fifth(look: float, misses: bool) -> None:
    watch = Watch(now=lambda: 1.0, covers=0.2, soonest=0.0, latest=2.0)
    watch.looked(look)
    assert watch.may_have_missed is misses


@pytest.mark.parametrize(("after", "value", "lasts"), [(0.7, 0.45, 0.5), (0.6, 0.9, 0.3)])
def test_a_part_that_passes_the_exit_between_two_late_looks_has_arrived(
    puck_line: Line, puck_recipe: Recipe, leaves: float, after: float, value: float, lasts: float
) -> None:
    trial = make_one(puck_line, puck_recipe, late(leaves + after, value, lasts))
    assert not trial.findings, "\n".join(map(str, trial.findings))


def test_a_part_that_passes_the_exit_before_its_eye_is_looked_at_has_arrived(
    puck_line: Line, puck_recipe: Recipe, leaves: float
) -> None:
    trial = make_one(puck_line, puck_recipe, late(leaves + 0.06, 0.45, 1.0))  # while the stopper goes up
    assert not trial.findings, "\n".join(map(str, trial.findings))


@pytest.mark.parametrize(
    "faults", [(), ((0.12, 0.12, 0.1),), ((3.0, 0.4, 1.0),)], ids=["never", "too early", "too late"]
)
def test_a_part_that_is_taken_away_has_not_arrived_whatever_was_late_when_it_was_not_due(
    puck_line: Line, puck_recipe: Recipe, leaves: float, faults: tuple[tuple[float, float, float], ...]
) -> None:
    def take_it(universe: Universe) -> None:
        plant = universe.links.plant
        assert isinstance(plant, Plant)
        plant.advance(universe.now)
        belt = plant.world.spot("belt.gauge").belt
        assert belt is not None
        belt.take(universe.now, BETWEEN)

    trial = make_one(
        puck_line,
        puck_recipe,
        *(late(leaves + after, value, lasts) for after, value, lasts in faults),
        stage=lambda universe: universe.at(leaves + 0.4, lambda: take_it(universe)),
    )
    assert trial.result is not None
    assert [order["good"] for order in trial.result.status["orders"]] == [0]
    assert any("did not arrive at belt.exit" in str(finding) for finding in trial.findings)


@pytest.mark.parametrize("seed", [30962])
def test_a_seed_that_once_found_a_blind_eye_finds_nothing(
    puck_line: Line, puck_recipe: Recipe, seed: int
) -> None:
    trial = try_seed(puck_line, puck_recipe, seed)
    assert not trial.findings, f"{trial.scenario}\n" + "\n".join(map(str, trial.findings))
