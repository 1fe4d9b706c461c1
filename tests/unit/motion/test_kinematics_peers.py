"""All solutions of closed-form arms against compiled libraries, on every arm of the library and on arms made up."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import transform

from cellctl.motion.opw import Opw
from cellctl.motion.robot import Robot
from cellctl.motion.robots import ROBOTS, robot
from cellctl.motion.ur import Ur

POSES = 40
OPW = sorted(name for name, data in ROBOTS.items() if data.geometry["kind"] == "opw")
URS = sorted(name for name, data in ROBOTS.items() if data.geometry["kind"] == "ur")
Z, Y = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)


def made_up_arm(number: int) -> Robot:
    """An arm of random lengths, offsets and directions; every second one with its shoulder beside axis 1."""
    rng = np.random.default_rng(number)
    a1, a2, b = rng.uniform(-0.3, 0.3, 3)
    c1, c2, c3, c4 = rng.uniform(0.1, 1.0, 4)
    offsets, signs = tuple(rng.uniform(-3, 3, 6)), tuple(rng.choice([-1, 1], 6).tolist())
    geometry = Opw(a1, a2, b * (number % 2), c1, c2, c3, c4, offsets, signs)
    return Robot(f"made up {number}", geometry, np.full(6, -7.0), np.full(6, 7.0), *np.ones((3, 6)))


ARMS = [robot(name) for name in OPW] + [made_up_arm(number) for number in range(12)]


def poses_of(arm: Robot, seed: int = 21) -> np.ndarray:
    """Poses away from singular ones, where solutions merge and libraries may count them differently."""
    q = np.random.default_rng(seed).uniform(-3, 3, (4 * POSES, 6))
    well = arm.manipulability(q) > 0.02 * arm.manipulability(q).max()
    T = arm.fk(q[well])[:POSES]
    assert len(T) == POSES
    return T


def check_same_solutions(ours: np.ndarray, theirs: np.ndarray, tolerance: float = 1e-6) -> None:
    ours = ours[~np.isnan(ours).any(axis=-1)]
    assert len(ours) == len(theirs)
    apart = np.abs((ours[:, None] - theirs[None] + np.pi) % (2 * np.pi) - np.pi).max(axis=-1)
    assert apart.min(axis=1).max() < tolerance
    assert apart.min(axis=0).max() < tolerance


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_solution_leads_back_to_a_billionth(arm: Robot) -> None:
    T = arm.fk(np.random.default_rng(22).uniform(-3, 3, (300, 6)))
    solutions = arm.ik(T)
    assert np.nanmax(np.abs(arm.fk(solutions) - T[:, None])) < 1e-9
    assert np.isfinite(solutions).any(axis=(1, 2)).all()
    for one in (arm.ik(T[0]), solutions):
        assert np.nanmax(np.abs(one)) <= np.pi
    np.testing.assert_allclose(arm.ik(T[0]), solutions[0], atol=1e-9)


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_solutions_are_those_of_py_opw_kinematics(arm: Robot) -> None:
    opw = pytest.importorskip("py_opw_kinematics")
    p = arm.geometry
    assert isinstance(p, Opw)
    flips = tuple(sign < 0 for sign in p.signs)
    # it turns an axis first and shifts it after, we the other way round
    model = opw.KinematicModel(p.a1, p.a2, p.b, p.c1, p.c2, p.c3, p.c4, p.offsets, flips)
    peer = opw.Robot(model, degrees=False)
    for T in poses_of(arm):
        theirs = peer.inverse(transform.RigidTransform.from_matrix(T))
        check_same_solutions(arm.ik(T), np.array(theirs))


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_solutions_are_those_of_eaik(arm: Robot) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hp = pytest.importorskip("eaik.IK_HP")
    p = arm.geometry
    assert isinstance(p, Opw)
    axes = np.array([Z, Y, Y, Z, Y, Z])
    steps = [[0, 0, 0], [p.a1, p.b, p.c1], [0, 0, p.c2], [p.a2, 0, p.c3], [0, 0, 0], [0, 0, 0], [0, 0, p.c4]]
    peer = hp.HPRobot(axes, np.array(steps))
    for T in poses_of(arm):
        found = peer.IK(T)
        exact = np.array(found.Q)[~np.array(found.is_LS, bool)]
        ours = arm.ik(T) * np.array(p.signs) - np.array(p.offsets)
        check_same_solutions(ours, exact)


@pytest.mark.parametrize("name", URS)
def test_solutions_are_those_of_ur_analytic_ik(name: str) -> None:
    peer = getattr(pytest.importorskip("ur_analytic_ik"), name)
    arm = robot(name)
    for T in poses_of(arm):
        theirs = np.array([np.asarray(q).reshape(6) for q in peer.inverse_kinematics(T)])
        check_same_solutions(arm.ik(T), theirs)
    q = np.random.default_rng(23).uniform(-3, 3, 6)
    np.testing.assert_allclose(arm.fk(q), peer.forward_kinematics(*q), atol=1e-14)


def test_made_up_lengths_of_a_ur_are_solved_as_by_eaik() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dh = pytest.importorskip("eaik.IK_DH")
    for number in range(4):
        d1, a2, a3, d4, d5, d6 = np.random.default_rng(number).uniform(0.08, 0.5, 6)
        geometry = Ur(d1, -a2, -a3, d4, d5, d6)
        arm = replace(robot("ur5e"), geometry=geometry)
        quarter = np.pi / 2
        peer = dh.DhRobot(
            np.array([quarter, 0, 0, quarter, -quarter, 0]),
            np.array([0, -a2, -a3, 0, 0, 0]),
            np.array([d1, 0, 0, d4, d5, d6]),
        )
        for T in poses_of(arm, number):
            found = peer.IK(T)
            check_same_solutions(arm.ik(T), np.array(found.Q)[~np.array(found.is_LS, bool)])
