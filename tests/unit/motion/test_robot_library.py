"""The library of robots: complete, plausible and with its sources."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from cellctl.errors import UnknownName
from cellctl.motion.robot import Robot
from cellctl.motion.robots import ROBOTS, robot


def test_an_unknown_robot_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(UnknownName, match=r"no robot is called 'meca50'; did you mean meca500"):
        robot("meca50")


def test_the_library_holds_every_kind_of_robot() -> None:
    kinds = Counter(data.geometry["kind"] for data in ROBOTS.values())
    assert kinds["opw"] >= 26  # the Meca500 is one of them
    assert kinds["ur"] == 9
    assert kinds["scara"] >= 3
    assert {"delta", "palletiser", "gantry"} < set(kinds)


def test_every_robot_has_limits_of_motion_for_all_its_joints(any_robot: Robot) -> None:
    for limits in any_robot.limits:
        assert limits.shape == (any_robot.dof,)
        assert np.isfinite(limits).all()
    assert np.all(any_robot.lower < any_robot.upper)
    assert min(limits.min() for limits in any_robot.limits[2:]) > 0
    assert robot(any_robot.name) is any_robot


@pytest.mark.parametrize("name", sorted(ROBOTS))
def test_every_robot_names_its_source_its_day_and_what_is_assumed(name: str) -> None:
    data = ROBOTS[name]
    at_a_commit = re.search(r"[\w-]+/\w+@[0-9a-f]{7} ", data.source)
    assert at_a_commit or re.search(r"data sheet|manual|University", data.source)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", data.read_on)
    if not data.accelerations:
        assert data.speed_time > 0
        assert "accelerations" in data.assumed or name == "meca500"


def test_the_meca500_has_the_speeds_of_its_programming_manual() -> None:
    np.testing.assert_allclose(np.degrees(robot("meca500").v_max), [150, 150, 180, 300, 300, 500])


def test_published_accelerations_are_taken_as_they_are() -> None:
    np.testing.assert_allclose(robot("ot2").a_max, [3.0, 2.0, 1.5])
    np.testing.assert_allclose(robot("ot2").upper, [0.418, 0.353, 0.218])


def test_joints_in_the_middle_of_their_range_can_be_reached_again(any_robot: Robot) -> None:
    middle = 0.5 * (any_robot.lower + any_robot.upper) + 0.1 * (any_robot.upper - any_robot.lower)
    T = any_robot.fk(middle)
    assert np.isfinite(T).all()
    np.testing.assert_allclose(any_robot.fk(any_robot.joints_near(T, middle)), T, atol=1e-12)
