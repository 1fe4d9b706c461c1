"""A camera over a belt, behind registers: it numbers what it sees, and shows the oldest sighting not yet confirmed.

Input 0: boot count. 1, 2: number of the sighting (u32, 0: none). 3, 4: where across the belt [mm], 5, 6: how it lies
[deg] (float32). Holding 0, 1: the number that is confirmed; what it shows then is the next. High words come first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import radians
from typing import Annotated

from pydantic import Field

from cellctl.device import Act, DriverDeclaration, Rack, Reaction, Recovery, Silence
from cellctl.errors import DeviceError
from cellctl.runtime import Registers, Table
from cellctl.written import Written
from cellctl_example.declarations import BELT_CAMERA

POLL = 0.05  # [s]
SHOWN = struct.Struct(">HIff")  # inputs 0 to 6


class BeltCameraOptions(Written):
    """A camera in the line file."""

    address: str
    unit: Annotated[int, Field(ge=0, le=255)] = 1


DECLARATION = DriverDeclaration(
    name="belt_camera",
    doc="Camera over a belt that says where what lies on it, over Modbus",
    capability=BELT_CAMERA,
    options=BeltCameraOptions,
    recovery={"confirm": {"": Recovery.REPEATABLE}},
    silence=Silence(Reaction.CONTINUES, None, "a camera moves nothing"),
    code="cellctl_example.belt_camera:BeltCamera",
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One part on the belt, as the camera saw it. `mark` is unlike that of any other sighting."""

    number: int
    mark: str
    x: float  # across the belt [m]
    turn: float  # [rad]


class BeltCamera:
    """One camera."""

    def __init__(self, name: str, options: BeltCameraOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._link: Registers | None = None

    async def open(self) -> None:
        """Connect and see that it answers."""
        self._link = await self._rack.link(self._options.address, Registers)
        await self._shown()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def prepare(self, act: Act) -> None:
        """Nothing to prepare."""

    async def halt(self) -> None:
        """A camera moves nothing."""

    async def fault(self) -> str:
        """It reports none; a silent one raises."""
        await self._shown()
        return ""

    async def next_sighting(self) -> Sighting:
        """The oldest sighting not yet confirmed; waits for one. Raises DeviceError."""
        shown = await self._connected().until(self._shown, lambda shown: shown[1] != 0, POLL)
        boots, number, x_mm, turn_deg = shown
        return Sighting(number, f"{boots}.{number}", x_mm / 1000.0, radians(turn_deg))

    async def confirm(self, seen: Sighting) -> None:
        """Let the camera go on to the next sighting; does nothing when it has. Raises DeviceError."""
        words = (seen.number >> 16, seen.number & 0xFFFF)
        await self._connected().write(self._options.unit, Table.HOLDING, 0, words)

    async def _shown(self) -> tuple[int, int, float, float]:
        words = await self._connected().read(self._options.unit, Table.INPUT, 0, SHOWN.size // 2)
        boots, number, x_mm, turn_deg = SHOWN.unpack(struct.pack(f">{len(words)}H", *words))
        return boots, number, x_mm, turn_deg

    def _connected(self) -> Registers:
        if self._link is None:
            raise DeviceError(self.name, self._options.address, "is not open")
        return self._link
