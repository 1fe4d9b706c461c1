"""Arms of Universal Robots: three parallel axes and no spherical wrist, in closed form.

Denavit-Hartenberg lengths as the maker publishes them ("DH Parameters for calculations of kinematics and
dynamics", universal-robots.com); at q = 0 the arm lies stretched along -x. Solved as by K. P. Hawkins,
"Analytic Inverse Kinematics for the Universal Robots UR-5/UR-10 Arms", Georgia Tech 2013, with
two-argument arctangents in place of its arccosines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cellctl.motion import ur_scalar
from cellctl.motion.errors import OutOfReach
from cellctl.motion.geometry import SINGULAR, STRETCHED, Joints, Rows, jacobian_of_axes, wrapped
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True)
class Ur:
    """The six lengths [m]; a2 and a3 are negative on the maker's arms.

    Solutions by shoulder, wrist and elbow, two of each, the elbow alternating fastest: shoulder left of the
    wrist first, J5 positive first, J3 positive first. Where axes 4 and 6 are parallel J6 is free, as far as the
    elbow then still reaches.
    """

    d1: float
    a2: float
    a3: float
    d4: float
    d5: float
    d6: float

    @property
    def turns(self) -> tuple[bool, ...]:
        """All six joints turn."""
        return (True,) * 6

    @property
    def solutions(self) -> int:
        """Shoulder, wrist, elbow: two of each."""
        return 8

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, 6), into `out`, shape (n, 4, 4)."""
        theta = np.ascontiguousarray(q.T)
        theta[2] += theta[1]
        theta[3] += theta[2]
        s1, s2, s23, s234, s5, s6 = np.sin(theta)
        c1, c2, c23, c234, c5, c6 = np.cos(theta)
        u = self.a2 * c2 + self.a3 * c23 + self.d5 * s234 - self.d6 * s5 * c234  # in the plane of the arm
        w = self.d4 + self.d6 * c5  # beside it
        a, b = c5 * c6 * c234 - s6 * s234, -c5 * s6 * c234 - c6 * s234
        out[:, 0, 0], out[:, 0, 1], out[:, 0, 2] = (
            c1 * a + s1 * s5 * c6,
            c1 * b - s1 * s5 * s6,
            s1 * c5 - c1 * s5 * c234,
        )
        out[:, 1, 0], out[:, 1, 1], out[:, 1, 2] = (
            s1 * a - c1 * s5 * c6,
            s1 * b + c1 * s5 * s6,
            -c1 * c5 - s1 * s5 * c234,
        )
        out[:, 2, 0], out[:, 2, 1], out[:, 2, 2] = (
            c5 * c6 * s234 + s6 * c234,
            c6 * c234 - c5 * s6 * s234,
            -s5 * s234,
        )
        out[:, 0, 3], out[:, 1, 3] = c1 * u + s1 * w, s1 * u - c1 * w
        out[:, 2, 3] = self.d1 + self.a2 * s2 + self.a3 * s23 - self.d5 * c234 - self.d6 * s5 * s234
        out[:, 3, :3], out[:, 3, 3] = 0.0, 1.0

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write all solutions for poses (n, 4, 4) into `out`, shape (n, 8, 6); see `Geometry`."""
        q = np.moveaxis(out.reshape(-1, 2, 2, 2, 6), 0, -2)  # shoulder, wrist, elbow, pose, joint
        free = np.zeros(len(T)) if near is None else near[:, 5]
        theta1, theta5, theta6, theta234, u, v = self._wrist(T, free)
        cosine = (u**2 + v**2 - self.a2**2 - self.a3**2) / (2.0 * self.a2 * self.a3)
        cosine[np.abs(cosine) > 1.0 + STRETCHED] = np.nan
        cosine = np.clip(cosine, -1.0, 1.0)
        sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
        theta3 = np.arctan2(sine, cosine)
        toward, nan = np.arctan2(v, u), 0.0 * cosine
        for elbow, sign in enumerate((1.0, -1.0)):
            theta2 = toward - np.arctan2(sign * self.a3 * sine, self.a2 + self.a3 * cosine)
            angles = theta1[:, None], theta2, sign * theta3, theta234 - theta2 - sign * theta3, theta5, theta6
            for joint, theta in enumerate(angles):
                q[:, :, elbow, :, joint] = wrapped(theta + nan)

    def jacobian(self, q: Array) -> Array:
        """The flange's velocity by joint, shape (n, 6, 6); see `Geometry`."""
        flange = np.zeros((len(q), 4, 4))
        self.forward(q, flange)
        s1, c1, zero = np.sin(q[:, 0]), np.cos(q[:, 0]), np.zeros(len(q))
        ahead, aside, up = (
            np.stack((c1, s1, zero)),
            np.stack((s1, -c1, zero)),
            np.stack((zero, zero, zero + 1)),
        )
        q23 = q[:, 1] + q[:, 2]
        q234 = q23 + q[:, 3]
        axis5 = np.sin(q234) * ahead - np.cos(q234) * up
        shoulder = self.d1 * up
        elbow = shoulder + self.a2 * (np.cos(q[:, 1]) * ahead + np.sin(q[:, 1]) * up)
        wrist1 = elbow + self.a3 * (np.cos(q23) * ahead + np.sin(q23) * up)
        wrist2 = wrist1 + self.d4 * aside
        tip = flange[:, :3, 3]
        axes = np.stack((up.T, aside.T, aside.T, aside.T, axis5.T, flange[:, :3, 2]), axis=1)
        points = np.stack((shoulder.T, shoulder.T, elbow.T, wrist1.T, wrist2.T, tip), axis=1)
        return jacobian_of_axes(axes, points, tip, self.turns)

    def beyond_reach(self, T: Array) -> Array:
        """How far the wrist lies outside the reach of the arm without limits, shape (n,) [m].

        Inside the cylinder that the shoulder's offset keeps clear, the distance to its surface.
        """
        inside = np.maximum(abs(self.d4) - np.hypot(*(T[:, :2, 3] - self.d6 * T[:, :2, 2]).T), 0.0)
        *_, u, v = self._wrist(T, np.zeros(len(T)))
        reach = np.hypot(u, v)
        upper, forearm = abs(self.a2), abs(self.a3)
        beyond = np.maximum(reach - (upper + forearm), abs(upper - forearm) - reach)
        nearest = np.maximum(beyond.reshape(4, -1).min(axis=0), 0.0)
        return np.asarray(np.where(inside > 0.0, inside, nearest))

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """By how far the wrist is out of reach."""
        return OutOfReach(robot, float(self.beyond_reach(T[None])[0]))

    def forward_one(self, q: Joints) -> Rows:
        """The flange pose of one joint vector."""
        return ur_scalar.forward(self, q)

    def inverse_one(self, T: Rows, near: Joints | None) -> list[tuple[float, ...]]:
        """All eight solutions for one pose."""
        return ur_scalar.inverse(self, T, 0.0 if near is None else near[5])

    def _wrist(self, T: Array, free: Array) -> tuple[Array, ...]:
        """theta 1, shape (2, n); then, shape (2, 2, n) by shoulder and wrist: theta 5, 6 and 2 + 3 + 4, and the
        end of the forearm in the plane of the arm, ahead and up [m]."""
        R = np.ascontiguousarray(np.moveaxis(T[:, :3, :3], 0, -1))  # (3, 3, n)
        position = T[:, :3, 3].T
        x, y, z = position - self.d6 * R[:, 2]
        across = np.hypot(x, y)
        beside = (across - self.d4) * (across + self.d4)
        clear = np.where(across < abs(self.d4) * (1.0 - STRETCHED), np.nan, np.sqrt(np.maximum(beside, 0.0)))
        theta1 = np.arctan2(y, x) + np.arctan2(self.d4, np.stack((clear, -clear)))
        s1, c1 = np.sin(theta1)[:, None], np.cos(theta1)[:, None]

        aside = (
            s1 * R[0, :, None, None] - c1 * R[1, :, None, None]
        )  # row of the flange across the arm, (3, 2, 1, n)
        s5 = np.hypot(aside[0], aside[1])
        straight = s5 < SINGULAR
        wrist = np.array((1.0, -1.0))[:, None]
        theta5 = np.arctan2(wrist * s5, aside[2])
        theta6 = np.where(straight, free, np.arctan2(-wrist * aside[1], wrist * aside[0]))
        s6, c6 = np.sin(theta6), np.cos(theta6)
        y5 = s6 * R[:, 0, None, None] + c6 * R[:, 1, None, None]  # second axis of frame 5, (3, 2, 2, n)
        theta234 = np.arctan2(-(c1 * y5[0] + s1 * y5[1]), y5[2])
        ahead, up = c1 * x + s1 * y, z - self.d1
        if straight.any():
            other = self._within_reach(theta234, ahead, up)
            theta6 = np.where(straight, theta6 - np.sign(aside[2]) * (other - theta234), theta6)
            theta234 = np.where(straight, other, theta234)
        u, v = ahead - self.d5 * np.sin(theta234), up + self.d5 * np.cos(theta234)
        return theta1, theta5, theta6, theta234, u, v

    def _within_reach(self, theta234: Array, ahead: Array, up: Array) -> Array:
        """The angles nearest to `theta234` at which the forearm reaches a wrist that is free to turn."""
        wrist, to_wrist = np.hypot(ahead, up), np.arctan2(up, ahead) + 0.5 * np.pi
        double = np.maximum(2.0 * wrist * self.d5, np.finfo(float).tiny)
        nearest, farthest = abs(abs(self.a2) - abs(self.a3)), abs(self.a2) + abs(self.a3)
        least, most = (
            np.arccos(np.clip((wrist**2 + self.d5**2 - reach**2) / double, -1.0, 1.0))
            for reach in (nearest, farthest)
        )
        turn = wrapped(theta234 - to_wrist)
        return np.asarray(to_wrist + np.copysign(np.clip(np.abs(turn), least, most), turn))
