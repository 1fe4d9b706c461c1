"""Palletisers: two links driven through parallelograms, so that joint angles and the tool stay with the horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cellctl.motion import upright
from cellctl.motion.errors import OutOfReach
from cellctl.motion.geometry import SINGULAR, STRETCHED, wrapped
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True)
class Palletiser:
    """Lengths [m]: axis 1 to shoulder (ahead, up), upper arm, forearm, forearm's end to flange (ahead, up).

    J1 turns the arm. J2 leans the upper arm forward out of the vertical, J3 the forearm downward out of the
    horizontal: each an angle with the horizon, whatever the other does, because rods hold them. J4 turns
    the tool. Solutions: facing the flange with the elbow above, then below; then both reaching back over
    axis 1. A flange that stands on axis 1 leaves J1 free.
    """

    shoulder: tuple[float, float]
    upper: float
    forearm: float
    wrist: tuple[float, float]

    @property
    def turns(self) -> tuple[bool, ...]:
        """All four joints turn."""
        return (True,) * 4

    @property
    def solutions(self) -> int:
        """Facing and elbow: two of each."""
        return 4

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, 4), into `out`, shape (n, 4, 4)."""
        ahead = self._offset[0] + self.upper * np.sin(q[:, 1]) + self.forearm * np.cos(q[:, 2])
        up = self._offset[1] + self.upper * np.cos(q[:, 1]) - self.forearm * np.sin(q[:, 2])
        position = np.stack((ahead * np.cos(q[:, 0]), ahead * np.sin(q[:, 0]), up), axis=-1)
        upright.write_poses(q[:, 0] + q[:, 3], position, out)

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write all solutions for poses (n, 4, 4) into `out`, shape (n, 4, 4); see `Geometry`."""
        heading, tilt = upright.heading_of(T)
        radius = np.hypot(T[:, 0, 3], T[:, 1, 3])
        free = np.zeros(len(T)) if near is None else near[:, 0]
        for back, facing in enumerate((radius, -radius)):
            q1 = np.where(radius < SINGULAR, free, np.arctan2(T[:, 1, 3], T[:, 0, 3]) + back * np.pi)
            ahead, up = facing - self._offset[0], T[:, 2, 3] - self._offset[1]
            cosine = (ahead**2 + up**2 - self.upper**2 - self.forearm**2) / (2.0 * self.upper * self.forearm)
            cosine[(np.abs(cosine) > 1.0 + STRETCHED) | (tilt > upright.TILT)] = np.nan
            cosine = np.clip(cosine, -1.0, 1.0)
            sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
            for elbow, sign in enumerate((1.0, -1.0)):
                bend = np.arctan2(sign * sine, cosine)  # of the forearm out of the upper arm, downward
                lead = np.arctan2(sign * self.forearm * sine, self.upper + self.forearm * cosine)
                q2 = np.arctan2(ahead, up) - lead
                solution = out[:, 2 * back + elbow]
                solution[:, 0], solution[:, 1] = wrapped(q1 + 0.0 * q2), wrapped(q2)
                solution[:, 2], solution[:, 3] = wrapped(q2 + bend - 0.5 * np.pi), wrapped(heading - q1)
                solution[np.isnan(q2)] = np.nan

    def jacobian(self, q: Array) -> Array:
        """The flange's velocity by joint, shape (n, 6, 4); see `Geometry`."""
        s1, c1 = np.sin(q[:, 0]), np.cos(q[:, 0])
        ahead = self._offset[0] + self.upper * np.sin(q[:, 1]) + self.forearm * np.cos(q[:, 2])
        linear = np.zeros((len(q), 3, 4))
        linear[:, 0, 0], linear[:, 1, 0] = -s1 * ahead, c1 * ahead
        for joint, radial, rise in (
            (1, self.upper * np.cos(q[:, 1]), -self.upper * np.sin(q[:, 1])),
            (2, -self.forearm * np.sin(q[:, 2]), -self.forearm * np.cos(q[:, 2])),
        ):
            linear[:, :, joint] = np.stack((radial * c1, radial * s1, rise), axis=-1)
        return upright.jacobian(linear, np.array((1.0, 0.0, 0.0, 1.0)))

    def beyond_reach(self, T: Array) -> Array:
        """How far the forearm's end lies outside what both links reach, shape (n,) [m]."""
        radius, up = np.hypot(T[:, 0, 3], T[:, 1, 3]), T[:, 2, 3] - self._offset[1]
        missing = []
        for facing in (radius, -radius):
            reach = np.hypot(facing - self._offset[0], up)
            missing.append(
                np.maximum(reach - (self.upper + self.forearm), abs(self.upper - self.forearm) - reach)
            )
        return np.asarray(np.maximum(np.minimum(*missing), 0.0))

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """By how much the pose is tilted or out of reach."""
        return upright.unreachable(robot, T, float(self.beyond_reach(T[None])[0]), can_turn=True)

    @property
    def _offset(self) -> tuple[float, float]:
        return self.shoulder[0] + self.wrist[0], self.shoulder[1] + self.wrist[1]
