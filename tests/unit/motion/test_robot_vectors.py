"""The library against what other programs have computed of the same robots, kept in `robot_vectors.json`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cellctl.motion.robot import Robot
from cellctl.motion.robots import ROBOTS, robot

VECTORS = json.loads(Path(__file__).with_name("robot_vectors.json").read_text())


def free(arm: Robot) -> Robot:
    """The same arm, turning as far as it likes."""
    return replace(arm, lower=np.full(6, -20.0), upper=np.full(6, 20.0))


def apart(q: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Largest difference of two joint vectors, whole turns aside."""
    return np.abs((q - other + np.pi) % (2 * np.pi) - np.pi).max(axis=-1)


def test_every_arm_of_the_library_but_the_meca500_has_vectors() -> None:
    arms = {name for name, data in ROBOTS.items() if data.geometry["kind"] in ("opw", "ur")}
    assert arms - set(VECTORS["forward"]) == {"meca500"}  # a real controller's log stands for it


@pytest.mark.parametrize("name", VECTORS["forward"])
def test_forward_kinematics_equal_those_of_the_urdf_or_the_makers_parameters(name: str) -> None:
    entry = VECTORS["forward"][name]
    assert len(entry["vectors"]) >= 3
    for q, rows in entry["vectors"]:
        np.testing.assert_allclose(robot(name).fk(q)[:3], rows, rtol=0, atol=entry["tolerance"])


@pytest.mark.parametrize("number", range(len(VECTORS["cases"])))
def test_all_published_solutions_are_found_and_no_others(number: int) -> None:
    name, joints, position, solutions = VECTORS["cases"][number]
    arm = free(robot(name))
    T = arm.fk(np.radians(joints))
    np.testing.assert_allclose(T[:3, 3], position, atol=1e-14)
    if abs(np.sin(np.radians(joints[4]))) < 1e-9:
        return  # a straight wrist has a whole circle of solutions
    found = arm.ik(T)
    found = found[~np.isnan(found).any(axis=-1)]
    published = np.radians(solutions)  # rounded to a millionth of a degree
    assert len(found) == len(published)
    assert apart(found[:, None], published[None]).min(axis=1).max() < 2e-8


@pytest.mark.parametrize("name", VECTORS["ur_inverse"])
def test_all_solutions_of_ur_analytic_ik_are_found_and_no_others(name: str) -> None:
    q, solutions = VECTORS["ur_inverse"][name]
    arm = free(robot(name))
    found = arm.ik(arm.fk(q))
    found = found[~np.isnan(found).any(axis=-1)]
    assert len(found) == len(solutions)
    assert apart(found[:, None], np.array(solutions)[None]).min(axis=1).max() < 1e-8
