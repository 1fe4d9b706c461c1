"""The example plug-in's diverter in the plant: how long parts slide, which lane they take, and what must not happen."""

from __future__ import annotations

import importlib
import random
from math import cos, radians, sin, sqrt
from types import ModuleType
from typing import Any

import pytest

from cellctl.line.model import Material
from cellctl_sim.plant.items import FLOOR, Item
from cellctl_sim.plant.spots import Bin
from cellctl_sim.plant.world import World

MICROSECOND = 1e-6
A = 9.81 * (sin(radians(45)) - 0.3 * cos(radians(45)))  # [m/s^2] down a slope of 45 degrees with friction 0.3


@pytest.fixture(name="code")
def simulated_diverter(with_example_plugin: Any) -> ModuleType:
    return importlib.import_module("cellctl_example.simulated_diverter")


class Trial:
    """A chute with the lanes high and heavy, each with a flap, and good where all others go."""

    def __init__(self, code: ModuleType) -> None:
        self.world = World(lambda name: random.Random(name), {"ring": Material("ring", 0.012, 0.008)})
        self.lanes = {
            "high": code.Lane("high", code.FORK, "io.do1"),
            "heavy": code.Lane("heavy", 2 * code.FORK, "io.do2"),
            "good": code.Lane("good", 3 * code.FORK, ""),
        }
        self.chute = code.Chute("diverter", self.world, "inlet", list(self.lanes.values()))
        for name in self.lanes:
            self.world.add_spot(Bin(name, self.world.count))

    def give(self, t: float) -> Item:
        self.world.agenda.advance(t)
        item = self.world.make(t, self.world.material("ring"), "belt")
        self.chute.receive(t, item)
        return item

    def turn(self, t: float, lane: str, on: bool = True) -> None:
        self.world.agenda.advance(t)
        self.lanes[lane].turn(t, on)

    def lower(self, t: float, on: bool = True) -> None:
        self.world.agenda.advance(t)
        self.chute.lower(t, on)

    def place(self, t: float, item: Item) -> str:
        self.world.agenda.advance(t)
        return item.place


@pytest.fixture(name="trial")
def chute(code: ModuleType) -> Trial:
    return Trial(code)


def test_a_part_slides_to_the_inlet_in_the_time_that_slope_and_friction_give(trial: Trial) -> None:
    item = trial.give(1.0)
    arrives = 1.0 + sqrt(2 * 0.1 / A)
    assert trial.place(arrives - 2 * MICROSECOND, item) == "diverter"
    assert trial.place(arrives + 2 * MICROSECOND, item) == "inlet"


@pytest.mark.parametrize(("lane", "way"), [("high", 0.15 + 0.2), ("heavy", 0.3 + 0.2), ("good", 0.45 + 0.2)])
def test_a_part_falls_into_the_lane_whose_flap_is_set_and_covers_its_eye(
    trial: Trial, lane: str, way: float
) -> None:
    item = trial.give(1.0)
    if lane != "good":
        trial.turn(3.0, lane)
    trial.lower(4.0)
    falls = 4.0 + sqrt(2 * way / A)
    assert trial.place(falls - 2 * MICROSECOND, item) == "diverter"
    assert trial.place(falls + 2 * MICROSECOND, item) == lane
    assert [name for name, each in trial.lanes.items() if trial.chute.sees(each)] == [lane]
    trial.world.agenda.advance(falls + 0.31)
    assert not trial.chute.sees(trial.lanes[lane])
    assert trial.world.counts[f"{lane}.swallowed"] == 1


def test_of_two_flaps_that_are_set_the_first_catches_the_part(trial: Trial) -> None:
    item = trial.give(1.0)
    trial.turn(3.0, "heavy")
    trial.turn(3.0, "high")
    trial.lower(4.0)
    assert trial.place(10.0, item) == "high"


def test_a_flap_that_turns_while_a_part_passes_it_catches_the_part(trial: Trial) -> None:
    item = trial.give(1.0)
    trial.lower(4.0)
    trial.turn(4.0 + sqrt(2 * 0.15 / A) - 0.05, "high")
    assert trial.place(10.0, item) == FLOOR
    assert "caught by the flap of high" in trial.world.incidents[0][1]


def test_a_flap_that_is_set_too_late_lets_the_part_go_by(trial: Trial) -> None:
    item = trial.give(1.0)
    trial.lower(4.0)
    trial.turn(4.0 + sqrt(2 * 0.15 / A) + 0.001, "high")
    assert trial.place(10.0, item) == "good"


def test_with_the_stopper_down_a_part_does_not_wait_at_the_inlet(trial: Trial) -> None:
    trial.lower(0.5)
    item = trial.give(1.0)
    assert trial.place(5.0, item) == "good"


def test_a_part_that_runs_into_another_at_the_inlet_is_noted(trial: Trial) -> None:
    trial.give(1.0)
    second = trial.give(2.0)
    assert trial.place(5.0, second) == FLOOR
    assert "ran into the part at inlet" in trial.world.incidents[0][1]
