"""What a step takes longer because of the step that its module did before: an arm comes from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from cellctl.plan.line_cycle import LineStep, Order

Ways = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By module, for each step with which its work on something begins, and each such step before it: how much longer the
step takes than in its table [s], not negative. The table has the shortest way."""


def in_order(steps: Sequence[LineStep], ways: Ways, order: Order) -> tuple[LineStep, ...]:
    """The table for an order: each step as long as it is behind the one before it.

    A module without an order has one such step, which follows itself.
    """
    longer: dict[str, float] = {}
    for module, own in ways.items():
        names = [turn.step for turn in order.get(module, ())] or list(own)
        before = dict(zip(names, (*names[-1:], *names[:-1]), strict=True))
        for step, after in own.items():
            longer[step] = longer.get(step, 0.0) + after[before[step]]
    return tuple(replace(step, duration=step.duration + longer.get(step.name, 0.0)) for step in steps)


def least_round(own: Mapping[str, Mapping[str, float]]) -> float:
    """What the ways of one module add to a round at least [s]: each step behind another one, the nearest assignment.

    An order is one such assignment in which the steps form a single circle, so none adds less.
    """
    if len(own) < 2:
        return math.fsum(more for after in own.values() for more in after.values())
    longer = np.array([[own[row][before] for before in own] for row in own])
    np.fill_diagonal(longer, longer.max() * len(own) + 1.0)
    rows, columns = linear_sum_assignment(longer)
    return float(longer[rows, columns].sum())
