"""What the motion tests share: arms with a spherical wrist, and one robot of every kind, to try things on."""

from __future__ import annotations

import pytest

from cellctl.motion.robot import Robot
from cellctl.motion.robots import ROBOTS, robot

ARMS = ("gp4", "irb120", "irb2400", "kr6_r700", "lr_mate_200id", "meca500", "rx160")
KINDS = ("gx8_c452", "irb360_1_1600", "kr6_r700", "mg400", "ot2", "ur5e")


@pytest.fixture(params=ARMS)
def arm(request: pytest.FixtureRequest) -> Robot:
    return robot(request.param)


@pytest.fixture(params=KINDS)
def any_kind(request: pytest.FixtureRequest) -> Robot:
    return robot(request.param)


@pytest.fixture(params=sorted(ROBOTS))
def any_robot(request: pytest.FixtureRequest) -> Robot:
    return robot(request.param)
