"""Cartesian gantries: three slides square to each other, and a fourth axis that turns the tool where there is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cellctl.motion import upright
from cellctl.motion.errors import OutOfReach
from cellctl.motion.transforms import Array


@dataclass(frozen=True, slots=True)
class Gantry:
    """Joints x, y, z [m], and the heading of the tool [rad] when `can_turn`. One solution."""

    can_turn: bool = True

    @property
    def turns(self) -> tuple[bool, ...]:
        """Three slides, then the turning axis."""
        return (False, False, False, True)[: 4 if self.can_turn else 3]

    @property
    def solutions(self) -> int:
        """There is no choice."""
        return 1

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, dof), into `out`, shape (n, 4, 4)."""
        upright.write_poses(q[:, 3] if self.can_turn else np.zeros(len(q)), q[:, :3], out)

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write the solution for poses (n, 4, 4) into `out`, shape (n, 1, dof); see `Geometry`."""
        heading, tilt = upright.heading_of(T)
        out[:, 0, :3] = T[:, :3, 3]
        if self.can_turn:
            out[:, 0, 3] = heading
        else:
            tilt = np.maximum(tilt, np.abs(heading))
        out[tilt > upright.TILT] = np.nan

    def jacobian(self, q: Array) -> Array:
        """The flange's velocity by joint, shape (n, 6, dof); see `Geometry`."""
        dof = len(self.turns)
        linear = np.broadcast_to(np.eye(3, dof), (len(q), 3, dof))
        return upright.jacobian(linear, np.array(self.turns, float))

    def beyond_reach(self, T: Array) -> Array:
        """Nothing is beyond reach but by the limits of the slides."""
        return np.zeros(len(T))

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """By how much the pose is tilted or turned."""
        return upright.unreachable(robot, T, 0.0, self.can_turn)
