"""Kinematics of arms with a spherical wrist: all solutions, singular poses, limits and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cellctl.errors import LimitExceeded
from cellctl.motion import transforms as tf
from cellctl.motion.errors import BadMotionLimit, JointLimit, MotionError, OutOfReach
from cellctl.motion.opw import Opw
from cellctl.motion.robot import Robot
from cellctl.motion.robots import robot


def free_arm(parameters: Opw) -> Robot:
    """An arm of this geometry that may turn as far as it likes."""
    wide = np.full(6, 20.0)
    return Robot("free", parameters, -wide, wide, np.ones(6), np.ones(6), np.ones(6))


def same_angles(q: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Largest difference of two joint vectors, whole turns aside."""
    return np.abs((q - other + np.pi) % (2 * np.pi) - np.pi).max(axis=-1)


# --- inverse ----------------------------------------------------------------------------------------------


def test_every_solution_reaches_its_pose_and_the_one_asked_for_is_among_them(arm: Robot) -> None:
    q = np.random.default_rng(2).uniform(-3, 3, (500, 6))
    T = arm.fk(q)
    solutions = arm.ik(T)
    missed = np.abs(arm.fk(solutions) - T[:, None]).max(axis=(-1, -2))
    assert np.nanmax(missed) < 1e-14
    assert np.nanmin(same_angles(solutions, q[:, None]), axis=-1).max() < 1e-9


def test_a_shoulder_beside_axis_one_changes_nothing() -> None:
    arm = free_arm(Opw(0.1, -0.02, 0.035, 0.32, 0.225, 0.24, 0.065))
    q = np.random.default_rng(3).uniform(-3, 3, (500, 6))
    T = arm.fk(q)
    solutions = arm.ik(T)
    assert np.nanmax(np.abs(arm.fk(solutions) - T[:, None])) < 1e-12
    assert np.nanmin(same_angles(solutions, q[:, None]), axis=-1).max() < 1e-9


def test_batches_of_any_shape_give_the_same_numbers_as_single_poses() -> None:
    arm = robot("meca500")
    q = np.random.default_rng(4).uniform(-1, 1, (2, 700, 6))
    T = arm.fk(q)
    assert T.shape == (2, 700, 4, 4)
    assert arm.ik(T).shape == (2, 700, 8, 6)
    np.testing.assert_array_equal(arm.fk(q[1, 3]), T[1, 3])
    np.testing.assert_allclose(arm.ik(T[1, 3]), arm.ik(T)[1, 3], atol=1e-15)
    np.testing.assert_allclose(arm.ik_near(T, q), q, atol=1e-9)
    assert arm.fk(np.empty((0, 6))).shape == (0, 4, 4)
    assert arm.ik(np.empty((0, 4, 4))).shape == (0, 8, 6)


@pytest.mark.parametrize(
    "q",
    [
        pytest.param([0.3, 0.2, -0.4, 0.7, 0.0, 0.5], id="straight wrist"),
        pytest.param([0.3, 0.2, -0.4, 0.7, 1e-10, 0.5], id="almost straight wrist"),
        pytest.param([0.3, 0.2, -0.4, 0.7, 1e-6, 0.5], id="nearly straight wrist"),
        pytest.param([0.3, 0.2, -np.arctan2(0.12, 0.038), 0.7, 1.0, 0.5], id="stretched elbow"),
        pytest.param([0.3, 0.0, -np.arctan2(0.12, 0.038), 0.7, 0.0, 0.5], id="straight up, all singular"),
    ],
)
def test_at_a_singular_pose_the_solutions_still_reach_it_to_rounding(q: list[float]) -> None:
    arm = free_arm(robot("meca500").geometry)
    T = arm.fk(q)
    solutions = arm.ik(T)
    assert np.isfinite(solutions).any()
    assert np.nanmax(np.abs(arm.fk(solutions) - T)) < (2e-10 if q[4] == 1e-10 else 1e-14)
    near = arm.ik_near(T, q)
    np.testing.assert_allclose(near, q, atol=3e-8)


def test_at_a_straight_wrist_joint_four_stays_where_it_is() -> None:
    arm = robot("meca500")
    q = np.array([0.3, 0.2, -0.4, 0.7, 0.0, 0.5])
    np.testing.assert_allclose(arm.ik_near(arm.fk(q), q + np.array([0.1, 0, 0, 0, 0.1, 0.2])), q, atol=1e-14)


def test_a_pose_out_of_reach_has_no_solution() -> None:
    arm = robot("meca500")
    T = tf.from_xyz_euler([[0.2, 0.0, 0.2], [1.0, 0.0, 0.2]], [0.0, np.pi / 2, 0.0])
    assert np.isfinite(arm.ik(T[0])).any()
    assert np.isnan(arm.ik(T[1])).all()
    assert np.isnan(arm.ik_near(T[1], np.zeros(6))).all()
    np.testing.assert_array_equal(np.isnan(arm.ik_near(T, np.zeros(6))).all(axis=-1), [False, True])


# --- limits -----------------------------------------------------------------------------------------------


def test_the_nearest_solution_keeps_within_the_limits(arm: Robot) -> None:
    rng = np.random.default_rng(5)
    q = rng.uniform(arm.lower, arm.upper, (300, 6))
    start = rng.uniform(arm.lower, arm.upper, (300, 6))
    near = arm.ik_near(arm.fk(q), start)
    assert np.isfinite(near).all()
    assert np.all((near >= arm.lower - 1e-8) & (near <= arm.upper + 1e-8))
    np.testing.assert_allclose(arm.fk(near), arm.fk(q), atol=1e-8)


def test_no_other_solution_within_limits_is_nearer(arm: Robot) -> None:
    rng = np.random.default_rng(6)
    q = rng.uniform(arm.lower, arm.upper, (200, 6))
    start = rng.uniform(arm.lower, arm.upper, (200, 6))
    T = arm.fk(q)

    def travel(joints: np.ndarray) -> np.ndarray:
        return np.linalg.norm((joints - start) / arm.v_max, axis=-1)

    chosen = travel(arm.ik_near(T, start))
    for solution in range(8):
        for turns in (-1, 0, 1):
            for joint in range(6):
                other = arm.ik(T)[:, solution].copy()
                other[:, joint] += 2 * np.pi * turns
                allowed = np.all((other >= arm.lower) & (other <= arm.upper), axis=-1)
                assert np.all(chosen[allowed] <= travel(other)[allowed] + 1e-9)


def test_a_joint_with_more_than_one_turn_takes_the_nearest_turn() -> None:
    arm = robot("irb120")
    q = np.radians([10, 20, -30, 40, 50, 350])
    np.testing.assert_allclose(arm.ik_near(arm.fk(q), q), q, atol=1e-12)
    near_zero = arm.ik_near(arm.fk(q), np.radians([10, 20, -30, 40, 50, 0]))
    assert np.degrees(near_zero[5]) == pytest.approx(-10)


def test_narrower_limits_can_be_asked_for() -> None:
    arm = robot("kr6_r700")
    q = np.radians([10, -80, 90, 20, 30, 40])
    T = arm.fk(q)
    narrow = (arm.lower, np.minimum(arm.upper, np.radians([180, 180, 180, 180, 0, 360])))
    flipped = arm.ik_near(T, q, narrow)
    assert flipped[4] <= 0
    np.testing.assert_allclose(arm.fk(flipped), T, atol=1e-12)


def test_out_of_reach_says_how_far_beyond() -> None:
    arm = robot("meca500")
    reach = 0.135 + np.hypot(0.038, 0.12)  # of the wrist centre, from the shoulder
    T = tf.from_xyz_euler([reach + 0.07 + 0.025, 0.0, 0.135], [0.0, np.pi / 2, 0.0])
    with pytest.raises(OutOfReach, match=r"meca500: the pose is 25 mm beyond") as caught:
        arm.joints_near(T, np.zeros(6))
    assert caught.value.beyond == pytest.approx(0.025)
    assert isinstance(caught.value, MotionError)


def test_a_pose_too_near_the_shoulder_is_out_of_reach_too() -> None:
    arm = free_arm(Opw(0, 0, 0, 0.4, 0.5, 0.3, 0.1))
    T = tf.from_xyz_euler([0.1, 0.0, 0.4 + 0.1])  # wrist centre 0.1 from the shoulder, 0.2 is the least
    with pytest.raises(OutOfReach) as caught:
        arm.joints_near(T, np.zeros(6))
    assert caught.value.beyond == pytest.approx(0.1)


def test_what_is_reached_is_not_beyond_reach(arm: Robot) -> None:
    q = np.random.default_rng(7).uniform(-3, 3, (300, 6))
    np.testing.assert_allclose(arm.beyond_reach(arm.fk(q)), 0.0, atol=1e-12)


def test_a_joint_beyond_its_limits_is_named_with_value_and_limits() -> None:
    arm = robot("meca500")
    q = np.radians([0, 0, 0, 0, 30, 0])
    q[1] = np.radians(-80)
    with pytest.raises(
        JointLimit, match=r"meca500: joint 2 at -80 deg is outside -70 deg to 90 deg"
    ) as caught:
        arm.check_limits(q)
    error = caught.value
    assert (error.robot, error.joint) == ("meca500", 2)
    assert (error.value, error.lower, error.upper) == pytest.approx(tuple(np.radians([-80, -70, 90])))
    assert isinstance(error, LimitExceeded)


def test_a_pose_that_only_forbidden_joints_reach_names_the_joint() -> None:
    arm = robot("meca500")
    T = arm.fk(np.radians([0, -85, -60, 0, 30, 0]))
    assert np.isfinite(arm.ik(T)).any()
    with pytest.raises(JointLimit) as caught:
        arm.joints_near(T, np.zeros(6))
    assert not caught.value.lower <= caught.value.value <= caught.value.upper


def test_the_joint_named_is_the_one_to_blame_also_where_others_work_beyond_half_a_turn() -> None:
    q = np.radians([10, 20, 200, 40, 50, 60])
    upper = q + 0.1
    upper[4] = q[4] - np.radians(1)
    arm = replace(robot("lr_mate_200id"), lower=q - 0.1, upper=upper)
    with pytest.raises(JointLimit, match=r"joint 5 at 50 deg is outside .* to 49 deg"):
        arm.joints_near(arm.fk(q), q)


def test_joints_on_their_limits_are_within_them(arm: Robot) -> None:
    arm.check_limits(np.stack([arm.lower, arm.upper]))
    assert np.isfinite(arm.ik_near(arm.fk(arm.upper), arm.upper)).all()


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(BadMotionLimit, match="lower joint limit"):
        Robot("odd", Opw(0, 0, 0, 1, 1, 1, 0), np.ones(6), -np.ones(6), *np.ones((3, 6)))


def test_the_limits_of_an_arm_cannot_be_written_over() -> None:
    with pytest.raises(ValueError, match="read-only"):
        robot("meca500").upper[0] = 10.0
