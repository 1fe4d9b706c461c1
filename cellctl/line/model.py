"""The line as everybody inside sees it: frozen, resolved, SI units. Built from a line file by `cellctl.line.load`.

Names: a station is `module.station` ("belt.load"), a module's own device `module.device` ("belt.drive"), a shared
device its bare name ("io1"), a gripper `arm.tool`. A place is a station, or `station#3` for one nest of several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from math import cos, sin
from typing import Any

from pydantic import BaseModel

from cellctl.device import DriverDeclaration, Pose
from cellctl.errors import UnknownName
from cellctl.skill import KindDeclaration


@dataclass(frozen=True, slots=True)
class Material:
    """A component's kind. Mass for payload checks; height and stiffness for the simulated plant."""

    name: str
    mass: float = 0.0  # [kg]
    height: float = 0.0  # [m]
    stiffness: float = 0.0  # [N/m]; 0: rigid


@dataclass(frozen=True, slots=True)
class Grid:
    """Nests of a station in rows and columns, numbered along the rows."""

    columns: int
    rows: int
    column_pitch: float  # [m], along the x of the frame in which the station's pose is written
    row_pitch: float  # [m], along its y
    turn: float = 0.0  # of that frame in the line's frame, about z [rad]

    def offset(self, nest: int) -> tuple[float, float]:
        """From the first nest to this one, along x and y of the line's frame [m]."""
        row, column = divmod(nest, self.columns)
        along, aside = column * self.column_pitch, row * self.row_pitch
        c, s = cos(self.turn), sin(self.turn)
        return along * c - aside * s, along * s + aside * c


@dataclass(frozen=True)
class Station:
    """A place that holds parts or components."""

    name: str  # full: "belt.load"
    module: str
    capacity: int = 1
    poses: Mapping[str, Pose] = field(default_factory=dict)  # arm -> pose in the line frame; "" for every arm
    approach: float = 0.05  # [m] above the pose
    via: tuple[Pose, ...] = ()
    grid: Grid | None = None
    source: str = ""  # the material it yields
    sink: bool = False
    at: float | None = None  # along its belt [m]
    eye: str = ""  # point, full: "io1.di4"
    stopper: str = ""
    device: str = ""  # the device that serves just this station (a bowl), full name
    zone: str = ""
    options: BaseModel | None = None  # keys of the kind's own

    def pose_for(self, arm: str) -> Pose | None:
        """The pose that `arm` goes to, or None where it has none."""
        return self.poses.get(arm) or self.poses.get("")


@dataclass(frozen=True)
class Device:
    """One physical thing and how it is driven. `simulated` are the physical properties for the simulated plant."""

    name: str
    declaration: DriverDeclaration
    options: BaseModel
    address: str = ""  # "" when it stands behind another device
    simulated: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """What an arm wears; its gripper is the station `arm.tool`."""

    name: str  # full: "arm.gripper"
    device: str
    length: float = 0.0  # from the flange to the tool point [m]
    mass: float = 0.0  # [kg]


@dataclass(frozen=True)
class Module:
    """What is commanded as one."""

    name: str
    kind: KindDeclaration
    options: BaseModel
    process: str
    devices: Mapping[str, str]  # role or local name -> full device name
    stations: tuple[Station, ...] = ()
    tools: tuple[Tool, ...] = ()
    at: str = ""  # the station at which it works, full
    zones: tuple[str, ...] = ()

    def station(self, name: str) -> Station:
        """The module's own station of this full name. Raises UnknownName."""
        for station in self.stations:
            if station.name == name:
                return station
        raise UnknownName("station", name, (station.name for station in self.stations))


@dataclass(frozen=True, slots=True)
class Process:
    """One operating-system process: the modules that share its devices, and where the bus reaches it."""

    name: str
    modules: tuple[str, ...]
    commands: str  # address of its ROUTER
    events: str  # address of its PUB


@dataclass(frozen=True)
class Carrier:
    """A pallet or tray that persists; its nests are stations `carrier#0...`."""

    id: str
    nests: int
    home: str  # station
    grid: Grid | None = None  # of its nests; nest 0 is where the pose of the station is at which it stands

    def offset(self, nest: int) -> tuple[float, float]:
        """From the pose of the station at which it stands to this nest, along x and y of the line's frame [m]."""
        return self.grid.offset(nest) if self.grid else (0.0, 0.0)


@dataclass(frozen=True)
class SafetyInput:
    """A guard or emergency stop that is reported here (never implemented here), and whom it concerns."""

    name: str
    point: str
    modules: tuple[str, ...]
    process: str = ""  # that reads it: the one whose devices include its island


@dataclass(frozen=True)
class Line:
    """All that one runner commands."""

    name: str
    digest: str  # of the line file and its taught values
    modules: Mapping[str, Module]
    devices: Mapping[str, Device]
    processes: Mapping[str, Process]
    runner: Process
    materials: Mapping[str, Material] = field(default_factory=dict)
    carriers: tuple[Carrier, ...] = ()
    zones: tuple[str, ...] = ()
    safety: tuple[SafetyInput, ...] = ()
    work_in_process: int = 0  # greatest number of parts at a time; 0: as many as are safe
    restart: str = ""  # who starts the line again after a crash: "operator", "automatic"; "": by the devices

    def __hash__(self) -> int:
        """What follows from a line alone may be kept for it, so that many runs in one process work it out once."""
        return hash((self.digest, self.restart))

    @cached_property
    def stations(self) -> Mapping[str, Station]:
        """Every station by full name, grippers included."""
        named = {s.name: s for module in self.modules.values() for s in module.stations}
        grippers = {t.name: Station(t.name, m.name) for m in self.modules.values() for t in m.tools}
        return named | grippers

    @cached_property
    def answers(self) -> dict[Callable[..., Any], Callable[..., Any]]:
        """What was worked out about this line before, by the function that did; kept by `cellctl.line.once`."""
        return {}

    def __getstate__(self) -> dict[str, object]:
        """What goes to another process: the line itself, and nothing that was worked out about it."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def workers_at(self) -> Mapping[str, tuple[str, ...]]:
        """Station -> the modules that work there (`at:`)."""
        found: dict[str, tuple[str, ...]] = {}
        for module in self.modules.values():
            if module.at:
                found[module.at] = (*found.get(module.at, ()), module.name)
        return found

    def module(self, name: str) -> Module:
        """Raises UnknownName."""
        if name not in self.modules:
            raise UnknownName("module", name, self.modules)
        return self.modules[name]

    def station(self, name: str) -> Station:
        """Raises UnknownName."""
        if name not in self.stations:
            raise UnknownName("station", name, self.stations)
        return self.stations[name]


def station_of(place: str) -> str:
    """The station of a place: `tray.rack` of `tray.rack#3`."""
    return place.partition("#")[0]
