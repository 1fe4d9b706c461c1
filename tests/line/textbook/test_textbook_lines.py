"""Flow lines of which theory knows the throughput, run by the whole control path.

Blocking after service, saturated, exponential: Hillier and Boling, Operations Research 15 (1967) 286-303,
doi 10.1287/opre.15.2.286; two machines with b places between them make (b + 2)/(b + 3) of what one would. The other
figures are solutions of the line's Markov chain, to ten digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t as student

from cellctl.flow.events import PartEnded
from cellctl.line.distributions import Failures, Law
from cellctl.line.model import Line
from cellctl.runtime import RandomStream
from cellctl_sim.simulation import Result
from cellctl_sim.universe import Universe

EXACT = {
    (2, 0): 2 / 3,
    (2, 2): 4 / 5,
    (2, 8): 10 / 11,
    (3, 0): 22 / 39,
    (3, 1): 0.6704661583,
    (3, 4): 0.8074859097,
    (4, 1): 0.6311526854,
    (4, 3): 0.7477095118,
}
MEAN = 60.0  # [s]: long against what commands and polls take, some 40 ms a cycle
SEED = 3

Build = Callable[[Sequence[str], Sequence[int]], Line]
Run = Callable[[Line, Sequence[int], int, int], Result]
Times = list[list[float]]  # of each machine, part by part [s]


def exponential(count: int, mean: float = MEAN) -> list[str]:
    """What is simulated of each of so many machines."""
    return [f"takes: {{exponential: {mean:g} s}}"] * count


def departures(result: Result) -> list[float]:
    """When each part left the line [s]."""
    return [event.at for event in result.events if isinstance(event, PartEnded)]


def drawn(line: Line, seed: int, parts: int) -> Times:
    """How long each machine works on each part, repairs left out: the same streams once more."""
    with Universe(seed) as universe:
        return [_draws(line, name, "takes", universe.random, parts) for name in machines_of(line)]


def machines_of(line: Line) -> list[str]:
    """The machines' devices in their order."""
    return [f"{name}.plc" for name in line.modules if name != "shuttle"]


def _draws(
    line: Line, name: str, key: str, streams: Callable[[str], RandomStream], count: int
) -> list[float]:
    law = line.devices[name].simulated[key]
    assert isinstance(law, Law)
    stream = streams(f"{name}.{key}")
    return [law.draw(stream) for _ in range(count)]


def recursion(times: Times, buffers: Sequence[int]) -> list[float]:
    """When each part leaves a line with blocking after service, its first machine never starved [s].

    D[i, n] = max(max(D[i-1, n], D[i, n-1]) + t[i, n], D[i+1, n-b-1]): Dallery and Gershwin, Queueing Systems 12
    (1992) 3-94, 3.2.
    """
    count, parts = len(times), len(times[0])
    left = [[0.0] * parts for _ in times]
    for n in range(parts):
        for i in range(count):
            begun = max(left[i - 1][n] if i else 0.0, left[i][n - 1] if n else 0.0)
            room = left[i + 1][n - buffers[i] - 1] if i + 1 < count and n > buffers[i] else 0.0
            left[i][n] = max(begun + times[i][n], room)
    return left[-1]


# --- statistics -------------------------------------------------------------------------------------------------


def interval(
    left: Sequence[float], times: Times, batches: int = 40, level: float = 0.99
) -> tuple[float, float]:
    """Throughput in parts per mean working time, and the half width of its confidence interval.

    Batch means of the time from part to part, the first batch left out as the line's filling, with the mean working
    times of the same parts as control variates, whose means are known (Lavenberg and Welch, Management Science 27
    (1981) 322-335; Law, Simulation Modeling and Analysis, 5th edition, 9.5.3 and 11.4).
    """
    size = len(left) // (batches + 1)
    edges = [size * n for n in range(1, batches + 2)]
    cycle = np.array([left[b - 1] - left[a - 1] for a, b in pairwise(edges)]) / (size * MEAN)
    works = np.array([[np.mean(own[a:b]) / MEAN - 1.0 for own in times] for a, b in pairwise(edges)])
    known = np.column_stack([np.ones(batches), works])
    found, *_ = np.linalg.lstsq(known, cycle, rcond=None)
    freedom = batches - known.shape[1]
    rest = cycle - known @ found
    error = math.sqrt(float(rest @ rest) / freedom * float(np.linalg.inv(known.T @ known)[0, 0]))
    mean = float(found[0])
    return 1.0 / mean, float(student.ppf((1.0 + level) / 2.0, freedom)) * error / mean**2


# --- what theory is held against ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "buffer"), EXACT)
def test_the_recursion_has_the_throughput_of_the_markov_chain(count: int, buffer: int) -> None:
    """So that a line that follows it part by part has it, too."""
    numbers = np.random.default_rng(count * 100 + buffer)
    times = [[float(time) for time in numbers.exponential(MEAN, 41_000)] for _ in range(count)]
    found, half_width = interval(recursion(times, [buffer] * (count - 1)), times)
    assert half_width < 0.01 * found
    assert abs(found - EXACT[count, buffer]) < half_width


@pytest.mark.parametrize(("count", "buffer"), [(2, 0), (3, 2), (4, 1)])
def test_every_part_leaves_the_line_when_the_recursion_says(
    count: int, buffer: int, textbook_line: Build, run_textbook: Run
) -> None:
    """But for what commands, journals and polls take: under a thousandth."""
    buffers = [buffer] * (count - 1)
    line = textbook_line(exponential(count), buffers)
    left = departures(run_textbook(line, buffers, 40, SEED))
    told = recursion(drawn(line, SEED, 40), buffers)
    late = [(found - left[0]) - (said - told[0]) for found, said in zip(left, told, strict=True)]
    assert all(-0.05 < lag < 0.05 + 0.001 * said for lag, said in zip(late, told, strict=True))


def test_a_short_run_covers_the_exact_throughput(textbook_line: Build, run_textbook: Run) -> None:
    line = textbook_line(exponential(2), [0])
    left = departures(run_textbook(line, [0], 246, SEED))
    found, half_width = interval(left, drawn(line, SEED, 246))
    assert half_width < 0.05 * found
    assert abs(found - EXACT[2, 0]) < half_width


@pytest.mark.slow
@pytest.mark.parametrize(("count", "buffer", "parts"), [(2, 0, 15_000), (2, 2, 15_000), (3, 1, 15_000)])
def test_a_long_run_covers_the_exact_throughput_with_half_a_percent(
    count: int, buffer: int, parts: int, textbook_line: Build, run_textbook: Run
) -> None:
    buffers = [buffer] * (count - 1)
    line = textbook_line(exponential(count), buffers)
    left = departures(run_textbook(line, buffers, parts, 1))
    found, half_width = interval(left, drawn(line, 1, parts))
    assert half_width < 0.005 * found
    assert abs(found - EXACT[count, buffer]) < half_width


# --- breakdowns ---------------------------------------------------------------------------------------------------


def with_repairs(
    line: Line, name: str, times: Sequence[float], streams: Callable[[str], RandomStream]
) -> list[float]:
    """The same times with the repairs that fall into them: it breaks by time in operation."""
    fails = line.devices[name].simulated["fails"]
    assert isinstance(fails, Failures)
    after, repair = streams(f"{name}.fails.after"), streams(f"{name}.fails.repair")
    left, found = fails.after.draw(after), []
    for time in times:
        still = 0.0
        worked = time
        while worked >= left:
            worked -= left
            still += fails.repair.draw(repair)
            left = fails.after.draw(after)
        left -= worked
        found.append(time + still)
    return found


def test_a_line_whose_machines_break_leaves_when_the_recursion_with_repairs_says(
    textbook_line: Build, run_textbook: Run
) -> None:
    """A machine that is blocked or starved does not wear."""
    fails = "fails: {after: {exponential: 5 min}, repair: {lognormal: {mean: 2 min, deviation: 1 min}}}"
    line = textbook_line([f"takes: 60 s, {fails}"] * 2, [1])
    result = run_textbook(line, [1], 60, SEED)
    times = drawn(line, SEED, 60)
    with Universe(SEED) as universe:
        times = [
            with_repairs(line, n, own, universe.random)
            for n, own in zip(machines_of(line), times, strict=True)
        ]
    told, left = recursion(times, [1]), departures(result)
    lags = [(found - left[0]) - (said - told[0]) for found, said in zip(left, told, strict=True)]
    assert all(-0.05 < lag < 0.05 + 0.001 * said for lag, said in zip(lags, told, strict=True))
    assert result.counters["m1.plc.broke"] == result.counters["m1.plc.repaired"] > 5
