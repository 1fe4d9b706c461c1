"""What all links of a simulated world share: its time, their latency, the plant they lead to, and its polls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from cellctl_sim.devices.protocols import ModbusDevice, TextDevice
from cellctl_sim.life import Life
from cellctl_sim.loop import VirtualLoop
from cellctl_sim.polling import Poll
from cellctl_sim.trace import Trace

T = TypeVar("T")

LATENCY = 1e-3  # [s] from a request to its answer


class PlantDoor(Protocol):
    """What the links need of `cellctl_sim.plant.Plant`."""

    def device(self, address: str) -> ModbusDevice | TextDevice: ...

    def subscribe(self, call: Callable[[float], None]) -> Callable[[], None]: ...


class Links:
    """All links of a universe to its plant."""

    def __init__(self, loop: VirtualLoop, trace: Trace, plant: PlantDoor) -> None:
        self.loop, self.trace, self.plant = loop, trace, plant
        self.latency = LATENCY  # [s]
        self.polls_plainly = False  # make every poll; for tests that compare

    async def poll(
        self, life: Life, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float
    ) -> T:
        """`Link.until` in virtual time."""
        poll = Poll(self.loop, every, self.polls_plainly)
        unsubscribe = self.plant.subscribe(poll.touch)

        def end() -> None:
            poll.leave()
            unsubscribe()

        forget = life.at_end(end)
        try:
            while not holds(value := await poll.read(read)):
                await poll.rest()
            return value
        finally:
            if not life.ended:
                forget()
                end()
