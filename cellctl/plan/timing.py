"""How long things take: durations that are not quite certain, what drivers say of their devices, what talking costs.

A driver's declaration names a function of a device that gives one of the classes here; a plan is made of no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from pkgutil import resolve_name
from typing import Protocol, runtime_checkable

from cellctl.errors import PlugInError
from cellctl.line.model import Device, Line

ROUNDING = 1e-9  # [s]


@dataclass(frozen=True, slots=True)
class Duration:
    """How long something takes at least, usually and at most [s]; all three alike where it is certain."""

    least: float
    likely: float
    most: float

    @classmethod
    def exactly(cls, seconds: float) -> Duration:
        """Certain."""
        return cls(seconds, seconds, seconds)

    @classmethod
    def about(cls, seconds: float, share: float) -> Duration:
        """Up to `share` of it, 0 to 1, shorter or longer."""
        return cls((1.0 - share) * seconds, seconds, (1.0 + share) * seconds)

    @classmethod
    def among(cls, durations: Iterable[Duration]) -> Duration:
        """One of these, nobody knows which: the shortest, the mean, the longest."""
        found = tuple(durations)
        likely = sum(each.likely for each in found) / len(found)
        return cls(min(each.least for each in found), likely, max(each.most for each in found))

    def __add__(self, other: Duration | float) -> Duration:
        more = Duration.exactly(other) if isinstance(other, int | float) else other
        return Duration(self.least + more.least, self.likely + more.likely, self.most + more.most)

    def seen(self, first: float, every: float) -> Duration:
        """When it is seen by looks at `first`, and from there on every so many seconds."""

        def at(seconds: float) -> float:
            return first + max(0, ceil((seconds - first) / every - ROUNDING)) * every

        return Duration(at(self.least), at(self.likely), at(self.most))


NO_TIME = Duration.exactly(0.0)


@dataclass(frozen=True, slots=True)
class Talk:
    """What talking costs [s]: a record made durable, a message on the bus, a question to a device with its answer.

    The figures are those of the simulated world, which took them from a live one: an SQLite commit with
    `synchronous=FULL` on a virtual disk, ZeroMQ on loopback, a Modbus request on a local network.
    """

    record: float = 300e-6
    message: float = 200e-6
    exchange: float = 1e-3

    @property
    def action(self) -> float:
        """For each action: its begin is on record, and with it the end of the one before."""
        return self.record

    @property
    def order(self) -> float:
        """From the runner's decision until the module begins: on record there, sent, on record here."""
        return 2.0 * self.record + self.message

    @property
    def answer(self) -> float:
        """From the end of an action until the runner knows: on record, sent."""
        return self.record + self.message


USUAL = Talk()

# --- what a driver says of its device ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ArmTiming:
    """An arm's controller. Speeds and accelerations of the tool point on straight lines, at speed 1.

    Args:
        talk: around each motion [s].
        joint_speed: share of the joints' greatest speed in free motion, at speed 1.
        linear, angular: speed [m/s], [rad/s].
        linear_acceleration, angular_acceleration: [m/s^2], [rad/s^2].
        acceleration_time: to full acceleration [s].
    """

    talk: float
    joint_speed: float
    linear: float
    angular: float
    linear_acceleration: float
    angular_acceleration: float
    acceleration_time: float


@dataclass(frozen=True, slots=True)
class GripperTiming:
    """Gripping a part, letting it go, opening fingers that are open already, feeling whether something is held."""

    grip: Duration
    release: Duration
    open: Duration
    feel: Duration


@dataclass(frozen=True, slots=True)
class FeederTiming:
    """Until a component lies at the pick-up point."""

    present: Duration


@dataclass(frozen=True, slots=True)
class GaugeTiming:
    """One feature."""

    measure: Duration


@dataclass(frozen=True, slots=True)
class IslandTiming:
    """Reading inputs, and setting an output."""

    read: float
    write: float


@runtime_checkable
class DriveTiming(Protocol):
    """A belt's drive."""

    def run(self, speed: float) -> Duration:
        """From standstill until it is known to run at `speed` [m/s]."""

    def stop(self, speed: float) -> Duration:
        """From `speed` [m/s] until it is known to stand."""


@runtime_checkable
class MachineTiming(Protocol):
    """A machine with programs."""

    def run(self, seconds: float) -> Duration:
        """A program that runs for so long, until it is known to be done."""


class Timings:
    """What the drivers of one line say of their devices."""

    def __init__(self, line: Line, talk: Talk = USUAL) -> None:
        self._line, self.talk = line, talk
        self._known: dict[str, object] = {}

    def of(self, device: str) -> object:
        """One of the classes here, or whatever a plug-in's driver and kind agree on; None where it says nothing.

        Raises PlugInError for a function that cannot be loaded.
        """
        if device not in self._known:
            found = self._line.devices.get(device)
            self._known[device] = None if found is None else _said(found, self.talk)
        return self._known[device]


def _said(device: Device, talk: Talk) -> object:
    reference = device.declaration.timing
    if not reference:
        return None
    try:
        return resolve_name(reference)(device, talk)
    except (ImportError, AttributeError, ValueError) as error:
        what = f"driver {device.declaration.name}: its timing {reference} cannot be used: {error}"
        raise PlugInError(what) from error
