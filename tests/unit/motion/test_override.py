"""Speed override while a motion goes: it stays on its path and within its accelerations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cellctl.motion import transforms as tf
from cellctl.motion.arch import arch
from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.override import Motion, Overridden, overridden
from cellctl.motion.profile import Profile, synchronised
from cellctl.motion.robots import robot

D, V, A, J = np.array([[1.0, -0.4, 0.2], [2.0, 0.1, 0.7]]), np.ones(3), np.full(3, 4.0), np.full(3, 40.0)
PROFILE: Profile = synchronised(D, V, A, J)
LENGTH = PROFILE.duration.max(axis=-1)


def motion(t: np.ndarray) -> tuple[np.ndarray, ...]:
    return PROFILE.at(t[..., None])


def under(*changes: tuple[float, float], rate: float = 1.0, until: float = 20.0) -> Overridden:
    law: Motion = motion  # type: ignore[assignment]
    return overridden(law, LENGTH, A, changes, until, rate)


def test_with_no_change_it_is_the_motion_itself() -> None:
    plain = under()
    np.testing.assert_allclose(plain.duration, LENGTH, rtol=1e-12)
    for ours, theirs in zip(plain.at(0.4), motion(np.full(2, 0.4)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_at_a_constant_override_it_takes_as_much_longer() -> None:
    half = under(rate=0.5)
    np.testing.assert_allclose(half.duration, 2.0 * LENGTH, rtol=1e-12)
    q, w, b = half.at(0.4)
    q1, w1, b1 = motion(np.full(2, 0.2))
    np.testing.assert_allclose(q, q1, atol=1e-12)
    np.testing.assert_allclose(w, 0.5 * w1, atol=1e-12)
    np.testing.assert_allclose(b, 0.25 * b1, atol=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        [(0.1, 0.3), (0.3, 1.0)],
        [(0.25, 0.0), (0.7, 0.5), (0.9, 1.0)],
        [(0.05, 0.0), (0.1, 1.0), (0.15, 0.0), (0.2, 1.0)],
    ],
)
def test_changes_on_the_way_keep_path_speeds_and_accelerations(changes: list[tuple[float, float]]) -> None:
    changed = under(*changes)
    t = np.linspace(0.0, 1.0, 6001)[:, None] * changed.duration
    q, w, b = changed.at(t)
    assert np.abs(w / V).max() <= 1 + 1e-9
    assert np.abs(b / A).max() <= 1 + 1e-3
    np.testing.assert_allclose(q[-1], D, atol=1e-9)
    np.testing.assert_allclose(q / D, np.broadcast_to(q[..., :1] / D[..., :1], q.shape), atol=1e-12)
    grown = np.cumsum(0.5 * (w[1:] + w[:-1]) * np.diff(t, axis=0)[..., None], axis=0)
    np.testing.assert_allclose(grown, q[1:], atol=1e-4)


def test_a_hold_comes_to_rest_on_the_path_and_stays() -> None:
    held = under((0.3, 0.0), until=3.0)
    assert np.all(held.duration == math.inf)
    for t in (1.0, 2.5):
        q, w, b = held.at(t)
        np.testing.assert_array_equal(w, 0.0)
        np.testing.assert_array_equal(b, 0.0)
        assert np.all(np.abs(q) < np.abs(D))


def test_a_hold_is_quicker_than_a_ramp_of_the_override_only_where_accelerations_allow() -> None:
    held = under((0.6, 0.0), until=3.0)
    stopped = held.step * np.argmax(held.rate == 0.0, axis=0) - 0.6
    # at 1 m/s with 4 m/s^2 a stop takes 0.25 s
    assert stopped[1] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_an_override_beyond_nothing_and_full_is_refused(share: float) -> None:
    with pytest.raises(BadMotionLimit, match="speed override"):
        under((0.1, share))


def test_an_arch_is_held_and_goes_on_over_the_same_places() -> None:
    arm, down = robot("irb120"), (np.pi, 0.0, np.pi)
    q = arm.joints_near(tf.from_xyz_euler([0.35, -0.15, 0.25], down), np.zeros(6))
    plain = arch(arm, q, tf.from_xyz_euler([0.35, 0.15, 0.25], down), 0.03)
    held = overridden(plain.at, plain.duration, arm.a_max, [(0.2, 0.0), (0.6, 1.0)], 5.0)
    t = np.linspace(0.0, float(held.duration), 201)
    q, _, acceleration = held.at(t)
    assert float(held.duration) > float(plain.duration) + 0.2
    assert np.abs(acceleration / arm.a_max).max() < 1 + 2e-3
    places = plain.at(np.linspace(0.0, float(plain.duration), 3001))[0]
    apart = np.abs(q[:, None, :] - places).max(axis=-1).min(axis=-1)
    assert apart.max() < 1e-3
