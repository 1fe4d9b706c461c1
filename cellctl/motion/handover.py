"""When two who move can hand a part over: times in which each is present, and what these have in common.

A part on a belt is present at an arm while it passes the arm's reach, a nest on a second belt while it passes
too; both arms of a pair are present from when they arrive to when they must leave. All arrays broadcast,
so parts in rows against nests in columns give the table of all pairs at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.belt import BeltRun
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Times from `start` to `end` [s], shapes (...); empty where the end is before the start."""

    start: Array
    end: Array

    @property
    def length(self) -> Array:
        """How long it is, at least 0, shape (...) [s]."""
        with np.errstate(invalid="ignore"):
            length = self.end - self.start
        return np.where(length > 0.0, length, 0.0)

    def __and__(self, other: Window) -> Window:
        """The times in both."""
        return Window(np.maximum(self.start, other.start), np.minimum(self.end, other.end))

    def earliest(self, lasting: npt.ArrayLike) -> Array:
        """When something that lasts so long [s] can begin at the earliest, shape (...); NaN where it does not fit."""
        fits = (self.start + np.asarray(lasting, float) <= self.end) & (self.start < math.inf)
        return np.where(fits, self.start, math.nan)


def passing(run: BeltRun, place: npt.ArrayLike, enter: npt.ArrayLike, leave: npt.ArrayLike) -> Window:
    """When something on a belt is between two positions of the belt.

    Args:
        place: where it is when the belt's position is 0 [m].
        enter, leave: in the direction of travel [m].
    """
    place = np.asarray(place, float)
    return Window(run.when(np.asarray(enter, float) - place), run.when(np.asarray(leave, float) - place))


def pairs(first: Window, second: Window, lasting: npt.ArrayLike) -> Array:
    """For each of `first`, shape (n,), when it can be handed to each of `second`, shape (m,): (n, m) [s], or NaN."""
    rows = Window(first.start[:, None], first.end[:, None])
    return (rows & second).earliest(lasting)
