"""The search for joints of any chain: it finds what there is, keeps limits, and finds the same again."""

from __future__ import annotations

import numpy as np
import pytest

from cellctl.motion import transforms as tf
from cellctl.motion.chain import Chain, DhRow
from cellctl.motion.errors import BadMotionLimit, NoSolutionFound, OutOfReach
from cellctl.motion.robot import Robot
from cellctl.motion.robots import robot

QUARTER = np.pi / 2


def robot_of(rows: list[DhRow], lower: np.ndarray, upper: np.ndarray) -> Robot:
    return Robot("row", Chain.from_dh(rows, lower, upper), lower, upper, *np.ones((3, len(rows))))


def seven_joints() -> Robot:
    """The lengths of a KUKA LBR iiwa 7, an arm with one joint more than a pose needs."""
    alpha = (-QUARTER, QUARTER, QUARTER, -QUARTER, -QUARTER, QUARTER, 0)
    d = (0.34, 0, 0.4, 0, 0.4, 0, 0.126)
    limit = np.radians([170, 120, 170, 120, 170, 120, 175])
    return robot_of([DhRow(0, a, length) for a, length in zip(alpha, d, strict=True)], -limit, limit)


def no_spherical_wrist() -> Robot:
    """An arm like FANUC's CRX: three parallel axes and an offset wrist, which has no simple closed form."""
    rows = [
        DhRow(0, -QUARTER, 0.25),
        DhRow(0.54, 0, 0, -QUARTER),
        DhRow(0.08, -QUARTER, 0),
        DhRow(0, QUARTER, 0.54),
        DhRow(0, -QUARTER, -0.15),
        DhRow(0, 0, 0.16),
    ]
    limit = np.radians([180, 180, 200, 190, 180, 225])
    return robot_of(rows, -limit, limit)


def sliding() -> Robot:
    """A gantry with a wrist: three slides and three turning joints."""
    rows = [
        DhRow(0, -QUARTER, 0, 0, True),
        DhRow(0, QUARTER, 0, QUARTER, True),
        DhRow(0, 0, 0, 0, True),
        DhRow(0, -QUARTER, 0.1),
        DhRow(0, QUARTER, 0),
        DhRow(0, 0, 0.08),
    ]
    return robot_of(rows, np.array([0, 0, 0, -3, -2, -3.0]), np.array([2, 1, 0.5, 3, 2, 3.0]))


@pytest.mark.parametrize("make", [seven_joints, no_spherical_wrist, sliding])
def test_all_of_a_thousand_reachable_poses_are_found_within_limits(make: object) -> None:
    some = make()  # type: ignore[operator]
    q = np.random.default_rng(51).uniform(some.lower, some.upper, (1000, some.dof))
    T = some.fk(q)
    found = some.ik(T)[:, 0]
    assert np.isnan(found).any(axis=-1).sum() <= 1
    found, T = found[~np.isnan(found[:, 0])], T[~np.isnan(found[:, 0])]
    assert np.abs(some.fk(found) - T).max() < 1e-9
    some.check_limits(found)


def test_the_same_pose_has_the_same_joints_alone_and_again() -> None:
    arm = no_spherical_wrist()
    T = arm.fk(np.random.default_rng(52).uniform(arm.lower, arm.upper, (60, 6)))
    np.testing.assert_array_equal(arm.ik(T), arm.ik(T))
    np.testing.assert_allclose([arm.ik(one) for one in T], arm.ik(T), atol=1e-7)


def test_fewer_joints_than_a_pose_needs_are_found_where_they_are_enough() -> None:
    rows = [DhRow(0.3, 0, 0.1), DhRow(0.2, np.pi, 0), DhRow(0, 0, 0, 0, True), DhRow(0, 0, 0)]
    scara = robot_of(rows, np.array([-2, -2.5, 0, -3.0]), np.array([2, 2.5, 0.2, 3.0]))
    q = np.random.default_rng(56).uniform(scara.lower, scara.upper, (200, 4))
    found = scara.ik(scara.fk(q))[:, 0]
    assert np.abs(scara.fk(found) - scara.fk(q)).max() < 1e-9
    scara.check_limits(found)


def test_from_near_joints_the_search_goes_to_these() -> None:
    arm = seven_joints()
    q = np.random.default_rng(53).uniform(0.8 * arm.lower, 0.8 * arm.upper, (100, 7))
    near = arm.ik_near(arm.fk(q), q + 1e-4)
    assert np.abs(near - q).max() < 2e-3
    assert np.abs(arm.fk(near) - arm.fk(q)).max() < 1e-9


def test_a_closed_form_arm_searched_as_a_chain_comes_to_one_of_its_solutions() -> None:
    ur5e = robot("ur5e")
    alpha, d = (QUARTER, 0, 0, QUARTER, -QUARTER, 0), (0.1625, 0, 0, 0.1333, 0.0997, 0.0996)
    chain = Chain.from_dh(
        list(map(DhRow, (0, -0.425, -0.3922, 0, 0, 0), alpha, d)), np.full(6, -np.pi), np.full(6, np.pi)
    )
    T = ur5e.fk(np.random.default_rng(54).uniform(-3, 3, (50, 6)))
    searched = Robot("chain", chain, chain.lower, chain.upper, *np.ones((3, 6))).ik(T)
    closed = ur5e.ik(T)
    apart = np.abs((searched - closed + np.pi) % (2 * np.pi) - np.pi).max(axis=-1)
    assert np.nanmin(apart, axis=1).max() < 1e-6


def test_poses_with_the_arm_stretched_are_come_to_slowly_but_are_found() -> None:
    arm = seven_joints()
    q = np.random.default_rng(55).uniform(0.9 * arm.lower, 0.9 * arm.upper, (40, 7))
    q[:, 3] = 0.0
    found = arm.ik(arm.fk(q))[:, 0]
    assert np.abs(arm.fk(found) - arm.fk(q)).max() < 1e-9


def test_what_is_far_beyond_all_links_is_out_of_reach_and_what_is_only_not_found_says_so() -> None:
    arm = seven_joints()
    with pytest.raises(OutOfReach, match="row: the pose is 1734 mm beyond"):
        arm.joints_near(tf.from_xyz_euler([3.0, 0, 0]), np.zeros(7))
    near_its_own_foot = tf.from_xyz_euler([0.0, 0.0, 0.02])
    with pytest.raises(NoSolutionFound, match="no joint positions reach the pose, searched from"):
        arm.joints_near(near_its_own_foot, np.zeros(7))


def test_poses_beyond_all_links_are_not_searched_for_and_do_not_hold_up_the_others() -> None:
    arm = seven_joints()
    q = np.random.default_rng(57).uniform(0.9 * arm.lower, 0.9 * arm.upper, (6, 7))
    T = arm.fk(q)
    T[::2, 0, 3] += 3.0
    np.testing.assert_array_equal(np.isnan(arm.ik(T)[:, 0, 0]), [True, False] * 3)
    np.testing.assert_array_equal(np.isnan(arm.ik_near(T, q)[:, 0]), [True, False] * 3)
    assert np.abs(arm.fk(arm.ik_near(T, q)[1::2]) - T[1::2]).max() < 1e-9


def test_more_joints_than_there_are_primes_for_are_refused() -> None:
    with pytest.raises(BadMotionLimit, match="number of joints 13 is above 12"):
        Chain.from_dh([DhRow(0.1, 0, 0)] * 13, np.zeros(13), np.ones(13))
