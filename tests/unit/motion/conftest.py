"""What the motion tests share: arms to try things on."""

from __future__ import annotations

import pytest

from cellctl.motion.opw import OpwArm
from cellctl.motion.robots import ROBOTS, robot


@pytest.fixture(params=sorted(ROBOTS))
def arm(request: pytest.FixtureRequest) -> OpwArm:
    return robot(request.param)
