"""Rest-to-rest profiles against closed formulas, against numerical integration and against Ruckig."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ruckig_peer import ruckig_move

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.profile import rest_to_rest, scalar_duration, scalar_move, synchronised


@pytest.mark.parametrize(
    ("distance", "v", "a", "j", "duration"),
    [
        pytest.param(10, 2, 4, math.inf, 10 / 2 + 2 / 4, id="trapezoid"),
        pytest.param(1, 100, 4, math.inf, 2 * math.sqrt(1 / 4), id="triangle"),
        pytest.param(10, 2, 4, 16, 10 / 2 + 2 / 4 + 4 / 16, id="reaches all three limits"),
        pytest.param(10, 2, 100, 8, 10 / 2 + 2 * math.sqrt(2 / 8), id="never at full acceleration"),
        pytest.param(2, 100, 100, 1, (32 * 2 / 1) ** (1 / 3), id="jerk alone"),
        pytest.param(6, 100, 1, 1, 1 + math.sqrt(1 + 4 * 6), id="never at full speed"),
    ],
)
def test_durations_are_those_of_the_closed_formulas(
    distance: float, v: float, a: float, j: float, duration: float
) -> None:
    assert float(rest_to_rest(distance, v, a, j).duration) == pytest.approx(duration, rel=1e-14)
    assert scalar_duration(distance, v, a, j) == pytest.approx(duration, rel=1e-14)


def test_a_move_of_no_distance_takes_no_time_and_stays() -> None:
    profile = rest_to_rest([0.0, 1.0], 1, 1, 1)
    assert profile.duration[0] == 0.0
    for quantity in profile.at([[0.0], [0.5], [9.0]]):
        np.testing.assert_array_equal(quantity[:, 0], 0.0)
    assert scalar_move(0.0, 1, 1, 1).at(0.5) == (0.0, 0.0)


def test_before_the_start_and_after_the_end_it_rests() -> None:
    profile = rest_to_rest([3.0, -3.0], 1, 2, [5, math.inf])
    for t, at in ((-1.0, 0.0), (99.0, 1.0)):
        position, velocity, acceleration = profile.at(t)
        np.testing.assert_array_equal(position, at * profile.distance)
        np.testing.assert_array_equal(velocity, 0.0)
        np.testing.assert_array_equal(acceleration, 0.0)


@pytest.mark.parametrize("j", [4.0, 30.0, math.inf])
@pytest.mark.parametrize("distance", [-7.0, 0.3, 0.01])
def test_acceleration_integrates_to_velocity_and_velocity_to_position(distance: float, j: float) -> None:
    profile = rest_to_rest(distance, 1.5, 2.5, j)
    t = np.linspace(0, float(profile.duration), 200_001)
    position, velocity, acceleration = profile.at(t)
    dt = t[1]

    def integral(y: np.ndarray) -> np.ndarray:
        return np.concatenate(([0.0], np.cumsum(0.5 * (y[1:] + y[:-1])) * dt))

    np.testing.assert_allclose(integral(velocity), position, atol=1e-9)
    np.testing.assert_allclose(integral(acceleration), velocity, atol=4 * 2.5 * dt)


def test_the_jerk_named_is_the_slope_of_the_acceleration() -> None:
    profile = rest_to_rest(-5.0, 2, 3, 12)
    assert float(profile.jerk) == pytest.approx(-12)
    assert float(profile.at(1e-3)[2]) == pytest.approx(-12e-3)
    assert float(rest_to_rest(5.0, 2, 3).jerk) == math.inf


def test_a_large_jerk_limit_comes_to_the_trapezoid() -> None:
    smooth, sharp = rest_to_rest(3.0, 1, 2, 1e9), rest_to_rest(3.0, 1, 2)
    t = np.linspace(0, float(sharp.duration), 100)
    np.testing.assert_allclose(smooth.at(t)[0], sharp.at(t)[0], atol=1e-8)


def test_arrays_broadcast_and_time_adds_its_own_dimension() -> None:
    profile = rest_to_rest(np.ones((5, 1)), [1.0, 2.0, 3.0], 4.0, 50.0)
    assert profile.duration.shape == (5, 3)
    assert profile.at(np.linspace(0, 1, 7)[:, None, None])[0].shape == (7, 5, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0, 1, 1), "speed limit 0 is not above 0"),
        ((1, 1, -2, 1), "acceleration limit -2 is not above 0"),
        ((1, 1, math.inf, 1), "acceleration limit inf is not above 0 and finite"),
        ((1, 1, 1, 0), "jerk limit 0 is not above 0"),
        ((1, 1, 1, math.nan), "jerk limit nan is not above 0"),
        ((math.nan, 1, 1, 1), "distance nan is not a number of finite size"),
    ],
)
def test_limits_without_sense_are_refused_by_name(arguments: tuple[float, ...], message: str) -> None:
    for make in (rest_to_rest, scalar_move):
        with pytest.raises(BadMotionLimit, match=message):
            make(*arguments)


def test_the_scalar_move_has_the_position_and_velocity_of_the_array_one() -> None:
    rng = np.random.default_rng(14)
    for d, v, a, j in zip(rng.uniform(-3, 3, 100), *np.exp(rng.uniform(-2, 4, (3, 100))), strict=True):
        profile, move = rest_to_rest(d, v, a, j), scalar_move(d, v, a, j)
        t = np.linspace(-0.1, 1.1, 61) * move.duration
        position, velocity, _ = profile.at(t)
        np.testing.assert_allclose(
            [move.at(x) for x in t.tolist()], np.stack((position, velocity), -1), atol=1e-12
        )
        assert move.position(t[20]) == move.at(t[20])[0]


# --- many axes --------------------------------------------------------------------------------------------


def test_axes_with_alike_limits_move_on_a_straight_line_in_joint_space() -> None:
    v = np.array([1.0, 2.0, 3.0])
    d = np.array([1.0, -0.7, 0.1])
    profile = synchronised(d, v, 4 * v, 40 * v)
    position, _, _ = profile.at(np.linspace(0, 2, 50)[:, None])
    np.testing.assert_allclose(
        position / d, np.broadcast_to(position[:, :1] / d[0], position.shape), atol=1e-15
    )


def test_a_weak_axis_breaks_the_line_but_no_limit_and_costs_no_time() -> None:
    d, v, a, j = np.array([2.0, 1.0]), np.array([1.0, 1.0]), np.array([50.0, 2.5]), np.array([1e4, 1e4])
    profile = synchronised(d, v, a, j)
    np.testing.assert_allclose(profile.duration, rest_to_rest(d, v, a, j).duration.max())
    assert np.all(np.abs(profile.top_acceleration) <= a * (1 + 1e-12))
    assert np.all(np.abs(profile.top_speed) <= v * (1 + 1e-12))
    assert np.all(np.abs(profile.jerk) <= j * (1 + 1e-12))
    assert profile.jerk_time[0] != profile.jerk_time[1]


def test_an_axis_that_need_not_move_waits_for_the_others() -> None:
    profile = synchronised([[1.0, 0.0], [0.0, 0.0]], 1, [1.0, 0.1], 1)
    np.testing.assert_allclose(profile.duration[0], profile.duration[0, 0])
    np.testing.assert_array_equal(profile.duration[1], 0.0)
    np.testing.assert_array_equal(profile.at(0.5)[0][:, 1], 0.0)


def test_an_axis_that_need_not_move_waits_also_where_the_others_leave_the_line() -> None:
    profile = synchronised([2.0, 1.0, 0.0], 1, [50.0, 2.5, 1.0], 1e4)
    assert profile.jerk_time[0] != profile.jerk_time[1]
    np.testing.assert_allclose(profile.duration, profile.duration[0])
    np.testing.assert_array_equal(profile.at([[0.0], [0.5], [1.0]])[0][:, 2], 0.0)


def test_each_row_of_a_batch_is_synchronised_by_itself() -> None:
    d = np.random.default_rng(8).uniform(-2, 2, (40, 6))
    v, a, j = np.array([[1, 2, 3, 4, 5, 6.0], [5, 4, 3, 3, 4, 5], [90, 9, 9, 90, 90, 9]])
    batch = synchronised(d, v, a, j)
    for row in range(40):
        one = synchronised(d[row], v, a, j)
        np.testing.assert_array_equal(one.duration, batch.duration[row])
        np.testing.assert_array_equal(one.at(0.3)[0], batch.at(0.3)[0][row])


# --- Ruckig -----------------------------------------------------------------------------------------------


def test_durations_and_positions_of_one_axis_are_those_of_ruckig() -> None:
    rng = np.random.default_rng(9)
    for d, v, a, j in zip(
        rng.uniform(-3, 3, 300), *np.exp(rng.uniform(np.log(0.1), np.log(30), (3, 300))), strict=True
    ):
        trajectory = ruckig_move([d], [v], [a], [j])
        profile = rest_to_rest(d, v, a, j)
        assert float(profile.duration) == pytest.approx(trajectory.duration, rel=1e-8, abs=1e-11)
        for t in np.linspace(0, trajectory.duration, 9):
            position, velocity, _ = trajectory.at_time(t)
            assert float(profile.at(t)[0]) == pytest.approx(position[0], abs=1e-8)
            assert float(profile.at(t)[1]) == pytest.approx(velocity[0], abs=1e-7)


def test_durations_of_six_axes_are_those_of_ruckig() -> None:
    rng = np.random.default_rng(10)
    v, a, j = np.exp(rng.uniform(np.log(0.3), np.log(30), (3, 6)))
    d = rng.uniform(-3, 3, (200, 6))
    durations = synchronised(d, v, a, j).duration
    for row in range(200):
        trajectory = ruckig_move(d[row], v, a, j)
        np.testing.assert_allclose(durations[row], trajectory.duration, rtol=1e-8, atol=1e-11)
