"""How controllers write orientations, against scipy's Euler angles and examples from their manuals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cellctl.motion import orientations
from cellctl.motion.orientations import Convention
from cellctl.motion.twists import exp_rotation

ANGLES = np.random.default_rng(12).uniform(-1.5, 1.5, (50, 3))
SCIPY = {  # capitals turn with the body, small letters about fixed axes
    Convention.MECADEMIC: Rotation.from_euler("XYZ", ANGLES),
    Convention.WPR: Rotation.from_euler("xyz", ANGLES),
    Convention.KUKA: Rotation.from_euler("ZYX", ANGLES),
    Convention.UR: Rotation.from_rotvec(ANGLES),
}


@pytest.mark.parametrize("convention", SCIPY)
def test_a_controllers_angles_are_those_of_scipy_and_come_back(convention: Convention) -> None:
    R = orientations.to_rotation(convention, ANGLES)
    np.testing.assert_allclose(R, SCIPY[convention].as_matrix(), atol=2e-15)
    np.testing.assert_allclose(orientations.from_rotation(convention, R), ANGLES, atol=1e-13)


@pytest.mark.parametrize("convention", Convention)
def test_every_orientation_is_kept_by_every_convention(convention: Convention) -> None:
    R = Rotation.random(200, rng=5).as_matrix()
    R[:4] = exp_rotation(np.array([[0, np.pi / 2, 0], [0, -np.pi / 2, 0], [0, np.pi, 0], [0.0, 0, 0]]))
    R[4:8] = R[4:8] @ R[0]
    back = orientations.to_rotation(convention, orientations.from_rotation(convention, R))
    np.testing.assert_allclose(back, R, atol=3e-15)


@pytest.mark.parametrize("convention", [Convention.WPR, Convention.KUKA])
def test_at_the_gimbal_lock_the_angle_about_x_is_zero(convention: Convention) -> None:
    R = Rotation.from_euler("ZYX", [0.4, np.pi / 2, 0.3]).as_matrix()
    values = orientations.from_rotation(convention, R)
    assert values[0 if convention is Convention.WPR else 2] == 0.0


def test_a_rounded_quaternion_still_gives_a_rotation() -> None:
    R = orientations.to_rotation(Convention.ABB, [0.707, 0.0, 0.707, 0.0])
    np.testing.assert_allclose(R, Rotation.from_euler("y", np.pi / 2).as_matrix(), atol=1e-15)


def test_a_pose_keeps_its_position() -> None:
    T = orientations.to_pose(Convention.UR, [[0.1, 0.2, 0.3]] * 50, ANGLES)
    position, values = orientations.from_pose(Convention.UR, T)
    np.testing.assert_array_equal(position, [[0.1, 0.2, 0.3]] * 50)
    np.testing.assert_allclose(values, ANGLES, atol=1e-14)
