"""An arm that is moved by hand: one step along or around an axis of the line, or of one joint."""

from __future__ import annotations

from dataclasses import replace

from cellctl.device import Action, JoggedArm, Pose, RobotArm
from cellctl.errors import Refused, UnknownName
from cellctl.messages import Jog
from cellctl.modules.by_hand import (
    REDUCED_SPEED,
    REDUCED_TURN,
    USUAL_SPEED,
    USUAL_TURN,
    distance_of,
    reduced,
)
from cellctl.motion.transforms import compose, from_xyz_euler, inverse, to_xyz_euler

ALONG, AROUND = ("x", "y", "z"), ("alpha", "beta", "gamma")
JOINTS = tuple(f"j{number}" for number in range(1, 7))
_NOWHERE = Pose(0.0, 0.0, 0.0)


def step(arm: RobotArm, base: Pose, jog: Jog) -> Action[None]:
    """The step that a jog asks for; `base` is where the arm stands in the line's frame.

    Raises Refused, UnknownName and LimitExceeded for what is not moved so.
    """
    if not isinstance(arm, JoggedArm):
        raise Refused(f"the driver of {arm.name} does not offer to move it by hand; use its own panel")
    if jog.motion in JOINTS:
        speed = reduced(arm.name, jog, REDUCED_TURN, USUAL_TURN, "rad/s")
        return arm.turn_joint(JOINTS.index(jog.motion), distance_of(arm.name, jog), speed)
    if jog.motion in ALONG:
        speed = reduced(arm.name, jog, REDUCED_SPEED, USUAL_SPEED, "m/s")
    elif jog.motion in AROUND:
        speed = reduced(arm.name, jog, REDUCED_TURN, USUAL_TURN, "rad/s")
    else:
        raise UnknownName(f"motion of {arm.name}", jog.motion, (*ALONG, *AROUND, *JOINTS))
    by = replace(_NOWHERE, **{jog.motion: distance_of(arm.name, jog)})
    return arm.step(in_base_axes(by, base), speed)


def in_base_axes(by: Pose, base: Pose) -> Pose:
    """A step along and around the line's axes, seen in the axes of the arm's base.

    With R the orientation of the base: R^T d for the way d, and R^T T R for the turn T.
    """
    R_line_base = from_xyz_euler((0.0, 0.0, 0.0), (base.alpha, base.beta, base.gamma))
    T_step = from_xyz_euler((by.x, by.y, by.z), (by.alpha, by.beta, by.gamma))
    xyz, angles = to_xyz_euler(compose(inverse(R_line_base), T_step, R_line_base))
    return Pose(*(float(value) for value in (*xyz, *angles)))
