"""Confidence intervals and comparisons, held against published tables and scipy's own tests."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from cellctl_sim.comparison import Comparison, Difference, compare
from cellctl_sim.study import estimate, estimates, student

VALUES = st.lists(st.floats(-1e3, 1e3).map(lambda value: round(value, 3)), min_size=2, max_size=12)


def runs(values: list[float], first: int = 0) -> dict[str, Any]:
    """A study whose runs have these throughputs."""
    return {
        "runs": [
            {"seed": seed, "throughput_per_hour": value, "makespan_s": 1.0, "yield_ratio": None}
            for seed, value in enumerate(values, start=first)
        ]
    }


def differ(values: list[float]) -> bool:
    """Enough for scipy, which warns of cancellation where they are nearly equal."""
    return max(values) - min(values) > 1e-3 * max(map(abs, values))


def throughput(compared: Comparison) -> Difference:
    return next(each for each in compared.figures if each.figure == "throughput_per_hour")


@pytest.mark.parametrize(
    ("level", "freedom", "quantile"),
    [(0.95, 1, 12.706), (0.95, 9, 2.262), (0.99, 9, 3.250), (0.95, 30, 2.042), (0.99, 100, 2.626)],
)  # NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, table of the t distribution
def test_students_quantiles_are_those_of_the_published_table(
    level: float, freedom: int, quantile: float
) -> None:
    assert student(level, freedom) == pytest.approx(quantile, abs=5e-4)


@given(VALUES)
@settings(max_examples=30)
def test_half_widths_are_those_of_scipys_one_sample_test(values: list[float]) -> None:
    assume(differ(values))
    found = estimate(values)
    for level in (0.95, 0.99):
        low, high = stats.ttest_1samp(values, 0.0).confidence_interval(level)
        assert found.half_widths[level] == pytest.approx((high - low) / 2, rel=1e-6)
        assert found.mean == pytest.approx((high + low) / 2, abs=1e-9 + 1e-6 * (high - low))


def test_the_intervals_hold_the_true_mean_as_often_as_they_say() -> None:
    draw = random.Random(5)
    samples = [[draw.gauss(3.0, 2.0) for _ in range(5)] for _ in range(2000)]
    for level in (0.95, 0.99):
        hits = sum(abs(found.mean - 3.0) <= found.half_widths[level] for found in map(estimate, samples))
        assert hits / 2000 == pytest.approx(level, abs=0.015)


def test_one_run_has_a_mean_and_no_interval() -> None:
    found = estimate([7.0])
    assert (found.mean, found.half_widths, found.count) == (7.0, {}, 1)
    assert found.data() == {"mean": 7.0, "half_width_95": None, "half_width_99": None, "runs": 1}


def test_runs_without_a_figure_are_left_out_of_its_mean() -> None:
    found = estimates([{"a": 1.0, "b": None}, {"a": 3.0, "b": 5.0}, {"a": None, "b": None}], ("a", "b", "a"))
    assert (found["a"].mean, found["a"].count) == (2.0, 2)
    assert (found["b"].mean, found["b"].count) == (5.0, 1)


@given(VALUES, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_same_seeds_are_compared_in_pairs_as_scipys_paired_test_does(
    before: list[float], draw: random.Random
) -> None:
    after = [value + draw.uniform(0.0, 5.0) for value in before]
    assume(differ([late - early for early, late in zip(before, after, strict=True)]))
    compared = compare(runs(before), runs(after))
    low, high = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert compared.is_paired
    assert throughput(compared).half_width == pytest.approx((high - low) / 2, rel=1e-5, abs=1e-8)


@given(VALUES, VALUES)
@settings(max_examples=30)
def test_other_seeds_are_compared_as_welchs_test_does(before: list[float], after: list[float]) -> None:
    assume(differ(before) and differ(after))
    compared = compare(runs(before), runs(after, first=100))
    low, high = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    assert not compared.is_paired
    assert compared.same_trace is None
    assert throughput(compared).half_width == pytest.approx((high - low) / 2, rel=1e-5)


def test_common_noise_cancels_in_pairs_and_hides_the_change_otherwise() -> None:
    draw = random.Random(3)
    before = [100.0 + draw.gauss(0.0, 10.0) for _ in range(10)]
    after = [value + 1.0 + draw.gauss(0.0, 0.1) for value in before]
    assert throughput(compare(runs(before), runs(after))).is_clear
    assert not throughput(compare(runs(before), runs(after, first=100))).is_clear
