"""Ruckig, a peer of the profiles: what it makes of a move. Tests that ask it are skipped where it is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

Axes = Sequence[float]


def ruckig_move(
    d: Axes, v: Axes, a: Axes, j: Axes, v_from: Axes | None = None, v_to: Axes | None = None
) -> Any:
    """Its trajectory over distances from speeds to speeds, 0 where none are given, within limits, each by axis."""
    ruckig = pytest.importorskip("ruckig")
    n = len(d)
    wanted = ruckig.InputParameter(n)
    wanted.current_position, wanted.target_position = [0.0] * n, list(d)
    wanted.current_velocity = [0.0] * n if v_from is None else list(v_from)
    wanted.target_velocity = [0.0] * n if v_to is None else list(v_to)
    wanted.max_velocity, wanted.max_acceleration, wanted.max_jerk = list(v), list(a), list(j)
    trajectory = ruckig.Trajectory(n)
    found = ruckig.Ruckig(n).calculate(wanted, trajectory)
    assert found in (ruckig.Result.Working, ruckig.Result.Finished)
    return trajectory
