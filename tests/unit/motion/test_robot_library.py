"""The table of arms: complete, plausible and with its sources."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cellctl.errors import UnknownName
from cellctl.motion.opw import OpwArm
from cellctl.motion.robots import ROBOTS, robot


def test_an_unknown_arm_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(UnknownName, match=r"no robot is called 'meca50'; did you mean meca500"):
        robot("meca50")


def test_every_arm_has_limits_of_motion_for_all_six_joints(arm: OpwArm) -> None:
    for limits in (arm.v_max, arm.a_max, arm.j_max):
        assert limits.shape == (6,)
        assert np.all((limits > 0) & np.isfinite(limits))
    assert np.all(arm.lower < arm.upper)
    assert robot(arm.name) is arm


@pytest.mark.parametrize("name", sorted(ROBOTS))
def test_every_arm_names_its_source_at_a_commit_and_its_day(name: str) -> None:
    assert re.search(r"[\w-]+/\w+@[0-9a-f]{7} ", ROBOTS[name].source)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", ROBOTS[name].read_on)


def test_the_meca500_has_the_speeds_of_its_programming_manual() -> None:
    np.testing.assert_allclose(np.degrees(robot("meca500").v_max), [150, 150, 180, 300, 300, 500])
