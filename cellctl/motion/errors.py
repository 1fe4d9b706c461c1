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


class TiltedPose(OutOfReach):
    """A pose whose tool does not point straight down, or is turned, where the robot's joints cannot do that."""

    def __init__(self, robot: str, angle: float, why: str) -> None:
        super().__init__(robot, math.nan)
        self.angle = angle  # [rad]
        self.args = (f"{robot}: the pose is {math.degrees(angle):.4g} deg {why}",)


class NoSolutionFound(OutOfReach):
    """A pose that a search found no joints for; it may be out of reach, which a search cannot prove."""

    def __init__(self, robot: str, starts: int) -> None:
        super().__init__(robot, math.nan)
        self.starts = starts
        self.args = (f"{robot}: no joint positions reach the pose, searched from {starts} starts",)


class BadUrdf(MotionError):
    """A robot description that cannot be read, or that holds what this reader does not know."""


class JointLimit(LimitExceeded, MotionError):
    """A joint would have to go beyond its limits; joints count from 1, as on the teach pendant.

    `value`, `lower` and `upper` are in [rad], or in [m] where the joint slides; the message says degrees or
    millimetres.
    """

    def __init__(
        self, robot: str, joint: int, value: float, lower: float, upper: float, unit: str = "rad"
    ) -> None:
        self.robot, self.joint = robot, joint
        super().__init__(robot, f"joint {joint}", value, lower, upper, unit)
        self.args = (f"{robot}: joint {joint} at {_outside(value, lower, upper, unit)}",)


class LinkageLimit(JointLimit):
    """Joints that may not be where they are together, as in a parallelogram; `joint` is the first of them."""

    def __init__(self, robot: str, joint: int, what: str, value: float, lower: float, upper: float) -> None:
        super().__init__(robot, joint, value, lower, upper)
        self.what = what
        self.args = (f"{robot}: {what} at {_outside(value, lower, upper, 'rad')}",)


def _outside(value: float, lower: float, upper: float, unit: str) -> str:
    scale, shown = (math.degrees(1.0), "deg") if unit == "rad" else (1000.0, "mm")
    at, low, high = (f"{scale * number:.6g} {shown}" for number in (value, lower, upper))
    return f"{at} is outside {low} to {high}" if math.isfinite(upper) else f"{at} is below {low}"


class BadMotionLimit(MotionError):
    """A speed, acceleration or jerk that no motion can be made with, or a distance that is no number."""

    def __init__(self, what: str, value: float, why: str) -> None:
        self.what, self.value, self.why = what, value, why
        super().__init__(f"{what} {value:g} {why}")
