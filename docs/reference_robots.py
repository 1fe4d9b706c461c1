"""The page of the robot library, from `cellctl/motion/library.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot
from typing import Any, cast

from reference_tables import page, table

from cellctl.motion.robots import GEOMETRIES, ROBOTS, RobotData, robot

FAMILIES = {
    "opw": "six joints, spherical wrist",
    "ur": "six joints, three of them parallel",
    "scara": "SCARA",
    "delta": "delta",
    "palletiser": "parallelogram",
    "gantry": "gantry",
}
MAKERS = ("Universal Robots", "Yaskawa Motoman")  # of two words

INTRO = """\
What an arm may have as its `robot:` in the line file. Reach is that of the links alone, without joint limits: of
arms with six joints from axis 1 (UR: the shoulder) to the wrist, of SCARA and parallelogram arms from axis 1 to the
flange. *Assumed* is what no source has: predictions lean on it. Where accelerations are not published, a time to full
speed and one to full acceleration stand for them.

Each entry is tested against an independent chain. A robot that is not here can be made from its lengths
(`cellctl.motion.robot.Robot`), from Denavit-Hartenberg rows (`cellctl.motion.chain`) or from a URDF
(`cellctl.motion.urdf`)."""


def robots_page() -> str:
    """Every robot: what it is, its joints, and where each figure is from."""
    assert FAMILIES.keys() == GEOMETRIES.keys()
    return page(
        "Robots",
        INTRO,
        table(("name", "maker", "type", "family", "axes", "reach mm", "assumed"), map(_summary, ROBOTS)),
        "## Joints\n\nDegrees, or millimetres for joints that slide; speeds and accelerations for each second.",
        table(("name", "limits", "speeds", "accelerations"), map(_joints, ROBOTS)),
        "## Sources\n\nRepositories are on GitHub, at a commit, unless it says otherwise.",
        table(("name", "source", "read on", "note"), map(_source, ROBOTS)),
    )


def _summary(name: str) -> Iterable[object]:
    data = ROBOTS[name]
    maker = next((m for m in MAKERS if data.title.startswith(m)), data.title.partition(" ")[0])
    reach = _reach(data)
    return (
        f"`{name}`",
        maker,
        data.title.removeprefix(maker).strip(),
        FAMILIES[str(data.geometry["kind"])],
        robot(name).dof,
        "" if reach is None else f"{reach:.0f}",
        ", ".join(data.assumed),
    )


def _reach(data: RobotData) -> float | None:
    """What the links reach [mm]; None for those whose workspace is no ring."""
    of = cast(Any, data.geometry)
    match of["kind"]:
        case "opw":
            return float(of["a1"] + of["c2"] + hypot(of["c3"], of["a2"]))
        case "ur":
            return float(abs(of["a2"]) + abs(of["a3"]))
        case "scara":
            return float(of["upper"] + of["forearm"])
        case "palletiser":
            return float(of["shoulder"][0] + of["upper"] + of["forearm"] + of["wrist"][0])
        case _:
            return None


def _joints(name: str) -> Iterable[object]:
    data = ROBOTS[name]
    limits = ", ".join(f"{low:g} to {high:g}" for low, high in data.limits)
    accelerations = (
        _numbers(data.accelerations)
        if data.accelerations
        else f"{data.speed_time:g} s to full speed, {data.acceleration_time:g} s to full acceleration"
    )
    more = "".join(
        f"; {linkage['what']}: {linkage['lower']} to {linkage['upper']}" for linkage in data.linkages
    )
    return f"`{name}`", limits + more, _numbers(data.speeds), accelerations


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _source(name: str) -> Iterable[object]:
    data = ROBOTS[name]
    return f"`{name}`", data.source, data.read_on, data.note
