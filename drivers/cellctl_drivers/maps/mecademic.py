"""Meca500 text protocol: reply codes, and what its errors mean. Only the codes are stable, never the texts.

Sources: Programming Manual for the Meca500 (firmware 9.2.x, 2 November 2022), sections 2.1 to 2.5; the same for
firmware 11.3 (resources.mecademic.com, MC-PM-MECA500); codes as in github.com/Mecademic/mecademicpy 3.0.3.
"""

from __future__ import annotations

# replies
ACTIVATED, WAS_ACTIVATED, HOMED, WAS_HOMED = 2000, 2001, 2002, 2003
ERROR_RESET, NO_ERROR = 2005, 2006
STATUS_ROBOT = 2007
PAUSED, RESUMED, CLEARED = 2042, 2043, 2044
FIRMWARE = 2081
TARGET_JOINTS, TARGET_POSE = 2200, 2201
TOOL_STATUS = 2300
GRIPPER_STATE = 2320

# events
CONNECTED, OTHER_USER = 3000, 3001
CHECKPOINT, CHECKPOINT_DISCARDED = 3030, 3040

LAST_CHECKPOINT = 8000
# Greatest speeds of revision R4, which are those of R3 or more; manual for firmware 9.2.x, MoveJointsVel
FASTEST_JOINTS_DEG = (225.0, 225.0, 225.0, 350.0, 350.0, 500.0)
NOT_ACTIVATED, NOT_HOMED, ALREADY_IN_ERROR = 1005, 1006, 1011
WATCHDOG_FIRMWARE = (10, 0)  # in the manual for 11.3, not in the one for 9.2.x; between them unverified

# Code -> what it is, what to do
FAULTS = {
    1000: ("its command queue is full", "send fewer motions at a time"),
    1001: ("it does not know a command that was sent", "check its firmware against the driver's"),
    1002: ("a command had a syntax error", "report it: the driver sent it"),
    1003: ("a command had a wrong argument", "check speeds, poses and the options of the device"),
    1005: ("it is not activated", "reset the module: that activates and homes it"),
    1006: ("it is not homed", "reset the module: that activates and homes it"),
    1007: ("a joint would go beyond its limit", "check the pose, or go there over another one"),
    1010: ("a joint would turn by more than 180 degrees", "go there over another pose"),
    1011: ("it is in error already", "reset the module"),
    1012: ("the straight way passes a singularity", "go there in free motion, or over another pose"),
    1013: ("activation failed", "check its power supply and its emergency stop, then reset"),
    1014: ("homing failed", "see whether it touches something, then reset"),
    1016: ("the pose is out of its reach", "check the pose; `cellctl check` finds such poses"),
    1025: ("its error cannot be reset", "switch it off and on"),
    1026: ("it has to be deactivated for that", "deactivate it at its web page"),
    1033: ("it does not stand in the configuration that was asked for", "move it there first"),
    1038: ("it has no gripper", "check the gripper's cable"),
    1040: ("a command failed", "see its log on its web page"),
    1046: ("that is not allowed now", "see its status on its web page"),
    3001: ("somebody else controls it", "close the other connection, such as its web page in control mode"),
    3005: ("a motion failed", "see whether it touched something, then reset"),
    3006: ("its drives do not answer", "switch it off and on"),
    3025: ("its gripper reports an error", "look at the gripper and its cable, then reset"),
    3026: ("it is in maintenance mode", "end the maintenance at its web page"),
    3029: ("a joint's torque exceeded its limit", "see whether it touched something, then reset"),
    3032: ("its protective stop 2 is active", "close the guard, then reset"),
    3041: ("it would collide", "check pose and tool, then reset"),
    3049: ("it would leave its work zone", "check the pose, then reset"),
    3069: ("its protective stop 1 is active", "close the guard, then reset"),
    3070: ("its emergency stop is active", "release the emergency stop, then reset"),
    3083: ("it is starting anew", "wait until it has started, then reset"),
    3086: ("it stopped because the connection was lost", "check the network, then reset"),
}

# Of the events those that stop the arm; they come with 1 when they begin and with 0 when they end
STOPPING = frozenset({3005, 3006, 3025, 3026, 3029, 3032, 3041, 3049, 3069, 3070, 3083, 3086})


def words(code: int) -> str:
    """A fault in words, with its remedy and its code."""
    what, remedy = FAULTS.get(code, ("it reports an error", "see its programming manual"))
    return f"{what} ([{code}]); {remedy}"
