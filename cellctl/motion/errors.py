"""What can go wrong when motion is asked for: poses out of reach, joints beyond limits, senseless limits."""

from __future__ import annotations

import math

from cellctl.errors import CellctlError, LimitExceeded


class MotionError(CellctlError):
    """A motion that cannot be made, or cannot be computed."""


class OutOfReach(MotionError):
    """A pose that no joint angles reach, whatever the joint limits; says how far beyond it is."""

    def __init__(self, robot: str, beyond: float) -> None:
        self.robot = robot
        self.beyond = beyond  # [m]
        super().__init__(f"{robot}: the pose is {beyond * 1000:.4g} mm beyond the reach of the wrist")


class JointLimit(LimitExceeded, MotionError):
    """A joint would have to go beyond its limits; joints count from 1, as on the teach pendant.

    `value`, `lower` and `upper` are in [rad]; the message says degrees.
    """

    def __init__(self, robot: str, joint: int, value: float, lower: float, upper: float) -> None:
        self.robot, self.joint = robot, joint
        super().__init__(robot, f"joint {joint}", value, lower, upper, "rad")
        at, low, high = (math.degrees(angle) for angle in (value, lower, upper))
        self.args = (f"{robot}: joint {joint} at {at:.6g} deg is outside {low:.6g} deg to {high:.6g} deg",)


class BadMotionLimit(MotionError):
    """A speed, acceleration or jerk that no motion can be made with, or a distance that is no number."""

    def __init__(self, what: str, value: float, why: str) -> None:
        self.what, self.value, self.why = what, value, why
        super().__init__(f"{what} {value:g} {why}")
