"""Time laws a second, beside Ruckig and TOPP-RA called through Python: the same moves, one CPU, taking turns.

Run `python tests/benchmarks/bench_profiles.py`. Moves are random, of six axes, with the speeds of a KUKA KR 6 R700,
full speed in 0.25 s and full acceleration in 0.1 s. Both sides get distances (and speeds) and give complete
trajectories that can be asked for any time; Ruckig is called in a loop with its objects made once, since it has no
call for a batch. Paths are splines through seven random points, timed on the same grid; solver and spline of both are
made anew for each. The best of each counts. A peer that is not installed is left out. Exit status 1 below the floor.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

sys.path.insert(0, str(Path(__file__).parents[2]))

from cellctl.motion.path import joint_path
from cellctl.motion.profile import rest_to_rest, scalar_duration, synchronised
from cellctl.motion.retime import fastest_under
from cellctl.motion.together import arrive

FLOOR, AIM = 3.0, 8.0  # six axes from rest to rest, batch of 10,000
BATCHES, TURNS, GRID, PATHS = (1, 100, 1000, 10_000), 7, 100, 50
V = np.radians([360.0, 300.0, 360.0, 381.0, 388.0, 615.0])
A, J = V / 0.25, V / 0.25 / 0.1
RNG = np.random.default_rng(1)

Work = Callable[[], object]


def rate(count: int, *works: Work) -> list[float]:
    """How many a second each does, best of several turns."""
    best = [float("inf")] * len(works)
    for _ in range(TURNS):
        for i, work in enumerate(works):
            began = time.perf_counter()
            work()
            best[i] = min(best[i], time.perf_counter() - began)
    return [count / seconds for seconds in best]


def ruckig_loop(d: np.ndarray, v_from: np.ndarray, v_to: np.ndarray) -> Work:
    """All moves, one after another; the lists are made beforehand."""
    import ruckig

    n = d.shape[-1]
    otg, wanted = ruckig.Ruckig(n), ruckig.InputParameter(n)
    wanted.current_position = [0.0] * n
    wanted.max_velocity, wanted.max_acceleration, wanted.max_jerk = (
        V[:n].tolist(),
        A[:n].tolist(),
        J[:n].tolist(),
    )
    rows = list(zip(d.tolist(), v_from.tolist(), v_to.tolist(), strict=True))

    def work() -> None:
        trajectory = ruckig.Trajectory(n)
        for target, first, last in rows:
            wanted.target_position, wanted.current_velocity, wanted.target_velocity = target, first, last
            otg.calculate(wanted, trajectory)

    return work


def toppra_loop(q: np.ndarray) -> Work:
    """All paths, shape (paths, grid, 6), one after another."""
    import toppra
    from toppra import algorithm, constraint

    toppra.setup_logging("ERROR")
    s = np.linspace(0.0, 1.0, q.shape[1])
    limits = [
        constraint.JointVelocityConstraint(np.stack((-V, V), axis=-1)),
        constraint.JointAccelerationConstraint(np.stack((-A, A), axis=-1)),
    ]

    def work() -> None:
        for joints in q:
            path = toppra.SplineInterpolator(s, joints)
            algorithm.TOPPRA(
                limits, path, gridpoints=s, parametrizer="ParametrizeConstAccel"
            ).compute_trajectory()

    return work


def time_paths(q: np.ndarray) -> object:
    """All paths at once."""
    return fastest_under(joint_path(q), V, A)


def line(what: str, ours: float, theirs: float | None, peer: str) -> None:
    beside = (
        f"{theirs:12,.0f}  {peer:8}{ours / theirs:8.2f}" if theirs else f"{'':12}  {peer} is not installed"
    )
    print(f"{what:52}{ours:12,.0f}{beside}")


def rest_moves(has_ruckig: bool) -> float:
    """Prints the rows of moves from rest to rest; the ratio that has a floor."""
    ratio = float("inf")
    for axes, batches in ((1, BATCHES[-1:]), (6, BATCHES)):
        for batch in batches:
            d = RNG.uniform(-3, 3, (batch, axes))
            ours = partial(synchronised, d, V[:axes], A[:axes], J[:axes])
            theirs = [ruckig_loop(d, 0 * d, 0 * d)] if has_ruckig else []
            rates = rate(batch, ours, *theirs)
            line(f"rest to rest, {axes} axes, batch {batch}", rates[0], (*rates, None)[1], "ruckig")
            ratio = rates[0] / rates[1] if has_ruckig else ratio
    return ratio


def other_moves(has_ruckig: bool) -> None:
    """Prints the rows of durations alone, of one move in plain numbers, and of moves between speeds."""
    d = RNG.uniform(-3, 3, (BATCHES[-1], 6))
    theirs = [ruckig_loop(d, 0 * d, 0 * d)] if has_ruckig else []
    rates = rate(len(d), lambda: rest_to_rest(d, V, A, J).duration.max(-1), *theirs)
    line("rest to rest, 6 axes, batch 10000, durations only", rates[0], (*rates, None)[1], "ruckig")
    rows, limits = d[:, 0].tolist(), (float(V[0]), float(A[0]), float(J[0]))
    theirs = [ruckig_loop(d[:, :1], 0 * d[:, :1], 0 * d[:, :1])] if has_ruckig else []
    rates = rate(len(d), lambda: [scalar_duration(x, *limits) for x in rows], *theirs)
    line("rest to rest, 1 axis, one by one, durations only", rates[0], (*rates, None)[1], "ruckig")
    for batch in BATCHES[1:]:
        v_from, v_to = RNG.uniform(-0.5, 0.5, (2, batch, 6)) * V
        theirs = [ruckig_loop(d[:batch], v_from, v_to)] if has_ruckig else []
        rates = rate(batch, partial(arrive, d[:batch], v_from, v_to, V, A, J), *theirs)
        line(f"between speeds, 6 axes, batch {batch}", rates[0], (*rates, None)[1], "ruckig")


def paths(has_toppra: bool) -> None:
    """Prints the rows of paths."""
    points = RNG.uniform(-1, 1, (PATHS, 7, 6))
    q = CubicSpline(np.linspace(0, 1, 7), points, axis=1)(np.linspace(0, 1, GRID + 1))
    for batch in (1, PATHS):
        theirs = [toppra_loop(q[:batch])] if has_toppra else []
        rates = rate(batch, partial(time_paths, q[:batch]), *theirs)
        line(f"along a path, 6 axes, {GRID} intervals, batch {batch}", rates[0], (*rates, None)[1], "toppra")


def main() -> int:
    has_ruckig, has_toppra = (importlib.util.find_spec(name) is not None for name in ("ruckig", "toppra"))
    print(
        f"Python {sys.version.split()[0]}, numpy {np.__version__}, load average {os.getloadavg()[0]:.1f}, per second:"
    )
    print(f"{'':52}{'cellctl':>12}{'peer':>12}  {'':8}{'ratio':>8}")
    ratio = rest_moves(has_ruckig)
    other_moves(has_ruckig)
    paths(has_toppra)
    print(f"floor: rest to rest, 6 axes, batch {BATCHES[-1]}, at least {FLOOR} (aim {AIM})")
    return 0 if ratio >= FLOOR else 1


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sys.exit(main())
