"""Mecademic's text protocol: commands as text, replies as code and fields. No state, no link.

On the wire lengths are millimetres and angles degrees; outside this file they are metres and radians.
Source: Programming Manual for the Meca500, firmware 9.2.x, sections 2.1 and 2.5.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from cellctl.device import Pose
from cellctl.errors import CellctlError

_REPLY = re.compile(r"[-~.!]*\[(\d{4})\](?:\[(.*)\])?", re.DOTALL)


class Unreadable(CellctlError):
    """A message that is not `[code][fields]`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One message from the controller."""

    code: int
    text: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The comma-separated values."""
        return tuple([field.strip() for field in self.text.split(",")]) if self.text else ()

    def numbers(self) -> tuple[float, ...]:
        """The fields as numbers. Raises Unreadable when one is none."""
        try:
            return tuple([float(field) for field in self.fields])
        except ValueError:
            raise Unreadable(f"[{self.code}] should carry numbers, but carries {self.text!r}") from None

    def flags(self, count: int) -> tuple[bool, ...]:
        """The first `count` fields as yes and no. Raises Unreadable when there are fewer."""
        numbers = self.numbers()
        if len(numbers) < count:
            raise Unreadable(f"[{self.code}] should carry {count} values, but carries {self.text!r}")
        return tuple([number != 0 for number in numbers[:count]])


@dataclass(frozen=True, slots=True)
class Status:
    """GetStatusRobot, [2007][as, hs, sm, es, pm, eob, eom]. `is_simulating` is the controller's own simulation."""

    is_activated: bool
    is_homed: bool
    is_simulating: bool
    has_error: bool
    is_paused: bool
    is_done: bool  # end of block: the queue is empty and it stands
    is_standing: bool  # end of movement

    @classmethod
    def of(cls, reply: Reply) -> Status:
        """Raises Unreadable."""
        return cls(*reply.flags(7))


@dataclass(frozen=True, slots=True)
class GripperState:
    """GetRtGripperState, [2320][t, hp, dr, gc, go]: forcing, there, closed, open."""

    is_forcing: bool
    is_there: bool  # the last commanded opening is reached
    is_closed: bool
    is_open: bool

    @classmethod
    def of(cls, reply: Reply) -> GripperState:
        """Raises Unreadable."""
        return cls(*reply.flags(5)[1:])

    @property
    def holds(self) -> bool:
        """The fingers press on something and are not fully closed."""
        return self.is_forcing and not self.is_closed


@dataclass(frozen=True, slots=True)
class ToolStatus:
    """GetRtExtToolStatus, [2300][t, simulated type, type, hs, es, oh]."""

    is_homed: bool
    has_error: bool
    is_too_hot: bool

    @classmethod
    def of(cls, reply: Reply) -> ToolStatus:
        """Raises Unreadable."""
        return cls(*reply.flags(6)[3:])


def parse(message: str) -> Reply:
    """Read `[2007][1,1,0,0,0,1,1]`, also with the prefixes of silent replies. Raises Unreadable."""
    found = _REPLY.fullmatch(message.strip())
    if not found:
        raise Unreadable(f"{message[:80]!r} is not a message of the form [code][fields]")
    return Reply(int(found[1]), found[2] or "")


@lru_cache(maxsize=1024)  # an arm comes to the same poses again and again, at the same speeds
def command(name: str, *arguments: float) -> str:
    """`command("MoveLin", 1.0, 2)` is `MoveLin(1,2)`; numbers are written shortest, to nine digits."""
    zeroed = [0.0 if abs(number) < 1e-9 else number for number in arguments]  # no -0 and no 1e-17 on the wire
    return f"{name}({','.join([f'{number:.9g}' for number in zeroed])})"


def move(pose: Pose, straight: bool) -> str:
    """The motion command to a pose: on a straight line or in free motion."""
    return command("MoveLin" if straight else "MovePose", *frame(pose))


def frame(pose: Pose) -> tuple[float, float, float, float, float, float]:
    """A pose as six numbers on the wire: x, y, z [mm], then mobile XYZ Euler angles [deg]."""
    alpha, beta, gamma = math.degrees(pose.alpha), math.degrees(pose.beta), math.degrees(pose.gamma)
    return pose.x * 1e3, pose.y * 1e3, pose.z * 1e3, alpha, beta, gamma


def version(reply: Reply) -> tuple[int, ...]:
    """The firmware of `[2081][v9.3.0]`, as numbers; empty when there is none in it."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", reply.text)
    return tuple(int(part) for part in found.groups() if part) if found else ()
