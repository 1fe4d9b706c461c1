"""The Meca500 as modelled here against what a real one logged: where it was, and when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from cellctl.motion import transforms as tf
from cellctl.motion.arch import arm_move, arm_move_duration
from cellctl.motion.robots import robot

LOG = np.loadtxt(Path(__file__).with_name("meca500_log.csv"), delimiter=",")
TIME = LOG[:, 0]
T_LOG = tf.from_xyz_euler(LOG[:, 1:4] / 1000, np.radians(LOG[:, 4:]))
HOME = np.zeros(6)
CORNER = np.radians([30, 25, 20, 15, 10, 5])
HALF_SPEED = 0.5  # the logged program's

# fitted to the log: the first move began 8 ms before it, and each move began before the one before had ended
START, BLEND = -0.0080, 0.1325  # [s]


def logged_joints() -> np.ndarray:
    arm, q = robot("meca500"), [HOME]
    for T in T_LOG:
        q.append(arm.ik_near(T, q[-1]))
    return np.array(q[1:])


@pytest.mark.parametrize(("q", "sample"), [(HOME, 0), (-CORNER, -1)], ids=["home", "end"])
def test_the_arm_stands_where_the_controller_says_to_a_twentieth_of_a_millimetre(
    q: np.ndarray, sample: int
) -> None:
    T = robot("meca500").fk(q)
    assert tf.translation_distance(T, T_LOG[sample]) < 50e-6
    assert np.degrees(tf.rotation_angle(T, T_LOG[sample])) < 0.02


def test_the_joint_moves_of_the_log_come_back_every_nine_tenths_of_a_second() -> None:
    joint1 = CubicSpline(TIME, logged_joints()[:, 0])
    turns = joint1.derivative().roots(extrapolate=False)
    turns = turns[(turns > 0.1) & (turns < 3.0)]
    np.testing.assert_allclose(np.diff(turns), 0.900, atol=1e-3)


def test_a_blended_move_of_sixty_degrees_takes_nine_tenths_of_a_second() -> None:
    duration = float(arm_move_duration(robot("meca500"), CORNER, -CORNER, HALF_SPEED))
    assert duration - BLEND == pytest.approx(0.900, abs=1e-3)


def test_moves_overlapped_by_one_blend_time_reproduce_the_whole_log() -> None:
    arm = robot("meca500")
    q, at, start = np.zeros((len(TIME), 6)), HOME, START
    for target in (CORNER, -CORNER, CORNER, -CORNER):
        move = arm_move(arm, at, target, HALF_SPEED)
        q += move.at((TIME - start)[:, None])[0]
        at, start = target, start + float(move.duration[0]) - BLEND
    assert tf.translation_distance(arm.fk(q), T_LOG).max() < 0.2e-3
    assert np.degrees(tf.rotation_angle(arm.fk(q), T_LOG)).max() < 0.06
    assert np.degrees(np.abs(logged_joints() - q)).max() < 0.02
