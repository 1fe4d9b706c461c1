"""Crossings of zero, many at once, of functions that make it hard."""

from __future__ import annotations

import numpy as np
import pytest

from cellctl.motion.roots import crossing


def cubic(x: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x**3 - c, 3 * x**2


def dips_first(x: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Below zero from 0 on, falling, and above it only beyond 1."""
    return x * (x - 1.0) * (x + c), 3 * x**2 + 2 * (c - 1.0) * x - c


def no_slope(x: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.where(x < c, -1.0, 1.0), np.full_like(x, np.nan)


@pytest.mark.parametrize("start", [None, 0.0, 3.0])
def test_each_crossing_is_found_to_rounding(start: float | None) -> None:
    c = np.linspace(0.0, 27.0, 1000)
    np.testing.assert_allclose(crossing(cubic, 0.0, 3.0, c, start=start), np.cbrt(c), rtol=1e-15, atol=1e-12)


def test_a_function_that_falls_before_it_rises_is_followed_to_where_it_rises() -> None:
    np.testing.assert_allclose(crossing(dips_first, 1e-3, 9.0, [0.1, 1.0, 5.0]), 1.0, rtol=1e-15)


def test_a_jump_without_a_slope_is_found_by_halving() -> None:
    c = np.array([[0.1, 0.7], [2.0, np.pi]])
    np.testing.assert_allclose(crossing(no_slope, 0.0, 4.0, c), c, rtol=1e-14)


def test_where_there_is_no_crossing_it_is_the_end_of_the_bracket() -> None:
    np.testing.assert_allclose(crossing(cubic, 0.0, 1.0, [-1.0, 8.0]), [0.0, 1.0], atol=1e-12)


def test_no_functions_have_no_crossings() -> None:
    assert crossing(cubic, np.zeros((0, 3)), 1.0, 1.0).shape == (0, 3)
