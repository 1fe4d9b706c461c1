"""What kinds share where a device is moved by hand: how fast it may be, and what lasts until it is let go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from math import copysign, inf, radians

from cellctl.device import Act
from cellctl.errors import LimitExceeded, Refused
from cellctl.messages import Jog
from cellctl.modules.equipment import Output
from cellctl.runtime import Runtime

REDUCED_SPEED = 0.25
"""The greatest speed of a tool point or a belt that is moved by hand [m/s]: who stands beside it can still step
back. It is the reduced speed of robots (ISO 10218-1:2011, 5.6.2), which nobody doubts for belts either.
"""
REDUCED_TURN = radians(30.0)  # [rad/s] half a metre from the axis that is about the same
USUAL_SPEED, USUAL_TURN = 0.05, radians(10.0)  # where nothing is said
LOOKS = 0.1  # [s] between two looks at a device that is moved until it is let go


def reduced(who: str, jog: Jog, most: float, usual: float, unit: str) -> float:
    """How fast it moves, always positive [m/s or rad/s]. Raises LimitExceeded beyond the reduced speed."""
    speed = abs(jog.speed) or usual
    if speed > most * (1.0 + 1e-9):
        raise LimitExceeded(who, "speed by hand", copysign(speed, jog.speed), -most, most, unit)
    return speed


async def until_let_go(runtime: Runtime, look: Callable[[], Awaitable[None]] | None = None) -> None:
    """Wait until this is cancelled, and `look()` meanwhile: it raises DeviceError when the device has failed."""
    while True:
        await runtime.sleep(LOOKS)
        if look is not None:
            await look()


@asynccontextmanager
async def switched_on(output: Output, act: Act) -> AsyncIterator[None]:
    """An output that is on inside the block, and off after it, however that is left."""
    try:
        await act(output.io.set_output(output.number, True))
        yield
    finally:
        await output.set(False, 0)


def distance_of(who: str, jog: Jog) -> float:
    """How far it is to be moved [m or rad]. Raises Refused where nothing is said."""
    if not jog.distance or abs(jog.distance) == inf or jog.distance != jog.distance:
        raise Refused(f"{who}: say how far, such as `{jog.motion} +5mm`, or at what speed and for how long")
    return jog.distance
