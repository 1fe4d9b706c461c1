"""Laws of kinematics that hold for every robot and every pose: there and back, twists, orientations."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.motion import orientations, quaternions, twists
from cellctl.motion import transforms as tf
from cellctl.motion.orientations import Convention
from cellctl.motion.robot import Robot
from cellctl.motion.robots import ROBOTS, robot
from cellctl.motion.ur import Ur

angle = st.floats(-math.pi, math.pi)
angles = st.tuples(angle, angle, angle)
lengths = st.tuples(*[st.floats(-2, 2)] * 3)
share = st.floats(0, 1)
robots = st.sampled_from(sorted(ROBOTS)).map(robot)
six = st.tuples(*[share] * 6)


def joints_of(some: Robot, shares: tuple[float, ...]) -> np.ndarray:
    return some.lower + np.array(shares[: some.dof]) * (some.upper - some.lower)


@given(some=robots, shares=six)
def test_every_solution_of_every_robot_leads_back_to_its_pose(some: Robot, shares: tuple[float, ...]) -> None:
    T = some.fk(joints_of(some, shares))
    if np.isnan(T).any():
        return  # the rods of a delta do not meet everywhere
    for solutions in (some.ik(T), some.ik(T[None])[0]):
        assert np.isfinite(solutions).all(axis=-1).any()
        assert np.nanmax(np.abs(some.fk(solutions) - T)) < 1e-9
    assert float(some.beyond_reach(T)) < 1e-9


@given(some=robots, shares=six, near=six)
def test_the_nearest_solution_of_every_robot_is_within_its_limits(
    some: Robot, shares: tuple[float, ...], near: tuple[float, ...]
) -> None:
    q = joints_of(some, shares)
    T = some.fk(q)
    allowed = all(float(linkage.excess(q)) <= 0.0 for linkage in some.linkages)
    if np.isnan(T).any() or not allowed:
        return
    found = some.ik_near(T, joints_of(some, near))
    assert np.isfinite(found).all()
    some.check_limits(found)
    assert np.abs(some.fk(found) - T).max() < 2e-9  # a joint on its limit may lie a billionth beyond


@given(q=st.tuples(*[angle] * 6), size=st.tuples(*[st.floats(0.05, 1.0)] * 6))
def test_any_lengths_make_a_ur_whose_inverse_leads_back(
    q: tuple[float, ...], size: tuple[float, ...]
) -> None:
    d1, a2, a3, d4, d5, d6 = size
    arm = Robot("any", Ur(d1, -a2, -a3, d4, d5, d6), np.full(6, -7.0), np.full(6, 7.0), *np.ones((3, 6)))
    T = arm.fk(q)
    reached = np.abs(arm.fk(arm.ik(T)) - T).max(axis=(-1, -2))
    assert np.nanmax(reached, initial=0.0) < 1e-9


@given(v=lengths, w=angles)
def test_a_twist_and_its_opposite_cancel_and_the_logarithm_undoes_the_exponential(
    v: tuple[float, ...], w: tuple[float, ...]
) -> None:
    twist = np.array((*v, *w))
    T = twists.exp(twist)
    np.testing.assert_allclose(T @ twists.exp(-twist), np.eye(4), atol=1e-13)
    np.testing.assert_allclose(twists.exp(twists.log(T)), T, atol=1e-12)
    if np.linalg.norm(w) < math.pi - 1e-6:
        np.testing.assert_allclose(twists.log(T), twist, atol=1e-8)


@settings(max_examples=60)
@given(convention=st.sampled_from(Convention), turn=angles, xyz=lengths)
def test_every_convention_keeps_every_pose(
    convention: Convention, turn: tuple[float, ...], xyz: tuple[float, ...]
) -> None:
    T = tf.from_xyz_euler(xyz, turn)
    again = orientations.to_pose(convention, *orientations.from_pose(convention, T))
    np.testing.assert_allclose(again, T, atol=1e-12)


@given(a=angles, b=angles)
def test_quaternions_multiply_as_rotations_do(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    R_a, R_b = twists.exp_rotation(a), twists.exp_rotation(b)
    product = quaternions.multiply(quaternions.from_rotation(R_a), quaternions.from_rotation(R_b))
    np.testing.assert_allclose(quaternions.to_rotation(product), R_a @ R_b, atol=1e-14)
