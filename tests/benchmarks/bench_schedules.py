"""Time to prove the best cyclic schedule, beside OR-tools CP-SAT with one worker; and of max-plus eigenvalues.

Run `python tests/benchmarks/bench_schedules.py`. The hoist line is that of Phillips and Unger (1976), whose optimum is
521; the robot cells are random, with six machines. CP-SAT is left out where OR-tools is not installed. Times are CPU
seconds, the least of some turns, with the building of the model. Exit status 1 when two solvers disagree.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import random
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np

from cellctl.plan.maxplus import howard, karp
from cellctl.plan.schedule import best_schedule
from cellctl.plan.schedule_check import check_schedule
from cellctl.plan.transport import Robot, Route, Stay, TransportCell

DATA = Path(__file__).parents[1] / "data" / "phillips_unger_1976.json"
TURNS, CELLS, SIZES = 5, 6, (50, 100, 200, 500)


def cell_of(stays: list[Stay], loaded: np.ndarray, empty: np.ndarray, names: list[str]) -> TransportCell:
    robot = Robot("robot", frozenset(names))
    return TransportCell(dict.fromkeys(names, 1), (Route("part", tuple(stays)),), (robot,), loaded, empty)


def phillips_unger() -> TransportCell:
    figures = json.loads(DATA.read_text())
    names = ["load", *(f"tank {i}" for i in range(1, 13))]
    windows = zip(names[1:], figures["least"], figures["most"], strict=True)
    tanks = [Stay(name, least, math.inf if most is None else most) for name, least, most in windows]
    loaded = np.full((13, 13), np.nan)
    loaded[np.arange(13), (np.arange(13) + 1) % 13] = figures["loaded"]
    return cell_of([Stay("load"), *tanks, Stay("load")], loaded, np.array(figures["empty"], float), names)


def robot_cell(generator: random.Random) -> TransportCell:
    names = ["in", *(f"m{k}" for k in range(1, 7)), "out"]
    x = np.arange(8)
    empty = generator.randint(1, 7) * np.abs(x[:, None] - x[None, :]).astype(float)
    stays = [Stay(name, generator.randint(20, 90)) for name in names[1:-1]]
    return cell_of([Stay("in"), *stays, Stay("out")], empty + 2 * generator.randint(1, 4), empty, names)


def by_cp_sat(cell: TransportCell) -> float:
    """The same question with whole seconds: begin of each move in one period, the period to be least."""
    from ortools.sat.python import cp_model

    moves, stays = cell.moves(), cell.routes[0].stays
    most = int(sum(m.duration + s.least for m, s in zip(moves, stays, strict=False)) * 3 + 1000)
    model = cp_model.CpModel()
    period = model.new_int_var(1, most, "period")
    starts = [model.new_int_var(0, most, f"t{k}") for k in range(len(moves))]
    model.add(starts[0] == 0)
    for start in starts:
        model.add(start < period)
    first: dict[tuple[int, int], cp_model.IntVar] = {}
    for a, b in combinations(range(len(moves)), 2):
        first[a, b] = model.new_bool_var(f"{a} before {b}")
        ab, ba = (
            int(moves[i].duration + cell.empty_time(moves[i].target, moves[j].origin))
            for i, j in ((a, b), (b, a))
        )
        for earlier, later, gap, back, chosen in (
            (a, b, ab, ba, first[a, b]),
            (b, a, ba, ab, first[a, b].negated()),
        ):
            model.add(starts[later] - starts[earlier] >= gap).only_enforce_if(chosen)
            model.add(starts[earlier] + period - starts[later] >= back).only_enforce_if(chosen)
    for k, stay in enumerate(stays[1:-1], start=1):
        arrives, same = starts[k - 1] + int(moves[k - 1].duration), first[k - 1, k]
        for rounds, chosen in ((0, same), (1, same.negated())):
            stayed = starts[k] + rounds * period - arrives
            model.add(stayed >= int(stay.least)).only_enforce_if(chosen)
            if math.isfinite(stay.most):
                model.add(stayed <= int(stay.most)).only_enforce_if(chosen)
    model.minimize(period)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return solver.objective_value


def by_milp(cell: TransportCell) -> float:
    schedule = best_schedule(cell)
    assert schedule.bound == schedule.period
    assert check_schedule(cell, schedule) is None
    return schedule.period


def least_time(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TURNS):
        begin = time.process_time()
        work()
        taken.append(time.process_time() - begin)
    return min(taken)


def main() -> int:
    generator = random.Random(1976)
    questions = {"Phillips and Unger, 12 tanks": phillips_unger()}
    questions |= {f"robot cell {k + 1}, 6 machines": robot_cell(generator) for k in range(CELLS)}
    beside = importlib.util.find_spec("ortools") is not None
    print(
        f"Python {sys.version.split()[0]}, load average {os.getloadavg()[0]:.1f}, least of {TURNS}, CPU seconds"
    )
    print(f"{'':32}{'period':>10}{'cellctl':>10}{'CP-SAT':>10}{'ratio':>8}")
    agree = True
    for name, cell in questions.items():
        period, own = by_milp(cell), least_time(lambda cell=cell: by_milp(cell))
        line = f"{name:32}{period:10g}{own:10.3f}"
        if beside:
            agree &= math.isclose(by_cp_sat(cell), period)
            other = least_time(lambda cell=cell: by_cp_sat(cell))
            line += f"{other:10.3f}{own / other:8.1f}"
        print(line)
    if not beside:
        print("OR-tools is not installed")
    print(f"\n{'max-plus eigenvalue, full matrix':32}{'Karp':>10}{'Howard':>10}")
    for size in SIZES:
        A = np.random.default_rng(size).uniform(0.0, 100.0, (size, size))
        agree &= math.isclose(karp(A), howard(A).value, rel_tol=1e-10)
        times = [least_time(lambda way=way, A=A: way(A)) * 1e3 for way in (karp, howard)]
        print(f"{f'{size} events':32}{times[0]:7.2f} ms{times[1]:7.2f} ms")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
