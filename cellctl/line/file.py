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

from cellctl.reading import Angle, Between, Length, Mass, Stiffness, usually

NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
Keys: TypeAlias = dict[str, Any]  # read later, when it is known what they belong to


class Written(BaseModel):
    """Anything that people write: no key that is not known, nothing that changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PoseFile(Written):
    """Where a tool point goes; mobile XYZ Euler angles, which by default point the tool straight down."""

    x: Length
    y: Length
    z: Length
    alpha: Angle = usually("0 deg")
    beta: Angle = usually("180 deg")
    gamma: Angle = usually("0 deg")
    frame: str = ""


class FrameFile(Written):
    """A frame of its own for poses; itself in the line's frame, or in another."""

    x: Length = usually("0 mm")
    y: Length = usually("0 mm")
    z: Length = usually("0 mm")
    alpha: Angle = usually("0 deg")
    beta: Angle = usually("0 deg")
    gamma: Angle = usually("0 deg")
    frame: str = ""


def _pose_or_poses(value: object) -> str:
    is_by_arm = isinstance(value, dict) and value and all(isinstance(each, dict) for each in value.values())
    return "by arm" if is_by_arm else "PoseFile"


Poses = Annotated[
    Annotated[PoseFile, Tag("PoseFile")] | Annotated[dict[Name, PoseFile], Tag("by arm")],
    Discriminator(_pose_or_poses),
]


class GridFile(Written):
    """Nests in rows and columns; the pose is that of the first, and they are numbered from it along the rows."""

    columns: Annotated[int, Field(ge=1)]
    rows: Annotated[int, Field(ge=1)] = 1
    column_pitch: Length = usually("0 mm")
    row_pitch: Length = usually("0 mm")


class StationFile(Written):
    """Every key that a station may have; a kind allows some of them."""

    capacity: Annotated[int, Field(ge=1)] = 1
    pose: Poses | None = None
    approach: Annotated[Length, Between("0 mm", "1 m")] = usually("50 mm")
    via: tuple[PoseFile, ...] = ()
    grid: GridFile | None = None
    source: str = ""
    sink: bool = False
    at: Length | None = None
    eye: str = ""
    stopper: str = ""
    device: str = ""
    zone: str = ""


class DeviceFile(Written):
    """What every device has, besides its driver's options."""

    use: str
    simulated: Keys = {}


class ToolFile(DeviceFile):
    """A tool is a device that an arm wears; `length` is from the flange to the point that poses mean."""

    length: Annotated[Length, Between("0 mm", "2 m")] = usually("0 mm")
    mass: Mass = usually("0 kg")


class ModuleFile(Written):
    """What every module has, besides its kind's options."""

    kind: str
    devices: dict[Name, str | Keys] = {}
    stations: dict[Name, Keys] = {}
    tools: dict[Name, Keys] = {}
    at: str = ""
    zones: tuple[str, ...] = ()
    bus: str = ""


class RunnerFile(Written):
    """The runner: where it is on the bus, how many parts it lets in, who starts the line again after a crash."""

    bus: str = "tcp://127.0.0.1:5700"
    wip: Annotated[int, Field(ge=0)] = 0
    restart: Literal["operator", "automatic"] = "operator"


class MaterialFile(Written):
    """A kind of component; height and stiffness are for the simulated plant."""

    mass: Annotated[Mass, Between("0 kg", "1000 kg")] = usually("0 kg")
    height: Annotated[Length, Between("0 mm", "10 m")] = usually("0 mm")
    stiffness: Stiffness = usually("0 N/m")


class CarrierFile(Written):
    """A pallet or tray; its name here is the id that it carries."""

    nests: Annotated[int, Field(ge=1)] = 1
    home: str


class SafetyFile(Written):
    """A guard or emergency stop that is reported at an input; without `modules` it concerns all."""

    input: str
    modules: tuple[str, ...] = ()


class LineFile(Written):
    """The whole file."""

    line: Name
    runner: RunnerFile = RunnerFile()
    devices: dict[Name, Keys] = {}
    modules: Annotated[dict[Name, Keys], Field(min_length=1)]
    materials: dict[Name, MaterialFile] = {}
    carriers: dict[Name, CarrierFile] = {}
    zones: tuple[Name, ...] = ()
    safety: dict[Name, SafetyFile] = {}
    frames: dict[Name, FrameFile] = {}


class TaughtPose(PoseFile):
    """A pose as an arm was taught it, by whom and when."""

    by: str = ""
    when: str = ""


class TaughtFile(Written):
    """The whole file of taught values."""

    line: Name
    stations: dict[str, dict[Name, TaughtPose]] = {}
