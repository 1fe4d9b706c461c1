"""What a simulated device is to those in front of it: the wire servers and the in-memory links of virtual time.

Time `t` [s] is always passed in and never falls. Every call first lets the world run up to `t`, so that the answer is
the truth at `t`. What stands here is all that a link or server may use of a device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from cellctl.runtime import Table


class ModbusException(Exception):
    """An exception reply. Codes: 1 function, 2 address, 3 value, 4 device failure, 6 busy, 0x0B no such unit."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exception reply {code}")


class NoAnswer(Exception):
    """The device does not answer this request. It may have carried it out (an answer that got lost) or not."""


class ConnectionCut(Exception):
    """The device, or what is between, closes the connection instead of answering (or of accepting it)."""


class SimulatedDevice(Protocol):
    """Common to all devices that have an address."""

    def next_change(self, t: float) -> float:
        """The earliest time after `t` at which anything this device could report changes by itself.

        Infinite when nothing will. May be earlier than the true one (then nothing is seen to have changed), never
        later. It holds until somebody acts on the plant: see `Plant.subscribe`.
        """


@runtime_checkable
class ModbusDevice(SimulatedDevice, Protocol):
    """One Modbus address, with one or several units behind it. Bits are 0 and 1, registers 0 to 65535."""

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """One read request. Raises ModbusException, NoAnswer, ConnectionCut."""

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """One write request (all values in one frame). Raises ModbusException, NoAnswer, ConnectionCut."""

    def delay(self, t: float) -> float:
        """How much later than usual an answer given at `t` arrives [s]; 0 but under a `late` fault."""

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """Count as polled every `every` seconds from `t` on, for watchdogs, without the polls being made.

        Returns `leave(t)`, to be called when the polling ends, just before the next real request at `t`: the last
        poll that counts was then one period before.
        """

    def identity(self, unit: int) -> Mapping[int, str]:
        """Objects of read device identification (FC 43/14): 0 vendor, 1 product, 2 revision. Empty: not served."""


class TextSession(Protocol):
    """One client's connection to a text device. Messages are without their framing (NUL or line end)."""

    def receive(self, t: float, text: str) -> None:
        """A message from the client arrives. Never raises for what it says."""

    def pending(self, t: float) -> list[tuple[float, str]]:
        """Messages of the device that are due by `t`, with their times, oldest first; each is given once."""

    def is_open(self, t: float) -> bool:
        """False once the device has closed the connection; what is pending then still goes out first."""

    def close(self, t: float) -> None:
        """The client is gone."""


@runtime_checkable
class TextDevice(SimulatedDevice, Protocol):
    """A device that speaks in text messages; `next_change` covers the next message to any client."""

    def open(self, t: float) -> TextSession:
        """A client connects. Raises ConnectionCut when nobody accepts."""
