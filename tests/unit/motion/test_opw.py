"""Kinematics of arms with a spherical wrist, against published tables and at their singular poses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cellctl.errors import LimitExceeded
from cellctl.motion import transforms as tf
from cellctl.motion.errors import BadMotionLimit, JointLimit, MotionError, OutOfReach
from cellctl.motion.opw import OpwArm, OpwParameters
from cellctl.motion.robots import robot

TABLE = next(iter(Path(__file__).resolve().parents[3].parent.glob("*/data/opw.json")), None)
needs_table = pytest.mark.skipif(TABLE is None, reason="the table of arms is not beside this checkout")


def free_arm(parameters: OpwParameters) -> OpwArm:
    """An arm of this geometry that may turn as far as it likes."""
    wide = np.full(6, 20.0)
    return OpwArm("free", parameters, -wide, wide, np.ones(6), np.ones(6), np.ones(6))


def same_angles(q: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Largest difference of two joint vectors, whole turns aside."""
    return np.abs((q - other + np.pi) % (2 * np.pi) - np.pi).max(axis=-1)


def table_arm(entry: dict) -> OpwArm:
    lengths = (entry[key] for key in ("a1", "a2", "b", "c1", "c2", "c3", "c4"))
    return free_arm(OpwParameters(*lengths, offsets=tuple(entry["offsets_rad"]), signs=tuple(entry["signs"])))


# --- forward ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "q", "rows", "tolerance"),
    [  # forward kinematics of the URDFs that cellctl/motion/robots.py names, rounded to 12 digits
        (
            "kr6_r700",
            [-1.0096, -2.7234, -1.5963, 0.566, -1.3798, 5.1938],
            [
                [-0.956235528465, -0.282298677285, -0.076948495139, -0.203173343721],
                [-0.204030404211, 0.454818427134, 0.866897798184, -0.244062154528],
                [-0.209726508239, 0.844658306738, -0.492511052261, 0.137912580814],
            ],
            1e-12,
        ),
        (
            "irb120",
            [1.887, 0.5056, 0.4617, -0.8125, 1.9717, 5.489],
            [
                [0.21060926559, -0.452989322917, 0.866281946349, -0.049510474275],
                [0.295150749787, -0.815337832205, -0.498106669576, 0.306095732921],
                [0.931949447206, 0.360589645857, -0.038017563744, 0.314554517602],
            ],
            1e-12,
        ),
        (  # its URDF rounds a quarter turn
            "irb2400",
            [1.7213, -0.1367, 0.826, 1.3776, -1.6999, 6.6409],
            [
                [-0.091904097965, -0.268210258385, 0.958966576099, -0.01930684431],
                [0.947020338564, 0.274087160072, 0.16741776199, 0.67904233864],
                [-0.307743586649, 0.923547229967, 0.228810836492, 0.956872531661],
            ],
            6e-12,
        ),
        (
            "lr_mate_200id",
            [-2.1893, -1.2162, 3.2303, -0.6793, -0.8685, -0.1435],
            [
                [-0.530802234022, -0.208650782655, 0.821409665913, 0.247616647396],
                [0.138754882329, 0.934745790807, 0.327104553923, 0.281776099702],
                [-0.836059848927, 0.287602429519, -0.467213839208, 0.074778087922],
            ],
            1e-12,
        ),
        (
            "gp4",
            [0.141, -1.494, 2.7204, -3.1279, 1.8241, -6.3671],
            [
                [0.660155011019, -0.208495304509, -0.721612825153, -0.432716394926],
                [0.181805616465, 0.976490421216, -0.115815262794, -0.062384534566],
                [0.728794950071, -0.05473723844, 0.682540662143, 0.137147428838],
            ],
            1e-12,
        ),
        (
            "rx160",
            [-2.6306, -1.2439, -1.8691, 2.6085, -1.0542, 3.8702],
            [
                [0.744427653492, 0.494061849236, 0.449144027952, 0.615658269882],
                [-0.02533928898, -0.65128158487, 0.758412959834, 0.400902027223],
                [0.66722214378, -0.575964570385, -0.472312846016, 0.138212895281],
            ],
            1e-12,
        ),
    ],
)
def test_forward_kinematics_equal_those_of_the_urdf(
    name: str, q: list[float], rows: list[list[float]], tolerance: float
) -> None:
    np.testing.assert_allclose(robot(name).fk(q)[:3], rows, rtol=0, atol=tolerance)


@needs_table
def test_forward_kinematics_equal_those_of_every_urdf_in_the_table() -> None:
    assert TABLE is not None
    checked = 0
    for name, entry in json.loads(TABLE.read_text())["robots"].items():
        tolerance = 1e-12 + 1.1 * entry.get("fk_check_max_abs", 0.0)
        for vector in entry.get("fk_vectors", ()):
            np.testing.assert_allclose(
                table_arm(entry).fk(vector["q_rad"]), vector["T"], rtol=0, atol=tolerance, err_msg=name
            )
            checked += 1
    assert checked >= 70


@needs_table
def test_all_published_solutions_are_found_and_no_others() -> None:
    """Cases of rs-opw-kinematics (BSD-3), whose joints are rounded to a millionth of a degree."""
    assert TABLE is not None
    arms = {"Irb2400_10": "irb2400", "KukaKR6_R700_sixx": "kr6_r700"}
    for case in json.loads(TABLE.read_text())["cases"]["items"]:
        arm = free_arm(robot(arms[case["parameters"]]).parameters)
        T = arm.fk(np.radians(case["joints"]))
        np.testing.assert_allclose(T[:3, 3], case["pose"]["translation"], atol=1e-14)
        found = arm.ik(T)
        found = found[~np.isnan(found).any(axis=-1)]
        published = np.radians(case["solutions"])
        apart = same_angles(found[:, None], published[None])
        if abs(np.sin(np.radians(case["joints"][4]))) < 1e-9:
            continue  # a straight wrist has a whole circle of solutions
        assert len(found) == len(published), case["id"]
        assert apart.min(axis=1).max() < 2e-8, case["id"]


# --- inverse ----------------------------------------------------------------------------------------------


def test_every_solution_reaches_its_pose_and_the_one_asked_for_is_among_them(arm: OpwArm) -> None:
    q = np.random.default_rng(2).uniform(-3, 3, (500, 6))
    T = arm.fk(q)
    solutions = arm.ik(T)
    missed = np.abs(arm.fk(solutions) - T[:, None]).max(axis=(-1, -2))
    assert np.nanmax(missed) < 1e-14
    assert np.nanmin(same_angles(solutions, q[:, None]), axis=-1).max() < 1e-9


def test_a_shoulder_beside_axis_one_changes_nothing() -> None:
    arm = free_arm(OpwParameters(0.1, -0.02, 0.035, 0.32, 0.225, 0.24, 0.065))
    q = np.random.default_rng(3).uniform(-3, 3, (500, 6))
    T = arm.fk(q)
    solutions = arm.ik(T)
    assert np.nanmax(np.abs(arm.fk(solutions) - T[:, None])) < 1e-12
    assert np.nanmin(same_angles(solutions, q[:, None]), axis=-1).max() < 1e-9


def test_batches_of_any_shape_give_the_same_numbers_as_single_poses() -> None:
    arm = robot("meca500")
    q = np.random.default_rng(4).uniform(-1, 1, (2, 700, 6))
    T = arm.fk(q)
    assert T.shape == (2, 700, 4, 4)
    assert arm.ik(T).shape == (2, 700, 8, 6)
    np.testing.assert_array_equal(arm.fk(q[1, 3]), T[1, 3])
    np.testing.assert_allclose(arm.ik(T[1, 3]), arm.ik(T)[1, 3], atol=1e-15)
    np.testing.assert_allclose(arm.ik_near(T, q), q, atol=1e-9)
    assert arm.fk(np.empty((0, 6))).shape == (0, 4, 4)
    assert arm.ik(np.empty((0, 4, 4))).shape == (0, 8, 6)


@pytest.mark.parametrize(
    "q",
    [
        pytest.param([0.3, 0.2, -0.4, 0.7, 0.0, 0.5], id="straight wrist"),
        pytest.param([0.3, 0.2, -0.4, 0.7, 1e-10, 0.5], id="almost straight wrist"),
        pytest.param([0.3, 0.2, -0.4, 0.7, 1e-6, 0.5], id="nearly straight wrist"),
        pytest.param([0.3, 0.2, -np.arctan2(0.12, 0.038), 0.7, 1.0, 0.5], id="stretched elbow"),
        pytest.param([0.3, 0.0, -np.arctan2(0.12, 0.038), 0.7, 0.0, 0.5], id="straight up, all singular"),
    ],
)
def test_at_a_singular_pose_the_solutions_still_reach_it_to_rounding(q: list[float]) -> None:
    arm = free_arm(robot("meca500").parameters)
    T = arm.fk(q)
    solutions = arm.ik(T)
    assert np.isfinite(solutions).any()
    assert np.nanmax(np.abs(arm.fk(solutions) - T)) < (2e-10 if q[4] == 1e-10 else 1e-14)
    near = arm.ik_near(T, q)
    np.testing.assert_allclose(near, q, atol=3e-8)


def test_at_a_straight_wrist_joint_four_stays_where_it_is() -> None:
    arm = robot("meca500")
    q = np.array([0.3, 0.2, -0.4, 0.7, 0.0, 0.5])
    np.testing.assert_allclose(arm.ik_near(arm.fk(q), q + np.array([0.1, 0, 0, 0, 0.1, 0.2])), q, atol=1e-14)


def test_a_pose_out_of_reach_has_no_solution() -> None:
    arm = robot("meca500")
    T = tf.from_xyz_euler([[0.2, 0.0, 0.2], [1.0, 0.0, 0.2]], [0.0, np.pi / 2, 0.0])
    assert np.isfinite(arm.ik(T[0])).any()
    assert np.isnan(arm.ik(T[1])).all()
    assert np.isnan(arm.ik_near(T[1], np.zeros(6))).all()
    np.testing.assert_array_equal(np.isnan(arm.ik_near(T, np.zeros(6))).all(axis=-1), [False, True])


# --- limits -----------------------------------------------------------------------------------------------


def test_the_nearest_solution_keeps_within_the_limits(arm: OpwArm) -> None:
    rng = np.random.default_rng(5)
    q = rng.uniform(arm.lower, arm.upper, (300, 6))
    start = rng.uniform(arm.lower, arm.upper, (300, 6))
    near = arm.ik_near(arm.fk(q), start)
    assert np.isfinite(near).all()
    assert np.all((near >= arm.lower - 1e-8) & (near <= arm.upper + 1e-8))
    np.testing.assert_allclose(arm.fk(near), arm.fk(q), atol=1e-8)


def test_no_other_solution_within_limits_is_nearer(arm: OpwArm) -> None:
    rng = np.random.default_rng(6)
    q = rng.uniform(arm.lower, arm.upper, (200, 6))
    start = rng.uniform(arm.lower, arm.upper, (200, 6))
    T = arm.fk(q)

    def travel(joints: np.ndarray) -> np.ndarray:
        return np.linalg.norm((joints - start) / arm.v_max, axis=-1)

    chosen = travel(arm.ik_near(T, start))
    for solution in range(8):
        for turns in (-1, 0, 1):
            for joint in range(6):
                other = arm.ik(T)[:, solution].copy()
                other[:, joint] += 2 * np.pi * turns
                allowed = np.all((other >= arm.lower) & (other <= arm.upper), axis=-1)
                assert np.all(chosen[allowed] <= travel(other)[allowed] + 1e-9)


def test_a_joint_with_more_than_one_turn_takes_the_nearest_turn() -> None:
    arm = robot("irb120")
    q = np.radians([10, 20, -30, 40, 50, 350])
    np.testing.assert_allclose(arm.ik_near(arm.fk(q), q), q, atol=1e-12)
    near_zero = arm.ik_near(arm.fk(q), np.radians([10, 20, -30, 40, 50, 0]))
    assert np.degrees(near_zero[5]) == pytest.approx(-10)


def test_narrower_limits_can_be_asked_for() -> None:
    arm = robot("kr6_r700")
    q = np.radians([10, -80, 90, 20, 30, 40])
    T = arm.fk(q)
    narrow = (arm.lower, np.minimum(arm.upper, np.radians([180, 180, 180, 180, 0, 360])))
    flipped = arm.ik_near(T, q, narrow)
    assert flipped[4] <= 0
    np.testing.assert_allclose(arm.fk(flipped), T, atol=1e-12)


def test_out_of_reach_says_how_far_beyond() -> None:
    arm = robot("meca500")
    reach = 0.135 + np.hypot(0.038, 0.12)  # of the wrist centre, from the shoulder
    T = tf.from_xyz_euler([reach + 0.07 + 0.025, 0.0, 0.135], [0.0, np.pi / 2, 0.0])
    with pytest.raises(OutOfReach, match=r"meca500: the pose is 25 mm beyond") as caught:
        arm.joints_near(T, np.zeros(6))
    assert caught.value.beyond == pytest.approx(0.025)
    assert isinstance(caught.value, MotionError)


def test_a_pose_too_near_the_shoulder_is_out_of_reach_too() -> None:
    arm = free_arm(OpwParameters(0, 0, 0, 0.4, 0.5, 0.3, 0.1))
    T = tf.from_xyz_euler([0.1, 0.0, 0.4 + 0.1])  # wrist centre 0.1 from the shoulder, 0.2 is the least
    with pytest.raises(OutOfReach) as caught:
        arm.joints_near(T, np.zeros(6))
    assert caught.value.beyond == pytest.approx(0.1)


def test_what_is_reached_is_not_beyond_reach(arm: OpwArm) -> None:
    q = np.random.default_rng(7).uniform(-3, 3, (300, 6))
    np.testing.assert_allclose(arm.beyond_reach(arm.fk(q)), 0.0, atol=1e-12)


def test_a_joint_beyond_its_limits_is_named_with_value_and_limits() -> None:
    arm = robot("meca500")
    q = np.radians([0, 0, 0, 0, 30, 0])
    q[1] = np.radians(-80)
    with pytest.raises(
        JointLimit, match=r"meca500: joint 2 at -80 deg is outside -70 deg to 90 deg"
    ) as caught:
        arm.check_limits(q)
    error = caught.value
    assert (error.robot, error.joint) == ("meca500", 2)
    assert (error.value, error.lower, error.upper) == pytest.approx(tuple(np.radians([-80, -70, 90])))
    assert isinstance(error, LimitExceeded)


def test_a_pose_that_only_forbidden_joints_reach_names_the_joint() -> None:
    arm = robot("meca500")
    T = arm.fk(np.radians([0, -85, -60, 0, 30, 0]))
    assert np.isfinite(arm.ik(T)).any()
    with pytest.raises(JointLimit) as caught:
        arm.joints_near(T, np.zeros(6))
    assert not caught.value.lower <= caught.value.value <= caught.value.upper


def test_the_joint_named_is_the_one_to_blame_also_where_others_work_beyond_half_a_turn() -> None:
    q = np.radians([10, 20, 200, 40, 50, 60])
    upper = q + 0.1
    upper[4] = q[4] - np.radians(1)
    arm = replace(robot("lr_mate_200id"), lower=q - 0.1, upper=upper)
    with pytest.raises(JointLimit, match=r"joint 5 at 50 deg is outside .* to 49 deg"):
        arm.joints_near(arm.fk(q), q)


def test_joints_on_their_limits_are_within_them(arm: OpwArm) -> None:
    arm.check_limits(np.stack([arm.lower, arm.upper]))
    assert np.isfinite(arm.ik_near(arm.fk(arm.upper), arm.upper)).all()


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(BadMotionLimit, match="lower joint limit"):
        OpwArm("odd", OpwParameters(0, 0, 0, 1, 1, 1, 0), np.ones(6), -np.ones(6), *np.ones((3, 6)))


def test_the_limits_of_an_arm_cannot_be_written_over() -> None:
    with pytest.raises(ValueError, match="read-only"):
        robot("meca500").upper[0] = 10.0
