"""The earliest meeting of an arm with a part on a moving belt: when, where, and how the arm gets there.

The arm meets a part when its tool is at the part and moves with it. If it can meet it at one time it can at
every later one, by staying with it; so the times at which it can meet a part are all those after a first,
as long as the part is in reach, and the first is found by looking along the part's way and halving the step
in which the answer changes. What is asked at each time is not how long the arm would take but whether each
joint can cover its distance in just that time, which has a closed form (`together.py`).

Joints meet the part with its speed and without acceleration; what the belt asks of them afterwards along
the curve of their joint space begins there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.belt import BeltRun
from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.path import Arm
from cellctl.motion.profile import rest_to_rest
from cellctl.motion.ramp import ramp_time
from cellctl.motion.together import Arrival, arrive, clearance
from cellctl.motion.transforms import Array

SAMPLES = 64  # of a part's way through the reach; what changes twice between two is not seen
HALVINGS = 32
STEP = 1e-5  # [m] along the belt, for the slope of the joints


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A straight belt in front of an arm, and where on it the arm may work.

    Args:
        T: the tool's pose, in the arm's base frame, at a part at belt position 0; shape (..., 4, 4), so that
            parts may lie as they like.
        direction: of travel in the base frame, shape (3,), length 1.
        enter, leave: belt positions between which the arm may be with a part [m].
    """

    T: Array
    direction: Array
    enter: float
    leave: float

    def __post_init__(self) -> None:
        length = float(np.linalg.norm(self.direction))
        if not abs(length - 1.0) < 1e-9:
            raise BadMotionLimit("length of the belt's direction", length, "is not 1")
        if not self.enter < self.leave:
            raise BadMotionLimit(
                "entry of the track [m]", self.enter, f"is not before its end at {self.leave:g}"
            )

    def pose(self, position: Array) -> Array:
        """The tool's pose at a part at belt positions (...), shape (..., 4, 4)."""
        T = np.broadcast_to(self.T, (*np.broadcast_shapes(position.shape, self.T.shape[:-2]), 4, 4)).copy()
        T[..., :3, 3] += position[..., None] * self.direction
        return T


@dataclass(frozen=True, slots=True, eq=False)
class Rendezvous:
    """Where an arm meets parts, a batch of shape (...); NaN where it cannot.

    Args:
        time: of the meeting [s].
        position: of the part on the belt then [m].
        q, dq: joints then and their speeds, shape (..., n).
        is_possible: whether the arm can meet the part.
    """

    time: Array
    position: Array
    q: Array
    dq: Array
    is_possible: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Readiness:
    """Where an arm is and from when on it may go.

    Args:
        q: joints, shape (..., n).
        dq: their speeds, shape (..., n); 0 where the arm rests, other when it just left a moving belt.
        time: shape (...) [s].
    """

    q: Array
    dq: npt.ArrayLike = 0.0
    time: npt.ArrayLike = 0.0


def meet(
    arm: Arm,
    ready: Readiness,
    track: Track,
    run: BeltRun,
    part: npt.ArrayLike,
    stay: npt.ArrayLike = 0.0,
    horizon: float = 60.0,
) -> Rendezvous:
    """The earliest time at which the arm moves with a part, its joints jerk-limited all the way.

    Args:
        run: of the belt.
        part: where each part is when the belt's position is 0, shape (...) [m].
        stay: how long the arm must be able to stay with the part before it leaves the track [s].
        horizon: how long at most to wait for a part that comes slowly or not [s].
    """

    def margin(t: Array) -> Array:
        q, dq = _joints(arm, ready, track, run, part, t)
        T = t - np.asarray(ready.time, float)
        limits = (arm.v_max, arm.a_max, arm.j_max)
        from_dq = np.broadcast_to(np.asarray(ready.dq, float), q.shape)
        return np.asarray(clearance(T[..., None], q - ready.q, from_dq, dq, *limits).min(axis=-1))

    return _earliest(arm, ready, track, run, part, _times(ready, track, run, part, stay, horizon), margin)


def meet_from_rest(
    arm: Arm,
    ready: Readiness,
    track: Track,
    run: BeltRun,
    part: npt.ArrayLike,
    acceleration: float,
    stay: npt.ArrayLike = 0.0,
    horizon: float = 60.0,
) -> Rendezvous:
    """As `meet`, for controllers that can only go to rest and then take up the belt's speed along it.

    The arm goes to rest ahead of the part and starts along the belt with `acceleration` [m/s^2] so that both
    have the same place when they have the same speed. The belt must keep its speed meanwhile.
    """

    def margin(t: Array) -> Array:
        speed = run.at(t)[1]
        taking_up = ramp_time(speed, np.asarray(acceleration, float), np.asarray(math.inf))
        waits_at = np.asarray(part, float) + run.at(t)[0] - 0.5 * speed * taking_up
        q = arm.ik_near(track.pose(waits_at), ready.q)
        d = np.where(np.isnan(q), 0.0, q - ready.q)
        going = rest_to_rest(d, arm.v_max, arm.a_max, arm.j_max).duration.max(axis=-1)
        in_time = t - np.asarray(ready.time, float) - taking_up - going
        possible = ~np.isnan(q).any(axis=-1) & (waits_at >= track.enter)
        return np.where(possible, in_time, -math.inf)

    return _earliest(arm, ready, track, run, part, _times(ready, track, run, part, stay, horizon), margin)


def approach(arm: Arm, ready: Readiness, meeting: Rendezvous) -> Arrival:
    """The motion of the joints, shape (..., n), from where the arm is ready to the meeting; all must be possible.

    After its end the joints go on with the speeds of the meeting.

    Raises:
        BadMotionLimit: when a meeting is not possible.
    """
    if not np.all(meeting.is_possible):
        raise BadMotionLimit(
            "time of the meeting [s]", math.nan, "is not one: the arm cannot meet every part"
        )
    T = meeting.time - np.asarray(ready.time, float)
    return arrive(meeting.q - ready.q, ready.dq, meeting.dq, arm.v_max, arm.a_max, arm.j_max, T)


def leaving(
    arm: Arm, meeting: Rendezvous, track: Track, run: BeltRun, part: npt.ArrayLike, stay: npt.ArrayLike
) -> Readiness:
    """Where the arm is and how it moves when it has stayed with its parts so long [s], ready to go elsewhere.

    It may go on from there to a nest on another belt without a stop. NaN where a meeting is not possible.
    """
    time = np.asarray(meeting.time + np.asarray(stay, float))
    q, dq = _joints(arm, Readiness(meeting.q), track, run, part, time)
    return Readiness(q, dq, time)


def _earliest(
    arm: Arm,
    ready: Readiness,
    track: Track,
    run: BeltRun,
    part: npt.ArrayLike,
    times: tuple[Array, Array],
    margin: Callable[[Array], Array],
) -> Rendezvous:
    """The first of the times at which the margin is not negative, and what the arm does then."""
    first, last = times
    is_open = last >= first
    first, span = np.where(is_open, first, 0.0), np.where(is_open, last - first, 0.0)
    samples = np.linspace(0.0, 1.0, SAMPLES + 1).reshape(-1, *[1] * first.ndim)
    grid = first + samples * span
    can = (margin(grid) >= 0.0) & is_open
    i = np.argmax(can, axis=0)[None]
    high = np.take_along_axis(grid, i, axis=0)[0]
    low = np.take_along_axis(grid, np.maximum(i - 1, 0), axis=0)[0]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        met = margin(middle) >= 0.0
        low, high = np.where(met, low, middle), np.where(met, middle, high)
    is_possible = np.asarray(can.any(axis=0))
    time = np.where(is_possible, high, math.nan)
    q, dq = _joints(arm, ready, track, run, part, time)
    return Rendezvous(time, np.asarray(part, float) + run.at(time)[0], q, dq, is_possible)


def _times(
    ready: Readiness, track: Track, run: BeltRun, part: npt.ArrayLike, stay: npt.ArrayLike, horizon: float
) -> tuple[Array, Array]:
    """When the arm may meet each part at the earliest and at the latest, of one shape."""
    part = np.asarray(part, float)
    first = np.maximum(run.when(track.enter - part), np.asarray(ready.time, float))
    last = np.minimum(run.when(track.leave - part) - np.asarray(stay, float), first + horizon)
    shape = np.broadcast_shapes(first.shape, last.shape, track.T.shape[:-2], ready.q.shape[:-1])
    return np.broadcast_to(first, shape), np.broadcast_to(last, shape)


def _joints(
    arm: Arm, ready: Readiness, track: Track, run: BeltRun, part: npt.ArrayLike, t: Array
) -> tuple[Array, Array]:
    """Joints at a part at times `t`, shape (...), and their speeds with it, shape (..., n); NaN out of reach."""
    moved, speed, _ = run.at(t)
    position = np.asarray(part, float) + moved
    q = arm.ik_near(track.pose(position), ready.q)
    ahead, behind = (arm.ik_near(track.pose(position + step), q) for step in (STEP, -STEP))
    return q, (ahead - behind) * (speed[..., None] / (2.0 * STEP))
