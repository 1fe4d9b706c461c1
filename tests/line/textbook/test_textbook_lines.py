"""Flow lines of which theory knows the throughput, run by the whole control path.

Blocking after service, saturated, exponential: Hillier and Boling, Operations Research 15 (1967) 286-303,
doi 10.1287/opre.15.2.286; two machines with b places between them make (b + 2)/(b + 3) of what one would. The other
figures are solutions of the line's Markov chain, to ten digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise

import numpy as np
import pytest
from scipy import stats

from cellctl.flow.events import PartEnded
from cellctl.line.model import Line
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
BATCHES = 40
PARTS = 82  # of a short run

Build = Callable[[Sequence[str], Sequence[int]], Line]
Run = Callable[[Line, Sequence[int], int, int], Result]
Times = Sequence[list[float]]  # of each machine, part by part [s]
NO_TIMES: Times = ()


def exponential(count: int, mean: float = MEAN) -> list[str]:
    """What is simulated of each of so many machines."""
    return [f"takes: {{exponential: {mean:g} s}}"] * count


def departures(result: Result) -> list[float]:
    """When each part left the line [s]."""
    return [event.at for event in result.events if isinstance(event, PartEnded)]


def numbers_of(stream: str, seed: int) -> Iterator[float]:
    """The numbers between 0 and 1 of a stream of the simulated world."""
    with Universe(seed) as universe:
        source = universe.random(stream)
        while True:
            yield source.random()


def drawn(count: int, seed: int, parts: int) -> Times:
    """How long each machine works on each part: the same numbers, turned into times by scipy."""
    streams = [islice(numbers_of(f"m{n}.plc.takes", seed), parts) for n in range(1, count + 1)]
    return [stats.expon.ppf(list(stream), scale=MEAN).tolist() for stream in streams]


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


@dataclass(frozen=True)
class Mean:
    """An estimated mean with its standard error, and the degrees of freedom behind that."""

    value: float
    error: float
    freedom: int

    def plus(self, other: Mean) -> Mean:
        """The mean of a sum of two that are independent; of the degrees of freedom the fewer."""
        error, freedom = math.hypot(self.error, other.error), min(self.freedom, other.freedom)
        return Mean(self.value + other.value, error, freedom)

    def throughput(self, level: float = 0.99) -> tuple[float, float]:
        """Of a mean time from part to part: parts per mean working time, and the half width of its interval."""
        width = float(stats.t.ppf((1.0 + level) / 2.0, self.freedom)) * self.error
        return 1.0 / self.value, width / self.value**2


def cycle(left: Sequence[float], times: Times = NO_TIMES) -> Mean:
    """The mean time from part to part, in mean working times, by batch means; the line's filling is left out.

    The mean working times of the same parts are control variates, where they are given: their means are known
    (Lavenberg and Welch, Management Science 27 (1981) 322-335; Law, Simulation Modeling and Analysis, 5th edition,
    9.5.3 and 11.4).
    """
    size = len(left) // (BATCHES + 1)
    edges = list(pairwise(size * n for n in range(1, BATCHES + 2)))
    found = np.array([left[b - 1] - left[a - 1] for a, b in edges]) / (size * MEAN)
    works = [[np.mean(own[a:b]) / MEAN - 1.0 for own in times] for a, b in edges]
    known = np.column_stack([np.ones(BATCHES), np.array(works).reshape(BATCHES, -1)])
    fitted, *_ = np.linalg.lstsq(known, found, rcond=None)
    freedom, rest = BATCHES - known.shape[1], found - known @ fitted
    error = math.sqrt(float(rest @ rest) / freedom * float(np.linalg.inv(known.T @ known)[0, 0]))
    return Mean(float(fitted[0]), error, freedom)


def long_run(count: int, buffers: Sequence[int], parts: int = 300_000) -> Mean:
    """What the recursion comes to with numbers of its own."""
    numbers = np.random.default_rng(count * 100 + sum(buffers))
    times = [numbers.exponential(MEAN, parts).tolist() for _ in range(count)]
    return cycle(recursion(times, buffers), times)


# --- what theory is held against ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "buffer"), EXACT)
def test_the_recursion_has_the_throughput_of_the_markov_chain(count: int, buffer: int) -> None:
    """So that a line that follows it part by part has it, too."""
    found, half_width = long_run(count, [buffer] * (count - 1), 100_000).throughput()
    assert half_width < 0.005 * found
    assert abs(found - EXACT[count, buffer]) < half_width


def test_two_machines_have_the_throughput_of_the_formula() -> None:
    assert all(rate == pytest.approx((b + 2) / (b + 3)) for (n, b), rate in EXACT.items() if n == 2)


SHORT = [(2, 0), (2, 2), (3, 1), (4, 1)]


@pytest.fixture(scope="module")
def short_run(textbook_line: Build, run_textbook: Run) -> Callable[[int, int], list[float]]:
    """When each of the first parts leaves a line of so many machines with so large buffers [s]."""

    @cache
    def run(count: int, buffer: int) -> list[float]:
        buffers = [buffer] * (count - 1)
        return departures(run_textbook(textbook_line(exponential(count), buffers), buffers, PARTS, SEED))

    return run


@pytest.mark.parametrize(("count", "buffer"), SHORT)
def test_every_part_leaves_the_line_when_the_recursion_says(
    count: int, buffer: int, short_run: Callable[[int, int], list[float]]
) -> None:
    """But for what commands, journals and polls take: under a thousandth."""
    left = short_run(count, buffer)
    told = recursion(drawn(count, SEED, PARTS), [buffer] * (count - 1))
    late = [(found - left[0]) - (said - told[0]) for found, said in zip(left, told, strict=True)]
    assert all(-0.05 < lag < 0.05 + 0.001 * said for lag, said in zip(late, told, strict=True))


@pytest.mark.parametrize(("count", "buffer"), SHORT)
def test_a_short_run_covers_the_exact_throughput_within_half_a_percent(
    count: int, buffer: int, short_run: Callable[[int, int], list[float]]
) -> None:
    """The recursion as control variate: what the line takes beyond it for the same times, and its own long run.

    The two are independent of each other, and neither knows the exact figure (control variates with estimated means:
    Schmeiser, Taaffe and Wang, IIE Transactions 33 (2001) 219-228).
    """
    buffers = [buffer] * (count - 1)
    left = short_run(count, buffer)
    told = recursion(drawn(count, SEED, PARTS), buffers)
    beyond = cycle([found - said for found, said in zip(left, told, strict=True)])
    found, half_width = beyond.plus(long_run(count, buffers)).throughput()
    assert half_width < 0.005 * found
    assert abs(found - EXACT[count, buffer]) < half_width


@pytest.mark.slow
@pytest.mark.parametrize(("count", "buffer", "parts"), [(2, 0, 20_000), (2, 2, 40_000), (3, 1, 40_000)])
def test_a_long_run_covers_the_exact_throughput_within_half_a_percent(
    count: int, buffer: int, parts: int, textbook_line: Build, run_textbook: Run
) -> None:
    """Without the recursion; 10 to 40 CPU minutes each."""
    buffers = [buffer] * (count - 1)
    line = textbook_line(exponential(count), buffers)
    left = departures(run_textbook(line, buffers, parts, 1))
    found, half_width = cycle(left, drawn(count, 1, parts)).throughput()
    assert half_width < 0.005 * found
    assert abs(found - EXACT[count, buffer]) < half_width


# --- breakdowns ---------------------------------------------------------------------------------------------------

FAILS = "fails: {after: {exponential: 5 min}, repair: {lognormal: {mean: 2 min, deviation: 1 min}}}"
VARIANCE = math.log(1.0 + (60.0 / 120.0) ** 2)  # of the logarithm of a repair
REPAIR = stats.lognorm(math.sqrt(VARIANCE), scale=120.0 * math.exp(-VARIANCE / 2.0))


def with_repairs(machine: str, times: Sequence[float], seed: int) -> list[float]:
    """The same times with the repairs that fall into them: it breaks by time in operation."""
    ages = (-300.0 * math.log(1.0 - u) for u in numbers_of(f"{machine}.plc.fails.after", seed))
    repairs = (float(REPAIR.ppf(u)) for u in numbers_of(f"{machine}.plc.fails.repair", seed))
    left, found = next(ages), []
    for time in times:
        worked, still = time, 0.0
        while worked >= left:
            worked, still, left = worked - left, still + next(repairs), next(ages)
        left -= worked
        found.append(time + still)
    return found


def test_a_line_whose_machines_break_leaves_when_the_recursion_with_repairs_says(
    textbook_line: Build, run_textbook: Run
) -> None:
    """A machine that is blocked or starved does not wear."""
    line = textbook_line([f"takes: 60 s, {FAILS}"] * 2, [1])
    result = run_textbook(line, [1], 60, SEED)
    told = recursion([with_repairs(name, [60.0] * 60, SEED) for name in ("m1", "m2")], [1])
    left = departures(result)
    lags = [(found - left[0]) - (said - told[0]) for found, said in zip(left, told, strict=True)]
    assert all(-0.05 < lag < 0.05 + 0.001 * said for lag, said in zip(lags, told, strict=True))
    assert result.counters["m1.plc.broke"] == result.counters["m1.plc.repaired"] > 5
