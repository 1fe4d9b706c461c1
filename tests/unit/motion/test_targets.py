"""Jerk-limited moves between speeds: closed formulas, numerical integration, and Ruckig."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ruckig_peer import ruckig_move

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.profile import rest_to_rest
from cellctl.motion.ramp import speed_ramp
from cellctl.motion.targets import Passage, greatest_distance, reach

RNG_SEED = 21


def random_moves(count: int) -> tuple[np.ndarray, ...]:
    """Distances, speeds at both ends and limits over two decades; some ends at rest, at the limit, or alike."""
    rng = np.random.default_rng(RNG_SEED)
    v, a, j = np.exp(rng.uniform(np.log(0.1), np.log(30), (3, count)))
    v_from, v_to = rng.uniform(-1, 1, (2, count)) * v
    v_from[::7] = 0.0
    v_to[1::7] = 0.0
    v_to[2::7] = v_from[2::7]
    v_to[3::7] = np.copysign(v, v_to)[3::7]
    return rng.uniform(-3, 3, count) * np.exp(rng.uniform(-3, 2, count)), v_from, v_to, v, a, j


def test_durations_between_any_two_speeds_are_those_of_ruckig() -> None:
    moves = random_moves(2000)
    durations = reach(*moves).duration
    expected = [
        ruckig_move([d], [v], [a], [j], [v_from], [v_to]).duration
        for d, v_from, v_to, v, a, j in zip(*moves, strict=True)
    ]
    np.testing.assert_allclose(durations, expected, rtol=1e-8, atol=1e-11)


def test_the_motion_starts_and_ends_with_its_speeds_at_its_places_without_acceleration() -> None:
    moves = random_moves(2000)
    d, v_from, v_to, _, a, _ = moves
    passage = reach(*moves)
    np.testing.assert_allclose(passage.distance, d, atol=1e-9)
    for t, place, speed in ((0.0, 0.0, v_from), (passage.duration, d, v_to)):
        position, velocity, acceleration = passage.at(t)
        np.testing.assert_allclose(position, place + 0.0 * d, atol=1e-9)
        np.testing.assert_allclose(velocity, speed, atol=1e-9)
        np.testing.assert_allclose(acceleration / a, 0.0, atol=1e-5)


def test_no_limit_is_exceeded_on_the_way() -> None:
    moves = random_moves(2000)
    _, _, _, v, a, j = moves
    passage = reach(*moves)
    t = np.linspace(0.0, 1.0, 301)[:, None] * passage.duration
    _, velocity, acceleration = passage.at(t)
    assert np.max(np.abs(velocity) / v) <= 1 + 1e-12
    assert np.max(np.abs(acceleration) / a) <= 1 + 1e-12
    slope = np.abs(np.diff(acceleration, axis=0)) / (passage.duration / 300)
    assert np.max(slope / j) <= 1 + 1e-9


@pytest.mark.parametrize("j", [7.0, math.inf])
def test_acceleration_integrates_to_velocity_and_velocity_to_position(j: float) -> None:
    passage = reach([2.0, -0.3, 0.01], [0.5, 1.0, -1.0], [-1.0, 0.8, -0.2], 1.5, 2.5, j)
    t = np.linspace(0.0, 1.0, 100_001)[:, None] * passage.duration
    position, velocity, acceleration = passage.at(t)
    dt = passage.duration / 100_000
    for rate, value in ((velocity, position), (acceleration, velocity)):
        grown = np.cumsum(0.5 * (rate[1:] + rate[:-1]) * dt, axis=0)
        np.testing.assert_allclose(grown, value[1:] - value[0], atol=4 * 2.5 * float(dt.max()))


def test_from_rest_to_rest_it_is_the_profile_known_in_closed_form() -> None:
    d, _, _, v, a, j = random_moves(500)
    passage, profile = reach(d, 0.0, 0.0, v, a, j), rest_to_rest(d, v, a, j)
    np.testing.assert_allclose(passage.duration, profile.duration, rtol=1e-12)
    t = 0.37 * profile.duration
    np.testing.assert_allclose(passage.at(t)[0], profile.at(t)[0], atol=1e-9)


@pytest.mark.parametrize(
    ("d", "v_from", "v_to", "duration"),
    [
        pytest.param(4.0, 1.0, 1.0, 4.0, id="keeps its speed, which is the limit"),
        pytest.param(1.5, 0.0, 1.0, 0.5 + 1.25, id="up at 2 over 0.25, then on"),
        pytest.param(0.25, 0.0, 1.0, 0.5, id="just the ramp"),
        pytest.param(0.0, 1.0, -1.0, 1.0, id="turns round on the spot"),
        pytest.param(-0.5, 1.0, -1.0, 1.5, id="turns round and goes on"),
        pytest.param(0.0, 0.5, 0.5, 0.0, id="is there already"),
    ],
)
def test_trapezoids_that_can_be_worked_out_by_hand(
    d: float, v_from: float, v_to: float, duration: float
) -> None:
    assert float(reach(d, v_from, v_to, 1.0, 2.0).duration) == pytest.approx(duration, abs=1e-12)


def test_before_the_start_and_after_the_end_it_keeps_its_speeds() -> None:
    passage = reach(2.0, 0.5, -0.25, 1.0, 1.0, 10.0)
    assert float(passage.at(-2.0)[0]) == pytest.approx(-1.0)
    later = float(passage.duration) + 4.0
    assert [float(x) for x in passage.at(later)] == pytest.approx([2.0 - 1.0, -0.25, 0.0])


def test_the_farthest_in_the_time_of_a_fastest_move_is_its_distance() -> None:
    d, v_from, v_to, v, a, j = random_moves(1000)
    passage = reach(d, v_from, v_to, v, a, j)
    sign = np.where(passage.top_speed >= np.maximum(v_from, v_to), 1.0, -1.0)
    farthest = greatest_distance(passage.duration, sign * v_from, sign * v_to, v, a, j)
    np.testing.assert_allclose(farthest, sign * d, atol=1e-8)


def test_a_ramp_goes_as_far_as_its_mean_speed_says_and_is_point_symmetric() -> None:
    ramp = speed_ramp([0.2, -1.0, 0.5], [0.9, 2.0, 0.5], 1.5, [4.0, math.inf, 1.0])
    t = np.linspace(0.0, 1.0, 41)[:, None] * ramp.duration
    position, velocity, _ = ramp.at(t)
    np.testing.assert_allclose(position[-1], ramp.distance, atol=1e-14)
    np.testing.assert_allclose(velocity + velocity[::-1], np.broadcast_to(ramp.v_from + ramp.v_to, t.shape))


def test_a_batch_of_any_shape_gives_what_each_move_gives_alone() -> None:
    d = np.linspace(-1, 1, 6).reshape(2, 3)
    batch: Passage = reach(d, 0.3, [0.1, -0.2, 0.4], 0.5, 2.0, 30.0)
    for index in np.ndindex(2, 3):
        alone = reach(d[index], 0.3, [0.1, -0.2, 0.4][index[1]], 0.5, 2.0, 30.0)
        assert float(alone.duration) == float(batch.duration[index])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0, 2, 1, 1, 1), "speed at the end 2 is beyond the limit of 1"),
        ((1, -3, 0, 1, 1, 1), "speed at the start -3 is beyond the limit of 1"),
        ((1, math.nan, 0, 1, 1, 1), "speed at the start nan"),
        ((1, 0, 0, 0, 1, 1), "speed limit 0 is not above 0"),
        ((math.inf, 0, 0, 1, 1, 1), "distance inf is not a number of finite size"),
    ],
)
def test_what_cannot_be_is_refused_by_name(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(BadMotionLimit, match=message):
        reach(*arguments)
