"""How long the devices of this package take, for `cellctl.plan`: each function is named by a driver's declaration.

They count the requests that the driver makes and the polls by which it waits. What a device does in between stands in
its options, in the line file's `simulated:` (its physical properties), or is an assumption that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians
from typing import cast

from cellctl.line.distributions import Law
from cellctl.line.model import Device
from cellctl.plan.timing import (
    NO_TIME,
    ArmTiming,
    Duration,
    FeederTiming,
    GaugeTiming,
    GripperTiming,
    IslandTiming,
    Talk,
)
from cellctl_drivers.altivar import POLL as DRIVE_POLL
from cellctl_drivers.altivar import RATED, AltivarOptions
from cellctl_drivers.bowl_feeder import POLL as BOWL_POLL
from cellctl_drivers.handshake_machine import POLL as MACHINE_POLL
from cellctl_drivers.mecademic import MecademicOptions
from cellctl_drivers.megp25 import POLL as GRIPPER_POLL
from cellctl_drivers.megp25 import Megp25Options
from cellctl_drivers.register_gauge import POLL as GAUGE_POLL

TO_RUN = 5  # requests until an Altivar's motor turns, from Ready To Switch On
TO_REACH = 7  # until the driver first looks whether the speed is reached

SPEED_TIME, ACCELERATION_TIME = 0.3287, 0.0682  # [s] Meca500, measured; see `meca500` in the robot library
TOP_LINEAR, TOP_ANGULAR = 1.0, radians(300.0)  # [m/s], [rad/s] programming manual for firmware 9.2.x, 2.1.10

STROKE, USUAL_SPEED = 0.1, 0.4  # [s] of an MEGP 25E from open to closed, at that share of its speed; assumed
GRIPPED = 0.5  # share of the stroke at which the fingers meet a part; assumed
FEEDING, SPREAD = 0.8, 0.2  # [s] until a bowl brings a component, and by which share that varies; assumed
MEASURING = 0.4  # [s]; assumed


@dataclass(frozen=True, slots=True)
class AltivarTiming:
    """Fulfils `cellctl.plan.timing.DriveTiming`."""

    rise: float  # [m/s^2]
    fall: float
    exchange: float  # [s]

    def run(self, speed: float) -> Duration:
        """The states of CiA402 up to the motor's start, its ramp, and what the driver sees of it."""
        started, looked = TO_RUN * self.exchange, TO_REACH * self.exchange
        reached = Duration.exactly(started + speed / self.rise)
        return reached.seen(looked, DRIVE_POLL + self.exchange) + self.exchange

    def stop(self, speed: float) -> Duration:
        """The ramp down, between the requests that begin it and see its end, and the power off."""
        return Duration.exactly(speed / self.fall + 4 * self.exchange)


@dataclass(frozen=True, slots=True)
class HandshakeMachineTiming:
    """Fulfils `cellctl.plan.timing.MachineTiming`."""

    exchange: float  # [s]
    always: Duration | None  # that every program takes, whatever the line file says of it

    def run(self, seconds: float) -> Duration:
        """Report read, program written, taken, and the polls until it is done."""
        done = (self.always or Duration.exactly(seconds)) + 2 * self.exchange
        return done.seen(4 * self.exchange, MACHINE_POLL + self.exchange)


def altivar(device: Device, talk: Talk) -> AltivarTiming:
    """An Altivar ramps by its ACC and DEC, counted to rated frequency."""
    options = cast(AltivarOptions, device.options)
    rated = RATED * options.speed_per_hz
    return AltivarTiming(rated / options.acceleration, rated / options.deceleration, talk.exchange)


def remote_io(device: Device, talk: Talk) -> IslandTiming:
    """Inputs in one request; an output is written and read back."""
    return IslandTiming(talk.exchange, 2 * talk.exchange)


def bowl_feeder(device: Device, talk: Talk) -> FeederTiming:
    """Looked, switched on, waited, switched off."""
    came = (_takes(device) or Duration.about(FEEDING, SPREAD)) + 2 * talk.exchange
    return FeederTiming(came.seen(4 * talk.exchange, BOWL_POLL + talk.exchange) + 2 * talk.exchange)


def mecademic(device: Device, talk: Talk) -> ArmTiming:
    """A Meca500; its accelerations are those at the controller's defaults. A motion is told, and its end comes back."""
    options = cast(MecademicOptions, device.options)
    return ArmTiming(
        talk=_asked(talk),
        joint_speed=options.joint_speed,
        linear=options.linear_speed,
        angular=options.angular_speed,
        linear_acceleration=TOP_LINEAR / SPEED_TIME,
        angular_acceleration=TOP_ANGULAR / SPEED_TIME,
        acceleration_time=ACCELERATION_TIME,
    )


def megp25(device: Device, talk: Talk) -> GripperTiming:
    """A command to and fro, then its state is asked for until the fingers rest."""
    options = cast(Megp25Options, device.options)
    whole = _number(device, "time", STROKE) * USUAL_SPEED / options.speed
    told, asked = talk.exchange, _asked(talk)
    first = 2 * asked

    def rests(stroke: float) -> Duration:
        moved = Duration(told, told + stroke, told + stroke)
        return Duration(moved.least, *_two(moved + talk.exchange, first, GRIPPER_POLL + asked))

    return GripperTiming(
        grip=rests((1.0 - GRIPPED) * whole),
        release=rests(GRIPPED * whole),
        open=NO_TIME + asked,
        feel=NO_TIME + 2 * asked,
    )


def register_gauge(device: Device, talk: Talk) -> GaugeTiming:
    """Last answer read, request written, its value waited for."""
    done = (_takes(device) or Duration.exactly(MEASURING)) + 2 * talk.exchange
    return GaugeTiming(done.seen(3 * talk.exchange, GAUGE_POLL + talk.exchange))


def handshake_machine(device: Device, talk: Talk) -> HandshakeMachineTiming:
    """A machine whose programs take what the line file says."""
    return HandshakeMachineTiming(talk.exchange, _takes(device))


def _asked(talk: Talk) -> float:
    """A text to the controller, and a text back [s]."""
    return 2 * talk.exchange


def _two(duration: Duration, first: float, every: float) -> tuple[float, float]:
    seen = duration.seen(first, every)
    return seen.likely, seen.most


def _takes(device: Device) -> Duration | None:
    """What the line file's `simulated: {takes: ...}` says, or None."""
    law = device.simulated.get("takes")
    return Duration(law.range[0], law.mean, law.range[1]) if isinstance(law, Law) else None


def _number(device: Device, name: str, usual: float) -> float:
    found = device.simulated.get(name, usual)
    return float(found) if isinstance(found, int | float) else usual
