"""The motion commands of a Mecademic controller: six numbers become a leg when their turn in the queue comes.

Numbers are as on the wire: millimetres and degrees. Every leg begins where the joints then stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from cellctl_sim.devices.mecademic_controller import Controller
from cellctl_sim.devices.mecademic_motion import Frame, Joints, Leg, flange_of, joint_leg, line_leg, solve
from cellctl_sim.devices.mecademic_text import Order

Six = tuple[float, ...]
LegTo = Callable[[Controller, float, Six], Leg]

NONE: Frame = (0.0,) * 6


def moves(leg_to: LegTo) -> Callable[[Controller, float, Order], None]:
    """A motion command that goes along `leg_to`."""

    def run(device: Controller, t: float, order: Order) -> None:
        six = order.numbers(6)
        device.add(t, lambda t: device.queue.move(t, leg_to(device, t, six)))

    return run


def frame_of(six: Six) -> Frame:
    """x, y, z and mobile XYZ Euler angles, in [m] and [rad]."""
    return tuple(value / 1e3 for value in six[:3]) + tuple(math.radians(value) for value in six[3:])


def joints_of(six: Six) -> Joints:
    """Joint angles [rad]."""
    return tuple(math.radians(value) for value in six)


def to_joints(device: Controller, t: float, six: Six) -> Leg:
    """MoveJoints."""
    return joint_leg(device.robot_name, device.queue.joints(t), joints_of(six), device.limits)


def by_joints(device: Controller, t: float, six: Six) -> Leg:
    """MoveJointsRel."""
    start = device.queue.joints(t)
    end = tuple(a + b for a, b in zip(start, joints_of(six), strict=True))
    return joint_leg(device.robot_name, start, end, device.limits)


def to_pose(device: Controller, t: float, six: Six) -> Leg:
    """MovePose."""
    start = device.queue.joints(t)
    flange = flange_of(device.wrf, frame_of(six), device.trf)
    return joint_leg(device.robot_name, start, solve(device.robot_name, flange, start), device.limits)


def along_line(device: Controller, t: float, six: Six) -> Leg:
    """MoveLin."""
    return _line(device, t, flange_of(device.wrf, frame_of(six), device.trf))


def by_line_in_tool(device: Controller, t: float, six: Six) -> Leg:
    """MoveLinRelTrf."""
    target = flange_of(device.tool_frame(t), frame_of(six), device.trf)
    return _line(device, t, flange_of(device.wrf, target, NONE))


def by_line_in_world(device: Controller, t: float, six: Six) -> Leg:
    """MoveLinRelWrf: moved and turned along the world frame's axes."""
    here, by = device.tool_frame(t), frame_of(six)
    turned = flange_of((0.0, 0.0, 0.0, *by[3:]), (0.0, 0.0, 0.0, *here[3:]), NONE)
    target = (*(a + b for a, b in zip(here[:3], by[:3], strict=True)), *turned[3:])
    return _line(device, t, flange_of(device.wrf, target, device.trf))


def _line(device: Controller, t: float, flange: Frame) -> Leg:
    return line_leg(device.robot_name, device.queue.joints(t), flange, device.limits)
