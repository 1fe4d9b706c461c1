"""The line file as people write it: its keys, their units and their defaults. `cellctl.line.load` makes a `Line` of it.

    line: puck
    runner: {bus: tcp://127.0.0.1:5700, wip: 3, restart: operator}
    devices:                       # shared: modules that use the same device run in one process
      io1: {use: remote_io, address: modbus-tcp://10.0.1.20:502, ...the driver's options}
    modules:
      belt:
        kind: conveyor             # and the kind's options beside it
        devices: {drive: {use: altivar, ...}, io: io1}      # a name alone is a shared device
        stations: {load: {at: 100 mm, eye: io1.di0, pose: {x: 200 mm, y: 0 mm, z: 30 mm}}}
      arm:
        kind: arm
        tools: {gripper: {use: megp25, length: 65 mm, mass: 90 g}}
    materials: {lid: {mass: 6 g}}

A pose stands in the line's frame unless it names another (`frame: fixture`), and its tool points straight down unless
it says otherwise. `pose` is one pose for every arm, or one for each: `pose: {left: {...}, right: {...}}`.
Which keys a station may have, its kind says; which options a module or device has, its kind or driver says. Values
under `simulated:` concern only the simulated device. Values taught at the line stand in `LINE.taught.yaml` beside
the line file: `stations: {belt.load: {arm: {x: 200.4 mm, y: ..., z: ..., by: anna, when: 2026-11-20 14:03}}}`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from cellctl.line.distributions import Distribution, Failures
from cellctl.written import Angle, Between, Length, Mass, Stiffness, Written, usually

NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
Keys: TypeAlias = dict[str, Any]  # read later, when it is known what they belong to


class PoseFile(Written):
    """Where a tool point goes; mobile XYZ Euler angles, which by default point the tool straight down."""

    x: Length
    y: Length
    z: Length
    alpha: Angle = usually("0 deg", "about x")
    beta: Angle = usually("180 deg", "about y; at 180 deg the tool points down")
    gamma: Angle = usually("0 deg", "about z")
    frame: str = Field(default="", description="the frame that it stands in; the line's when nothing is said")


class FrameFile(Written):
    """A frame of its own for poses; itself in the line's frame, or in another."""

    x: Length = usually("0 mm")
    y: Length = usually("0 mm")
    z: Length = usually("0 mm")
    alpha: Angle = usually("0 deg")
    beta: Angle = usually("0 deg")
    gamma: Angle = usually("0 deg")
    frame: str = Field(default="", description="the frame that it stands in; the line's when nothing is said")


def _pose_or_poses(value: object) -> str:
    is_by_arm = isinstance(value, dict) and value and all(isinstance(each, dict) for each in value.values())
    return "by arm" if is_by_arm else "PoseFile"


Poses = Annotated[
    Annotated[PoseFile, Tag("PoseFile")] | Annotated[dict[Name, PoseFile], Tag("by arm")],
    Discriminator(_pose_or_poses),
]


class GridFile(Written):
    """Nests in rows and columns; the pose is that of the first, and they are numbered from it along the rows."""

    columns: int = Field(ge=1, description="nests in a row")
    rows: int = Field(default=1, ge=1, description="rows of nests")
    column_pitch: Length = usually("0 mm", "from nest to nest in a row, along x of the pose's frame")
    row_pitch: Length = usually("0 mm", "from row to row, along y")


class StationFile(Written):
    """Every key that a station may have; a kind allows some of them."""

    capacity: int = Field(default=1, ge=1, description="how many items it holds")
    pose: Poses | None = Field(
        default=None, description="where an arm puts and takes: one pose, or one for each arm"
    )
    approach: Annotated[Length, Between("0 mm", "1 m")] = usually(
        "50 mm", "height above the pose to which an arm comes first, and from there straight down"
    )
    via: tuple[PoseFile, ...] = Field(
        default=(), description="poses through which an arm goes on its way there"
    )
    grid: GridFile | None = Field(default=None, description="nests in rows and columns")
    source: str = Field(default="", description="the material that it yields")
    sink: bool = Field(default=False, description="true: what comes here has left the line")
    at: Length | None = Field(default=None, description="where along its belt it is")
    eye: str = Field(default="", description="input that sees what stands here, such as `io1.di0`")
    stopper: str = Field(
        default="", description="output that lowers the stopper here; off: it is up and parts stop"
    )
    device: str = Field(default="", description="which of the module's devices serves this station")
    zone: str = Field(default="", description="zone that is taken while anything works here")


class SimulatedFile(BaseModel):
    """What only the simulated device needs to know: how long it takes, how it fails; and its simulator's own keys."""

    model_config = ConfigDict(extra="allow", frozen=True)

    takes: Distribution | None = Field(default=None, description="how long what it does takes")
    programs: dict[Name, Distribution] | None = Field(
        default=None,
        description="of a machine: how long these programs take, by name, where not all take the same",
    )
    fails: Failures | None = Field(
        default=None, description="of a machine: when it breaks down, and for how long"
    )

    def said(self) -> Keys:
        """What was written, by key; quantities still text in the simulator's own keys."""
        return {key: value for key, value in self if value not in (None, {})}


class DeviceFile(Written):
    """What every device has, besides its driver's options."""

    use: str = Field(description="the driver")
    simulated: SimulatedFile = Field(
        default=SimulatedFile(), description="what only its simulator needs to know"
    )


class ToolFile(DeviceFile):
    """A tool is a device that an arm wears; `length` is from the flange to the point that poses mean."""

    length: Annotated[Length, Between("0 mm", "2 m")] = usually(
        "0 mm", "from the flange to the point that poses mean"
    )
    mass: Mass = usually("0 kg", "part of what the arm carries")


class ModuleFile(Written):
    """What every module has, besides its kind's options."""

    kind: str = Field(description="what it is: conveyor, arm, feeder, inspection, machine, or a plug-in's")
    devices: dict[Name, str | Keys] = Field(
        default={}, description="its devices by role: `{use: DRIVER, ...}`, or the name of a shared one"
    )
    stations: dict[Name, Keys] = Field(default={}, description="its stations by name")
    tools: dict[Name, Keys] = Field(default={}, description="what an arm wears, by name")
    at: str = Field(default="", description="the station of another module at which it works")
    zones: tuple[str, ...] = Field(default=(), description="zones that are taken while it works anywhere")
    bus: str = Field(
        default="",
        description="where its process is on the bus; else on the next two ports after the runner's",
    )


class RunnerFile(Written):
    """The runner: where it is on the bus, how many parts it lets in, who starts the line again after a crash."""

    bus: str = Field(
        default="tcp://127.0.0.1:5700",
        description="where it takes commands; its events are on the next port. A host beyond loopback demands keys",
    )
    wip: int = Field(default=0, ge=0, description="how many parts at a time at most; 0: as many as are safe")
    restart: Literal["operator", "automatic"] | None = Field(
        default=None,
        description="who starts the line again after a crash: a person, or the line itself; left out: a person on real "
        "devices, the line itself on simulated ones",
    )


class MaterialFile(Written):
    """A kind of component; height and stiffness are for the simulated plant."""

    mass: Annotated[Mass, Between("0 kg", "1000 kg")] = usually("0 kg", "held against what the arm carries")
    height: Annotated[Length, Between("0 mm", "10 m")] = usually("0 mm", "for the simulated plant")
    stiffness: Stiffness = usually("0 N/m", "for the simulated plant; 0: rigid")


class CarrierFile(Written):
    """A pallet or tray; its name here is the id that it carries."""

    nests: int = Field(default=1, ge=1, description="how many parts it holds; places `CARRIER#0`, ...")
    grid: GridFile | None = Field(
        default=None, description="its nests in rows and columns, the first at the pose of the station"
    )
    home: str = Field(description="the station where it stands at the very beginning")


class SafetyFile(Written):
    """A guard or emergency stop that is reported at an input; without `modules` it concerns all."""

    input: str = Field(description="the point that is on while all is safe")
    modules: tuple[str, ...] = Field(default=(), description="whom it concerns; nobody named: all modules")


class LineFile(Written):
    """The whole file."""

    line: Name = Field(description="its name, and that of its state directory")
    runner: RunnerFile = Field(default=RunnerFile(), description="the process that commands the modules")
    devices: dict[Name, Keys] = Field(
        default={}, description="devices that modules share: these modules run in one process"
    )
    modules: Annotated[dict[Name, Keys], Field(min_length=1)] = Field(description="the modules by name")
    materials: dict[Name, MaterialFile] = Field(default={}, description="kinds of components by name")
    carriers: dict[Name, CarrierFile] = Field(default={}, description="pallets and trays by their id")
    zones: tuple[Name, ...] = Field(default=(), description="spaces that only one may be in at a time")
    safety: dict[Name, SafetyFile] = Field(
        default={}, description="guards and emergency stops that are reported here, never implemented here"
    )
    frames: dict[Name, FrameFile] = Field(default={}, description="frames for poses by name")


class TaughtPose(PoseFile):
    """A pose as an arm was taught it, by whom and when."""

    by: str = ""
    when: str = ""


class TaughtFile(Written):
    """The whole file of taught values."""

    line: Name
    stations: dict[str, dict[Name, TaughtPose]] = Field(default={})
