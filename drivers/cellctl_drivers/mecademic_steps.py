"""A Meca500 that is moved by hand: where a step leads to, in the controller's own absolute commands.

The relative command MoveLinRelWrf is not used: as mecademicpy 3.0.3 describes it, its angles are an orientation in the
world's axes, not a turn by so much, and a mistake there would turn the tool over. The pose or the joints that the
controller has as its target, and the step, give one pose that nobody can read in two ways.
"""

from __future__ import annotations

import math

from cellctl.device import Pose
from cellctl_drivers.maps import mecademic as codes
from cellctl_drivers.mecademic_codec import Reply, Unreadable, command, frame

FULL_TURN_SPEED = 30.0  # [deg/s] of the tool while it is led along a line, where nothing is said of it
FULL_LINE_SPEED = 100.0  # [mm/s] of the tool point while it is turned about itself


def settings(tool: Pose, linear: float, angular: float) -> tuple[str, ...]:
    """Tool and speeds of a step: `linear` [m/s] along, `angular` [rad/s] around; 0 where it is not what counts."""
    return (
        command("SetTrf", *frame(tool)),
        command("SetBlending", 0),
        command("SetCartLinVel", 1e3 * linear or FULL_LINE_SPEED),
        command("SetCartAngVel", math.degrees(angular) or FULL_TURN_SPEED),
    )


def joint_settings(joint: int, speed: float) -> tuple[str, ...]:
    """The speed of one joint, from 0 [rad/s]: a percentage of its greatest, of whichever revision turns fastest."""
    percent = 100.0 * math.degrees(speed) / codes.FASTEST_JOINTS_DEG[joint]
    return (command("SetBlending", 0), command("SetJointVel", percent))


def target_pose(reply: Reply) -> Pose:
    """The tool's target of `[2201][t, x, y, z, alpha, beta, gamma]` [m, rad]. Raises Unreadable."""
    x, y, z, *angles = _six(reply)
    return Pose(x / 1e3, y / 1e3, z / 1e3, *(math.radians(angle) for angle in angles))


def target_joints(reply: Reply) -> tuple[float, ...]:
    """The joints' target of `[2200][t, j1, ..., j6]` [deg], as on the wire. Raises Unreadable."""
    return _six(reply)


def stepped(here: Pose, by: Pose) -> Pose:
    """Where a step leads to: moved along the axes of the base, and turned about them around the tool point."""
    # here: every process that reads the line file imports this module, and few of them want numpy
    from cellctl.motion.transforms import from_xyz_euler, to_xyz_euler

    R_here = from_xyz_euler((0.0, 0.0, 0.0), (here.alpha, here.beta, here.gamma))
    R_by = from_xyz_euler((0.0, 0.0, 0.0), (by.alpha, by.beta, by.gamma))
    _, angles = to_xyz_euler(R_by @ R_here)
    return Pose(here.x + by.x, here.y + by.y, here.z + by.z, *(float(angle) for angle in angles))


def turned(joints: tuple[float, ...], joint: int, angle: float) -> str:
    """The command that turns one joint, from 0, by `angle` [rad]; `joints` as on the wire."""
    goal = [at + (math.degrees(angle) if number == joint else 0.0) for number, at in enumerate(joints)]
    return command("MoveJoints", *goal)


def _six(reply: Reply) -> tuple[float, ...]:
    numbers = reply.numbers()[1:7]  # after the controller's time
    if len(numbers) != 6:
        raise Unreadable(f"[{reply.code}] should carry a time and six values, but carries {reply.text!r}")
    return numbers
