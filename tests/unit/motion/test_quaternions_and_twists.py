"""Quaternions, rotation vectors and twists against scipy's rotations and matrix exponential."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.spatial.transform import Rotation, Slerp

from cellctl.motion import quaternions, twists
from cellctl.motion import transforms as tf

RNG = np.random.default_rng(11)
AXES = RNG.normal(size=(60, 3))
AXES /= np.linalg.norm(AXES, axis=-1, keepdims=True)
AXES[:6] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]]
ANGLES = [0.0, 1e-16, 1e-12, 1e-7, 1e-3, 0.29, 0.31, 1.0, 2.5, np.pi - 1e-3, np.pi - 1e-9, np.pi]


def wxyz(rotation: Rotation) -> np.ndarray:
    return quaternions.canonical(np.roll(rotation.as_quat(), 1, axis=-1))


def twist_matrix(twist: np.ndarray) -> np.ndarray:
    out = np.zeros((4, 4))
    out[:3, :3], out[:3, 3] = twists.hat(twist[3:]), twist[:3]
    return out


# --- quaternions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", ANGLES)
def test_quaternions_of_rotations_are_those_of_scipy_at_every_angle(angle: float) -> None:
    rotation = Rotation.from_rotvec(angle * AXES)
    q = quaternions.from_rotation(rotation.as_matrix())
    assert np.abs(quaternions.to_rotation(q) - rotation.as_matrix()).max() < 1e-15
    assert np.minimum(np.abs(q - wxyz(rotation)), np.abs(q + wxyz(rotation))).max() < 1e-15


def test_the_product_of_quaternions_is_the_product_of_their_rotations() -> None:
    p, q = Rotation.random(50, rng=1), Rotation.random(50, rng=2)
    product = quaternions.canonical(quaternions.multiply(wxyz(p), wxyz(q)))
    np.testing.assert_allclose(product, wxyz(p * q), atol=1e-15)
    one = quaternions.multiply(wxyz(p), quaternions.conjugate(wxyz(p)))
    np.testing.assert_allclose(one, np.tile([1.0, 0, 0, 0], (50, 1)), atol=1e-15)


def test_vectors_are_turned_as_by_the_matrix() -> None:
    p, v = Rotation.random(50, rng=3), RNG.normal(size=(50, 3))
    np.testing.assert_allclose(quaternions.rotate(wxyz(p), v), p.apply(v), atol=1e-14)


def test_orientations_between_two_are_those_of_scipy() -> None:
    ends = Rotation.random(2, rng=4)
    share = np.linspace(0, 1, 21)
    q = quaternions.slerp(*wxyz(ends), share)
    np.testing.assert_allclose(quaternions.canonical(q), wxyz(Slerp([0, 1], ends)(share)), atol=1e-15)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-5, 1.0, 3.1])
def test_orientations_between_near_ones_are_as_exact(angle: float) -> None:
    p, q = np.array([1.0, 0, 0, 0]), wxyz(Rotation.from_rotvec([0.0, angle, 0.0]))
    quarter = quaternions.to_rotation(quaternions.slerp(p, -q, 0.25))
    np.testing.assert_allclose(Rotation.from_matrix(quarter).magnitude(), angle / 4, atol=1e-15)


# --- rotation vectors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", ANGLES)
def test_rotation_vectors_come_back_at_every_angle(angle: float) -> None:
    w = angle * AXES
    R = twists.exp_rotation(w)
    assert np.abs(R - Rotation.from_rotvec(w).as_matrix()).max() < 2e-15
    back = twists.log_rotation(R)
    if angle == np.pi:  # the axis may point either way
        back *= np.sign(np.sum(back * w, axis=-1, keepdims=True))
    np.testing.assert_allclose(back, w, atol=3e-15)


def test_at_half_a_turn_the_axis_points_forward() -> None:
    for axis in (np.array([0.6, -0.8, 0.0]), np.array([0.0, 0.0, 1.0])):
        for sign in (1, -1):
            R = 2 * np.outer(sign * axis, sign * axis) - np.eye(3)
            np.testing.assert_allclose(twists.log_rotation(R), np.pi * axis, atol=1e-15)


# --- twists -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", ANGLES)
def test_a_twist_leads_where_the_matrix_exponential_leads_and_comes_back(angle: float) -> None:
    twist = np.concatenate((RNG.normal(size=(60, 3)), angle * AXES), axis=-1)
    T = twists.exp(twist)
    for one, reached in zip(twist[:12], T, strict=False):
        np.testing.assert_allclose(reached, expm(twist_matrix(one)), atol=2e-14)
    if angle < np.pi:
        np.testing.assert_allclose(twists.log(T), twist, atol=1e-13)
    np.testing.assert_allclose(twists.exp(twists.log(T)), T, atol=1e-14)


def test_the_adjoint_takes_a_twist_from_one_frame_to_the_other() -> None:
    T, twist = twists.exp(RNG.normal(size=6)), RNG.normal(size=6) * 0.3
    seen = twists.exp(twists.adjoint(T) @ twist)
    np.testing.assert_allclose(seen, tf.compose(T, twists.exp(twist), tf.inverse(T)), atol=1e-14)


def test_halfway_between_two_poses_is_as_far_from_either() -> None:
    T_a, T_b = twists.exp(RNG.normal(size=(2, 20, 6)))
    T = twists.between(T_a, T_b, np.full(20, 0.5))
    np.testing.assert_allclose(tf.rotation_angle(T_a, T), tf.rotation_angle(T, T_b), atol=1e-14)
    np.testing.assert_allclose(tf.translation_distance(T_a, T), tf.translation_distance(T, T_b), atol=1e-14)
    np.testing.assert_allclose(twists.between(T_a, T_b, 1.0), T_b, atol=1e-14)
