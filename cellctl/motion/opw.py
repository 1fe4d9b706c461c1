"""Arms with six revolute joints and a spherical wrist: forward and inverse kinematics in closed form.

The model has an ortho-parallel basis (J2 parallel to J3, both square to J1) and a spherical wrist, as most
industrial arms do. Parameters and forward kinematics follow M. Brandstoetter, A. Angerer, M. Hofbaur, "An
Analytical Solution of the Inverse Kinematics Problem of Industrial Serial Manipulators with an
Ortho-parallel Basis and a Spherical Wrist", Austrian Robotics Workshop 2014. The inverse solves the same
triangles with two-argument arctangents throughout, so that it stays exact to rounding at a stretched
elbow and at a straight wrist, where arccosines lose half of their digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cellctl.motion import opw_scalar
from cellctl.motion.errors import OutOfReach
from cellctl.motion.geometry import SINGULAR, STRETCHED, Joints, Rows, jacobian_of_axes, wrapped
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True)
class Opw:
    """The seven lengths of the arm [m], and the map to the model's angles: theta = q * sign - offset.

    At theta = 0 the arm points straight up: c1 base to shoulder height, a1 shoulder in front of axis 1,
    b shoulder beside it, c2 upper arm, a2 elbow to forearm axis, c3 forearm, c4 wrist centre to flange.

    Solutions 0 to 3 of the eight have one wrist, 4 to 7 the same arm with the wrist flipped. Of four, the
    first two face the wrist with the front of axis 1, the others reach back over it; the elbow alternates.
    Where the wrist is straight J4 is free and J6 does the turning; where the wrist centre stands on axis 1
    J1 is free.
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
    _constants: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_constants", opw_scalar.constants(self))

    @property
    def turns(self) -> tuple[bool, ...]:
        """All six joints turn."""
        return (True,) * 6

    @property
    def solutions(self) -> int:
        """Wrist, facing, elbow: two of each."""
        return 8

    @property
    def forearm(self) -> float:
        """Elbow to wrist centre [m]."""
        return float(np.hypot(self.a2, self.c3))

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, 6), into `out`, shape (n, 4, 4)."""
        theta = self._model(q)
        theta[2] += theta[1]  # of the two parallel joints only the sum turns the forearm
        s1, s2, s23, s4, s5, s6 = np.sin(theta)
        c1, c2, c23, c4, c5, c6 = np.cos(theta)

        # wrist orientation in the forearm: Rz(4) Ry(5) Rz(6)
        a, b = c4 * c5, s4 * c5
        w = (
            (a * c6 - s4 * s6, -a * s6 - s4 * c6, c4 * s5),
            (b * c6 + c4 * s6, -b * s6 + c4 * c6, s4 * s5),
            (-s5 * c6, s5 * s6, c5),
        )
        x = self.a1 + self.c2 * s2 + self.a2 * c23 + self.c3 * s23  # wrist centre in the plane of the arm
        z = self.c1 + self.c2 * c2 - self.a2 * s23 + self.c3 * c23
        for j in range(3):
            ahead = c23 * w[0][j] + s23 * w[2][j]
            out[:, 0, j] = c1 * ahead - s1 * w[1][j]
            out[:, 1, j] = s1 * ahead + c1 * w[1][j]
            out[:, 2, j] = c23 * w[2][j] - s23 * w[0][j]
        out[:, 0, 3] = c1 * x - s1 * self.b + self.c4 * out[:, 0, 2]
        out[:, 1, 3] = s1 * x + c1 * self.b + self.c4 * out[:, 1, 2]
        out[:, 2, 3] = z + self.c4 * out[:, 2, 2]
        out[:, 3, :3], out[:, 3, 3] = 0.0, 1.0

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write all solutions for poses (n, 4, 4) into `out`, shape (n, 8, 6); see `Geometry`."""
        free = np.zeros((6, len(T))) if near is None else self._model(near)
        R = np.ascontiguousarray(np.moveaxis(T[:, :3, :3], 0, -1))  # (3, 3, n)
        wrist_centre = T[:, :3, 3].T - self.c4 * R[:, 2]
        theta1, theta2, theta3 = self._arm_angles(wrist_centre, free[0])
        theta4, theta5, theta6 = _wrist_angles(R, theta1[:, 0], theta2 + theta3, free[3])

        wrists = np.moveaxis(out.reshape(-1, 2, 2, 2, 6), 0, -2)  # wrist, facing, elbow, pose, joint
        for joint, theta in enumerate((theta1, theta2, theta3)):
            wrists[..., joint] = self._wrapped(theta, joint)
        for joint, theta in ((3, theta4), (5, theta6)):
            q = self._wrapped(theta, joint)
            wrists[0, ..., joint], wrists[1, ..., joint] = q, q - np.copysign(np.pi, q)
        wrists[0, ..., 4], wrists[1, ..., 4] = self._wrapped(theta5, 4), self._wrapped(-theta5, 4)

    def jacobian(self, q: Array) -> Array:
        """The flange's velocity by joint, shape (n, 6, 6); see `Geometry`."""
        flange = np.zeros((len(q), 4, 4))
        self.forward(q, flange)
        theta = self._model(q)
        s1, c1, s2, c2 = np.sin(theta[0]), np.cos(theta[0]), np.sin(theta[1]), np.cos(theta[1])
        s23, c23 = np.sin(theta[1] + theta[2]), np.cos(theta[1] + theta[2])
        s4, c4, zero = np.sin(theta[3]), np.cos(theta[3]), np.zeros(len(q))

        axis1, axis2 = np.stack((zero, zero, zero + 1.0)), np.stack((-s1, c1, zero))
        ahead = np.stack((c1, s1, zero))
        forearm, across = s23 * ahead + c23 * axis1, c23 * ahead - s23 * axis1
        axis5 = c4 * axis2 - s4 * across
        shoulder = self.a1 * ahead + self.c1 * axis1
        elbow = shoulder + self.c2 * (s2 * ahead + c2 * axis1)
        wrist_centre = flange[:, :3, 3] - self.c4 * flange[:, :3, 2]
        axes = np.stack((axis1.T, axis2.T, axis2.T, forearm.T, axis5.T, flange[:, :3, 2]), axis=1)
        points = np.stack((shoulder.T, shoulder.T, elbow.T, *(wrist_centre,) * 3), axis=1)
        points[:, 0, :2] = 0.0
        J = jacobian_of_axes(axes, points, flange[:, :3, 3], self.turns)
        return np.asarray(J * np.array(self.signs))

    def beyond_reach(self, T: Array) -> Array:
        """How far the wrist centre lies outside the reach of the arm without limits, shape (n,) [m]."""
        x, y, z = np.moveaxis(T[:, :3, 3] - self.c4 * T[:, :3, 2], -1, 0)
        across, radius = self._beside_axis_1(x, y)
        missing = []
        for facing in (radius, -radius):
            reach = np.hypot(facing - self.a1, z - self.c1)
            missing.append(np.maximum(reach - (self.c2 + self.forearm), abs(self.c2 - self.forearm) - reach))
        radial = np.maximum(np.minimum(*missing), 0.0)
        return np.asarray(np.hypot(radial, np.maximum(abs(self.b) - across, 0.0)))

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """By how far the wrist centre is out of reach."""
        return OutOfReach(robot, float(self.beyond_reach(T[None])[0]))

    def forward_one(self, q: Joints) -> Rows:
        """The flange pose of one joint vector."""
        return opw_scalar.forward(self, q)

    def inverse_one(self, T: Rows, near: Joints | None) -> list[tuple[float, ...]]:
        """All eight solutions for one pose."""
        if near is None:
            return opw_scalar.inverse(self._constants, T, 0.0, 0.0)
        free = (near[joint] * self.signs[joint] - self.offsets[joint] for joint in (0, 3))
        return opw_scalar.inverse(self._constants, T, *free)

    def _model(self, q: Array) -> Array:
        """The model's angles, shape (6, n)."""
        return np.ascontiguousarray((q * np.array(self.signs, float) - np.array(self.offsets)).T)

    def _wrapped(self, theta: Array, joint: int) -> Array:
        q = theta * self.signs[joint]
        q += self.offsets[joint] * self.signs[joint]
        return wrapped(q)

    def _beside_axis_1(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Distance of the wrist centre from axis 1, and its part in the plane of the arm [m]."""
        across = np.hypot(x, y)
        return across, np.sqrt(np.maximum(across**2 - self.b**2, 0.0))

    def _arm_angles(self, wrist_centre: Array, free: Array) -> tuple[Array, Array, Array]:
        """theta 1 to 3, shapes (2, 1, n), (2, 2, n), (2, 2, n), by facing and elbow; NaN where out of reach."""
        x, y, z = wrist_centre
        across, radius = self._beside_axis_1(x, y)
        facing = np.stack((radius, -radius))  # (2, n)
        azimuth = np.arctan2(y, x) - np.arctan2(self.b, facing)
        theta1 = np.where(across < SINGULAR, free, azimuth)

        ahead, up = facing - self.a1, z - self.c1  # wrist centre from the shoulder
        upper, forearm = self.c2, self.forearm
        cosine = (ahead**2 + up**2 - upper**2 - forearm**2) / (2.0 * upper * forearm)
        cosine[:, across < abs(self.b) * (1.0 - STRETCHED)] = np.nan
        cosine[np.abs(cosine) > 1.0 + STRETCHED] = np.nan
        theta1[np.isnan(cosine)] = np.nan
        cosine = np.clip(cosine, -1.0, 1.0)
        sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
        bend = np.arctan2(sine, cosine)
        elbow = np.stack((bend, -bend), axis=1)  # (2, 2, n)
        lean = np.arctan2(forearm * sine, upper + forearm * cosine)
        theta2 = np.arctan2(ahead, up)[:, None] - np.stack((lean, -lean), axis=1)
        return theta1[:, None], theta2, elbow - np.arctan2(self.a2, self.c3)


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
    divisor = np.where(straight, 1.0, s5) if straight.any() else s5
    theta4, s4, c4 = np.arctan2(aside[2], w0[2]), aside[2] / divisor, w0[2] / divisor
    if divisor is not s5:
        theta4 = np.where(straight, free, theta4)
        s4, c4 = np.where(straight, np.sin(free), s4), np.where(straight, np.cos(free), c4)
        s5 = c4 * w0[2] + s4 * aside[2]
    theta5 = np.arctan2(s5, z6)
    # Rz(-4) W = Ry(5) Rz(6), whose second row is (sin 6, cos 6, 0) whatever theta 5 is
    theta6 = np.arctan2(c4 * aside[0] - s4 * w0[0], c4 * aside[1] - s4 * w0[1])
    return theta4, theta5, theta6
