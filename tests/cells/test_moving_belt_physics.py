"""The example plug-in's moving belt in the plant: what rides on it can be picked while it passes the robot, once."""

from __future__ import annotations

import importlib
import random
from typing import Any

import pytest

from cellctl_sim.plant.items import GONE
from cellctl_sim.plant.world import World

SPEED, NEAR, REACH = 0.1, 0.3, 20.0


class Trial:
    """A belt on which one part comes, seen at `seen`."""

    def __init__(self) -> None:
        code = importlib.import_module("cellctl_example.simulated")
        self.world = World(lambda name: random.Random(name))
        properties = code.BeltCameraProperties(speed=SPEED, near=NEAR, reach=REACH, parts=1)
        self.belt = code.MovingBelt("camera", self.world, properties, "picker.window")
        while not self.belt.riders:
            self.world.agenda.advance(self.world.agenda.first())
        self.rider, self.seen = self.belt.riders[0], self.world.agenda.now

    def pick(self, after: float, off: float = 0.0, turned: float = 0.0) -> bool:
        t = self.seen + after
        self.world.agenda.advance(t)
        return self.belt.pick(t, self.rider.x + off, self.rider.turn + turned) is self.rider.item


@pytest.fixture(name="trial")
def belt(with_example_plugin: Any) -> Trial:
    return Trial()


@pytest.mark.parametrize(
    ("after", "is_there"),
    [(NEAR / SPEED - 0.001, False), (NEAR / SPEED + 0.001, True), (REACH - 0.001, True)],
)
def test_a_part_can_be_picked_while_it_rides_through_the_robots_reach(
    trial: Trial, after: float, is_there: bool
) -> None:
    assert trial.pick(after) is is_there


def test_a_part_that_nobody_picks_falls_off_the_end_and_is_counted(trial: Trial) -> None:
    assert not trial.pick(REACH + 0.001)
    assert trial.rider.item.place == GONE
    assert trial.world.counts["camera.fell"] == 1


def test_a_part_is_picked_once(trial: Trial) -> None:
    assert trial.pick(5.0)
    assert not trial.pick(5.1)
    trial.world.agenda.advance(trial.seen + REACH + 1.0)
    assert trial.world.counts["camera.fell"] == 0


@pytest.mark.parametrize(("off", "turned"), [(0.005, 0.0), (0.0, 0.1)])
def test_what_lies_elsewhere_or_otherwise_than_the_robot_was_told_is_missed(
    trial: Trial, off: float, turned: float
) -> None:
    assert not trial.pick(5.0, off, turned)
