"""The fastest way along a path: against closed formulas and TOPP-RA; smoothing and the arch."""

from __future__ import annotations

import math
import warnings
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.motion import transforms as tf
from cellctl.motion.arch import arch, jump, straight_move
from cellctl.motion.errors import OutOfReach
from cellctl.motion.path import Arc, JointPath, Line, follow, joint_path
from cellctl.motion.profile import rest_to_rest
from cellctl.motion.retime import ToolLimits, Traversal, fastest, fastest_under
from cellctl.motion.robots import robot
from cellctl.motion.smooth import smoothed

DOWN = (np.pi, 0.0, np.pi)
T_LEFT, T_RIGHT = tf.from_xyz_euler([[0.35, -0.1525, 0.25], [0.35, 0.1525, 0.25]], DOWN)
ARM = robot("irb120")
Q_LEFT = ARM.joints_near(T_LEFT, np.zeros(6))


def straight(intervals: int, d: tuple[float, ...] = (1.0, -0.5, 0.3)) -> JointPath:
    return joint_path(np.linspace(0.0, 1.0, intervals + 1)[:, None] * np.array(d))


def wavy(seed: int, intervals: int, batch: tuple[int, ...] = ()) -> JointPath:
    """A smooth path of three joints: sums of sines."""
    rng = np.random.default_rng(seed)
    size, phase = rng.uniform(-0.5, 0.5, (*batch, 1, 3, 4)), rng.uniform(0, 6, (*batch, 1, 3, 4))
    s = np.linspace(0.0, 1.0, intervals + 1)[:, None, None]
    return joint_path(np.sum(size * np.sin(phase + np.arange(1, 5) * 2.0 * s), axis=-1))


def shares(traversal: Traversal, v: np.ndarray, a: np.ndarray) -> tuple[float, float]:
    """The greatest speed and acceleration, as shares of their limits."""
    _, velocity, acceleration = traversal.at(
        np.linspace(0.0, 1.0, 5003)[:, None] * traversal.duration.ravel()
    )
    return float(np.abs(velocity / v).max()), float(np.abs(acceleration / a).max())


def toppra_duration(toppra: ModuleType, path: JointPath, v: np.ndarray, a: np.ndarray) -> float:
    import toppra.algorithm
    import toppra.constraint

    toppra.setup_logging("ERROR")
    limits = [
        toppra.constraint.JointVelocityConstraint(np.stack((-v, v), axis=-1)),
        toppra.constraint.JointAccelerationConstraint(np.stack((-a, a), axis=-1)),
    ]
    spline = toppra.SplineInterpolator(path.s, path.joints(path.s))
    solver = toppra.algorithm.TOPPRA(limits, spline, gridpoints=path.s, parametrizer="ParametrizeConstAccel")
    return float(solver.compute_trajectory().duration)


@pytest.fixture
def toppra() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("toppra")


# --- straight in joint space ------------------------------------------------------------------------------


def lost_in_corners(intervals: int, v: float, a: float) -> float:
    """What a line of length 1 takes longer than the trapezoid [s], exactly.

    On the grid (ds/dt)^2 is linear between points. In the interval of length h in which the ramp x = 2 a s meets v^2,
    a share f of it behind its begin, the true motion is 2 f h / (sqrt(x) + v) + (1 - f) h / v long, that on the grid
    2 h / (sqrt(x) + v), where x = v^2 - 2 a f h. The end is the same backward. A triangle has its top between two
    points if the intervals are odd in number; there the grid's motion stays at the lower speed for an interval.
    """
    h, r = 1.0 / intervals, v * v / a
    if r < 1.0:
        f = r / 2.0 * intervals % 1.0
        w = math.sqrt(max(0.0, 1.0 - f * 2.0 * h / r))
        return 2.0 * h / v * (1.0 - f) * (1.0 - w) / (1.0 + w)
    below, top = math.sqrt(a * (1.0 - h)), math.sqrt(a)
    return h / below - 2.0 * h / (below + top) if intervals % 2 else 0.0


LAWS = [(0.7, 2.0), (1.0, 3.0), (0.9, 1.7), (0.4, 2.7), (5.0, 1.0)]


@pytest.mark.parametrize("intervals", [50, 101, 500, 2000])
@pytest.mark.parametrize(("v", "a"), LAWS)
def test_a_straight_line_takes_the_time_of_the_trapezoid_and_what_the_grid_loses_in_its_corners(
    intervals: int, v: float, a: float
) -> None:
    duration = float(fastest_under(straight(intervals), np.full(3, v), np.full(3, a)).duration)
    trapezoid = float(rest_to_rest(1.0, v, a).duration)
    assert duration == pytest.approx(trapezoid + lost_in_corners(intervals, v, a), rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.1, 5.0), st.floats(0.05, 2.0), st.integers(40, 1500))
def test_the_grid_loses_no_more_than_the_bound(a: float, r: float, intervals: int) -> None:
    v, h = math.sqrt(r * a), 1.0 / intervals
    duration = float(fastest_under(straight(intervals), np.full(3, v), np.full(3, a)).duration)
    bound = h**2 / (4.0 * r * (1.0 + r)) / (1.0 - h / r) ** 2 if r < 1.0 else 0.0
    at_top = h**2 / 8.0 / (1.0 - h) ** 1.5 if r > 1.0 - 2.0 * h else 0.0
    assert -1e-12 <= duration / float(rest_to_rest(1.0, v, a).duration) - 1.0 <= bound + at_top + 1e-12


@pytest.mark.parametrize("v", [0.7, 1.0, 2.0])
def test_a_straight_line_is_no_slower_than_with_toppra(toppra: ModuleType, v: float) -> None:
    limits = np.full(3, v), np.full(3, 2.7)
    ours = float(fastest_under(straight(500), *limits).duration)
    theirs = toppra_duration(toppra, straight(500), *limits)
    assert ours == pytest.approx(theirs, rel=2e-6)
    assert ours <= theirs * (1.0 + 1e-9)


# --- curved paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_curved_paths_take_as_long_as_with_toppra_but_keep_their_limits_between_grid_points(
    toppra: ModuleType, seed: int
) -> None:
    v, a = np.array([0.8, 1.0, 1.2]), np.array([3.0, 2.5, 4.0])
    path = wavy(seed, 500)
    ours = fastest_under(path, v, a)
    assert 0.999999 < float(ours.duration) / toppra_duration(toppra, path, v, a) < 1.002
    speed, acceleration = shares(ours, v, a)
    assert speed < 1 + 1e-4
    assert acceleration < 1 + 1e-4
    assert max(speed, acceleration) > 0.999


def test_on_a_coarse_grid_little_time_is_lost_and_only_where_limits_are_met() -> None:
    v, a = np.ones(3), np.array([40.0, 50.0, 60.0])
    for seed in range(10):
        coarse, fine = (
            float(fastest_under(wavy(seed, intervals), v, a).duration) for intervals in (100, 1500)
        )
        assert fine * (1 - 1e-3) < coarse < fine * 1.025


def test_the_motion_named_is_the_slope_of_the_position_and_ends_where_the_path_does() -> None:
    path = wavy(1, 300)
    traversal = fastest_under(path, np.ones(3), np.full(3, 3.0))
    t = np.linspace(0.0, float(traversal.duration), 20_001)
    q, dq, _ = traversal.at(t)
    np.testing.assert_allclose(np.gradient(q, t, axis=0), dq, atol=2e-3)
    np.testing.assert_allclose(q[[0, -1]], path.joints([0.0, 1.0]), atol=1e-12)
    np.testing.assert_allclose(dq[[0, -1]], 0.0, atol=1e-9)
    for outside in (-1.0, float(traversal.duration) + 1.0):
        assert all(not x.any() for x in traversal.at(outside)[1:])


def test_the_way_back_takes_the_same_time() -> None:
    path = wavy(2, 400)
    back = joint_path(path.joints(path.s)[::-1])
    there, again = (float(fastest_under(p, np.ones(3), np.full(3, 3.0)).duration) for p in (path, back))
    assert there == pytest.approx(again, rel=1e-3)


def test_each_path_of_a_batch_is_timed_as_it_is_alone() -> None:
    batch = wavy(5, 200, (4,))
    together = fastest_under(batch, np.ones(3), np.full(3, 3.0))
    q = np.moveaxis(batch.joints(batch.s), 0, -2)
    for row in range(4):
        alone = fastest_under(joint_path(q[row]), np.ones(3), np.full(3, 3.0))
        assert float(alone.duration) == pytest.approx(float(together.duration[row]), rel=1e-12)
        np.testing.assert_allclose(alone.at(0.4)[0], together.at(0.4)[0][row], atol=1e-12)


def test_a_path_of_no_length_takes_no_time() -> None:
    assert float(fastest_under(joint_path(np.ones((11, 3))), np.ones(3), np.ones(3)).duration) == 0.0


# --- the tool ---------------------------------------------------------------------------------------------


def test_a_slow_tool_takes_the_time_of_its_own_trapezoid_on_a_line() -> None:
    path = follow(ARM, Line(T_LEFT, T_RIGHT), Q_LEFT)
    duration = float(fastest(ARM, path, ToolLimits(speed=0.05, acceleration=0.2)).duration)
    assert duration == pytest.approx(float(rest_to_rest(0.305, 0.05, 0.2).duration), rel=1e-4)


def test_on_a_circle_the_acceleration_across_limits_the_speed() -> None:
    radius, turn = 0.05, 2.0 * np.pi * 3.0
    path = follow(
        ARM, Arc(T_LEFT, T_LEFT[:3, 3] + [radius, 0, 0], np.array([0, 0, turn]), False), Q_LEFT, 600
    )
    traversal = fastest(ARM, path, ToolLimits(speed=0.25, acceleration=0.2))
    t = np.linspace(0.0, float(traversal.duration), 4001)
    p = ARM.fk(traversal.at(t)[0])[:, :3, 3]
    speed = np.linalg.norm(np.diff(p, axis=0), axis=1) / t[1]
    assert speed.max() == pytest.approx(np.sqrt(0.2 * radius), rel=1e-3)  # a = v^2 / r


def test_slower_joints_take_longer_but_not_more_than_in_proportion() -> None:
    path = follow(ARM, Line(T_LEFT, T_RIGHT), Q_LEFT)
    full, half = (float(fastest(ARM, path, speed_fraction=f).duration) for f in (1.0, 0.1))
    assert full < half <= 10.0 * full


# --- smoothed, and the arch -------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", [0.005, 0.025])
def test_a_smoothed_arch_keeps_speeds_accelerations_and_jerks(zone: float) -> None:
    motion = arch(ARM, Q_LEFT, T_RIGHT, 0.025, zone)
    t = np.linspace(0.0, float(motion.duration), 4001)
    q, dq, ddq = motion.at(t)
    assert np.abs(dq / ARM.v_max).max() < 1 + 1e-6
    assert np.abs(ddq / ARM.a_max).max() < 1 + 1e-6
    assert np.abs(motion.jerk_at(t) / ARM.j_max).max() < 1 + 1e-3
    np.testing.assert_allclose(np.gradient(q, t, axis=0), dq, atol=1e-4)
    np.testing.assert_allclose(np.gradient(dq, t, axis=0), ddq, atol=0.05)
    np.testing.assert_allclose(ARM.fk(q[[0, -1]]), [T_LEFT, T_RIGHT], atol=1e-9)
    np.testing.assert_allclose(dq[[0, -1]], 0.0, atol=1e-9)


def test_a_smoothed_motion_stays_as_near_to_its_path_as_is_promised() -> None:
    traversal = fastest(ARM, follow(ARM, Line(T_LEFT, T_RIGHT), Q_LEFT))
    motion = smoothed(ARM, traversal)
    t = np.linspace(0.0, float(motion.duration), 2001)
    away = np.abs(motion.at(t)[0] - traversal.at(t - 0.5 * motion.window)[0])
    assert np.all(away <= ARM.a_max * float(motion.window) ** 2 / 24.0 * (1 + 1e-9))


def test_the_arch_stays_below_its_clearance_and_goes_up_and_down_straight_at_its_ends() -> None:
    motion = arch(ARM, Q_LEFT, T_RIGHT, 0.025, 0.01)
    p = ARM.fk(motion.at(np.linspace(0.0, float(motion.duration), 2001))[0])[:, :3, 3]
    assert 0.024 < p[:, 2].max() - 0.25 < 0.0255
    low = p[p[:, 2] < 0.255]
    assert np.abs(np.abs(low[:, 1]) - 0.1525).max() < 0.002


def test_the_more_its_legs_overlap_the_faster_the_arch() -> None:
    """The standard cycle of fast arms: 25 mm up, 305 mm across, 25 mm down, and back."""
    durations = [
        float(arch(ARM, Q_LEFT, T_RIGHT, 0.025, zone).duration) for zone in (0.005, 0.0125, 0.02, None)
    ]
    assert durations == sorted(durations, reverse=True)
    up = straight_move(ARM, Q_LEFT, [0, 0, 0.025])
    across = straight_move(ARM, up.q_to, [0, 0.305, 0])
    assert durations[0] < 2 * up.duration + across.duration


def test_arches_of_a_batch_are_those_of_each_alone() -> None:
    T_to = np.stack([T_RIGHT, tf.from_xyz_euler([0.3, 0.05, 0.22], DOWN)])
    both = arch(ARM, np.broadcast_to(Q_LEFT, (2, 6)), T_to, 0.03)
    for row in range(2):
        alone = arch(ARM, Q_LEFT, T_to[row], 0.03)
        assert float(alone.duration) == pytest.approx(float(both.duration[row]))
        np.testing.assert_allclose(alone.at(0.25)[0], both.at(0.25)[0][row], atol=1e-9)


@pytest.mark.parametrize("name", ["hs4555g", "irb360_1_1600", "irb120"])
def test_a_jump_is_as_fast_as_its_arch_or_faster_and_keeps_all_limits(name: str) -> None:
    arm = robot(name)
    places = {"hs4555g": (0.45, -0.2), "irb360_1_1600": (0.05, -1.2), "irb120": (0.35, 0.25)}
    x, z = places[name]
    home = 0.5 * (arm.lower + arm.upper)
    T_from, T_to = np.stack([arm.fk(home)] * 2)
    T_from[:3, 3], T_to[:3, 3] = (x, -0.1525, z), (x, 0.1525, z)
    if name == "irb120":
        T_from, T_to = T_LEFT, T_RIGHT
    q = arm.joints_near(T_from, home)
    motion = jump(arm, q, T_to, 0.025)
    t = np.linspace(0.0, float(motion.duration), 2001)
    found, dq, ddq = motion.at(t)
    np.testing.assert_allclose(arm.fk(found[[0, -1]]), [T_from, T_to], atol=1e-9)
    assert np.abs(dq / arm.v_max).max() < 1 + 1e-3
    assert np.abs(ddq / arm.a_max).max() < 1 + 1e-3
    assert np.abs(motion.jerk_at(t) / arm.j_max).max() < 1 + 1e-2
    heights = arm.fk(found)[:, 2, 3] - T_from[2, 3]
    assert heights.max() > 0.015
    assert heights.min() > -1e-3
    assert float(motion.duration) <= float(arch(arm, q, T_to, 0.025).duration) * 1.02


def test_a_jump_to_beyond_reach_says_so() -> None:
    with pytest.raises(OutOfReach):
        jump(ARM, Q_LEFT, tf.from_xyz_euler([1.5, 0.0, 0.25], DOWN), 0.025)
