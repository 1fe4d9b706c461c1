"""Laws of the motion core that hold for all numbers, not only for those in a table."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.motion import transforms as tf
from cellctl.motion.opw import Opw
from cellctl.motion.profile import Profile, rest_to_rest, scalar_move, synchronised
from cellctl.motion.robot import Robot
from cellctl.motion.robots import robot

angle = st.floats(-math.pi, math.pi)
joints = st.tuples(*[angle] * 6)
arms = st.sampled_from(("irb120", "kr6_r700", "lr_mate_200id", "meca500", "rx160")).map(robot)
distance = st.floats(-100, 100).filter(lambda d: d == 0 or abs(d) > 1e-6)
limit = st.floats(1e-2, 1e3)
jerk = st.one_of(st.just(math.inf), st.floats(1e-2, 1e5))
fraction = st.floats(0, 1)
limits = (distance, limit, limit, jerk)


# --- kinematics -------------------------------------------------------------------------------------------


@given(arm=arms, q=joints)
def test_every_inverse_solution_leads_back_to_its_pose(arm: Robot, q: tuple[float, ...]) -> None:
    T = arm.fk(q)
    solutions = arm.ik(T)
    assert np.isfinite(solutions).all(axis=-1).any()
    assert np.nanmax(np.abs(arm.fk(solutions) - T)) < 2e-9  # a wrist straight to 1e-9 counts as straight


@given(arm=arms, q=joints)
def test_no_reached_pose_is_beyond_reach(arm: Robot, q: tuple[float, ...]) -> None:
    assert float(arm.beyond_reach(arm.fk(q))) < 1e-12


@given(arm=arms, share=st.tuples(*[fraction] * 6), near=st.tuples(*[fraction] * 6))
def test_the_nearest_solution_reaches_its_pose_within_limits(
    arm: Robot, share: tuple[float, ...], near: tuple[float, ...]
) -> None:
    q, q_near = (arm.lower + np.array(s) * (arm.upper - arm.lower) for s in (share, near))
    T = arm.fk(q)
    found = arm.ik_near(T, q_near)
    assert np.all((found >= arm.lower - 1e-8) & (found <= arm.upper + 1e-8))
    assert np.abs(arm.fk(found) - T).max() < 1e-8


@given(q=joints, lengths=st.tuples(*[st.floats(-0.3, 0.3)] * 3, *[st.floats(0.05, 1.0)] * 4))
def test_any_lengths_make_an_arm_whose_inverse_leads_back(
    q: tuple[float, ...], lengths: tuple[float, ...]
) -> None:
    a1, a2, b, c1, c2, c3, c4 = lengths
    wide = np.full(6, 7.0)
    arm = Robot("any", Opw(a1, a2, b, c1, c2, c3, c4), -wide, wide, *np.ones((3, 6)))
    T = arm.fk(q)
    solutions = arm.ik(T)
    reached = np.abs(arm.fk(solutions) - T).max(axis=(-1, -2))
    assert np.nanmax(reached, initial=0.0) < 1e-7


@given(xyz=st.tuples(*[st.floats(-10, 10)] * 3), angles=st.tuples(angle, angle, angle))
def test_euler_angles_keep_the_transform_and_its_inverse_undoes_it(
    xyz: tuple[float, ...], angles: tuple[float, ...]
) -> None:
    T = tf.from_xyz_euler(xyz, angles)
    np.testing.assert_allclose(tf.from_xyz_euler(*tf.to_xyz_euler(T)), T, atol=2e-12)
    np.testing.assert_allclose(tf.compose(T, tf.inverse(T)), np.eye(4), atol=1e-14)


# --- profiles ---------------------------------------------------------------------------------------------


def samples(profile: Profile, count: int = 101) -> np.ndarray:
    longest = float(np.max(profile.duration))
    return np.linspace(0.0, longest, count).reshape(-1, *[1] * profile.distance.ndim)


@given(*limits)
def test_no_limit_is_exceeded_and_one_is_always_reached(d: float, v: float, a: float, j: float) -> None:
    profile = rest_to_rest(d, v, a, j)
    _, velocity, acceleration = profile.at(samples(profile))
    assert np.all(np.abs(velocity) <= v * (1 + 1e-9))
    assert np.all(np.abs(acceleration) <= a * (1 + 1e-9))
    assert abs(float(profile.jerk)) <= j * (1 + 1e-9)
    if d:
        tops = (abs(float(profile.top_speed)) / v, abs(float(profile.top_acceleration)) / a)
        slack = 1.0 if j == math.inf else abs(float(profile.jerk)) / j
        assert max(*tops, slack) > 1 - 1e-9


@given(*limits)
def test_the_position_never_turns_back_and_ends_at_the_distance(
    d: float, v: float, a: float, j: float
) -> None:
    profile = rest_to_rest(d, v, a, j)
    position, _, _ = profile.at(samples(profile))
    assert position[0] == 0.0
    assert position[-1] == d
    assert np.all(np.diff(position * math.copysign(1.0, d)) >= -1e-12 * abs(d))


@given(*limits, fraction)
def test_a_move_looks_the_same_in_reversed_time(d: float, v: float, a: float, j: float, share: float) -> None:
    profile = rest_to_rest(d, v, a, j)
    duration = float(profile.duration)
    there, back = profile.at(share * duration), profile.at(duration - share * duration)
    np.testing.assert_allclose(there[0], d - back[0], atol=1e-9 * (1 + abs(d)))
    np.testing.assert_allclose(there[1], back[1], atol=1e-6 * v)


@given(*limits)
def test_the_way_back_is_the_mirror_image(d: float, v: float, a: float, j: float) -> None:
    there, back = rest_to_rest(d, v, a, j), rest_to_rest(-d, v, a, j)
    assert there.duration == back.duration
    for forth, mirrored in zip(there.at(samples(there)), back.at(samples(there)), strict=True):
        np.testing.assert_array_equal(forth, -mirrored)


@given(*limits, st.floats(0.1, 10))
def test_a_larger_world_takes_the_same_time(d: float, v: float, a: float, j: float, k: float) -> None:
    plain, scaled = rest_to_rest(d, v, a, j), rest_to_rest(k * d, k * v, k * a, k * j)
    np.testing.assert_allclose(scaled.duration, plain.duration, rtol=1e-9)


@given(*limits, st.floats(0.1, 10))
def test_slower_clocks_stretch_a_move_in_proportion(d: float, v: float, a: float, j: float, k: float) -> None:
    plain, slow = rest_to_rest(d, v, a, j), rest_to_rest(d, v / k, a / k**2, j / k**3)
    np.testing.assert_allclose(slow.duration, k * plain.duration, rtol=1e-9)
    np.testing.assert_allclose(
        plain.stretched(slow.duration).at(0.3)[0], slow.at(0.3)[0], atol=1e-6 * (1 + abs(d))
    )


@given(*limits, st.floats(1, 10))
def test_more_of_any_limit_never_takes_longer(d: float, v: float, a: float, j: float, k: float) -> None:
    duration = float(rest_to_rest(d, v, a, j).duration)
    for faster in ((k * v, a, j), (v, k * a, j), (v, a, k * j)):
        assert float(rest_to_rest(d, *faster).duration) <= duration * (1 + 1e-9)


@given(*limits, st.floats(1, 10))
def test_farther_never_takes_less_time(d: float, v: float, a: float, j: float, k: float) -> None:
    assert rest_to_rest(d, v, a, j).duration <= rest_to_rest(k * d, v, a, j).duration * (1 + 1e-12)


@given(*limits, st.floats(-0.1, 1.1))
def test_the_scalar_move_is_the_same_move(d: float, v: float, a: float, j: float, share: float) -> None:
    profile, move = rest_to_rest(d, v, a, j), scalar_move(d, v, a, j)
    np.testing.assert_allclose(move.duration, profile.duration, rtol=1e-12)
    t = share * move.duration
    position, velocity = move.at(t)
    np.testing.assert_allclose(position, profile.at(t)[0], atol=1e-9 * (1 + abs(d)))
    np.testing.assert_allclose(velocity, profile.at(t)[1], atol=1e-7 * v)


@settings(max_examples=60)
@given(st.lists(st.tuples(*limits), min_size=1, max_size=6))
def test_synchronised_axes_take_the_time_of_the_slowest_within_all_limits(
    axes: list[tuple[float, float, float, float]],
) -> None:
    d, v, a, j = np.array(axes).T
    profile = synchronised(d, v, a, j)
    np.testing.assert_allclose(profile.duration, rest_to_rest(d, v, a, j).duration.max(), rtol=1e-12)
    position, velocity, acceleration = profile.at(samples(profile))
    np.testing.assert_allclose(position[-1], d, rtol=1e-12)
    assert np.all(np.abs(velocity) <= v * (1 + 1e-9))
    assert np.all(np.abs(acceleration) <= a * (1 + 1e-9))
    assert np.all(np.abs(profile.jerk) <= j * (1 + 1e-9))
