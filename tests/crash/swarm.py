"""Crash search by hand: seeds A to B over two processes.

python tests/crash/swarm.py 0 3000          # prints each failing seed, what was found, and how to replay it
python tests/crash/swarm.py --seed 4711     # one scenario, with its log
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from cellctl.line.model import Line
from cellctl.live.line_file import read_line
from cellctl_sim.checkers import Finding
from cellctl_sim.crash_search import Recipe, try_seed

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"
VARIANTS = ("indoor", "outdoor", "tall")
CHUNK = 10  # seeds that a process takes at a time


def puck() -> tuple[Line, Recipe]:
    """The shipped line and recipe."""
    line, report = read_line(ROOT / "recipes/lines/puck.yaml")
    assert line is not None, report.render()
    return line, Recipe(RECIPE.read_text(), RECIPE.name, VARIANTS)


def try_some(seeds: range) -> list[tuple[int, list[Finding], float]]:
    """Seed, findings, virtual seconds."""
    line, recipe = puck()
    trials = [(seed, try_seed(line, recipe, seed)) for seed in seeds]
    return [(seed, trial.findings, trial.result.ended if trial.result else 0.0) for seed, trial in trials]


def search(first: int, last: int, processes: int) -> bool:
    """Try seeds; whether nothing was found."""
    began, failing, lived = time.perf_counter(), 0, 0.0
    found: Counter[str] = Counter()
    chunks = [range(seed, min(seed + CHUNK, last)) for seed in range(first, last, CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        for trials in pool.map(try_some, chunks):
            for seed, findings, seconds in trials:
                lived += seconds
                if findings:
                    failing += 1
                    found.update({finding.checker for finding in findings})
                    print(f"seed {seed}: {len(findings)} findings; python tests/crash/swarm.py --seed {seed}")
                    print(*(f"    {finding}" for finding in findings[:4]), sep="\n", flush=True)
    wall = time.perf_counter() - began
    count = last - first
    print(
        f"{count} scenarios, {lived / 3600:.1f} h of line time, {wall:.0f} s, {count / wall:.1f}/s; {failing} failed"
    )
    print(*(f"    {checker}: {times}" for checker, times in found.most_common()), sep="\n")
    return not failing


def replay(seed: int) -> bool:
    """Run one scenario with its log; whether nothing was found."""
    trial = try_seed(*puck(), seed, print_log=True)
    print(trial.scenario)
    print(*trial.findings, sep="\n")
    return not trial.findings


def main() -> int:
    """The exit code: 1 when something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", nargs="?", type=int, default=0)
    parser.add_argument("last", nargs="?", type=int, default=100)
    parser.add_argument("--seed", type=int, help="replay just this one")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.seed is not None:
        return 0 if replay(arguments.seed) else 1
    return 0 if search(arguments.first, arguments.last, arguments.processes) else 1


if __name__ == "__main__":
    sys.exit(main())
