"""Rigid transforms against scipy's rotations and their own axioms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cellctl.motion import transforms as tf

RNG = np.random.default_rng(1)
XYZ, ANGLES = RNG.uniform(-1, 1, (50, 3)), RNG.uniform(-1.5, 1.5, (50, 3))


def test_mobile_xyz_angles_mean_what_scipy_calls_intrinsic_xyz() -> None:
    T = tf.from_xyz_euler(XYZ, ANGLES)
    np.testing.assert_allclose(T[:, :3, :3], Rotation.from_euler("XYZ", ANGLES).as_matrix(), atol=1e-15)
    np.testing.assert_array_equal(T[:, :3, 3], XYZ)
    np.testing.assert_array_equal(T[:, 3], np.tile([0, 0, 0, 1], (50, 1)))


def test_translation_and_angles_come_back() -> None:
    xyz, angles = tf.to_xyz_euler(tf.from_xyz_euler(XYZ, ANGLES))
    np.testing.assert_array_equal(xyz, XYZ)
    np.testing.assert_allclose(angles, ANGLES, atol=1e-13)


@pytest.mark.parametrize("beta", [np.pi / 2, -np.pi / 2])
def test_at_the_gimbal_lock_alpha_is_zero_and_the_orientation_is_kept(beta: float) -> None:
    T = tf.from_xyz_euler([0, 0, 0], [0.4, beta, 0.3])
    _, angles = tf.to_xyz_euler(T)
    assert angles[0] == 0.0
    assert tf.rotation_angle(T, tf.from_xyz_euler([0, 0, 0], angles)) < 1e-15


def test_near_the_gimbal_lock_the_orientation_is_kept_to_rounding() -> None:
    T = tf.from_xyz_euler(np.zeros(3), np.array([1.0, np.pi / 2 - 1e-9, 0.5]))
    assert tf.rotation_angle(T, tf.from_xyz_euler(*tf.to_xyz_euler(T))) < 1e-14


def test_a_transform_and_its_inverse_cancel_from_both_sides() -> None:
    T = tf.from_xyz_euler(XYZ, ANGLES)
    identity = np.broadcast_to(np.eye(4), T.shape)
    np.testing.assert_allclose(tf.compose(T, tf.inverse(T)), identity, atol=1e-15)
    np.testing.assert_allclose(tf.compose(tf.inverse(T), T), identity, atol=1e-15)


def test_frames_read_left_to_right() -> None:
    T_world_table = tf.from_xyz_euler([1, 0, 0], [0, 0, np.pi / 2])
    T_table_part = tf.from_xyz_euler([0.5, 0, 0])
    np.testing.assert_allclose(tf.compose(T_world_table, T_table_part)[:3, 3], [1, 0.5, 0], atol=1e-16)


def test_one_transform_composes_with_a_batch() -> None:
    T = tf.from_xyz_euler(XYZ, ANGLES)
    np.testing.assert_array_equal(tf.compose(T[0], T)[7], tf.compose(T[0], T[7]))


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-3, 1.0, 3.0, np.pi - 1e-9, np.pi])
def test_the_angle_between_orientations_is_exact_from_zero_to_half_a_turn(angle: float) -> None:
    T = tf.from_xyz_euler([1, 2, 3], [0.1, 0.2, 0.3])
    turned = tf.compose(T, tf.from_xyz_euler([0, 0, 0], [0, angle, 0]))
    assert tf.rotation_angle(T, turned) == pytest.approx(angle, abs=5e-16)


def test_the_distance_between_origins_is_the_same_from_either_side() -> None:
    T = tf.from_xyz_euler(XYZ, ANGLES)
    there, back = tf.translation_distance(T[0], T), tf.translation_distance(T, T[0])
    np.testing.assert_array_equal(there, back)
    assert tf.translation_distance(np.eye(4), tf.from_xyz_euler([3, 4, 0])) == 5.0
