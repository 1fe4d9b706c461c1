"""One experiment with many seeds, and what can be said of the mean: Student's confidence intervals.

Runs with different seeds are independent, so the half width at a level c over n of them is
t((1 + c) / 2, n - 1) s / sqrt(n), with the sample's standard deviation s (Law, Simulation Modeling and Analysis,
5th edition, 4.5, eq. 4.12). It is the mean's uncertainty, not the spread of single runs.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from cellctl.line.model import Line
from cellctl_sim.memory import collect_seldom
from cellctl_sim.process_faults import Disturbance
from cellctl_sim.simulation import LONGEST, Order, simulate
from cellctl_sim.summary import Body, summary

FIGURES = ("throughput_per_hour", "makespan_s", "yield_ratio")
LEVELS = (0.95, 0.99)
LEFT_OUT = frozenset({"counters", "steps", "by_variant"})  # of a run, where there are many


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is run again and again, each time with another seed."""

    line: Line
    orders: tuple[Order, ...]
    until: float = LONGEST  # [s]
    faults: tuple[Disturbance, ...] = ()

    def run(self, seed: int) -> Body:
        """What one run came to (`cellctl_sim.summary`). Raises what `simulate` raises."""
        found = summary(simulate(self.line, self.orders, seed, self.until, self.faults), seed)
        return {key: value for key, value in found.items() if key not in LEFT_OUT}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `count` runs with the half widths of its confidence intervals, level -> half width.

    No half widths from fewer than two runs: one run says nothing of the spread.
    """

    mean: float
    half_widths: Mapping[float, float]
    count: int

    def data(self) -> Body:
        """As JSON has it."""
        widths = {f"half_width_{level:.0%}".rstrip("%"): self.half_widths.get(level) for level in LEVELS}
        return {"mean": self.mean, **widths, "runs": self.count}


def estimate(values: Sequence[float], levels: Iterable[float] = LEVELS) -> Estimate:
    """The mean of independent values. Raises statistics.StatisticsError without any."""
    count = len(values)
    if count < 2:
        return Estimate(fmean(values), {}, count)
    error = stdev(values) / sqrt(count)
    return Estimate(fmean(values), {level: student(level, count - 1) * error for level in levels}, count)


def student(level: float, freedom: float) -> float:
    """The two-sided quantile of Student's t: `level` of all lies within plus and minus it."""
    from scipy.stats import t  # half a second of import, only where there is something to estimate

    return float(t.ppf((1.0 + level) / 2.0, freedom))


def estimates(runs: Sequence[Body], figures: Iterable[str] = FIGURES) -> dict[str, Estimate]:
    """What the runs say of each figure; runs that have none (no part ended) are left out, figures of no run too."""
    values = {name: [run[name] for run in runs if run[name] is not None] for name in figures}
    return {name: estimate(own) for name, own in values.items() if own}


def run_all(experiment: Experiment, seeds: Sequence[int], processes: int = 1) -> Generator[Body, None, None]:
    """The runs in the order of their seeds, each as soon as it and those before it are ready.

    To stop, close the generator: what is under way is lost.
    """
    if processes == 1 or len(seeds) == 1:
        yield from map(experiment.run, seeds)
        return
    context = multiprocessing.get_context("spawn")
    workers = min(processes, len(seeds))
    with ProcessPoolExecutor(workers, context, _settle_in, (experiment,)) as pool:
        try:
            yield from pool.map(_run, seeds)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_experiment: list[Experiment] = []  # of this worker process


def _settle_in(experiment: Experiment) -> None:
    """A worker begins; Ctrl-C is for the process that gave it its work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_seldom()
    _experiment.append(experiment)


def _run(seed: int) -> Any:
    return _experiment[0].run(seed)
