"""SCARA arms: two links that turn in the horizontal plane, a shaft that slides, and its rotation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cellctl.motion import upright
from cellctl.motion.errors import OutOfReach
from cellctl.motion.geometry import STRETCHED, wrapped
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True)
class Scara:
    """Two links [m]; joints J1, J2 [rad], the height of the flange [m], and J4 [rad].

    Stretched forward at zero, all angles counter-clockwise seen from above. The base frame stands in axis
    1 at the height that the third joint counts from. Two solutions: the elbow to the right (J2 positive),
    then to the left. A wrist that stands on axis 1 leaves J1 free.
    """

    upper: float
    forearm: float

    @property
    def turns(self) -> tuple[bool, ...]:
        """The third joint slides."""
        return (True, True, False, True)

    @property
    def solutions(self) -> int:
        """Elbow right and left."""
        return 2

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, 4), into `out`, shape (n, 4, 4)."""
        q1, q12 = q[:, 0], q[:, 0] + q[:, 1]
        position = np.stack(
            (
                self.upper * np.cos(q1) + self.forearm * np.cos(q12),
                self.upper * np.sin(q1) + self.forearm * np.sin(q12),
                q[:, 2],
            ),
            axis=-1,
        )
        upright.write_poses(q12 + q[:, 3], position, out)

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write both solutions for poses (n, 4, 4) into `out`, shape (n, 2, 4); see `Geometry`."""
        heading, tilt = upright.heading_of(T)
        x, y = T[:, 0, 3], T[:, 1, 3]
        cosine = (x**2 + y**2 - self.upper**2 - self.forearm**2) / (2.0 * self.upper * self.forearm)
        cosine[(np.abs(cosine) > 1.0 + STRETCHED) | (tilt > upright.TILT)] = np.nan
        cosine = np.clip(cosine, -1.0, 1.0)
        sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
        for elbow, sign in enumerate((1.0, -1.0)):
            q2 = np.arctan2(sign * sine, cosine)
            lead = np.arctan2(sign * self.forearm * sine, self.upper + self.forearm * cosine)
            q1 = np.arctan2(y, x) - lead
            if near is not None:
                q1 = np.where(self._on_axis(x, y), near[:, 0], q1)
            out[:, elbow, 0], out[:, elbow, 1] = wrapped(q1), q2
            out[:, elbow, 2], out[:, elbow, 3] = T[:, 2, 3], wrapped(heading - q1 - q2)
            out[np.isnan(cosine), elbow] = np.nan

    def jacobian(self, q: Array) -> Array:
        """The flange's velocity by joint, shape (n, 6, 4); see `Geometry`."""
        s1, c1 = self.upper * np.sin(q[:, 0]), self.upper * np.cos(q[:, 0])
        q12 = q[:, 0] + q[:, 1]
        s12, c12 = self.forearm * np.sin(q12), self.forearm * np.cos(q12)
        linear = np.zeros((len(q), 3, 4))
        linear[:, 0, 0], linear[:, 0, 1] = -s1 - s12, -s12
        linear[:, 1, 0], linear[:, 1, 1] = c1 + c12, c12
        linear[:, 2, 2] = 1.0
        return upright.jacobian(linear, np.array(self.turns, float))

    def beyond_reach(self, T: Array) -> Array:
        """How far the flange lies outside the ring that the links reach, shape (n,) [m]."""
        reach = np.hypot(T[:, 0, 3], T[:, 1, 3])
        beyond = np.maximum(reach - (self.upper + self.forearm), abs(self.upper - self.forearm) - reach)
        return np.asarray(np.maximum(beyond, 0.0))

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """By how much the pose is tilted or out of reach."""
        return upright.unreachable(robot, T, float(self.beyond_reach(T[None])[0]), can_turn=True)

    def _on_axis(self, x: Array, y: Array) -> Array:
        return np.asarray(np.hypot(x, y) < STRETCHED * (self.upper + self.forearm))
