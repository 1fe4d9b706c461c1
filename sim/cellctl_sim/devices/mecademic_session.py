"""A client's connection to a Mecademic controller, and the monitoring that is streamed over it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

from cellctl_sim.devices.mecademic_motion import Frame
from cellctl_sim.devices.mecademic_queue import MotionQueue
from cellctl_sim.devices.mecademic_text import reply
from cellctl_sim.plant.gripper import Gripper

INTERVAL = 1 / 60  # [s], the controller's own
ON_CHANGE = (2300, 2320)  # tool and gripper state


class Listener(Protocol):
    """Who has the connection, and takes what comes over it."""

    def take(self, t: float, text: str) -> None: ...

    def advance(self, t: float) -> None: ...

    def left(self, t: float, session: Session) -> None: ...


class Session:
    """One connection; fulfils `TextSession`."""

    def __init__(self, device: Listener) -> None:
        self._device = device
        self._messages: list[tuple[float, str]] = []
        self._is_open = True

    @property
    def has_messages(self) -> bool:
        """Whether something waits to be sent to the client."""
        return bool(self._messages)

    def say(self, t: float, text: str) -> None:
        """A message to the client."""
        if self._is_open:
            self._messages.append((t, text))

    def shut(self) -> None:
        """The device closes the connection."""
        self._is_open = False

    def receive(self, t: float, text: str) -> None:
        """A message from the client."""
        if self._is_open:
            self._device.take(t, text)

    def pending(self, t: float) -> list[tuple[float, str]]:
        """What the device has said since."""
        self._device.advance(t)
        if not self._messages:
            return []
        messages, self._messages = self._messages, []
        return messages

    def is_open(self, t: float) -> bool:
        """False once the device has closed it."""
        return self._is_open

    def close(self, t: float) -> None:
        """The client is gone."""
        if self._is_open:
            self._is_open = False
            self._device.left(t, self)


class Observed(Protocol):
    """What monitoring needs of a controller."""

    queue: MotionQueue
    gripper: Gripper | None
    gripper_stroke_mm: float
    is_homed: bool

    def tool_frame(self, t: float) -> Frame: ...


class Monitoring:
    """What is streamed on the control port, and how often."""

    def __init__(self) -> None:
        self.is_on = False
        self.interval = INTERVAL
        self.wanted: tuple[int, ...] = ()
        self._told: dict[int, str] = {}  # what was last said of the tool, without its time

    def begin(self) -> None:
        """A client wants to be told: nothing is known to it yet."""
        self.is_on = True
        self._told.clear()

    def cycle(self, device: Observed, t: float) -> Iterator[str]:
        """The messages of one cycle: positions, whatever is wanted, and the tool's state where it changed."""
        for code in sorted({2200, 2201, *ON_CHANGE, *self.wanted}):
            found = real_time(device, t, code)
            if found is not None and (code in self.wanted or self._is_news(code, found)):
                yield found
        yield reply(2230, stamp(t))

    def _is_news(self, code: int, text: str) -> bool:
        if code not in ON_CHANGE:
            return True
        said = text.partition(",")[2]
        before, self._told[code] = self._told.get(code), said
        return said != before


def stamp(t: float) -> int:
    """The controller's time [us]."""
    return round(t * 1e6)


def degrees(joints: tuple[float, ...]) -> tuple[float, ...]:
    """Joint angles as they are written."""
    return tuple(math.degrees(q) for q in joints)


def millimetres(frame: Frame) -> tuple[float, ...]:
    """A frame as it is written: [mm] and degrees."""
    return tuple(1e3 * x for x in frame[:3]) + degrees(frame[3:])


def real_time(device: Observed, t: float, code: int) -> str | None:
    """One real-time datum with its time; None for a code that is not served."""
    match code:
        case 2200 | 2210:
            return reply(code, stamp(t), *degrees(device.queue.joints(t)))
        case 2201 | 2211:
            return reply(code, stamp(t), *millimetres(device.tool_frame(t)))
        case 2202 | 2212:
            return reply(code, stamp(t), *_joint_speeds(device, t))
        case 2204 | 2214:
            return reply(code, stamp(t), *_tool_speeds(device, t))
        case 2213:
            return reply(code, stamp(t), *(5.0,) * 6)
        case 2300:
            has = device.gripper is not None
            return reply(code, stamp(t), 0, 10 if has else 0, has and device.is_homed, 0, 0)
        case 2320 if device.gripper:
            return reply(code, stamp(t), *gripper_flags(device, t))
        case 2321 if device.gripper:
            return reply(code, stamp(t), -40.0 if device.gripper.item else 0.0)
        case 2322 if device.gripper:
            return reply(code, stamp(t), device.gripper.opening(t) * device.gripper_stroke_mm)
        case _:
            return None


def gripper_flags(device: Observed, t: float) -> tuple[int, int, int, int]:
    """Forcing, there, closed, open (GetRtGripperState)."""
    gripper = device.gripper
    assert gripper is not None
    opening = gripper.opening(t)
    holds = gripper.item is not None
    return int(holds), int(t >= gripper.rests_at and not holds), int(opening <= 0.0), int(opening >= 1.0)


def _joint_speeds(device: Observed, t: float, dt: float = 1e-4) -> tuple[float, ...]:
    before, now = device.queue.joints(t - dt), device.queue.joints(t)
    return tuple(math.degrees(b - a) / dt for a, b in zip(before, now, strict=True))


def _tool_speeds(device: Observed, t: float, dt: float = 1e-4) -> tuple[float, ...]:
    before, now = device.tool_frame(t - dt), device.tool_frame(t)
    linear = (1e3 * (b - a) / dt for a, b in zip(before[:3], now[:3], strict=True))
    return (*linear, 0.0, 0.0, 0.0)
