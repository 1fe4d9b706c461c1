"""Laws that every motion between speeds, along a path or with a belt obeys, whatever the numbers."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cellctl.motion import transforms as tf
from cellctl.motion.belt import SpeedDrive, belt_run
from cellctl.motion.corners import progress
from cellctl.motion.path import joint_path
from cellctl.motion.ramp import speed_ramp
from cellctl.motion.rendezvous import Readiness, Track, meet
from cellctl.motion.retime import fastest_under
from cellctl.motion.robots import robot
from cellctl.motion.smooth import smoothed
from cellctl.motion.targets import reach
from cellctl.motion.together import arrive, shortest_common_time

limit = st.floats(1e-1, 1e2)
jerk = st.one_of(st.just(math.inf), st.floats(1e-1, 1e4))
share = st.floats(-1.0, 1.0).map(lambda x: 0.0 if abs(x) < 1e-3 else x)
distance = st.floats(-50.0, 50.0).map(lambda d: 0.0 if abs(d) < 1e-4 else d)
Move = tuple[float, float, float, float, float, float]
move = st.tuples(distance, share, share, limit, limit, jerk)


def arguments(m: Move) -> Move:
    """Distance, speeds at the ends and limits, from speeds as shares of their limit."""
    d, first, last, v, a, j = m
    return d, first * v, last * v, v, a, j


# --- between two speeds -----------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(move)
def test_no_limit_is_exceeded_between_any_two_speeds(m: Move) -> None:
    _, _, _, v, a, j = arguments(m)
    passage = reach(*arguments(m))
    t = np.linspace(0.0, 1.0, 201) * passage.duration
    _, velocity, acceleration = passage.at(t)
    assert np.abs(velocity).max() <= v * (1 + 1e-9)
    assert np.abs(acceleration).max() <= a * (1 + 1e-9)
    for ramp in (passage.rise, passage.fall):
        assert float(abs(ramp.acceleration)) <= j * float(ramp.jerk_time) * (1 + 1e-9) or j == math.inf


@settings(max_examples=80, deadline=None)
@given(move)
def test_every_motion_ends_where_and_as_fast_as_it_should(m: Move) -> None:
    d, _, v_to, v, _, _ = arguments(m)
    passage = reach(*arguments(m))
    position, velocity, _ = passage.at(passage.duration)
    # the place is a sum of ways that may be much longer than the distance
    whole = abs(d) + v * float(passage.duration)
    np.testing.assert_allclose(position, d, atol=1e-11 * whole)
    np.testing.assert_allclose(velocity, v_to, atol=1e-9 * v)


@settings(max_examples=80, deadline=None)
@given(move)
def test_in_reversed_time_a_motion_goes_from_the_last_speed_to_the_first(m: Move) -> None:
    d, v_from, v_to, v, a, j = arguments(m)
    there, back = reach(d, v_from, v_to, v, a, j), reach(d, v_to, v_from, v, a, j)
    np.testing.assert_allclose(there.duration, back.duration, rtol=1e-9, atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(move)
def test_the_mirror_image_takes_the_same_time(m: Move) -> None:
    d, v_from, v_to, v, a, j = arguments(m)
    there, mirrored = reach(d, v_from, v_to, v, a, j), reach(-d, -v_from, -v_to, v, a, j)
    np.testing.assert_allclose(there.duration, mirrored.duration, rtol=1e-9, atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(move, st.floats(0.1, 10.0))
def test_a_larger_world_takes_the_same_time_and_slower_clocks_take_longer_in_proportion(
    m: Move, k: float
) -> None:
    d, v_from, v_to, v, a, j = arguments(m)
    plain = reach(d, v_from, v_to, v, a, j).duration
    larger = reach(k * d, k * v_from, k * v_to, k * v, k * a, k * j).duration
    slower = reach(d, v_from / k, v_to / k, v / k, a / k**2, j / k**3).duration
    np.testing.assert_allclose(larger, plain, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(slower, k * plain, rtol=1e-7, atol=1e-9)


@settings(max_examples=80, deadline=None)
@given(move, st.floats(1.0, 10.0))
def test_more_of_any_limit_never_makes_a_motion_between_speeds_longer(m: Move, k: float) -> None:
    d, v_from, v_to, v, a, j = arguments(m)
    duration = float(reach(d, v_from, v_to, v, a, j).duration)
    for looser in ((k * v, a, j), (v, k * a, j), (v, a, k * j)):
        assert float(reach(d, v_from, v_to, *looser).duration) <= duration * (1 + 1e-9) + 1e-12


@settings(max_examples=60, deadline=None)
@given(st.lists(move, min_size=1, max_size=4))
def test_axes_together_take_no_less_than_each_alone_and_arrive_within_their_limits(moves: list[Move]) -> None:
    axes = np.array([arguments(m) for m in moves]).T
    d, _, v_to, v, a, _ = axes
    T = float(shortest_common_time(*axes))
    assert math.isfinite(T)
    least = reach(*axes).duration.max()
    assert least * (1 - 1e-12) <= T
    arrival = arrive(*axes)
    position, velocity, acceleration = arrival.at(np.linspace(0.0, T, 101)[:, None])
    np.testing.assert_allclose(position[-1], d, atol=1e-9 * np.max(np.abs(d) + v * T))
    np.testing.assert_allclose(velocity[-1], v_to, atol=1e-6 * v.max())
    assert np.abs(velocity / v).max() <= 1 + 1e-9
    assert np.abs(acceleration / a).max() <= 1 + 1e-9


@settings(max_examples=60, deadline=None)
@given(share, share, limit, limit, jerk)
def test_a_ramp_never_overshoots_its_speeds(first: float, last: float, v: float, a: float, j: float) -> None:
    ramp = speed_ramp(first * v, last * v, a, j)
    _, velocity, acceleration = ramp.at(np.linspace(-0.1, 1.1, 121) * ramp.duration)
    low, high = sorted((first * v, last * v))
    assert velocity.min() >= low - 1e-9 * v
    assert velocity.max() <= high + 1e-9 * v
    assert np.abs(acceleration).max() <= a * (1 + 1e-9)


# --- along paths ------------------------------------------------------------------------------------------


@st.composite
def curves(draw: st.DrawFn) -> np.ndarray:
    """Two joints on a smooth path, shape (301, 2)."""
    sizes = draw(st.lists(st.floats(-1.0, 1.0), min_size=8, max_size=8))
    assume(max(abs(x) for x in sizes) > 0.1)
    s = np.linspace(0.0, 1.0, 301)[:, None, None]
    waves = np.arange(1, 5) * s
    return np.sum(np.reshape(sizes, (2, 4)) * np.sin(2.0 * waves + np.arange(8).reshape(2, 4)), axis=-1)


@settings(max_examples=25, deadline=None)
@given(curves(), limit, limit, st.floats(1.0, 5.0))
def test_paths_are_gone_along_within_limits_and_faster_with_more_of_them(
    q: np.ndarray, v: float, a: float, k: float
) -> None:
    path, a_max = joint_path(q), np.array([a, 2.0 * a])
    traversal = fastest_under(path, [v, v], a_max)
    _, dq, ddq = traversal.at(np.linspace(0.0, 1.0, 1001) * traversal.duration)
    assert np.abs(dq).max() <= v * (1 + 1e-2)
    assert np.abs(ddq / a_max).max() <= 1 + 1e-2
    assert np.abs(dq).max() > 0.98 * v or np.abs(ddq / a_max).max() > 0.98  # a limit is reached
    for looser in (([k * v, k * v], a_max), ([v, v], k * a_max)):
        assert float(fastest_under(path, *looser).duration) <= float(traversal.duration) * (1 + 2e-2)
    slower = fastest_under(path, [v / k, v / k], a_max / k**2)
    np.testing.assert_allclose(slower.duration, k * traversal.duration, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=5), st.floats(0.0, 0.5))
def test_along_a_chain_every_leg_is_done_once_and_never_backward(lengths: list[float], blend: float) -> None:
    zones = blend * np.minimum(lengths[1:], lengths[:-1])
    done = progress(lengths, zones, np.linspace(0.0, 1.0, 301))
    np.testing.assert_allclose(done[0], 0.0, atol=1e-12)
    np.testing.assert_allclose(done[-1], 1.0, atol=1e-12)
    assert np.diff(done, axis=0).min() >= -1e-12


@settings(max_examples=15, deadline=None)
@given(curves())
def test_smoothing_keeps_all_limits_and_both_ends(q: np.ndarray) -> None:
    arm = robot("meca500")
    six = np.concatenate((q, 0.5 * q, -q), axis=1) * 0.5
    traversal = fastest_under(joint_path(six), arm.v_max, arm.a_max)
    motion = smoothed(arm, traversal)
    t = np.linspace(0.0, float(motion.duration), 701)
    found, dq, ddq = motion.at(t)
    np.testing.assert_allclose(found[[0, -1]], six[[0, -1]], atol=1e-9)
    assert np.abs(dq / arm.v_max).max() <= 1 + 1e-2
    assert np.abs(ddq / arm.a_max).max() <= 1 + 1e-2
    assert np.abs(motion.jerk_at(t) / arm.j_max).max() <= 1 + 5e-2


# --- with a belt ------------------------------------------------------------------------------------------

speeds = st.lists(st.tuples(st.floats(0.1, 3.0), st.floats(0.0, 0.5)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(speeds, st.floats(0.1, 2.0), st.floats(0.1, 2.0), st.one_of(st.just(math.inf), st.floats(0.5, 20.0)))
def test_a_belt_is_at_a_place_when_it_says_so_and_not_before(
    told: list[tuple[float, float]], up: float, down: float, jerk: float
) -> None:
    times = np.cumsum([pause for pause, _ in told])
    run = belt_run(SpeedDrive(up, down, jerk), list(zip(times, (v for _, v in told), strict=True)))
    t = np.linspace(0.0, float(times[-1]) + 3.0, 60)
    place, speed, _ = run.at(t)
    assert np.all(np.diff(place) >= -1e-12)
    assert speed.min() >= -1e-12
    when = run.when(place + 1e-6)
    reached = np.isfinite(when)
    np.testing.assert_allclose(
        run.at(np.where(reached, when, 0.0))[0][reached], place[reached] + 1e-6, atol=1e-9
    )
    assert np.all(when >= t - 1e-9)


@settings(max_examples=12, deadline=None)
@given(st.floats(0.02, 0.4), st.floats(-1.0, 0.2), st.floats(-0.1, 0.15), st.floats(0.15, 0.4))
def test_a_meeting_is_never_earlier_than_possible_and_never_later_than_a_search_finds(
    speed: float, part: float, y: float, z: float
) -> None:
    arm, down = robot("irb120"), (np.pi, 0.0, np.pi)
    home = arm.joints_near(tf.from_xyz_euler([0.33, y, z], down), np.zeros(6))
    track = Track(tf.from_xyz_euler([0.35, 0.0, 0.2], down), np.array([0.0, 1.0, 0.0]), -0.2, 0.25)
    run = belt_run(SpeedDrive(1.0, 1.0), [(0.0, speed)], speed=speed)
    found = meet(arm, Readiness(home), track, run, part)

    step = 4e-3
    t = np.arange(0.0, 3.0, step)
    place = part + speed * t
    t, place = (x[(place >= track.enter) & (place <= track.leave)] for x in (t, place))
    q, ahead, behind = (arm.ik_near(track.pose(place + shift), home) for shift in (0.0, 1e-5, -1e-5))
    dq = (ahead - behind) / 2e-5 * speed
    takes = shortest_common_time(q - home, 0.0, dq, arm.v_max, arm.a_max, arm.j_max)
    can = t[takes <= t]
    assume(found.time < 3.0 - step)
    if len(can):
        assert can[0] - step - 1e-6 <= float(found.time) <= can[0] + 1e-6
    else:
        assert not bool(found.is_possible) or track.leave - float(found.position) < speed * step
