"""Joints in a row: chains made of URDFs and Denavit-Hartenberg rows against pinocchio and the closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cellctl.motion.chain import Chain, DhRow
from cellctl.motion.robot import Robot
from cellctl.motion.robots import robot
from cellctl.motion.urdf import robot_from_urdf

DOWN = "0 3.141592653589793 0"
Joint = tuple[str, str, str, str]  # type, xyz, rpy, axis


def urdf(joints: list[Joint], flange: tuple[str, str] = ("0 0 0", "0 0 0")) -> str:
    """A URDF of joints in a row, with a fixed flange."""
    parts = ['<robot name="row"><link name="l0"/>']
    for i, (kind, xyz, rpy, axis) in enumerate([*joints, ("fixed", *flange, "0 0 1")]):
        parts.append(
            f'<link name="l{i + 1}"/><joint name="j{i + 1}" type="{kind}"><parent link="l{i}"/>'
            f'<child link="l{i + 1}"/><origin xyz="{xyz}" rpy="{rpy}"/><axis xyz="{axis}"/>'
            f'<limit lower="-2.5" upper="2.5" velocity="2" effort="1"/></joint>'
        )
    return "".join([*parts, "</robot>"])


def made_up_row(number: int) -> str:
    rng = np.random.default_rng(number)
    kinds = rng.choice(
        ["revolute", "revolute", "prismatic", "fixed", "continuous"], rng.integers(3, 10)
    ).tolist()
    words = [" ".join(map(repr, row)) for row in rng.uniform(-1, 1, (3 * len(kinds), 3)).tolist()]
    row = [(kind, *words[3 * i : 3 * i + 3]) for i, kind in enumerate(["revolute", *kinds[1:]])]
    return urdf(row, (words[0], words[1]))


def pinocchio_poses(text: str, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flange poses and Jacobians, in the base's directions, of a URDF."""
    pin = pytest.importorskip("pinocchio")
    model = pin.buildModelFromXML(text)
    data, flange = model.createData(), model.nframes - 1
    T, J = [], []
    for row in q:
        full = pin.neutral(model)
        for joint, value in zip(model.joints[1:], row, strict=True):
            full[joint.idx_q : joint.idx_q + joint.nq] = (
                value if joint.nq == 1 else (math.cos(value), math.sin(value))
            )
        J.append(pin.computeFrameJacobian(model, data, full, flange, pin.LOCAL_WORLD_ALIGNED).copy())
        pin.framesForwardKinematics(model, data, full)
        T.append(data.oMf[flange].homogeneous.copy())
    return np.array(T), np.array(J)


@pytest.mark.parametrize("number", range(20))
def test_a_made_up_row_of_joints_stands_and_moves_as_in_pinocchio(number: int) -> None:
    text = made_up_row(number)
    row = robot_from_urdf(text)
    q = np.random.default_rng(number + 100).uniform(-2, 2, (10, row.dof))
    T, J = pinocchio_poses(text, q)
    np.testing.assert_allclose(row.fk(q), T, atol=1e-14)
    np.testing.assert_allclose(row.jacobian(q), J, atol=1e-14)


SAME_IN_URDF = {  # closed forms of the library as rows of plain joints, and what drives these
    "gx8_c452": (
        urdf(
            [
                ("revolute", "0 0 0", "0 0 0", "0 0 1"),
                ("revolute", "0.2 0 0", "0 0 0", "0 0 1"),
                ("prismatic", "0.25 0 0", "0 0 0", "0 0 1"),
                ("revolute", "0 0 0", "0 0 0", "0 0 1"),
            ],
            ("0 0 0", DOWN),
        ),
        np.eye(4),
    ),
    "ot2": (
        urdf(
            [("prismatic", "0 0 0", "0 0 0", axis) for axis in ("1 0 0", "0 1 0", "0 0 1")], ("0 0 0", DOWN)
        ),
        np.eye(3),
    ),
    "mg400": (  # its rods make the joints' angles those with the horizon, and keep the tool upright
        urdf(
            [
                ("revolute", "0 0 0", "0 0 0", "0 0 1"),
                ("revolute", "0.0435 0 0", "0 0 0", "0 1 0"),
                ("revolute", "0 0 0.175", "0 0 0", "0 1 0"),
                ("revolute", "0.175 0 0", "0 0 0", "0 1 0"),
                ("revolute", "0.066 0 -0.0538", "0 0 0", "0 0 1"),
            ],
            ("0 0 0", DOWN),
        ),
        np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, -1, 1, 0], [0, 0, -1, 0], [0, 0, 0, 1.0]]),
    ),
}


@pytest.mark.parametrize("name", SAME_IN_URDF)
def test_closed_forms_stand_and_move_as_the_same_joints_in_pinocchio(name: str) -> None:
    text, driven_by = SAME_IN_URDF[name]
    closed = robot(name)
    q = np.random.default_rng(31).uniform(closed.lower, closed.upper, (30, closed.dof))
    T, J = pinocchio_poses(text, q @ driven_by.T)
    np.testing.assert_allclose(closed.fk(q), T, atol=1e-14)
    np.testing.assert_allclose(closed.jacobian(q), J @ driven_by, atol=1e-14)


def test_denavit_hartenberg_rows_of_the_maker_make_the_same_ur5e() -> None:
    quarter = np.pi / 2
    alpha, d = (quarter, 0, 0, quarter, -quarter, 0), (0.1625, 0, 0, 0.1333, 0.0997, 0.0996)
    a = (0, -0.425, -0.3922, 0, 0, 0)
    ur5e = robot("ur5e")
    chain = Chain.from_dh(map(DhRow, a, alpha, d), ur5e.lower, ur5e.upper)
    same = Robot("chain", chain, *ur5e.limits)
    q = np.random.default_rng(32).uniform(-3, 3, (100, 6))
    np.testing.assert_allclose(same.fk(q), ur5e.fk(q), atol=1e-14)
    np.testing.assert_allclose(same.jacobian(q), ur5e.jacobian(q), atol=1e-14)


def test_a_sliding_row_adds_to_its_length() -> None:
    chain = Chain.from_dh([DhRow(0.1, np.pi / 2, 0.3, 0.4, slides=True)], [0.0], [1.0])
    slide = Robot("slide", chain, *np.ones((5, 1)))
    T = slide.fk([0.5])
    np.testing.assert_allclose(T[:3, 3], [0.1 * np.cos(0.4), 0.1 * np.sin(0.4), 0.8], atol=1e-15)
    np.testing.assert_allclose(T[:3, 2], [np.sin(0.4), -np.cos(0.4), 0], atol=1e-15)


# --- the delta, whose links close ---------------------------------------------------------------------------


def test_the_delta_gives_the_examples_of_its_paper() -> None:
    """R. L. Williams II, "The Delta Parallel Robot: Kinematics Solutions", 2016, examples of the ABB arm."""
    delta = robot("irb360_1_1600")
    q = np.degrees(delta.joints_near(pose(0.0, 0.0, -0.9), np.zeros(4)))
    np.testing.assert_allclose(q[:3], -20.5, atol=0.05)
    q = np.degrees(delta.joints_near(pose(0.3, 0.5, -1.1), np.zeros(4)))
    np.testing.assert_allclose(q[:3], [47.5, -11.6, 21.4], atol=0.05)
    at = delta.fk(np.radians([10, 20, 30, 0]))[:3, 3]
    np.testing.assert_allclose(at, [0.108, -0.180, -1.244], atol=6e-4)


def test_the_rods_of_the_delta_keep_their_length() -> None:
    delta = robot("irb360_1_1600")
    q = np.random.default_rng(33).uniform(delta.lower, delta.upper, (200, 4))
    platform = delta.fk(q)[:, :3, 3]
    for arm, azimuth in enumerate(np.radians([-90, 30, 150])):
        outward = np.array([np.cos(azimuth), np.sin(azimuth), 0])
        radius = 0.567 * np.sqrt(3) / 6 + 0.524 * np.cos(q[:, arm])
        knee = radius[:, None] * outward - 0.524 * np.sin(q[:, arm])[:, None] * np.array([0, 0, 1])
        rod = platform + 0.076 / np.sqrt(3) * outward - knee
        np.testing.assert_allclose(np.linalg.norm(rod, axis=-1), 1.244, atol=1e-6)
    assert np.all(platform[:, 2] < 0)


def pose(x: float, y: float, z: float) -> np.ndarray:
    T = np.diag([-1.0, 1.0, -1.0, 1.0])
    T[:3, 3] = x, y, z
    return T
