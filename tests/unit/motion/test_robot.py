"""What every robot can do in the same way: frames, Jacobians, single poses, windings, limits and their errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cellctl.motion import transforms as tf
from cellctl.motion import twists
from cellctl.motion.delta import Delta
from cellctl.motion.errors import BadMotionLimit, JointLimit, LinkageLimit, OutOfReach, TiltedPose
from cellctl.motion.gantry import Gantry
from cellctl.motion.palletiser import Palletiser
from cellctl.motion.robot import Robot
from cellctl.motion.robots import robot
from cellctl.motion.ur import Ur

BASE = tf.from_xyz_euler([0.4, -0.3, 0.2], [0.3, -0.2, 1.1])
TOOL = tf.from_xyz_euler([0.02, -0.01, 0.15], [0.1, 0.4, -0.3])


def within(some: Robot, count: int, seed: int = 41) -> np.ndarray:
    """Joint vectors well within limits, linkages and reach."""
    share = np.random.default_rng(seed).uniform(0.35, 0.65, (count, some.dof))
    return some.lower + share * (some.upper - some.lower)


# --- poses --------------------------------------------------------------------------------------------------


def test_with_frames_poses_are_those_of_the_tool_in_the_frame_of_the_base(any_kind: Robot) -> None:
    q = within(any_kind, 20)
    framed = any_kind.with_frames(BASE, TOOL)
    np.testing.assert_allclose(framed.fk(q), BASE @ any_kind.fk(q) @ TOOL, atol=1e-14)
    np.testing.assert_allclose(framed.fk(q[0]), framed.fk(q)[0], atol=1e-14)
    np.testing.assert_allclose(framed.ik_near(framed.fk(q), q), q, atol=1e-8)
    np.testing.assert_allclose(framed.joints_near(framed.fk(q[0]), q[0]), q[0], atol=1e-8)
    assert framed.beyond_reach(framed.fk(q)).max() < 1e-12
    assert any_kind.base is None  # the robot itself is as before


def test_single_poses_give_what_batches_give(any_kind: Robot) -> None:
    q = within(any_kind, 30)
    T = any_kind.fk(q)
    solutions = any_kind.ik(T)
    for i in range(30):
        np.testing.assert_allclose(any_kind.fk(q[i]), T[i], atol=1e-15)
        np.testing.assert_allclose(any_kind.ik(T[i]), solutions[i], atol=1e-9)
        np.testing.assert_allclose(any_kind.ik_near(T[i], q[i] + 0.01), q[i], atol=1e-8)


@pytest.mark.parametrize("name", ["irb120", "kr6_r900_2", "ur20"])
def test_from_afar_single_poses_choose_the_solution_that_batches_choose(name: str) -> None:
    arm = robot(name)
    q, start = within(arm, 60), np.random.default_rng(42).uniform(arm.lower, arm.upper, (60, 6))
    T = arm.fk(q)
    chosen = arm.ik_near(T, start)
    for i in range(60):
        np.testing.assert_allclose(arm.ik_near(T[i], start[i]), chosen[i], atol=1e-9)


def test_a_palletiser_that_holds_its_flange_over_axis_one_leaves_joint_one_where_it_is() -> None:
    geometry = Palletiser((0.1, 0.0), 0.4, 0.4, (0.0, -0.1))
    arm = Robot("tall", geometry, np.full(4, -7.0), np.full(4, 7.0), *np.ones((3, 4)))
    q = np.array([0.7, -0.25, np.arccos(-(0.1 + 0.4 * np.sin(-0.25)) / 0.4), 0.4])
    T = arm.fk(q)
    assert np.hypot(*T[:2, 3]) < 1e-15
    T[:2, 3] = 0.0
    np.testing.assert_allclose(arm.ik_near(T, q), q, atol=1e-12)


def test_empty_batches_stay_empty(any_kind: Robot) -> None:
    assert any_kind.fk(np.empty((0, any_kind.dof))).shape == (0, 4, 4)
    assert any_kind.ik(np.empty((0, 4, 4))).shape == (0, any_kind.geometry.solutions, any_kind.dof)
    assert any_kind.jacobian(np.empty((0, any_kind.dof))).shape == (0, 6, any_kind.dof)


@pytest.mark.parametrize("name", ["irb2400", "lr_mate_200id", "ur10e"])
@pytest.mark.parametrize("singular", ["wrist", "elbow", "shoulder", "all"])
def test_single_and_batched_solutions_agree_at_singular_poses(name: str, singular: str) -> None:
    arm = robot(name)
    q = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    if singular in ("wrist", "all"):
        q[4] = 0.0
    if singular in ("elbow", "all"):
        q[2] = 0.0 if name == "ur10e" else -np.arctan2(0.135, -0.755) if name == "irb2400" else 0.0
    if singular in ("shoulder", "all") and name != "ur10e":
        q[0:2] = 0.0
    T = arm.fk(q)
    near = q + np.array([0.01, 0, 0, 0.02, 0, -0.02])
    for one, batch in (
        (arm.ik(T), arm.ik(T[None])[0]),
        (arm.ik_near(T, near), arm.ik_near(T[None], near)[0]),
    ):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(batch))
        assert np.nanmax(np.abs(arm.fk(one) - T)) < 1e-9
        assert np.nanmax(np.abs(arm.fk(batch) - T)) < 1e-9


# --- velocities -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [(None, None), (BASE, TOOL)], ids=["bare", "with frames"])
def test_jacobians_are_the_slopes_of_the_forward_kinematics(
    any_robot: Robot, frames: tuple[np.ndarray | None, np.ndarray | None]
) -> None:
    framed = any_robot.with_frames(*frames)
    q = within(framed, 5)
    step = 1e-5
    J, T = framed.jacobian(q), framed.fk(q)
    for joint in range(framed.dof):
        move = step * np.eye(framed.dof)[joint]
        after, before = framed.fk(q + move), framed.fk(q - move)
        linear = (after - before)[:, :3, 3] / (2 * step)
        turned = after[:, :3, :3] @ np.swapaxes(before[:, :3, :3], -1, -2)
        np.testing.assert_allclose(J[:, :3, joint], linear, atol=3e-9)
        np.testing.assert_allclose(J[:, 3:, joint], twists.log_rotation(turned) / (2 * step), atol=3e-9)
    assert T.shape == (5, 4, 4)


def test_manipulability_is_the_root_of_the_determinant_and_vanishes_where_the_wrist_is_straight() -> None:
    arm = robot("meca500")
    q = np.radians([10, 20, 30, 40, 50, 60])
    J = arm.jacobian(q)
    assert arm.manipulability(q) == pytest.approx(np.sqrt(np.linalg.det(J @ J.T)))
    assert arm.manipulability(np.radians([10, 20, 30, 40, 0, 60])) < 1e-15


def test_where_the_rods_of_a_delta_do_not_meet_or_lie_flat_velocities_are_no_numbers() -> None:
    arm = Robot("flat", Delta(0.2, 0.5, 0.3, 0.2, can_turn=False), *np.ones((5, 3)))
    flat, apart, hanging = (np.arccos(share) * np.ones(3) for share in (0.6, 0.61, 0.5))
    assert np.isfinite(arm.fk(flat)).all()
    assert np.isnan(arm.fk(apart)[:3, 3]).all()
    for q in (flat, apart):
        assert np.isnan(arm.jacobian(q)[:3]).all()
    manipulability = arm.manipulability([flat, apart, hanging])
    np.testing.assert_array_equal(np.isnan(manipulability), [True, True, False])
    assert manipulability[2] > 0


# --- turns ----------------------------------------------------------------------------------------------------


def test_windings_are_all_turns_within_limits_and_reach_the_same_pose() -> None:
    arm = robot("ur5e")
    q = np.radians([10, -20, 30, 40, -50, 60])
    windings = arm.windings(q)
    assert len(windings) == 2**5  # the elbow has one turn only
    assert len(np.unique(windings.round(9), axis=0)) == 32
    np.testing.assert_allclose(arm.fk(windings), np.broadcast_to(arm.fk(q), (32, 4, 4)), atol=1e-14)
    assert np.all((windings >= arm.lower) & (windings <= arm.upper))


def test_a_joint_at_both_ends_of_its_turns_has_both_and_one_outside_has_none() -> None:
    arm = robot("ur5e")
    assert len(arm.windings(np.array([0, 0, 0, 0, 0, 0.0]))) == 3**5
    assert len(robot("meca500").windings(np.radians([0, 100, 0, 0, 0, 0]))) == 0
    assert len(robot("ot2").windings([0.1, 0.1, 0.1])) == 1


# --- limits ---------------------------------------------------------------------------------------------------


def test_a_sliding_joint_beyond_its_stroke_is_told_in_millimetres() -> None:
    gantry = robot("ot2")
    with pytest.raises(JointLimit, match=r"ot2: joint 1 at 500 mm is outside 0 mm to 418 mm"):
        gantry.joints_near(upright(0.5, 0.1, 0.1), np.zeros(3))
    with pytest.raises(JointLimit, match=r"joint 3 at -1 mm is outside"):
        gantry.check_limits([0.1, 0.1, -0.001])


def test_joints_of_a_parallelogram_that_may_not_be_together_are_named() -> None:
    arm = robot("mg400")
    q = np.radians([0, -10, 60, 0])
    with pytest.raises(
        LinkageLimit, match=r"mg400: joint 3 less joint 2 at 70 deg is outside -60 deg to 60 deg"
    ):
        arm.check_limits(q)
    with pytest.raises(LinkageLimit, match=r"joint 3 less joint 2 at 70 deg"):
        arm.joints_near(arm.fk(q), q)
    assert np.isnan(arm.ik_near(arm.fk(q), q)).all()
    arm.check_limits(np.radians([0, -10, 45, 0]))


def test_a_limit_that_depends_on_another_joint_counts_only_where_it_should() -> None:
    arm = robot("mg400")
    arm.check_limits(np.radians([0, -22, 10, 0]))
    with pytest.raises(LinkageLimit, match="joint 2 with joint 3 not below the horizon at -22 deg"):
        arm.check_limits(np.radians([0, -22, -5, 0]))
    scara = robot("gx8_c452")
    scara.check_limits([0, np.radians(147), -0.1, 0])
    with pytest.raises(LinkageLimit, match="joint 2 below 270 mm at 147 deg"):
        scara.check_limits([0, np.radians(147), -0.3, 0])


@pytest.mark.parametrize("name", ["ot2", "hs4545g", "mg400", "irb360_1_1600"])
def test_a_tilted_pose_is_told_from_one_out_of_reach(name: str) -> None:
    upright_robot = robot(name)
    q = within(upright_robot, 1)[0]
    tilted = upright_robot.fk(q) @ tf.from_xyz_euler([0, 0, 0], [np.radians(5), 0, 0])
    assert np.isnan(upright_robot.ik(tilted)).all()
    with pytest.raises(TiltedPose, match=r"the pose is 5 deg out of the vertical"):
        upright_robot.joints_near(tilted, q)


def test_a_gantry_without_a_turning_axis_says_by_how_much_a_pose_is_turned() -> None:
    turned = upright(0.1, 0.1, 0.1) @ tf.from_xyz_euler([0, 0, 0], [0, 0, np.radians(30)])
    with pytest.raises(TiltedPose, match=r"30 deg turned about the vertical"):
        robot("ot2").joints_near(turned, np.zeros(3))
    with_axis = Robot("xyzc", Gantry(), np.full(4, -1.0), np.ones(4), *np.ones((3, 4)))
    np.testing.assert_allclose(with_axis.joints_near(turned, np.zeros(4)), [0.1, 0.1, 0.1, -np.radians(30)])


@pytest.mark.parametrize(
    ("name", "T", "beyond"),
    [
        ("hs4545g", (0.6, 0.0, -0.1), 0.1),
        ("hs4545g", (0.02, 0.0, -0.1), 0.03),
        ("mg400", (0.0435 + 0.066 + 0.35 + 0.025, 0.0, -0.0538), 0.025),
        ("irb360_1_1600", (0.0, 0.0, -2.0), 0.2),
    ],
)
def test_out_of_reach_says_how_far(name: str, T: tuple[float, float, float], beyond: float) -> None:
    with pytest.raises(OutOfReach, match=r"mm beyond the reach") as caught:
        robot(name).joints_near(upright(*T), within(robot(name), 1)[0])
    if name == "irb360_1_1600":
        middle = 0.567 * np.sqrt(3) / 6 - 0.076 / np.sqrt(3)
        beyond = np.hypot(middle, 2.0) - (0.524 + 1.244)
    assert caught.value.beyond == pytest.approx(beyond, abs=1e-6)


@pytest.mark.parametrize("name", ["ur5e", "ur10e"])
def test_a_ur_says_how_far_beyond_its_elbow_or_inside_its_shoulder_a_pose_is(name: str) -> None:
    arm = robot(name)
    assert isinstance(arm.geometry, Ur)
    T = arm.fk([0, 0, 0, 0, 0.5, 0])
    T[0, 3] -= 0.05  # the arm lies stretched along -x
    with pytest.raises(OutOfReach) as caught:
        arm.joints_near(T, np.zeros(6))
    assert caught.value.beyond == pytest.approx(0.05)
    above = arm.fk([0, -np.pi / 2, 0, 0, 0, 0])
    above[:2, 3] = 0.0
    above[:2, 3] += arm.geometry.d6 * above[:2, 2]
    with pytest.raises(OutOfReach) as caught:
        arm.joints_near(above, np.zeros(6))
    assert caught.value.beyond == pytest.approx(arm.geometry.d4)


def test_speeds_that_nothing_moves_at_are_refused() -> None:
    with pytest.raises(BadMotionLimit, match="v_max 0 is not above 0"):
        Robot("stuck", Gantry(can_turn=False), np.zeros(3), np.ones(3), np.array([1, 0, 1]), *np.ones((2, 3)))


def test_a_joint_without_end_takes_the_nearest_turn_and_is_never_to_blame() -> None:
    ur5e = robot("ur5e")
    lower, upper = ur5e.lower.copy(), ur5e.upper.copy()
    lower[5], upper[5], lower[0], upper[0] = -np.inf, np.inf, 0.0, 0.1
    endless = replace(ur5e, lower=lower, upper=upper)
    q = np.radians([3, -60, 70, 20, 50, 4000])
    np.testing.assert_allclose(endless.ik_near(endless.fk(q), q), q, atol=1e-12)
    q[0] = 0.2
    with pytest.raises(JointLimit, match="joint 1 at"):
        endless.joints_near(endless.fk(q), q)
    with pytest.raises(BadMotionLimit, match="range of joint 6 inf has no end of turns"):
        endless.windings(q)


def test_where_the_wrist_of_a_ur_is_straight_joint_six_turns_to_let_the_elbow_reach() -> None:
    arm = robot("ur10e")
    q = np.array([0.4, -2.0, 0.0, 2.2, 0.0, 2.5])  # stretched, so that only some turns of joint 6 do
    T = arm.fk(q)
    for solutions in (arm.ik(T), arm.ik(T[None])[0]):
        assert np.isfinite(solutions).any()
        assert np.nanmax(np.abs(arm.fk(solutions) - T)) < 1e-9
    assert float(arm.beyond_reach(T)) < 1e-9


def test_limits_for_another_number_of_joints_are_refused() -> None:
    with pytest.raises(BadMotionLimit, match="lower 4 is not 3 values"):
        Robot("odd", Gantry(can_turn=False), np.zeros(4), np.ones(4), *np.ones((3, 4)))


def upright(x: float, y: float, z: float) -> np.ndarray:
    T = np.diag([-1.0, 1.0, -1.0, 1.0])
    T[:3, 3] = x, y, z
    return T
