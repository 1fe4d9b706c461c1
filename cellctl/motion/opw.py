"""Arms with six revolute joints and a spherical wrist: forward and inverse kinematics in closed form.

The model has an ortho-parallel basis (J2 parallel to J3, both square to J1) and a spherical wrist, as most
industrial arms do. Parameters and forward kinematics follow M. Brandstoetter, A. Angerer, M. Hofbaur, "An
Analytical Solution of the Inverse Kinematics Problem of Industrial Serial Manipulators with an
Ortho-parallel Basis and a Spherical Wrist", Austrian Robotics Workshop 2014. The inverse solves the same
triangles with two-argument arctangents throughout, so that it stays exact to rounding at a stretched
elbow and at a straight wrist, where arccosines lose half of their digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cellctl.motion.errors import BadMotionLimit, JointLimit, OutOfReach
from cellctl.motion.transforms import Array

TURN = 2.0 * np.pi
BLOCK = 1024  # poses worked on at once, so that the intermediates stay in the cache
STRETCHED = 1e-12  # how far a cosine may lie beyond 1 by rounding and still mean a stretched or folded arm
SINGULAR = 1e-9  # [m, -] wrist centre this near to axis 1, or axis 6 this near to axis 4: their angle is free
SLACK = 1e-9  # [rad] a joint this little beyond its limit stands on it


@dataclass(frozen=True, slots=True)
class OpwParameters:
    """The seven lengths of the arm [m], and the map to the model's angles: theta = q * sign - offset.

    At theta = 0 the arm points straight up: c1 base to shoulder height, a1 shoulder in front of axis 1,
    b shoulder beside it, c2 upper arm, a2 elbow to forearm axis, c3 forearm, c4 wrist centre to flange.
    """

    a1: float
    a2: float
    b: float
    c1: float
    c2: float
    c3: float
    c4: float
    offsets: tuple[float, ...] = (0.0,) * 6
    signs: tuple[int, ...] = (1,) * 6

    @property
    def forearm(self) -> float:
        """Elbow to wrist centre [m]."""
        return float(np.hypot(self.a2, self.c3))


@dataclass(frozen=True, slots=True, eq=False)
class OpwArm:
    """A robot arm: its geometry and the limits of its joints.

    Joint vectors have shape (6,). The base frame stands in the foot of axis 1 with z up and x forward;
    the tip is the flange, z outward.

    Args:
        lower, upper: joint limits [rad].
        v_max, a_max, j_max: speed [rad/s], acceleration [rad/s^2], jerk [rad/s^3] of each joint.
    """

    name: str
    parameters: OpwParameters
    lower: Array
    upper: Array
    v_max: Array
    a_max: Array
    j_max: Array

    def __post_init__(self) -> None:
        for field in ("lower", "upper", "v_max", "a_max", "j_max"):
            vector = np.array(getattr(self, field), dtype=float)
            vector.flags.writeable = False
            object.__setattr__(self, field, vector)
        for lower, upper in zip(self.lower, self.upper, strict=True):
            if not lower <= upper:
                raise BadMotionLimit(f"{self.name}: lower joint limit", float(lower), f"is above {upper:g}")

    def fk(self, q: npt.ArrayLike) -> Array:
        """Flange in the base frame, shape (..., 4, 4), for joint positions `q`, shape (..., 6) [rad]."""
        q = np.asarray(q, float)
        out = np.zeros((*q.shape[:-1], 4, 4))
        flat_q, flat_T = q.reshape(-1, 6), out.reshape(-1, 4, 4)
        for start in range(0, len(flat_q), BLOCK):
            _forward(self.parameters, flat_q[start : start + BLOCK], flat_T[start : start + BLOCK])
        return out

    def ik(self, T_base_flange: npt.ArrayLike) -> Array:
        """All joint positions that reach a pose, whatever the limits, shape (..., 8, 6) [rad], within +-pi.

        Solutions 0 to 3 have one wrist, 4 to 7 the same arm with the wrist flipped. Of four, the first
        two face the wrist with the front of axis 1, the others reach back over it; the elbow alternates.
        NaN where the arm does not reach. Where the wrist is straight J4 is left at the model's zero and
        J6 does the turning, and where the wrist centre stands on axis 1 so is J1.
        """
        return self._solutions(np.asarray(T_base_flange, float), None)

    def ik_near(
        self,
        T_base_flange: npt.ArrayLike,
        q_near: npt.ArrayLike,
        limits: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    ) -> Array:
        """The joint positions within limits nearest to `q_near`, shape (..., 6) [rad]; NaN where none are.

        Nearest in joint travel time: the least root of the summed squares of each joint's change over its
        top speed. Joints with a range beyond one turn take the turn that is nearest.

        Args:
            T_base_flange: poses, shape (..., 4, 4).
            q_near: where the arm comes from, shape (..., 6), broadcast against the poses [rad].
            limits: lower and upper, shape (6,) each [rad]; the arm's own when not given.
        """
        T = np.asarray(T_base_flange, float)
        lower, upper = (self.lower, self.upper) if limits is None else limits
        shape = np.broadcast_shapes(T.shape[:-2], np.shape(q_near)[:-1])
        T = np.broadcast_to(T, (*shape, 4, 4))
        near = np.broadcast_to(np.asarray(q_near, float), (*shape, 6))
        q = self._solutions(T, near)
        q = _nearest_turn(q, near[..., None, :], np.asarray(lower, float), np.asarray(upper, float))
        travel = np.sum(((q - near[..., None, :]) / self.v_max) ** 2, axis=-1)  # (..., 8)
        best = np.argmin(np.where(np.isnan(travel), np.inf, travel), axis=-1)
        return np.take_along_axis(q, best[..., None, None], axis=-2)[..., 0, :]

    def joints_near(self, T_base_flange: npt.ArrayLike, q_near: npt.ArrayLike) -> Array:
        """As `ik_near` for one pose (4, 4), but says why when there is no solution.

        Raises:
            OutOfReach: when no joint angles reach the pose.
            JointLimit: when those that do lie outside the limits; names the joint farthest outside in the
                solution that is least so.
        """
        q = self.ik_near(T_base_flange, q_near)
        if not np.isnan(q).any():
            return q
        solutions = self.ik(T_base_flange)
        solutions = solutions[~np.isnan(solutions).any(axis=-1)]
        if not len(solutions):
            raise OutOfReach(self.name, float(self.beyond_reach(T_base_flange)))
        solutions -= TURN * np.rint((solutions - 0.5 * (self.lower + self.upper)) / TURN)
        excess = np.maximum(self.lower - solutions, solutions - self.upper)
        nearest = int(np.argmin(excess.max(axis=-1)))
        raise self._joint_limit(solutions[nearest], int(np.argmax(excess[nearest])))

    def check_limits(self, q: npt.ArrayLike) -> None:
        """Do nothing when every joint of `q`, shape (..., 6) [rad], is within its limits.

        Raises:
            JointLimit: for the joint that is farthest outside.
        """
        flat_q = np.asarray(q, float).reshape(-1, 6)
        excess = np.maximum(self.lower - flat_q, flat_q - self.upper)
        if excess.size and excess.max() > SLACK:
            row, joint = np.unravel_index(int(np.argmax(excess)), excess.shape)
            raise self._joint_limit(flat_q[row], int(joint))

    def beyond_reach(self, T_base_flange: npt.ArrayLike) -> Array:
        """How far the wrist centre lies outside the reach of the arm without limits, shape (...) [m]."""
        p = self.parameters
        T = np.asarray(T_base_flange, float)
        x, y, z = np.moveaxis(T[..., :3, 3] - p.c4 * T[..., :3, 2], -1, 0)
        across, radius = _beside_axis_1(p, x, y)
        missing = []
        for facing in (radius, -radius):
            reach = np.hypot(facing - p.a1, z - p.c1)
            missing.append(np.maximum(reach - (p.c2 + p.forearm), abs(p.c2 - p.forearm) - reach))
        radial = np.maximum(np.minimum(*missing), 0.0)
        return np.asarray(np.hypot(radial, np.maximum(abs(p.b) - across, 0.0)))

    def _joint_limit(self, q: Array, joint: int) -> JointLimit:
        return JointLimit(
            self.name, joint + 1, float(q[joint]), float(self.lower[joint]), float(self.upper[joint])
        )

    def _solutions(self, T: Array, near: Array | None) -> Array:
        out = np.empty((*T.shape[:-2], 8, 6))
        flat_T, flat_q = T.reshape(-1, 4, 4), out.reshape(-1, 8, 6)
        flat_near = None if near is None else near.reshape(-1, 6)
        for start in range(0, len(flat_T), BLOCK):
            rows = slice(start, start + BLOCK)
            _inverse(
                self.parameters, flat_T[rows], None if flat_near is None else flat_near[rows], flat_q[rows]
            )
        return out


def _forward(p: OpwParameters, q: Array, out: Array) -> None:
    """Write the poses of `q`, shape (n, 6), into `out`, shape (n, 4, 4)."""
    theta = q * np.array(p.signs) - np.array(p.offsets)
    theta[:, 2] += theta[:, 1]  # of the two parallel joints only the sum turns the forearm
    s1, s2, s23, s4, s5, s6 = np.sin(theta).T
    c1, c2, c23, c4, c5, c6 = np.cos(theta).T

    # wrist orientation in the forearm: Rz(4) Ry(5) Rz(6)
    a, b = c4 * c5, s4 * c5
    w = (
        (a * c6 - s4 * s6, -a * s6 - s4 * c6, c4 * s5),
        (b * c6 + c4 * s6, -b * s6 + c4 * c6, s4 * s5),
        (-s5 * c6, s5 * s6, c5),
    )
    for column in range(3):  # forearm in the base: Rz(1) Ry(2 + 3)
        ahead = c23 * w[0][column] + s23 * w[2][column]
        out[:, 0, column] = c1 * ahead - s1 * w[1][column]
        out[:, 1, column] = s1 * ahead + c1 * w[1][column]
        out[:, 2, column] = c23 * w[2][column] - s23 * w[0][column]
    ahead = p.a1 + p.c2 * s2 + p.c3 * s23 + p.a2 * c23
    out[:, 0, 3] = c1 * ahead - s1 * p.b + p.c4 * out[:, 0, 2]
    out[:, 1, 3] = s1 * ahead + c1 * p.b + p.c4 * out[:, 1, 2]
    out[:, 2, 3] = p.c1 + p.c2 * c2 + p.c3 * c23 - p.a2 * s23 + p.c4 * out[:, 2, 2]
    out[:, 3, 3] = 1.0


def _beside_axis_1(p: OpwParameters, x: Array, y: Array) -> tuple[Array, Array]:
    """Distance of the wrist centre from axis 1, and its part in the plane of the arm [m]."""
    across = np.hypot(x, y)
    return across, np.sqrt(np.maximum(across**2 - p.b**2, 0.0))


def _inverse(p: OpwParameters, T: Array, near: Array | None, out: Array) -> None:
    """Write all solutions for poses `T`, shape (n, 4, 4), into `out`, shape (n, 8, 6)."""
    offsets, signs = np.array(p.offsets), np.array(p.signs, float)
    theta = np.empty((6, 2, 2, 2, len(T)))  # joint, wrist, facing, elbow, pose
    free = np.zeros((6, len(T))) if near is None else (near * signs - offsets).T
    R = np.ascontiguousarray(np.moveaxis(T[:, :3, :3], 0, -1))  # (3, 3, n)
    wrist_centre = T[:, :3, 3].T - p.c4 * R[:, 2]

    theta[0, 0], theta[1, 0], theta[2, 0] = _arm_angles(p, wrist_centre, free[0])
    theta[3:, 0] = _wrist_angles(R, theta[0, 0, :, 0], theta[1, 0] + theta[2, 0], free[3])
    theta[:3, 1] = theta[:3, 0]
    theta[3, 1], theta[4, 1], theta[5, 1] = theta[3, 0] + np.pi, -theta[4, 0], theta[5, 0] + np.pi

    q = (theta.reshape(6, 8, -1) + offsets[:, None, None]) * signs[:, None, None]
    q -= TURN * np.rint(q * (1.0 / TURN))
    out[...] = q.transpose(2, 1, 0)


def _arm_angles(p: OpwParameters, wrist_centre: Array, free: Array) -> tuple[Array, Array, Array]:
    """theta 1 to 3, shapes (2, 1, n), (2, 2, n), (2, 2, n), by facing and elbow; NaN where out of reach."""
    x, y, z = wrist_centre
    across, radius = _beside_axis_1(p, x, y)
    facing = np.stack((radius, -radius))  # (2, n)
    azimuth = np.arctan2(y, x) - np.arctan2(p.b, facing)
    theta1 = np.where(across < SINGULAR, free, azimuth)

    ahead, up = facing - p.a1, z - p.c1  # wrist centre from the shoulder
    cosine = (ahead**2 + up**2 - p.c2**2 - p.forearm**2) / (2.0 * p.c2 * p.forearm)
    cosine[:, across < abs(p.b) * (1.0 - STRETCHED)] = np.nan
    cosine[np.abs(cosine) > 1.0 + STRETCHED] = np.nan
    theta1[np.isnan(cosine)] = np.nan
    cosine = np.clip(cosine, -1.0, 1.0)
    sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
    bend = np.arctan2(sine, cosine)
    elbow = np.stack((bend, -bend), axis=1)  # (2, 2, n)
    lean = np.arctan2(p.forearm * sine, p.c2 + p.forearm * cosine)
    theta2 = np.arctan2(ahead, up)[:, None] - np.stack((lean, -lean), axis=1)
    return theta1[:, None], theta2, elbow - np.arctan2(p.a2, p.c3)


def _wrist_angles(R: Array, theta1: Array, theta23: Array, free: Array) -> tuple[Array, Array, Array]:
    """theta 4 to 6, shape (2, 2, n), of one wrist, for flange orientations R, shape (3, 3, n)."""
    s1, c1 = np.sin(theta1)[:, None], np.cos(theta1)[:, None]
    s23, c23 = np.sin(theta23), np.cos(theta23)
    ahead, aside = (
        c1 * R[0, :, None, None] + s1 * R[1, :, None, None],
        c1 * R[1, :, None, None] - s1 * R[0, :, None, None],
    )
    w0 = c23 * ahead - s23 * R[2, :, None, None]  # rows of the wrist orientation in the forearm, (3, 2, 2, n)
    z6 = s23 * ahead[2] + c23 * R[2, 2]
    s5 = np.sqrt(w0[2] ** 2 + aside[2] ** 2)
    straight = s5 < SINGULAR
    divisor = np.where(straight, 1.0, s5)
    theta4 = np.where(straight, free, np.arctan2(aside[2], w0[2]))
    s4 = np.where(straight, np.sin(free), aside[2] / divisor)
    c4 = np.where(straight, np.cos(free), w0[2] / divisor)
    theta5 = np.arctan2(c4 * w0[2] + s4 * aside[2], z6)
    # Rz(-4) W = Ry(5) Rz(6), whose second row is (sin 6, cos 6, 0) whatever theta 5 is
    theta6 = np.arctan2(c4 * aside[0] - s4 * w0[0], c4 * aside[1] - s4 * w0[1])
    return theta4, theta5, theta6


def _nearest_turn(q: Array, near: Array, lower: Array, upper: Array) -> Array:
    """`q` by whole turns moved into its limits and there nearest to `near`; NaN where no turn is."""
    least = np.ceil((lower - SLACK - q) / TURN)
    most = np.floor((upper + SLACK - q) / TURN)
    turns = np.clip(np.rint((near - q) / TURN), least, most)
    return np.where(least <= most, q + TURN * turns, np.nan)
