"""What drivers are: their declaration, the actions they offer, and the Protocols that module kinds rely on.

A driver never actuates but through an `Action`, and only the module shell performs one, after journaling it: so
nothing moves that is not on record, and after a crash each unfinished action is settled as its driver declared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from cellctl.errors import PlugInError, UnknownName
from cellctl.messages import Move, Value
from cellctl.runtime import Link, Runtime, Task

T = TypeVar("T")
L = TypeVar("L", bound=Link)

ActionResult = Value | dict[str, Value]


class Recovery(StrEnum):
    """How an action that a crash interrupted is settled."""

    HANDSHAKE = "handshake"  # the device keeps the action's number and says what became of it
    OBSERVABLE = "observable"  # fresh sensor readings tell whether it happened
    REPEATABLE = "repeatable"  # doing it again does no harm
    RECOVERABLE = "recoverable"  # `settle` first brings a known state, then tells
    IN_DOUBT = "in doubt"  # nobody can know: a person is asked


class Settlement(StrEnum):
    """What became of an interrupted action."""

    DONE = "done"
    NOT_STARTED = "not started"
    RUNNING = "running"  # `perform` with the same number waits for its end and does not start it again
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """The answer of `Action.settle`; `value` is the action's result when it is done, `why` the evidence."""

    settlement: Settlement
    value: T | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Action(Generic[T]):
    """One thing that a device can be made to do, not yet done.

    `perform(number)` does it and returns its result (plain data, journaled). `number` is unique for ever in this
    journal and fits 32 bits; a device with a handshake is given it. `settle(number)` tells after a crash, restart
    or abort what became of an earlier `perform(number)`; it never starts the action. Repeatable actions need none.
    `choices` are offered to the operator when nobody can know: choice -> meaning, from "done", "not started",
    "failed".
    """

    device: str
    name: str
    recovery: Recovery
    perform: Callable[[int], Awaitable[T]]
    settle: Callable[[int], Awaitable[Settled[T]]] | None = None
    done_value: T | None = None  # the result when a person says that it was done

    def __post_init__(self) -> None:
        if self.settle is None and self.recovery not in (Recovery.REPEATABLE, Recovery.IN_DOUBT):
            raise PlugInError(f"{self.device}: action {self.name} is {self.recovery} but has no settle")


class Act(Protocol):
    """Performs an action and journals it; what a skill gets. On a second run it returns recorded results."""

    began: float  # when the last action began, UTC [s], in this run or an earlier one; 0 where nobody knows

    async def __call__(self, action: Action[T], moves: Callable[[T], Sequence[Move]] = ...) -> T:
        """The action's result. `moves(result)` are the changes of place that come true with it."""


class Reaction(StrEnum):
    """What a device does when the controller falls silent."""

    STOPS = "stops"
    FINISHES = "finishes"
    CONTINUES = "continues"


@dataclass(frozen=True, slots=True)
class Silence:
    """The device's declared reaction to silence, and after how long at most [s] (None: at once or never)."""

    reaction: Reaction
    within: float | None
    how: str  # the watchdog that does it, and the manual's page


class Capability(StrEnum):
    """What a device can be used as."""

    MOTOR_DRIVE = "motor drive"
    DIGITAL_IO = "digital io"
    FEEDER = "feeder"
    ROBOT_ARM = "robot arm"
    GRIPPER = "gripper"
    GAUGE = "gauge"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class DriverDeclaration:
    """A driver as data; its code is imported only when a process drives the device.

    `recovery` gives, for each action, the recovery class under each condition ("" where there is only one).
    `options` is the model of the device's keys in the line file; an `address` among them names its link.
    """

    name: str
    doc: str
    capability: str  # a `Capability`, or a word that a plug-in's driver and kind agree on
    options: type[BaseModel]
    recovery: Mapping[str, Mapping[str, Recovery]]
    silence: Silence
    code: str  # "package.module:Class"
    timing: str = (
        ""  # "package.module:function" of device and talk: how long it takes (`cellctl.plan.timing`)
    )

    def __post_init__(self) -> None:
        if not self.recovery or any(not by_condition for by_condition in self.recovery.values()):
            raise PlugInError(
                f"driver {self.name} declares no recovery for "
                f"{'its actions' if not self.recovery else 'one of its actions'}; say for each action and condition "
                f"how it is settled after a crash: {', '.join(Recovery)}"
            )

    def recovery_of(self, action: str, condition: str = "") -> Recovery:
        """The declared class. Raises PlugInError for an action or condition that is not declared."""
        try:
            return self.recovery[action][condition]
        except KeyError:
            raise PlugInError(
                f"driver {self.name} declares no recovery for {action!r}{f' when {condition}' if condition else ''}"
            ) from None


class Rack(Protocol):
    """The devices of one process and their links; a link is shared by all who name its address."""

    runtime: Runtime

    async def link(self, address: str, kind: type[L]) -> L: ...

    def device(self, name: str) -> Driver:
        """Another device of this process, open already. Raises UnknownName."""

    async def ensure_open(self, name: str) -> None:
        """Open a device of this process that could not be opened yet. Raises UnknownName, DeviceError."""

    def background(self, work: Callable[[], Coroutine[Any, Any, None]], name: str = "") -> Task:
        """Run a driver's `work()`, such as a keep-alive, beside all else until the process ends or it is cancelled."""


class Driver(Protocol):
    """One physical device. Made as `Class(name, options, rack)`; does nothing before `open`."""

    name: str

    async def open(self) -> None:
        """Connect, check identity, set and read back the watchdog. Never actuates. Raises DeviceError."""

    async def close(self) -> None:
        """Let go of the device; never actuates. Called once, also after a failed open."""

    async def prepare(self, act: Act) -> None:
        """Activation and homing, in Resetting: whatever it takes until the device can work."""

    async def halt(self) -> None:
        """Stop motion now, as well as the device can (Stop and Abort); safe at any time."""

    async def fault(self) -> str:
        """What the device complains of, in words; empty when it is well. Raises DeviceError."""


# --- capabilities: what module kinds may ask of a device -------------------------------------------------------


class MotorDrive(Driver, Protocol):
    def run(self, speed: float) -> Action[None]:
        """Bring the belt to `speed` [m/s] and return when it is reached."""

    def stop(self) -> Action[None]:
        """Ramp down to standstill."""


class DigitalIO(Driver, Protocol):
    """Inputs and outputs, each addressed by its number on the island."""

    async def inputs(self) -> tuple[bool, ...]: ...

    async def outputs(self) -> tuple[bool, ...]: ...

    async def until_input(
        self, number: int, value: bool, every: float, looked: Callable[[float], None] | None = None
    ) -> None:
        """Wait until an input has a value. Wrap it in a deadline.

        `looked(seconds)` is told how long each reading took, also one that failed or was broken off.
        """

    def set_output(self, number: int, value: bool) -> Action[None]: ...


class FeederDevice(Driver, Protocol):
    async def presented(self) -> bool:
        """True while a component lies ready at the pick-up point."""

    def present(self) -> Action[bool]:
        """Bring one component to the pick-up point if none is there; False when none came in time."""


@dataclass(frozen=True, slots=True)
class Pose:
    """A tool pose in the line's frame: position [m], orientation as mobile XYZ Euler angles [rad]."""

    x: float
    y: float
    z: float
    alpha: float = 0.0
    beta: float = 0.0
    gamma: float = 0.0


class RobotArm(Driver, Protocol):
    def move_to(self, pose: Pose, straight: bool, speed: float) -> Action[None]:
        """Bring the tool point to `pose` (in the arm's base frame); `speed` is a fraction of the greatest."""

    def set_tool(self, length: float, mass: float) -> None:
        """The tool whose point is meant by the poses that follow: that far from the flange [m], its mass [kg].

        Moves nothing. Raises LimitExceeded when the arm cannot carry it.
        """

    def set_payload(self, mass: float) -> None:
        """What the flange carries besides the tool [kg]. Raises LimitExceeded when the arm cannot carry it."""


@runtime_checkable
class JoggedArm(RobotArm, Protocol):
    """An arm that can be moved by hand, in steps. A broken-off step stops it where it is."""

    def step(self, by: Pose, speed: float) -> Action[None]:
        """Move the tool point by so much, on a straight line, along and around the axes of the arm's base.

        `speed` is that of the tool point [m/s], or [rad/s] where it only turns.
        """

    def turn_joint(self, joint: int, angle: float, speed: float) -> Action[None]:
        """Turn one joint, from 0, by `angle` [rad] at `speed` [rad/s]."""


class Gripper(Driver, Protocol):
    def grip(self) -> Action[bool]:
        """Close; True when something is held."""

    def release(self, holding: bool) -> Action[None]:
        """Open. `holding` says whether the journal has something in the gripper."""

    async def holds(self) -> bool | None:
        """What the gripper feels; None when it cannot tell."""


class Gauge(Driver, Protocol):
    def measure(self, feature: str) -> Action[float]:
        """The measured value, SI."""


class Machine(Driver, Protocol):
    def run(self, program: int, values: Sequence[float], results: Sequence[str]) -> Action[dict[str, Value]]:
        """Run a program with these values to its end.

        The result has "code" (0: well) and one SI value for each name in `results`, in the machine's order.
        """


# --- points: single inputs and outputs named in the line file ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """Marks an option of a driver or kind as the name of something else in the line file."""

    kind: str  # "device", "point" or "station"
    is_output: bool | None = None  # of a point: which it must be; None: either
    capability: str = ""  # of a device: what it must be; "": anything


DeviceName = Annotated[str, Reference("device")]
ArmName = Annotated[str, Reference("device", capability=Capability.ROBOT_ARM)]
PointName = Annotated[str, Reference("point")]  # "io1.di4", "io1.do4"
InputName = Annotated[str, Reference("point", is_output=False)]
OutputName = Annotated[str, Reference("point", is_output=True)]
StationName = Annotated[str, Reference("station")]  # "belt.load"


class Point(NamedTuple):
    """One input (`di`) or output (`do`) of a digital I/O device."""

    device: str
    is_output: bool
    number: int

    @classmethod
    def parse(cls, text: str, device: str = "") -> Point:
        """Read `io1.di4`, or `di4` of a given device. Raises UnknownName when it is neither."""
        owner, _, point = text.rpartition(".")
        owner = owner or device
        if not owner or point[:2] not in ("di", "do") or not point[2:].isdigit():
            raise UnknownName("input or output", text, ())
        return cls(owner, point[:2] == "do", int(point[2:]))
