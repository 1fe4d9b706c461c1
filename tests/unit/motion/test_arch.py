"""Joint moves, straight lines and the pick-and-place path of an arm."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cellctl.motion import transforms as tf
from cellctl.motion.arch import (
    Piece,
    StraightLimits,
    arm_move,
    arm_move_duration,
    pick_and_place,
    straight_move,
    total_duration,
)
from cellctl.motion.errors import BadMotionLimit, JointLimit, OutOfReach
from cellctl.motion.path import Arm, BrokenPath
from cellctl.motion.profile import rest_to_rest
from cellctl.motion.robots import robot

READY = np.radians([0, 0, 0, 0, 60, 0])
DOWN = (np.pi, 0.0, np.pi)  # the flange looks down, joint 6 near the middle of its range
T_PICK = tf.from_xyz_euler([0.18, 0.08, 0.10], DOWN)
T_PLACE = tf.from_xyz_euler([0.18, -0.10, 0.10], DOWN)


def test_a_joint_move_takes_as_long_as_its_slowest_joint(arm: Arm) -> None:
    q = np.random.default_rng(11).uniform(arm.lower, arm.upper, (2, 50, 6))
    each = rest_to_rest(q[1] - q[0], arm.v_max, arm.a_max, arm.j_max).duration
    np.testing.assert_allclose(arm_move_duration(arm, q[0], q[1]), each.max(axis=-1))


def test_the_way_back_takes_as_long_as_the_way_there() -> None:
    arm = robot("meca500")
    there, back = arm_move_duration(arm, READY, -READY), arm_move_duration(arm, -READY, READY)
    assert there == back


def test_all_joints_of_an_arm_move_in_proportion(arm: Arm) -> None:
    rng = np.random.default_rng(12)
    q_from, q_to = rng.uniform(arm.lower, arm.upper, (2, 20, 6))
    done = arm_move(arm, q_from, q_to).at(0.1)[0] / (q_to - q_from)
    np.testing.assert_allclose(done, np.broadcast_to(done[:, :1], done.shape), rtol=1e-12)


def test_half_the_speed_takes_longer_and_no_speed_is_refused() -> None:
    arm = robot("meca500")
    assert arm_move_duration(arm, READY, -READY, 0.5) > arm_move_duration(arm, READY, -READY)
    for fraction in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(BadMotionLimit, match="speed fraction"):
            arm_move_duration(arm, READY, -READY, fraction)


def test_a_joint_move_to_beyond_a_limit_is_refused() -> None:
    with pytest.raises(JointLimit, match="joint 5"):
        arm_move_duration(robot("meca500"), READY, np.radians([0, 0, 0, 0, 116, 0]))


def test_a_straight_move_ends_where_it_should_and_takes_its_profile_time() -> None:
    arm = robot("meca500")
    limits = StraightLimits(speed=0.05, acceleration=0.5, jerk=10)
    segment = straight_move(arm, READY, [0.0, 0.02, -0.03], limits)
    T = arm.fk(READY)
    T[:3, 3] += [0.0, 0.02, -0.03]
    np.testing.assert_allclose(arm.fk(segment.q_to), T, atol=1e-12)
    assert segment.duration == float(rest_to_rest(np.hypot(0.02, 0.03), 0.05, 0.5, 10).duration)


@pytest.mark.parametrize(
    ("limits", "strength"),
    [
        pytest.param(StraightLimits(speed=2.0, acceleration=30.0, jerk=1e5), 100.0, id="joint speed decides"),
        pytest.param(
            StraightLimits(speed=0.2, acceleration=50.0, jerk=1e5), 1.0, id="joint acceleration decides"
        ),
    ],
)
def test_a_straight_move_is_slowed_until_every_joint_can_follow(
    limits: StraightLimits, strength: float
) -> None:
    meca500, shift = robot("meca500"), np.array([0.0, 0.2, 0.0])
    arm = replace(meca500, a_max=strength * meca500.a_max)
    q_from = arm.joints_near(tf.from_xyz_euler([0.18, -0.1, 0.1], DOWN), READY)
    flange = rest_to_rest(0.2, limits.speed, limits.acceleration, limits.jerk)
    segment = straight_move(arm, q_from, shift, limits)
    assert segment.duration > float(flange.duration)

    t = np.linspace(0.0, segment.duration, 2001)
    T = np.tile(arm.fk(q_from), (len(t), 1, 1))
    T[:, :3, 3] += flange.stretched(segment.duration).at(t)[0][:, None] / 0.2 * shift
    q = arm.ik_near(T, q_from)
    speed, acceleration = np.diff(q, axis=0) / t[1], np.diff(q, n=2, axis=0) / t[1] ** 2
    share = max(np.max(np.abs(speed) / arm.v_max), np.sqrt(np.max(np.abs(acceleration) / arm.a_max)))
    assert 0.9 < share < 1.1


def test_a_straight_move_of_no_length_takes_no_time() -> None:
    assert straight_move(robot("meca500"), READY, [0, 0, 0]).duration == 0.0


def test_a_line_that_leaves_the_workspace_says_where() -> None:
    with pytest.raises(BrokenPath, match="meca500: the tool's path cannot be followed") as caught:
        straight_move(robot("meca500"), READY, [0.5, 0.0, 0.0])
    assert 0.0 < caught.value.at < 1.0


def test_a_line_on_which_the_wrist_would_whip_round_is_refused() -> None:
    q = np.radians([-57, -46, -43, 101, -62, -161])
    with pytest.raises(BrokenPath, match=r"beyond \d\d% of its length"):
        straight_move(robot("meca500"), q, [-0.03, -0.09, -0.12])


def test_pick_and_place_is_across_down_up_twice() -> None:
    arm = robot("meca500")
    path = pick_and_place(arm, READY, T_PICK, T_PLACE, clearance=0.04)
    assert [segment.piece for segment in path] == [Piece.JOINTS, Piece.STRAIGHT, Piece.STRAIGHT] * 2
    np.testing.assert_allclose(arm.fk(path[1].q_to), T_PICK, atol=1e-12)
    np.testing.assert_allclose(arm.fk(path[4].q_to), T_PLACE, atol=1e-12)
    for before, after in pairwise(path):
        np.testing.assert_array_equal(before.q_to, after.q_from)
    for segment in path:
        arm.check_limits(segment.q_to)
    assert total_duration(path) == sum(segment.duration for segment in path) > 0


def test_pick_and_place_slower_takes_longer() -> None:
    arm = robot("meca500")
    fast, slow = (
        total_duration(pick_and_place(arm, READY, T_PICK, T_PLACE, 0.04, speed_fraction=f))
        for f in (1.0, 0.3)
    )
    assert slow > fast


def test_a_station_out_of_reach_is_found_before_anything_moves() -> None:
    with pytest.raises(OutOfReach):
        pick_and_place(robot("meca500"), READY, T_PICK, tf.from_xyz_euler([0.6, 0, 0.1], DOWN), 0.04)
