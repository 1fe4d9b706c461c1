"""Axes that arrive together at their speeds: against Ruckig, its blocked times included, and within limits."""

from __future__ import annotations

import numpy as np
import pytest
from ruckig_peer import ruckig_move

from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.profile import synchronised
from cellctl.motion.targets import reach
from cellctl.motion.together import arrive, clearance, shortest_common_time


def random_moves(count: int, axes: int, forward: float) -> tuple[np.ndarray, ...]:
    """Distances, speeds and limits, shape (count, axes); `forward` is the share that moves one way throughout."""
    rng = np.random.default_rng(22)
    shape = (count, axes)
    v, a, j = (
        np.exp(rng.uniform(np.log(low), np.log(high), shape))
        for low, high in ((0.3, 10), (0.3, 30), (0.3, 300))
    )
    v_from, v_to = rng.uniform(-1, 1, (2, *shape)) * v
    d = rng.uniform(-3, 3, shape) * np.exp(rng.uniform(-3, 2, shape))
    one_way = rng.uniform(size=count) < forward
    for x in (v_from, v_to, d):
        x[one_way] = np.abs(x[one_way])
    v_from[:: max(count // 50, 1)] = 0.0
    return d, v_from, v_to, v, a, j


def alike_moves(count: int, axes: int) -> tuple[np.ndarray, ...]:
    """As `random_moves`, all from a few round numbers, so that speeds, distances and limits often coincide."""
    rng = np.random.default_rng(23)
    v, a, j = (
        rng.choice(values, (count, axes)) for values in ([0.5, 1.0, 2.0], [1.0, 2.0, 4.0], [1.0, 10.0, 100.0])
    )
    v_from, v_to = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], (2, count, axes)) * v
    return rng.choice([-1.0, -0.25, 0.0, 0.25, 0.5, 1.0, 3.0], (count, axes)), v_from, v_to, v, a, j


@pytest.mark.parametrize("axes", [2, 6])
@pytest.mark.parametrize("kind", ["random", "alike"])
def test_common_times_are_those_of_ruckig(axes: int, kind: str) -> None:
    moves = random_moves(1000, axes, 0.5) if kind == "random" else alike_moves(1000, axes)
    common = shortest_common_time(*moves)
    d, v_from, v_to, *_ = moves
    is_there = np.all((d == 0.0) & (v_from == v_to), axis=-1)  # Ruckig makes a turn back and forth of nothing
    np.testing.assert_array_equal(common[is_there], 0.0)
    for row in np.flatnonzero(~is_there):
        d, v_from, v_to, v, a, j = (x[row] for x in moves)
        assert common[row] == pytest.approx(
            ruckig_move(d, v, a, j, v_from, v_to).duration, rel=1e-8, abs=1e-11
        )
    waits = common > reach(*moves).duration.max(axis=-1) * (1 + 1e-9)
    assert waits.sum() > 30  # blocked times are among them


def test_every_axis_arrives_at_its_place_with_its_speed_within_its_limits() -> None:
    moves = random_moves(1000, 3, 0.5)
    d, v_from, v_to, v, a, j = moves
    arrival = arrive(*moves)
    T = arrival.duration
    np.testing.assert_allclose(T, np.broadcast_to(T[:, :1], T.shape), rtol=1e-12)
    t = np.linspace(0.0, 1.0, 201)[:, None, None] * T
    position, velocity, acceleration = arrival.at(t)
    for found, wanted in (
        (position[0], 0.0 * d),
        (position[-1], d),
        (velocity[0], v_from),
        (velocity[-1], v_to),
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-8)
    assert np.max(np.abs(velocity) / v) <= 1 + 1e-12
    assert np.max(np.abs(acceleration) / a) <= 1 + 1e-12
    assert np.max(np.abs(np.diff(acceleration, axis=0)) / (T / 200) / j) <= 1 + 1e-9


def test_from_rest_to_rest_the_time_is_that_of_the_synchronised_profile() -> None:
    d, _, _, v, a, j = random_moves(300, 6, 0.0)
    np.testing.assert_allclose(
        shortest_common_time(d, 0.0, 0.0, v, a, j), synchronised(d, v, a, j).duration.max(axis=-1), rtol=1e-12
    )


def test_a_later_arrival_can_be_asked_for_and_an_impossible_one_is_refused() -> None:
    # at 1 m/s throughout, 1 m away: in 1 s, a little later by slowing down, much later by turning back
    move = ([1.0], [1.0], [1.0], 1.0, 1.0, 10.0)
    for duration in (1.0, 1.05, 10.0):
        arrival = arrive(*move, duration=duration)
        assert float(arrival.duration[0]) == pytest.approx(duration)
        assert float(arrival.distance[0]) == pytest.approx(1.0)
    for duration in (0.9, 2.0):
        with pytest.raises(BadMotionLimit, match="not one in which every axis can arrive"):
            arrive(*move, duration=duration)


def test_between_dawdling_and_turning_back_there_are_times_at_which_it_cannot_arrive() -> None:
    # 0.5 m at 1 m/s at both ends with 1 m/s^2: a dip to the speed u covers 1 - u^2 in 2 (1 - u), so u^2 = 0.5
    first, last = 2.0 * (1.0 - np.sqrt(0.5)), 2.0 * (1.0 + np.sqrt(0.5))
    move = [np.array([x]) for x in (0.5, 1.0, 1.0, 1.0, 1.0, np.inf)]
    for T, can in (
        (0.49, False),
        (0.5, True),
        (first, True),
        (first + 1e-6, False),
        (last - 1e-6, False),
        (last, True),
    ):
        assert (float(clearance(np.array([T]), *move)[0]) >= -1e-12) == can
    with_another = [
        np.array([x, y]) for x, y in zip((0.5, 1.0, 1.0, 1.0, 1.0), (1.0, 0.0, 0.0, 1.0, 1.0), strict=True)
    ]
    assert float(shortest_common_time(*with_another)) == pytest.approx(last)


def test_an_axis_that_need_not_move_but_is_moving_may_make_the_others_wait() -> None:
    assert shortest_common_time([0.0, 1.0], [1.0, 0.0], [1.0, 0.0], 1.0, 1.0) > shortest_common_time(
        [0.0, 1.0], [0.0, 0.0], [0.0, 0.0], 1.0, 1.0
    )
