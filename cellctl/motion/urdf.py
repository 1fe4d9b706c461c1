"""Robots from a URDF, as far as kinematics need it: joints in a row from a base link to a tip link.

Read are joints of type revolute, continuous, prismatic and fixed with origin, axis and limit
(wiki.ros.org/urdf/XML/joint). Meshes, inertias and joints beside the row are passed over. Refused are
document types and with them entities, joints in the row that mimic another, and xacro that nobody has
expanded. URDF knows no acceleration: it is
stated by two times, as in the library.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np

from cellctl.motion.chain import Chain
from cellctl.motion.errors import BadUrdf
from cellctl.motion.orientations import Convention, to_pose
from cellctl.motion.robot import Robot
from cellctl.motion.transforms import Array, rigid

LONGEST = 4_000_000  # characters; the largest robots of ROS-Industrial take a tenth of it
KNOWN = ("revolute", "continuous", "prismatic", "fixed")
SPEED_TIME, ACCELERATION_TIME = 0.25, 0.1  # [s] assumed


@dataclass(frozen=True, slots=True)
class UrdfJoint:
    """One joint of the description: T_parent_child at zero, its axis in the child, limits [rad or m, by s]."""

    kind: str
    origin: Array
    axis: Array
    lower: float
    upper: float
    speed: float


def robot_from_urdf(
    text: str,
    tip: str | None = None,
    base: str | None = None,
    speed_time: float = SPEED_TIME,
    acceleration_time: float = ACCELERATION_TIME,
) -> Robot:
    """The robot between two links of a URDF, named as the URDF names it.

    Args:
        text: the URDF itself.
        tip, base: names of links; the only end and the root of the tree when not given.
        speed_time: [s] to full speed at full acceleration, the same for all joints.
        acceleration_time: [s] to full acceleration at full jerk.

    Raises:
        BadUrdf: when it cannot be read, or is not one row of joints; says which joint or link, and why.
    """
    name, elements = read(text)
    row = [_joint(name, element) for element in _row(name, elements, base, tip)]
    links, moving, before = [], [], np.eye(4)
    for joint in row:
        before = before @ joint.origin
        if joint.kind == "fixed":
            continue
        R_joint_z = _z_to(joint.axis)
        links.append(before @ R_joint_z)
        before = R_joint_z.T
        moving.append(joint)
    if not moving:
        raise BadUrdf(f"{name}: none of its {len(row)} joints moves")
    lower, upper, v_max = (np.array([getattr(j, key) for j in moving]) for key in ("lower", "upper", "speed"))
    turns = tuple(joint.kind != "prismatic" for joint in moving)
    a_max = v_max / speed_time
    chain = Chain(np.array([*links, before]), turns, lower, upper)
    return Robot(name, chain, lower, upper, v_max, a_max, a_max / acceleration_time)


def read(text: str) -> tuple[str, list[ET.Element]]:
    """The name of the robot and its joint elements; raises BadUrdf."""
    if len(text) > LONGEST:
        raise BadUrdf(f"the URDF is {len(text)} characters long; more than {LONGEST} are not read")
    try:
        root = ET.fromstring(text, ET.XMLParser(target=_NoDoctype()))  # noqa: S314  entities need a document type
    except (ET.ParseError, ValueError) as error:
        raise BadUrdf(f"the URDF is not well-formed XML: {error}") from None
    if root.tag != "robot":
        raise BadUrdf(f"the URDF's outermost element is {root.tag!r}, not 'robot'")
    name = root.get("name") or "robot"
    if any("xacro" in element.tag for element in root.iter()):
        raise BadUrdf(f"{name}: this is xacro; expand it first (xacro FILE > FILE.urdf)")
    return name, root.findall("joint")


class _NoDoctype(ET.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called by the parser for a document type, which alone can define entities."""
        raise BadUrdf(f"the URDF declares a document type ({name}); entities are not read")


def _joint(robot: str, element: ET.Element) -> UrdfJoint:
    name, kind = element.get("name") or "?", element.get("type") or "?"
    where = f"{robot}: joint {name}"
    if kind not in KNOWN:
        raise BadUrdf(f"{where} is of type {kind!r}; known are {', '.join(KNOWN)}")
    if element.find("mimic") is not None:
        raise BadUrdf(f"{where} mimics another one; only joints that move by themselves are read")
    origin, limit = element.find("origin"), element.find("limit")
    xyz, rpy = (_numbers(where, origin, key, (0.0, 0.0, 0.0)) for key in ("xyz", "rpy"))
    axis = np.array(_numbers(where, element.find("axis"), "xyz", (1.0, 0.0, 0.0)))
    length = float(np.linalg.norm(axis))
    lower, upper, speed = -math.inf, math.inf, math.inf
    if kind != "fixed":
        if not length > 0.0:
            raise BadUrdf(f"{where} has an axis of no length")
        if limit is None and kind != "continuous":
            raise BadUrdf(f"{where} has no limit; a {kind} joint needs lower, upper and velocity")
        speed = _numbers(where, limit, "velocity", (math.inf,))[0]
        if not 0.0 < speed < math.inf:
            raise BadUrdf(f"{where} needs a velocity limit above 0; the time of motions depends on it")
    if kind in ("revolute", "prismatic"):
        lower, upper = (_numbers(where, limit, key, (0.0,))[0] for key in ("lower", "upper"))
    return UrdfJoint(kind, to_pose(Convention.WPR, xyz, rpy), axis / (length or 1.0), lower, upper, speed)


def _link(where: str, element: ET.Element, key: str) -> str:
    link = element.find(key)
    name = None if link is None else link.get("link")
    if not name:
        raise BadUrdf(f"{where} names no {key} link")
    return name


def _numbers(
    where: str, element: ET.Element | None, key: str, default: tuple[float, ...]
) -> tuple[float, ...]:
    text = None if element is None else element.get(key)
    if text is None:
        return default
    try:
        values = tuple(float(word) for word in text.split())
    except ValueError:
        values = ()
    if len(values) != len(default) or not all(map(math.isfinite, values)):
        raise BadUrdf(f"{where}: {key}={text!r} is not {len(default)} finite numbers")
    return values


def _row(name: str, joints: list[ET.Element], base: str | None, tip: str | None) -> list[ET.Element]:
    """The joints from base to tip, in that order; those beside the row are not looked into."""
    above: dict[str, tuple[str, ET.Element]] = {}  # link -> the link it hangs on, by which joint
    for joint in joints:
        where = f"{name}: joint {joint.get('name')}"
        parent, child = (_link(where, joint, key) for key in ("parent", "child"))
        if child in above:
            raise BadUrdf(f"{where} is the second that link {child} hangs on")
        above[child] = parent, joint
    if tip is None:
        ends = sorted(set(above) - {parent for parent, _ in above.values()})
        if len(ends) != 1:
            raise BadUrdf(f"{name}: name the tip link, one of: {', '.join(ends) or 'none'}")
        tip = ends[0]
    row: list[ET.Element] = []
    link = tip
    while link in above and link != base:
        link, joint = above[link]
        row.insert(0, joint)
        if len(row) > len(joints):
            raise BadUrdf(f"{name}: the links above {tip} stand in a circle")
    if not row or base not in (None, link):
        raise BadUrdf(f"{name}: no joints lead from {base or 'a base'} to {tip}")
    return row


def _z_to(axis: Array) -> Array:
    """A transform that turns z into a direction of length 1, shape (3,)."""
    x, y, z = axis
    if z > -0.5:
        a, b = 1.0 / (1.0 + z), -x * y / (1.0 + z)
        R = [[1.0 - x * x * a, b, x], [b, 1.0 - y * y * a, y], [-x, -y, z]]
    else:  # by way of half a turn about x
        a, b = 1.0 / (1.0 - z), x * y / (1.0 - z)
        R = [[1.0 - x * x * a, b, x], [-b, y * y * a - 1.0, y], [x, -y, z]]
    return rigid(R, (0.0, 0.0, 0.0))
