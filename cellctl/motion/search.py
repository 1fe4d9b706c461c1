"""Inverse kinematics of any chain: damped least squares on whole batches, begun at poses that are near already.

A table holds evenly spread joint vectors and their poses. Each target starts from the entry whose pose is
nearest; the few that fail go on from more entries at once. Nothing is drawn at random, so the same target
always has the same solution. Damping follows T. Sugihara, "Solvability-Unconcerned Inverse Kinematics by
the Levenberg-Marquardt Method", IEEE Trans. Robotics 27(5), 2011: in proportion to the error left, which
is quadratic convergence in the end and no wild steps before.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from cellctl.motion.geometry import TURN
from cellctl.motion.transforms import Array

ENTRIES = 1024  # in a table
STARTS = 192  # tried for one pose at most
BLOCK = 512  # poses searched for at once
TOGETHER = 64  # of them at once, where few poses are left
STEPS = 14  # at most, from one start
PATIENT, LONG = 16, 80  # starts tried again at the end, and steps then: singular poses are come to slowly
DAMPING = 0.02  # of the squared error
CLOSE = 1e-10  # [-, rad] errors this small are rounding; positions count as shares of the reach
SLACK = 1e-9  # [rad, m]
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)  # one for each joint


class Linked(Protocol):
    """What is asked of a chain."""

    @property
    def turns(self) -> tuple[bool, ...]: ...
    @property
    def lower(self) -> Array: ...
    @property
    def upper(self) -> Array: ...
    @property
    def reach(self) -> float: ...

    def reached(self, q: Array) -> tuple[Array, Array]: ...


class Table(NamedTuple):
    """Joint vectors, shape (entries, dof), and what their poses are compared by, shape (13, entries)."""

    q: Array
    features: Array


def table(chain: Linked) -> Table:
    """Joint vectors spread over the joint limits by a Halton sequence, half a turn where there is no limit."""
    lower, upper = (np.where(np.isfinite(limit), limit, free) for limit, free in _limits(chain))
    share = np.stack([_radical_inverse(base) for base in PRIMES[: len(chain.turns)]], axis=-1)
    q = lower + share * (upper - lower)
    flange = chain.reached(q)[0]
    features = _features(np.moveaxis(flange, -1, 0).swapaxes(1, 2), chain.reach)
    # the nearest has the least |a - b|^2 = |a|^2 - 2 a.b + |b|^2, whose last part is the target's own
    return Table(q, np.vstack((-2.0 * features.T, np.sum(features**2, axis=1))))


def _radical_inverse(base: int) -> Array:
    """The numbers 1 to ENTRIES with their digits mirrored at the point, shape (entries,), in 0 to 1.

    J. H. Halton, "On the efficiency of certain quasi-random sequences of points", Numer. Math. 2, 1960.
    """
    rest, digit, out = np.arange(1, ENTRIES + 1), 1.0, np.zeros(ENTRIES)
    while rest.any():
        digit /= base
        out += digit * (rest % base)
        rest //= base
    return out


def solve(chain: Linked, known: Table, T: Array, near: Array | None) -> Array:
    """Joint vectors within limits for poses (n, 4, 4), shape (n, dof); NaN where no start led to one.

    `near`, shape (n, dof), is where the first start is, in place of the table's nearest entry.
    """
    out = np.empty((len(T), len(chain.turns)))
    poses = _features(T[:, :3], chain.reach)
    for start in range(0, len(T), BLOCK):
        rows = slice(start, start + BLOCK)
        first = known.q[np.argmin(_distances(known, poses[rows]), axis=1)] if near is None else near[rows]
        out[rows] = _descend(chain, T[rows], first[:, None])
    left = np.flatnonzero(np.isnan(out[:, 0]))
    if not len(left):
        return out
    order = np.argsort(_distances(known, poses[left]), axis=1)[:, :STARTS]
    done = 0 if near is not None else 1
    while len(left) and done < STARTS:
        count = min(max(1, TOGETHER // len(left)), STARTS - done)
        out[left] = _descend(chain, T[left], known.q[order[:, done : done + count]])
        missed = np.isnan(out[left, 0])
        left, order = left[missed], order[missed]
        done += count
    if len(left):
        out[left] = _descend(chain, T[left], known.q[order[:, :PATIENT]], LONG)
    return out


def _distances(known: Table, poses: Array) -> Array:
    """How near the entries of the table are to poses, less what is the same for all, shape (n, entries)."""
    return np.asarray(poses @ known.features[:-1] + known.features[-1])


def _descend(chain: Linked, T: Array, starts: Array, steps: int = STEPS) -> Array:
    """Where damped least squares lead, shape (n, dof), from the first of starts (n, count, dof) that gets there.

    NaN where none does. Later starts go on only as long as no earlier one is there, so that what is found
    does not depend on how many are tried at once.
    """
    count, dof = starts.shape[1:]
    out, first = np.full((len(T), dof), np.nan), np.full(len(T), count)
    q = starts.reshape(-1, dof).copy()
    owner, rank = np.repeat(np.arange(len(T)), count), np.tile(np.arange(count), len(T))
    target = np.ascontiguousarray(np.moveaxis(T[owner, :3].swapaxes(1, 2), 0, -1))  # by column, (4, 3, n)
    for _ in range(steps):
        flange, J = chain.reached(q)
        error = _error(flange, target)
        error[:3] /= chain.reach
        J[:3] /= chain.reach
        arrived = np.flatnonzero(np.abs(error).max(axis=0) < CLOSE)
        if len(arrived):
            found, inside = _within_limits(chain, q[arrived])
            better = inside & (rank[arrived] < first[owner[arrived]])
            winners = arrived[better][::-1]  # of several for one pose the earliest start, written last
            out[owner[winners]], first[owner[winners]] = found[better][::-1], rank[winners]
            going = rank < first[owner]
            going[arrived] = False
            if not going.any():
                break
            q, owner, rank = q[going], owner[going], rank[going]
            target, error, J = target[..., going], error[:, going], J[..., going]
        q += _step(J, error).T
    return out


def _step(J: Array, error: Array) -> Array:
    """Damped least-squares step, shape (dof, n), for Jacobians (6, dof, n) and errors (6, n)."""
    damping = DAMPING * np.sum(error**2, axis=0) + 1e-14
    n = J.shape[-1]
    batch = np.ascontiguousarray(np.moveaxis(J, -1, 0))  # (n, 6, dof)
    normal = batch @ batch.swapaxes(1, 2) if J.shape[1] >= 6 else batch.swapaxes(1, 2) @ batch
    normal = np.ascontiguousarray(np.moveaxis(normal, 0, -1))
    for i in range(len(normal)):
        normal[i, i] += damping
    if J.shape[1] >= 6:
        return np.asarray(np.sum(J * _solved(normal, error)[:, None], axis=0))
    return _solved(normal, np.sum(J * error[:, None], axis=0).reshape(-1, n))


def _solved(A: Array, b: Array) -> Array:
    """Solutions, shape (m, n), of n symmetric positive systems at once, A (m, m, n) and b (m, n); overwrites A.

    Cholesky's L D L^T with the systems along the last axis: twenty times as fast as one call for each.
    """
    m = len(b)
    x = b.copy()
    for k in range(m - 1):
        ratio = A[k + 1 :, k] / A[k, k]
        A[k + 1 :, k + 1 :] -= ratio[:, None] * A[k, k + 1 :]
        x[k + 1 :] -= ratio * x[k]
    for k in reversed(range(m)):
        x[k] = (x[k] - np.sum(A[k, k + 1 :] * x[k + 1 :], axis=0)) / A[k, k]
    return x


def _error(flange: Array, target: Array) -> Array:
    """What is missing to the target, shape (6, n): displacement [m], rotation vector [rad], in the base frame.

    From the sum over columns of cross products, 2 sin(angle) axis, and the trace, 1 + 2 cos(angle). Near
    half a turn the axis is lost, and any will do.
    """
    out = np.empty((6, flange.shape[-1]))
    out[:3] = target[3] - flange[3]
    a, b = flange[:3], target[:3]
    axis = out[3:]
    axis[0] = np.sum(a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1], axis=0)
    axis[1] = np.sum(a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2], axis=0)
    axis[2] = np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], axis=0)
    sine = np.sqrt(np.sum(axis**2, axis=0))
    cosine = np.sum(a * b, axis=(0, 1)) - 1.0
    axis *= np.where(sine < 1e-12, 0.5, np.arctan2(sine, cosine) / np.where(sine < 1e-12, 1.0, sine))
    return out


def _features(T: Array, reach: float) -> Array:
    """What poses (n, 3+, 4) are compared by, shape (n, 12): rotation, position as a share of the reach."""
    scale = np.array((0.5, 0.5, 0.5, 3.0 / reach))
    return np.asarray((T[:, :3] * scale).reshape(-1, 12))


def _limits(chain: Linked) -> tuple[tuple[Array, float], tuple[Array, float]]:
    return (chain.lower, -0.5 * TURN), (chain.upper, 0.5 * TURN)


def _within_limits(chain: Linked, q: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Joint vectors with turning joints by whole turns moved toward the middle, and whether all are in limits."""
    lower, upper = (np.where(np.isfinite(limit), limit, free) for limit, free in _limits(chain))
    turns = np.rint((q - 0.5 * (lower + upper)) / TURN)
    q = q - np.where(chain.turns, TURN * turns, 0.0)
    inside = (q >= chain.lower - SLACK) & (q <= chain.upper + SLACK)
    return q, np.asarray(np.all(inside, axis=1))
