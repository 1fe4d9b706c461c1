"""What the hostile world once found: a belt that stops by itself, devices that are away, messages that come again."""

from __future__ import annotations

from collections import Counter

import bug_scenarios as families
import pytest

from cellctl.line.model import Line
from cellctl.messages import decode
from cellctl_sim.crash_search import Recipe, Trial, run, try_seed
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.universe import Universe


def sound(trial: Trial) -> None:
    assert not trial.findings, f"{trial.scenario}\n" + "\n".join(map(str, trial.findings))


def said(universe: Universe) -> Counter[tuple[str, str]]:
    """Who said how often what to whom."""
    arrived = (h for h in universe.trace.happenings if h.what == "arrives")
    return Counter((h.who, type(decode(h.data)).__name__) for h in arrived)


@pytest.mark.parametrize("after", [0.0, 0.2, 0.35, 0.38, 0.41, 0.44, 0.5, 0.7])
def test_a_drive_that_boots_while_a_part_comes_to_its_stop_leaves_it_there_or_brings_it(
    puck_line: Line, puck_recipe: Recipe, after: float
) -> None:
    """Where the belt stops before the part rests against the stopper it must not count as arrived."""
    boot = Fault.model_validate({"device": "belt.drive", "fault": "restart", "for": 1.0})

    def stage(universe: Universe) -> None:
        disk, arrivals = universe.disk("belt"), []

        def strike() -> None:
            plant = universe.links.plant
            assert isinstance(plant, Plant)
            plant.fault(boot, universe.now)

        def watch(who: str, what: str) -> None:
            if (who, what) == ("belt", "durable") and b"arrive belt.gauge" in disk.durable[-1]:
                arrivals.append(universe.now)
                if len(arrivals) == 1:
                    universe.at(universe.now + after, strike)

        universe.trace.watch = watch

    sound(run(puck_line, families.one_part(puck_recipe, 0), stage=stage))


@pytest.mark.parametrize(("device", "fault"), [("press.plc", "silent"), ("belt.drive", "cut")])
def test_a_device_that_is_away_makes_nobody_talk_without_end(
    puck_line: Line, puck_recipe: Recipe, device: str, fault: str
) -> None:
    """While it is away its module is told to start, and cleared, now and then; not as fast as messages go."""
    away = Fault.model_validate({"device": device, "fault": fault, "at": 0.0, "for": 30.0})
    worlds: list[Universe] = []

    def stage(universe: Universe) -> None:
        universe.trace.keep = True
        worlds.append(universe)

    sound(run(puck_line, families.one_part(puck_recipe, 0, away), stage=stage))
    words = said(worlds[0])
    module = device.partition(".")[0]
    assert 0 < words[f"runner>{module}", "Instruct"] < 100


@pytest.mark.parametrize("seed", range(4))
def test_messages_that_come_twice_breed_no_more(puck_line: Line, puck_recipe: Recipe, seed: int) -> None:
    scenario, _ = families.echoes(puck_line, puck_recipe, seed)
    worlds: list[Universe] = []

    def stage(universe: Universe) -> None:
        universe.trace.keep = True
        worlds.append(universe)

    sound(run(puck_line, scenario, stage=stage))
    assert said(worlds[0]).total() < 3000


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(50068, id="an arm that was switched off cannot tell whether its gripper let go"),
        pytest.param(51576, id="an old view came late, and what the module refused was given up"),
        pytest.param(52332, id="so it was, with one part"),
        pytest.param(54569, id="the end of a protective stop was not heard, and the arm never went on"),
    ],
)
def test_a_drawn_scenario_that_once_found_something_finds_nothing(
    puck_line: Line, puck_recipe: Recipe, seed: int
) -> None:
    sound(try_seed(puck_line, puck_recipe, seed))
