"""One interface for every robot: a geometry with a name, limits of its joints, a base and a tool frame.

Single poses take the geometry's path in plain numbers where it has one; batches are worked on in blocks
that stay in the cache, which is twice as fast as all at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit, JointLimit, LinkageLimit, MotionError
from cellctl.motion.geometry import TURN, Geometry, OnePose
from cellctl.motion.limits import SLACK, Limits, Linkage, OneJoint, nearest_one, turns_within
from cellctl.motion.transforms import Array, inverse

BLOCK = 4096  # solutions worked on at once
FAR = 1e6  # [rad, m] as good as without end


@dataclass(frozen=True, slots=True, eq=False)
class Robot:
    """A robot: what its links make of its joints, and how far and how fast these may go.

    Poses are those of the tool frame in the base frame, both the robot's own (the flange, and the foot of
    the first axis) until `with_frames` gives others. Joint vectors have shape (..., dof).

    Args:
        lower, upper: joint limits [rad], [m] for joints that slide.
        v_max, a_max, j_max: speed, acceleration and jerk of each joint, the same units by [s].
        linkages: limits on several joints together.
        base: the robot's own base in the frame that poses are given in, shape (4, 4).
        tool: the tool frame in the flange, shape (4, 4).
    """

    name: str
    geometry: Geometry
    lower: Array
    upper: Array
    v_max: Array
    a_max: Array
    j_max: Array
    linkages: tuple[Linkage, ...] = ()
    base: Array | None = None
    tool: Array | None = None
    _turn: Array = field(init=False, repr=False)  # a whole turn for joints that turn, infinite for others
    _one: OnePose | None = field(init=False, repr=False)
    _own: tuple[OneJoint, ...] = field(init=False, repr=False)
    _from_base: Array | None = field(init=False, repr=False, default=None)
    _from_tool: Array | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        turns = self.geometry.turns
        for name in Limits._fields:
            object.__setattr__(self, name, _frozen(getattr(self, name)))
            if getattr(self, name).shape != (len(turns),):
                raise BadMotionLimit(
                    f"{self.name}: {name}", len(getattr(self, name)), f"is not {len(turns)} values"
                )
        for lower, upper in zip(self.lower, self.upper, strict=True):
            if not lower <= upper:
                raise BadMotionLimit(f"{self.name}: lower joint limit", float(lower), f"is above {upper:g}")
        for name in ("v_max", "a_max", "j_max"):
            least = float(getattr(self, name).min(initial=math.inf))
            if not least > 0.0:
                raise BadMotionLimit(f"{self.name}: {name}", least, "is not above 0")
        for name in ("base", "tool"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _frozen(getattr(self, name)))
                object.__setattr__(self, f"_from_{name}", inverse(getattr(self, name)))
        turn = np.where(turns, TURN, np.inf)
        one = self.geometry if isinstance(self.geometry, OnePose) else None
        own = zip(self.lower.tolist(), self.upper.tolist(), self.v_max.tolist(), turn.tolist(), strict=True)
        object.__setattr__(self, "_turn", turn)
        object.__setattr__(self, "_one", one)
        object.__setattr__(self, "_own", tuple(own))

    @property
    def dof(self) -> int:
        """How many joints."""
        return len(self.geometry.turns)

    @property
    def limits(self) -> Limits:
        """All five limits together."""
        return Limits(self.lower, self.upper, self.v_max, self.a_max, self.j_max)

    def with_frames(self, base: npt.ArrayLike | None = None, tool: npt.ArrayLike | None = None) -> Robot:
        """The same robot with its base standing at `base` and with its tool frame at `tool` in the flange."""
        base, tool = (None if T is None else np.asarray(T, float) for T in (base, tool))
        return replace(self, base=base, tool=tool)

    # --- where it is ------------------------------------------------------------------------------------

    def fk(self, q: npt.ArrayLike) -> Array:
        """The tool in the base frame, shape (..., 4, 4), for joint positions `q`, shape (..., dof)."""
        q = np.asarray(q, float)
        if q.ndim == 1 and self._one:
            out = np.array(self._one.forward_one(q.tolist()))
        else:
            out = np.zeros((*q.shape[:-1], 4, 4))
            flat_q, flat_T = q.reshape(-1, self.dof), out.reshape(-1, 4, 4)
            for rows in _blocks(len(flat_q), 1):
                self.geometry.forward(flat_q[rows], flat_T[rows])
        return reduce(np.matmul, (T for T in (self.base, out, self.tool) if T is not None))

    def jacobian(self, q: npt.ArrayLike) -> Array:
        """The geometric Jacobian in the base frame, shape (..., 6, dof).

        Rows: velocity of the tool frame's origin [m/s], then its angular velocity [rad/s].
        """
        q = np.asarray(q, float)
        flat_q = q.reshape(-1, self.dof)
        J = self.geometry.jacobian(flat_q)
        if self.tool is not None:
            flange = np.zeros((len(flat_q), 4, 4))
            self.geometry.forward(flat_q, flange)
            lever = flange[:, :3, :3] @ self.tool[:3, 3]
            J[:, :3] += np.cross(J[:, 3:], lever[:, :, None], axis=1)
        if self.base is not None:
            R = self.base[:3, :3]
            J = np.concatenate((R @ J[:, :3], R @ J[:, 3:]), axis=1)
        return J.reshape(*q.shape[:-1], 6, self.dof)

    def manipulability(self, q: npt.ArrayLike) -> Array:
        """How far from singular, shape (...): the product of the Jacobian's singular values, 0 at a singularity.

        T. Yoshikawa, "Manipulability of Robotic Mechanisms", Int. J. Robotics Research 4(2), 1985; units
        are mixed, so it compares postures of one robot, not robots.
        """
        J = self.jacobian(q)
        nowhere = np.isnan(J).any(axis=(-2, -1))
        J[nowhere] = 0.0
        product = np.prod(np.linalg.svd(J, compute_uv=False), axis=-1)
        return np.where(nowhere, np.nan, product)

    # --- how to get there ---------------------------------------------------------------------------------

    def ik(self, T_base_tool: npt.ArrayLike) -> Array:
        """All joint positions that reach a pose, whatever the limits, shape (..., solutions, dof).

        Angles are within half a turn of 0, NaN where there is no solution. Their order, and what is done
        where a joint is free, stands with each geometry.
        """
        T = self._flange(T_base_tool)
        if T.ndim == 2 and self._one:
            return np.array(self._one.inverse_one(T.tolist(), None))
        out = np.empty((*T.shape[:-2], self.geometry.solutions, self.dof))
        flat_T, flat_q = T.reshape(-1, 4, 4), out.reshape(-1, *out.shape[-2:])
        for rows in _blocks(len(flat_T), self.geometry.solutions):
            self.geometry.inverse(flat_T[rows], None, flat_q[rows])
        return out

    def ik_near(
        self,
        T_base_tool: npt.ArrayLike,
        q_near: npt.ArrayLike,
        limits: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ) -> Array:
        """The joint positions within limits nearest to `q_near`, shape (..., dof); NaN where none are.

        Nearest in joint travel time: the least root of the summed squares of each joint's change over its
        top speed. Joints with a range beyond one turn take the turn that is nearest.

        Args:
            T_base_tool: poses, shape (..., 4, 4).
            q_near: where the robot comes from, shape (..., dof), broadcast against the poses.
            limits: lower and upper, shape (dof,) each; the robot's own when not given.
        """
        T, near = self._flange(T_base_tool), np.asarray(q_near, float)
        if T.ndim == 2 and near.ndim == 1 and limits is None and self._one and not self.linkages:
            start = near.tolist()
            return np.array(nearest_one(self._one.inverse_one(T.tolist(), start), start, self._own))
        lower, upper = (np.asarray(limit, float) for limit in limits or (self.lower, self.upper))
        shape = np.broadcast_shapes(T.shape[:-2], near.shape[:-1])
        flat_T = np.broadcast_to(T, (*shape, 4, 4)).reshape(-1, 4, 4)
        flat_near = np.broadcast_to(near, (*shape, self.dof)).reshape(-1, self.dof)
        out = np.empty((*shape, self.dof))
        flat_q = out.reshape(-1, self.dof)
        for rows in _blocks(len(flat_T), self.geometry.solutions):
            flat_q[rows] = self._nearest(flat_T[rows], flat_near[rows], lower, upper)
        return out

    def joints_near(self, T_base_tool: npt.ArrayLike, q_near: npt.ArrayLike) -> Array:
        """As `ik_near` for one pose (4, 4), but where no joints do it, says why.

        Raises:
            OutOfReach: when the links do not reach the pose; says how far it is beyond.
            JointLimit: when only positions outside the limits do; names the joint of the solution that
                comes nearest to its limits.
        """
        T = self._flange(T_base_tool)
        q = self.ik_near(T_base_tool, q_near)
        if not np.isnan(q).any():
            return q
        found = np.empty((1, self.geometry.solutions, self.dof))
        self.geometry.inverse(T[None], np.asarray(q_near, float)[None], found)
        reaching = found[0][~np.isnan(found[0]).any(axis=-1)]
        if not len(reaching):
            raise self.geometry.unreachable(self.name, T)
        raise self._why_not(reaching)

    def beyond_reach(self, T_base_tool: npt.ArrayLike) -> Array:
        """How far poses (..., 4, 4) lie outside what the links reach without limits, shape (...) [m]."""
        T = self._flange(T_base_tool)
        return np.asarray(self.geometry.beyond_reach(T.reshape(-1, 4, 4)).reshape(T.shape[:-2]))

    # --- limits -----------------------------------------------------------------------------------------

    def check_limits(self, q: npt.ArrayLike) -> None:
        """Do nothing when every joint of `q`, shape (..., dof), is within its limits.

        Raises:
            JointLimit: for the joint that is farthest outside, or for joints that are not allowed together.
        """
        flat_q = np.asarray(q, float).reshape(-1, self.dof)
        excess = np.maximum(self.lower - flat_q, flat_q - self.upper)
        if excess.size and excess.max() > SLACK:
            row, joint = np.unravel_index(int(np.argmax(excess)), excess.shape)
            raise self._joint_limit(flat_q[row], int(joint))
        for linkage in self.linkages:
            beyond = linkage.excess(flat_q)
            if beyond.size and beyond.max() > SLACK:
                raise self._linkage_limit(flat_q[int(np.argmax(beyond))], linkage)

    def windings(self, q: npt.ArrayLike) -> Array:
        """All joint vectors within limits that differ from `q`, shape (dof,), by whole turns: shape (m, dof).

        Raises:
            BadMotionLimit: when a joint turns without end, and so has no end of them.
        """
        q = np.asarray(q, float)
        for joint, range_ in enumerate(self.upper - self.lower):
            if not range_ < math.inf:
                raise BadMotionLimit(
                    f"{self.name}: range of joint {joint + 1}", range_, "has no end of turns"
                )
        least, most = turns_within(q, self.lower, self.upper, self._turn)
        choices = [
            value + (0.0 if turn == math.inf else turn) * np.arange(a, b + 1.0)
            for value, turn, a, b in zip(q, self._turn, least, most, strict=True)
        ]
        all_of_them = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, self.dof)
        return np.asarray(all_of_them[self._allowed(all_of_them)])

    # --- inside -------------------------------------------------------------------------------------------

    def _flange(self, T_base_tool: npt.ArrayLike) -> Array:
        T = np.asarray(T_base_tool, float)
        if self._from_base is not None:
            T = self._from_base @ T
        return T if self._from_tool is None else T @ self._from_tool

    def _nearest(self, T: Array, near: Array, lower: Array, upper: Array) -> Array:
        q = np.empty((len(T), self.geometry.solutions, self.dof))
        self.geometry.inverse(T, near, q)
        near = near[:, None]
        least, most = turns_within(q, lower, upper, self._turn)
        turns = np.clip(np.rint((near - q) / self._turn), least, most)
        q += np.where(self._turn == np.inf, 0.0, self._turn) * turns
        travel = np.sum(((q - near) / self.v_max) ** 2, axis=-1)  # (n, solutions)
        allowed = np.all(least <= most, axis=-1) & ~np.isnan(travel) & self._allowed(q)
        best = np.argmin(np.where(allowed, travel, np.inf), axis=-1)[:, None]
        chosen = np.take_along_axis(q, best[..., None], axis=1)[:, 0]
        return np.where(np.take_along_axis(allowed, best, axis=1), chosen, np.nan)

    def _allowed(self, q: Array) -> Array:
        allowed = np.ones(q.shape[:-1], bool)
        for linkage in self.linkages:
            allowed &= linkage.excess(q) <= SLACK
        return allowed

    def _why_not(self, solutions: Array) -> MotionError:
        """The limit that the least forbidden of some solutions breaks, each in its most fitting turn."""
        turn = np.where(self._turn == np.inf, 0.0, self._turn)
        lower, upper = np.maximum(self.lower, -FAR), np.minimum(self.upper, FAR)
        middle = 0.5 * (lower + upper)
        solutions = solutions - turn * np.rint((solutions - middle) / self._turn)
        excess = np.maximum(self.lower - solutions, solutions - self.upper)
        worst = excess.max(axis=-1)
        for linkage in self.linkages:
            worst = np.maximum(worst, linkage.excess(solutions))
        nearest = int(np.argmin(worst))
        if excess[nearest].max() > SLACK or not self.linkages:
            return self._joint_limit(solutions[nearest], int(np.argmax(excess[nearest])))
        beyond = [float(linkage.excess(solutions[nearest])) for linkage in self.linkages]
        return self._linkage_limit(solutions[nearest], self.linkages[int(np.argmax(beyond))])

    def _joint_limit(self, q: Array, joint: int) -> JointLimit:
        lower, upper = float(self.lower[joint]), float(self.upper[joint])
        unit = "rad" if self.geometry.turns[joint] else "m"
        return JointLimit(self.name, joint + 1, float(q[joint]), lower, upper, unit)

    def _linkage_limit(self, q: Array, linkage: Linkage) -> LinkageLimit:
        joint = 1 + next(i for i, factor in enumerate(linkage.factors) if factor)
        value = float(q @ np.array(linkage.factors))
        return LinkageLimit(self.name, joint, linkage.what, value, linkage.lower, linkage.upper)


def _frozen(values: npt.ArrayLike) -> Array:
    vector = np.array(values, dtype=float)
    vector.flags.writeable = False
    return vector


def _blocks(count: int, solutions: int) -> Iterator[slice]:
    poses = BLOCK // solutions
    for start in range(0, count, poses):
        yield slice(start, start + poses)
