"""The robots that cellctl knows by name, read from `library.toml`: lengths, limits, speeds, each with its source.

Others are made from their lengths with `Robot`, from Denavit-Hartenberg rows with `chain.Chain`, or from a
URDF with `urdf.robot_from_urdf`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, cast

import numpy as np

from cellctl.errors import UnknownName
from cellctl.motion.delta import Delta
from cellctl.motion.gantry import Gantry
from cellctl.motion.geometry import Geometry
from cellctl.motion.limits import Linkage
from cellctl.motion.opw import Opw
from cellctl.motion.palletiser import Palletiser
from cellctl.motion.robot import Robot
from cellctl.motion.scara import Scara
from cellctl.motion.transforms import Array
from cellctl.motion.ur import Ur

MM = 1e-3  # [m]
ANGLES = ("offsets_deg", "signs", "can_turn")  # what is no length of a geometry

GEOMETRIES: dict[str, Callable[..., Geometry]] = {
    "opw": Opw,
    "ur": Ur,
    "scara": Scara,
    "delta": Delta,
    "palletiser": Palletiser,
    "gantry": Gantry,
}


@dataclass(frozen=True, slots=True)
class RobotData:
    """What is known about one type of robot, in the units of the data sheets: millimetres, degrees, seconds.

    Accelerations are either published, or follow from `speed_time`.
    """

    title: str
    geometry: Mapping[str, object]
    limits: tuple[tuple[float, float], ...]
    speeds: tuple[float, ...]
    acceleration_time: float  # [s] to full acceleration at full jerk
    source: str
    read_on: str
    assumed: tuple[str, ...]
    accelerations: tuple[float, ...] = ()
    speed_time: float = 0.0  # [s] to full speed at full acceleration
    linkages: tuple[Mapping[str, object], ...] = ()
    note: str = ""


def _read() -> dict[str, RobotData]:
    text = resources.files("cellctl.motion").joinpath("library.toml").read_text(encoding="utf-8")
    return {name: _data(entry) for name, entry in tomllib.loads(text).items()}


def _data(entry: dict[str, Any]) -> RobotData:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return RobotData(**values)


ROBOTS: dict[str, RobotData] = _read()


@cache
def robot(name: str) -> Robot:
    """The robot of this name.

    Raises:
        UnknownName: when no robot is called so; names the nearest ones.
    """
    if name not in ROBOTS:
        raise UnknownName("robot", name, ROBOTS)
    data = ROBOTS[name]
    geometry = _geometry(data.geometry)
    scale = np.where(geometry.turns, np.radians(1.0), MM)
    lower, upper = _in_si(np.array(data.limits, float).T, geometry.turns)
    v_max = _in_si(np.array(data.speeds, float), geometry.turns)
    a_max = scale * np.array(data.accelerations) if data.accelerations else v_max / data.speed_time
    linkages = tuple(_linkage(linkage, scale) for linkage in data.linkages)
    return Robot(name, geometry, lower, upper, v_max, a_max, a_max / data.acceleration_time, linkages)


def _in_si(values: Array, turns: tuple[bool, ...]) -> Array:
    return np.where(turns, np.radians(values), values * MM)


def _geometry(entry: Mapping[str, object]) -> Geometry:
    lengths = {key: _metres(value) for key, value in entry.items() if key not in (*ANGLES, "kind")}
    others = {key: value for key, value in entry.items() if key in ("signs", "can_turn")}
    if "offsets_deg" in entry:
        others["offsets"] = tuple(np.radians(cast("list[float]", entry["offsets_deg"])).tolist())
        others["signs"] = tuple(cast("list[int]", entry["signs"]))
    return GEOMETRIES[str(entry["kind"])](**lengths, **others)


def _metres(value: object) -> float | tuple[float, ...]:
    if isinstance(value, list):
        return tuple(float(length) / 1000 for length in value)
    return float(cast(float, value)) / 1000


def _linkage(entry: Mapping[str, object], scale: Array) -> Linkage:
    """A linkage of joints that turn; the joint that it depends on may slide."""
    lower, upper = (float(np.radians(cast(float, entry[key]))) for key in ("lower", "upper"))
    while_below = None
    if "while_below" in entry:
        joint, value = cast("tuple[int, float]", entry["while_below"])
        while_below = joint - 1, float(scale[joint - 1] * value)
    factors = tuple(float(factor) for factor in cast("list[float]", entry["factors"]))
    return Linkage(str(entry["what"]), factors, lower, upper, while_below)
