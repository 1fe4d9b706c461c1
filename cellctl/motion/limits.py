"""How far joints may go: ranges, whole turns within them, and limits on several joints together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cellctl.motion.geometry import Joints
from cellctl.motion.transforms import Array

SLACK = 1e-9  # [rad, m] a joint this little beyond its limit stands on it

# of one joint: lower, upper, top speed, a whole turn (infinite where it slides)
OneJoint = tuple[float, float, float, float]


class Limits(NamedTuple):
    """Of each joint: range [rad, m], speed [/s], acceleration [/s^2], jerk [/s^3]; shape (dof,) each."""

    lower: Array
    upper: Array
    v_max: Array
    a_max: Array
    j_max: Array


@dataclass(frozen=True, slots=True)
class Linkage:
    """A limit on several joints together: lower <= factors . q <= upper [rad].

    Args:
        what: what is limited, as in "joint 3 less joint 2".
        while_below: joint (from 0) and value; the limit counts only where that joint is not above it.
    """

    what: str
    factors: tuple[float, ...]
    lower: float
    upper: float
    while_below: tuple[int, float] | None = None

    def excess(self, q: Array) -> Array:
        """By how much joint vectors (..., dof) are outside, shape (...) [rad]; negative inside."""
        value = q @ np.array(self.factors)
        excess = np.maximum(self.lower - value, value - self.upper)
        if self.while_below is None:
            return np.asarray(excess)
        joint, bound = self.while_below
        return np.where(q[..., joint] <= bound, excess, -np.inf)


def nearest_one(solutions: Iterable[Joints], near: Joints, joints: Sequence[OneJoint]) -> Joints:
    """Of the solutions, each in its turn nearest to `near` within limits, the one that takes least travel time.

    Not numbers when none is within limits. The same as `Robot.ik_near` does with arrays.
    """
    best: Joints = (math.nan,) * len(joints)
    least_travel = math.inf
    for q in solutions:
        turned: list[float] = []
        travel = 0.0
        for value, start, joint in zip(q, near, joints, strict=True):
            value = _nearest_turn(value, start, joint)
            if not travel < least_travel:
                break
            travel += ((value - start) / joint[2]) ** 2
            turned.append(value)
        if travel < least_travel:
            best, least_travel = turned, travel
    return best


def _nearest_turn(value: float, start: float, joint: OneJoint) -> float:
    """The angle by whole turns moved into its limits and there nearest to `start`; NaN where no turn is."""
    lower, upper, _, turn = joint
    if turn < math.inf and value == value:
        value += turn * round((start - value) / turn)
        if value > upper + SLACK:
            value -= turn * math.ceil((value - upper - SLACK) / turn)
        elif value < lower - SLACK:
            value += turn * math.ceil((lower - SLACK - value) / turn)
    return value if lower - SLACK <= value <= upper + SLACK else math.nan


def turns_within(q: Array, lower: Array, upper: Array, turn: Array) -> tuple[Array, Array]:
    """The least and most whole turns that keep each joint within limits; most below least where none does.

    For joints that slide both are 0, or 1 and 0 where the joint is outside.
    """
    least, most = np.ceil((lower - SLACK - q) / turn), np.floor((upper + SLACK - q) / turn)
    slides = turn == np.inf
    if not slides.any():
        return least, most
    outside = (q < lower - SLACK) | (q > upper + SLACK)
    return np.where(slides, np.where(outside, 1.0, 0.0), least), np.where(slides, 0.0, most)
