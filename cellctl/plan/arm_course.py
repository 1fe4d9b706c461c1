"""How long an arm's commands take: the motions that `cellctl.modules.arm` commands, by the laws of the motion core.

Free motion is straight in joint space, motion to and from a station is a straight line of the tool; each begins and
ends at rest, which is how controllers do it without blending.
"""

from __future__ import annotations

import math

import numpy as np

from cellctl.device import Pose
from cellctl.errors import CellctlError
from cellctl.kinds import ArmOptions
from cellctl.line.model import Line, Module, Tool
from cellctl.line.reachable import Reachable
from cellctl.messages import Move
from cellctl.motion.profile import scalar_duration
from cellctl.motion.robot import Robot
from cellctl.motion.robots import robot
from cellctl.motion.transforms import Array, from_xyz_euler
from cellctl.motion.twists import between
from cellctl.plan.courses import Act, Asked, Course
from cellctl.plan.errors import BadPlan
from cellctl.plan.timing import ArmTiming, Duration, GripperTiming, Timings

SAMPLES = 24  # along a straight line
FLIP = math.radians(30.0)  # a joint that turns more between two samples does not follow a line
TINY = 1e-9

Joints = tuple[float, ...]


class NoStraightWay(CellctlError):
    """A straight line of the tool that the arm cannot follow from where it stands."""

    def __init__(self, robot: str, at: float) -> None:
        self.robot, self.at = robot, at
        super().__init__(
            f"{robot}: no straight way: {at:.0%} along it, it passes a singularity or leaves the workspace"
        )


Legs = dict[tuple[str, Joints, Pose, bool, float], tuple[float, Joints]]  # how long a motion takes, its end


class ArmMotion:
    """An arm with one tool on, standing somewhere. Raises MotionError, NoStraightWay where it cannot go.

    Motions that were asked for before stand in `legs`: parts of one kind all go the same way.
    """

    def __init__(self, arm: Robot, timing: ArmTiming, stands: Joints, worn: str, legs: Legs) -> None:
        self.arm, self._timing, self.stands = arm, timing, stands
        self._worn, self._legs = worn, legs

    def go(self, pose: Pose, speed: float) -> float:
        """Through free space to a pose of the tool; how long that takes [s]."""
        return self._remembered(pose, False, speed)

    def line(self, pose: Pose, speed: float) -> float:
        """On a straight line to a pose of the tool; how long that takes [s]."""
        return self._remembered(pose, True, speed)

    def _remembered(self, pose: Pose, is_straight: bool, speed: float) -> float:
        key = (self._worn, self.stands, pose, is_straight, speed)
        if key not in self._legs:
            seconds = self._line(pose, speed) if is_straight else self._go(pose, speed)
            self._legs[key] = seconds, self.stands
        seconds, self.stands = self._legs[key]
        return seconds

    def _go(self, pose: Pose, speed: float) -> float:
        end = tuple(self.arm.joints_near(matrix(pose), self.stands).tolist())
        ways = np.abs(np.subtract(end, self.stands))
        self.stands = end
        if ways.max() < TINY:
            return self._timing.talk
        with np.errstate(divide="ignore"):
            v = np.min(speed * self._timing.joint_speed * self.arm.v_max / ways)
            a, j = np.min(self.arm.a_max / ways), np.min(self.arm.j_max / ways)
        return self._timing.talk + scalar_duration(1.0, float(v), float(a), float(j))

    def _line(self, pose: Pose, speed: float) -> float:
        T_start, T_end = self.arm.fk(self.stands), matrix(pose)
        q = straight(self.arm, T_start, T_end, self.stands)
        self.stands = tuple(q[-1].tolist())
        distance, angle = _way(T_start, T_end)
        if distance < TINY and angle < TINY:
            return self._timing.talk
        timing = self._timing
        turning = np.abs(np.diff(q, axis=0)).max(axis=0) * SAMPLES  # [rad] per path
        with np.errstate(divide="ignore"):
            by_joints = float(np.min(self.arm.v_max / turning))
        v = min(_per(speed * timing.linear, distance), _per(speed * timing.angular, angle), by_joints)
        a = min(_per(timing.linear_acceleration, distance), _per(timing.angular_acceleration, angle))
        return timing.talk + scalar_duration(1.0, v, a, a / timing.acceleration_time)


def straight(arm: Robot, T_start: Array, T_end: Array, stands: Joints) -> Array:
    """The joints along a straight line, shape (SAMPLES + 1, dof). Raises MotionError, NoStraightWay."""
    q = arm.ik_near(between(T_start, T_end, np.linspace(0.0, 1.0, SAMPLES + 1)), stands)
    if np.isnan(q[-1]).any():
        arm.joints_near(T_end, stands)
    broken = np.isnan(q[1:]).any(axis=-1) | (np.abs(np.diff(q, axis=0)).max(axis=-1) > FLIP)
    if np.isnan(q[0]).any() or broken.any():
        raise NoStraightWay(arm.name, float(np.argmax(broken)) / SAMPLES)
    return q


def matrix(pose: Pose) -> Array:
    """A pose as a transform."""
    return from_xyz_euler((pose.x, pose.y, pose.z), (pose.alpha, pose.beta, pose.gamma))


def wearing(name: str, tool: Tool | None) -> Robot:
    """The robot of this name with the tool on. Raises UnknownName."""
    T_flange_tool = np.eye(4)
    T_flange_tool[2, 3] = tool.length if tool else 0.0
    return robot(name).with_frames(tool=T_flange_tool)


class ArmCourse:
    """Fulfils `cellctl.plan.courses.Timed`."""

    def __init__(self, line: Line, module: Module, timings: Timings) -> None:
        assert isinstance(module.options, ArmOptions)
        self._module, self._options, self._timings = module, module.options, timings
        self._poses = Reachable(line, module.name, module.options.base.pose())
        timing = timings.of(module.devices.get("controller", ""))
        if not isinstance(timing, ArmTiming):
            raise BadPlan(module.name, "its controller's driver does not say how long it takes")
        self._timing = timing
        self._worn = {tool.name: wearing(module.options.robot, tool) for tool in module.tools}
        self._legs: Legs = {}
        self.stands: Joints = (0.0,) * robot(module.options.robot).dof  # where homing ends

    def course(self, asked: Asked, at: float) -> Course:
        """As `cellctl.modules.arm` does it when all goes well."""
        item, tool = asked.items[0], self._tool(asked)
        origin, target = _standing(asked, item.origin), _standing(asked, item.target)
        gripper = self._gripper(tool)
        motion = self._motion(tool)
        speed = self._options.speed * _number(asked, "speed", 1.0)
        acts: list[Act] = []
        match asked.skill:
            case "transfer" | "insert":
                if item.origin != tool.name:
                    acts += self._take(motion, gripper, origin, speed, (Move(item.id, tool.name),))
                    acts.append(self._retreat(motion, origin))
                acts += self._put(motion, gripper, target, speed, (Move(item.id, item.target),))
            case "hold":
                acts += self._take(motion, gripper, origin, speed, ())
            case _:
                acts.append(Act("release", gripper.release))
                acts.append(self._retreat(motion, origin))
        self.stands = motion.stands
        return Course(tuple(acts))

    def rest(self, at: float) -> float:
        """It stays where it is."""
        return at

    def stand_above(self, station: str) -> None:
        """The same arm above a station, its first tool on."""
        motion = self._motion(self._module.tools[0])
        motion.go(self._poses.approach(station), 1.0)
        self.stands = motion.stands

    def _motion(self, tool: Tool) -> ArmMotion:
        return ArmMotion(self._worn[tool.name], self._timing, self.stands, tool.name, self._legs)

    def _take(
        self, motion: ArmMotion, gripper: GripperTiming, place: str, speed: float, moves: tuple[Move, ...]
    ) -> list[Act]:
        return [
            Act("open", gripper.open),
            self._go(motion, place, speed),
            self._reach(motion, place),
            Act("grip", gripper.grip, moves),
        ]

    def _put(
        self, motion: ArmMotion, gripper: GripperTiming, place: str, speed: float, moves: tuple[Move, ...]
    ) -> list[Act]:
        go, reach = self._go(motion, place, speed), self._reach(motion, place)
        return [
            go,
            Act(reach.what, reach.takes + gripper.feel),
            Act("release", gripper.release, moves),
            self._retreat(motion, place),
        ]

    def _go(self, motion: ArmMotion, place: str, speed: float) -> Act:
        poses = (*self._poses.via(place), self._poses.approach(place))
        return Act(f"go above {place}", Duration.exactly(sum(motion.go(pose, speed) for pose in poses)))

    def _reach(self, motion: ArmMotion, place: str) -> Act:
        down = motion.line(self._poses.at(place), self._options.approach_speed)
        return Act(f"reach {place}", Duration.exactly(down))

    def _retreat(self, motion: ArmMotion, place: str) -> Act:
        up = motion.line(self._poses.approach(place), self._options.approach_speed)
        return Act(f"retreat from {place}", Duration.exactly(up))

    def _tool(self, asked: Asked) -> Tool:
        wanted = asked.parameters.get("tool")
        named = [t for t in self._module.tools if wanted in (None, t.name, t.name.rpartition(".")[2])]
        if not named:
            raise BadPlan(self._module.name, "it has no such tool")
        return named[0]

    def _gripper(self, tool: Tool) -> GripperTiming:
        timing = self._timings.of(tool.device)
        if not isinstance(timing, GripperTiming):
            raise BadPlan(tool.name, "its driver does not say how long it takes")
        return timing


def _standing(asked: Asked, place: str) -> str:
    standing = asked.standing.get(place.partition("#")[0])
    return f"{place}@{standing}" if standing else place


def _number(asked: Asked, name: str, usual: float) -> float:
    found = asked.parameters.get(name, usual)
    return float(found) if isinstance(found, int | float) else usual


def _per(speed: float, way: float) -> float:
    return speed / way if way > TINY else math.inf


def _way(T_start: Array, T_end: Array) -> tuple[float, float]:
    """Distance [m] and angle [rad] between two poses."""
    cosine = 0.5 * (float(np.trace(T_start[:3, :3].T @ T_end[:3, :3])) - 1.0)
    R = T_start[:3, :3].T @ T_end[:3, :3]
    sine = 0.5 * math.hypot(R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1])
    return float(np.linalg.norm(T_end[:3, 3] - T_start[:3, 3])), math.atan2(sine, cosine)
