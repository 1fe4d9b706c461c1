"""Kinematics against every peer that is installed: closed forms at batches of 1 to 10,000, then searched inverses.

Run `OMP_NUM_THREADS=1 python tests/benchmarks/bench_kinematics.py`. Peers: py-opw-kinematics, EAIK,
ur_analytic_ik, pinocchio, roboticstoolbox-python, ikpy; one that is missing is left out. A batch of 1 means
one pose after the other as a 4x4 array, each another one. py-opw-kinematics gives all solutions for one pose,
but only the closest for a batch; we give all. Rates are of CPU time, all threads together. Every row takes
turns with ours; the best turn counts, since other programs only ever slow a turn down. A searched inverse
counts as found when its pose is within 1e-6, whoever says so. Exit status 1 when a floor is missed.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.spatial import transform

sys.path.insert(0, str(Path(__file__).parents[2]))

from cellctl.motion.chain import Chain, DhRow
from cellctl.motion.opw import Opw
from cellctl.motion.robot import Robot
from cellctl.motion.robots import robot

warnings.simplefilter("ignore")
BATCHES, TURNS, TARGETS = (1, 100, 1000, 10_000), 7, 1000
SINGLE_FLOOR, BATCH_FLOOR = 3.0, 5.0  # times py-opw-kinematics; design figures
FOUND = 1e-6  # [m, -] largest difference of a pose from its target

# the UR5e as the maker's Denavit-Hartenberg rows
A, D = (0, -0.425, -0.3922, 0, 0, 0), (0.1625, 0, 0, 0.1333, 0.0997, 0.0996)
ALPHA = (np.array([1, 0, 0, 1, -1, 0]) * np.pi / 2).tolist()
HALF = np.full(6, np.pi)
CHAIN = Robot("chain", Chain.from_dh(map(DhRow, A, ALPHA, D), -HALF, HALF), -HALF, HALF, *np.ones((3, 6)))

Run = Callable[[], object]
Row = tuple[str, list[Run | None]]  # a name, and what to run at each batch


def peer(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        print(f"{name} is not installed")
        return None


def one_by_one(function: Callable[[np.ndarray], object], poses: np.ndarray) -> Run:
    singles = [pose.copy() for pose in poses]
    return lambda: [function(pose) for pose in singles]


def best_rates(rows: list[Row]) -> dict[str, list[float]]:
    """Poses a second at each batch; a turn is a thousand single poses, or as many batches as make ten thousand."""
    repeats = [1 if batch == 1 else BATCHES[-1] // batch for batch in BATCHES]
    best = {name: [np.inf] * len(BATCHES) for name, _ in rows}
    for column in range(len(BATCHES)):
        for _ in range(TURNS):
            for name, runs in rows:
                run = runs[column]
                if run is not None:
                    began = time.process_time()
                    for _ in range(repeats[column]):
                        run()
                    best[name][column] = min(best[name][column], time.process_time() - began)
    counts = [1000 if batch == 1 else BATCHES[-1] for batch in BATCHES]
    return {name: [n / t for n, t in zip(counts, times, strict=True)] for name, times in best.items()}


def show(title: str, rates: dict[str, list[float]]) -> None:
    print(f"\n{title}, poses a second; ours over it in brackets\n{'':34}", end="")
    print("".join(f"{batch:>20}" for batch in BATCHES))
    ours = next(iter(rates.values()))
    for name, row in rates.items():
        cells = (
            "-" if not rate else f"{rate:,.0f} ({mine / rate:.1f})"
            for rate, mine in zip(row, ours, strict=True)
        )
        print(f"{name:34}" + "".join(f"{cell:>20}" for cell in cells))


# --- closed forms ---------------------------------------------------------------------------------------------


def each(make: Callable[[int], Run]) -> list[Run | None]:
    return [make(batch) for batch in BATCHES]


def spherical_wrist(arm: Robot, q: np.ndarray, T: np.ndarray) -> tuple[list[Row], list[Row]]:
    """Rows of inverse and of forward kinematics of an arm with a spherical wrist."""
    p = arm.geometry
    assert isinstance(p, Opw)
    single = T[:1000]
    inverse: list[Row] = [
        ("cellctl, all solutions", [one_by_one(arm.ik, single), *each(lambda n: lambda: arm.ik(T[:n]))[1:]])
    ]
    forward: list[Row] = [
        ("cellctl", [one_by_one(arm.fk, q[:1000]), *each(lambda n: lambda: arm.fk(q[:n]))[1:]])
    ]
    if opw := peer("py_opw_kinematics"):
        flips = tuple(sign < 0 for sign in p.signs)
        model = opw.KinematicModel(p.a1, p.a2, p.b, p.c1, p.c2, p.c3, p.c4, p.offsets, flips)
        other = opw.Robot(model, degrees=False)
        from_matrix = transform.RigidTransform.from_matrix
        start = (0.0,) * 6
        batched = [from_matrix(T[:n]) for n in BATCHES]
        inverse.append(
            (
                "py-opw-kinematics",
                [
                    one_by_one(lambda pose: other.inverse(from_matrix(pose)), single),
                    *[lambda poses=poses: other.batch_inverse(poses, start) for poses in batched[1:]],
                ],
            )
        )
        forward.append(
            (
                "py-opw-kinematics",
                [
                    one_by_one(other.forward, q[:1000]),
                    *each(lambda n: lambda: other.batch_forward(q[:n]))[1:],
                ],
            )
        )
    if hp := peer("eaik.IK_HP"):
        axes = np.array([[0, 0, 1], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1.0]])
        steps = np.zeros((7, 3))
        steps[1], steps[2, 2], steps[3, 0], steps[3, 2], steps[6, 2] = (
            (p.a1, p.b, p.c1),
            p.c2,
            p.a2,
            p.c3,
            p.c4,
        )
        eaik = hp.HPRobot(axes, steps)
        inverse.append(
            ("EAIK", [one_by_one(eaik.IK, single), *each(lambda n: lambda: eaik.IK_batched(T[:n], 1))[1:]])
        )
    return inverse, forward


def ur(arm: Robot, T: np.ndarray) -> list[Row]:
    single = T[:1000]
    rows: list[Row] = [
        ("cellctl, all solutions", [one_by_one(arm.ik, single), *each(lambda n: lambda: arm.ik(T[:n]))[1:]])
    ]
    if analytic := peer("ur_analytic_ik"):
        solve = analytic.ur5e.inverse_kinematics
        rows.append(
            ("ur_analytic_ik", each(lambda n: one_by_one(solve, T[: max(n, 1000)] if n == 1 else T[:n])))
        )
    return rows


def row_of_joints(arm: Robot, q: np.ndarray) -> list[Row]:
    """Forward kinematics of the same six joints as a chain, one call a pose in pinocchio."""
    rows: list[Row] = [
        ("cellctl, closed form", [one_by_one(arm.fk, q[:1000]), *each(lambda n: lambda: arm.fk(q[:n]))[1:]]),
        ("cellctl, chain", [one_by_one(CHAIN.fk, q[:1000]), *each(lambda n: lambda: CHAIN.fk(q[:n]))[1:]]),
    ]
    if pin := peer("pinocchio"):
        model = pin.Model()
        place = pin.SE3.Identity()
        for i in range(6):
            model.addJoint(i, pin.JointModelRZ(), place, f"j{i}")
            place = pin.SE3(np.eye(4)) * pin.SE3(CHAIN.geometry.links[i + 1])  # type: ignore[attr-defined]
        data = model.createData()

        def forward(joints: np.ndarray) -> object:
            pin.forwardKinematics(model, data, joints)
            return data.oMi[6].homogeneous

        rows.append(
            ("pinocchio", each(lambda n: one_by_one(forward, q[: max(n, 1000)] if n == 1 else q[:n])))
        )
    return rows


# --- searched inverses ----------------------------------------------------------------------------------------


def searched() -> None:
    """The same targets for all, from joints drawn within half a turn, none of them told where to start."""
    ur5e, chain = robot("ur5e"), CHAIN
    T = ur5e.fk(np.random.default_rng(3).uniform(-np.pi, np.pi, (10 * TARGETS, 6)))
    same = T[:TARGETS]
    rows: list[tuple[str, np.ndarray, Callable[[], np.ndarray]]] = [
        ("cellctl, all at once", same, lambda: chain.ik(same)[:, 0]),
        ("cellctl, 10 times as many at once", T, lambda: chain.ik(T)[:, 0]),
        ("cellctl, one after the other", same, lambda: np.array([chain.ik(one)[0] for one in same])),
    ]
    if rtb := peer("roboticstoolbox"):
        links = [rtb.RevoluteDH(d=D[i], a=A[i], alpha=ALPHA[i], qlim=[-np.pi, np.pi]) for i in range(6)]
        ets = rtb.DHRobot(links).ets()
        rows.append(
            ("roboticstoolbox ik_LM", same, lambda: np.array([ets.ik_LM(one, tol=1e-14).q for one in same]))
        )
    if peer("ikpy"):
        rows.append(("ikpy", same, ikpy_solver(same)))
    print(
        f"\nsearched inverse of a UR5e, {TARGETS} targets{'':9}{'poses a second':>16}{'found':>9}{'turns':>7}"
    )
    for name, targets, solve in rows:
        turns, best = (1 if name == "ikpy" else 3), np.inf
        for _ in range(turns):
            began = time.process_time()
            q = solve()
            best = min(best, time.process_time() - began)
        missed = np.abs(ur5e.fk(q) - targets).max(axis=(1, 2))
        print(f"{name:46}{len(targets) / best:16,.0f}{np.mean(missed < FOUND):9.4f}{turns:7}")


def ikpy_solver(targets: np.ndarray) -> Callable[[], np.ndarray]:
    """ikpy knows no DH rows: each becomes a turning link, and its fixed part the next one's origin."""
    chain_module, link_module = import_module("ikpy.chain"), import_module("ikpy.link")
    links, origin = [link_module.OriginLink()], (np.zeros(3), np.zeros(3))
    for i in range(6):
        links.append(
            link_module.URDFLink(f"j{i}", origin[0], origin[1], rotation=[0, 0, 1], bounds=(-np.pi, np.pi))
        )
        origin = np.array([A[i], 0, D[i]]), np.array([ALPHA[i], 0, 0])
    links.append(link_module.URDFLink("tip", origin[0], origin[1], joint_type="fixed"))
    active = [False, *[True] * 6, False]
    other = chain_module.Chain(links, active_links_mask=active)
    return lambda: np.array(
        [other.inverse_kinematics_frame(one, orientation_mode="all")[1:7] for one in targets]
    )


def main() -> int:
    arm, ur5e = robot("irb2400"), robot("ur5e")
    q = np.random.default_rng(1).uniform(-3, 3, (BATCHES[-1], 6))
    inverse, forward = spherical_wrist(arm, q, arm.fk(q))
    rates = best_rates(inverse)
    show("inverse, IRB 2400", rates)
    show("forward, IRB 2400", best_rates(forward))
    show("forward, UR5e", best_rates(row_of_joints(ur5e, q)))
    show("inverse, UR5e", best_rates(ur(ur5e, ur5e.fk(q))))
    searched()
    print(f"\nPython {sys.version.split()[0]}, numpy {np.__version__}, load {os.getloadavg()[0]:.1f}")
    if "py-opw-kinematics" not in rates:
        return 0
    ours, theirs = rates["cellctl, all solutions"], rates["py-opw-kinematics"]
    single, batch = ours[0] / theirs[0], ours[2] / theirs[2]
    print(
        f"against py-opw-kinematics: one pose {single:.1f}, floor {SINGLE_FLOOR}; 1000 {batch:.1f}, floor {BATCH_FLOOR}"
    )
    return 0 if single >= SINGLE_FLOOR and batch >= BATCH_FLOOR else 1


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.exit(main())
