"""Where many increasing functions cross zero, all at once: Newton's steps, kept inside a bracket that only shrinks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from cellctl.motion.transforms import Array

ROUNDS = 200  # far more than halving a bracket of floats can need in practice
SETTLED = 4.0 * float(np.finfo(float).eps)  # relative; a step this small changes nothing

ValueAndSlope = Callable[..., tuple[Array, Array]]


def crossing(
    f: ValueAndSlope,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *parameters: npt.ArrayLike,
    start: npt.ArrayLike | None = None,
) -> Array:
    """Where `f` changes from below zero to above zero between `low` and `high`, to rounding, shape (...).

    Args:
        f: called as f(x, *parameters) with arrays of one dimension, gives values and slopes. It must be
            below or at zero up to the crossing and above or at zero beyond it; it need not be monotone.
        low, high: brackets; an end is returned where `f` has one sign throughout.
        parameters: what `f` depends on, broadcast with the brackets.
        start: a guess; the middle of the bracket when not given.
    """
    guess = 0.5 * (np.asarray(low, float) + np.asarray(high, float)) if start is None else start
    arrays = np.broadcast_arrays(*(np.asarray(x, float) for x in (guess, low, high, *parameters)))
    x, below, above, *given = (array.ravel().copy() for array in arrays)
    found, active = x.copy(), np.arange(x.size)
    last_step = above - below
    for _ in range(ROUNDS):
        if not active.size:
            break
        value, slope = f(x, *given)
        below, above = np.where(value <= 0.0, x, below), np.where(value > 0.0, x, above)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = x - value / slope
        trusted = (newton >= below) & (newton <= above) & (np.abs(newton - x) <= 0.5 * last_step)
        refined = np.where(value == 0.0, x, np.where(trusted, newton, 0.5 * (below + above)))
        last_step = np.abs(refined - x)
        x = found[active] = refined
        going = last_step > SETTLED * np.abs(x)
        if not going.all():
            active, x, below, above, last_step = (
                part[going] for part in (active, x, below, above, last_step)
            )
            given = [parameter[going] for parameter in given]
    return found.reshape(arrays[0].shape)
