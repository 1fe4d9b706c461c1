"""What driver tests share: scripted links, a rack of them, and a runtime whose time passes only when all wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from loop_runtime import LoopRuntime
from scripted_meca500 import Controller
from scripted_plc import Plc

from cellctl.device import Act, Action
from cellctl.errors import DeviceRefused, DeviceSilent, UnknownName
from cellctl.live.tasks import Channel
from cellctl.runtime import Table
from cellctl_drivers.handshake_machine import HandshakeMachine, HandshakeMachineOptions
from cellctl_drivers.mecademic import Mecademic, MecademicOptions

T = TypeVar("T")


class LeapingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock leaps to the next timer when nothing is ready: no test waits."""

    leapt = 0.0

    def time(self) -> float:
        return self.leapt

    def _run_once(self) -> None:
        timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        if timers and not self._ready:  # type: ignore[attr-defined]
            self.leapt = max(self.leapt, min(timers))
        super()._run_once()  # type: ignore[misc]


class ScriptedRegisters:
    """A Modbus device in memory: cells by table; `on_write` reacts to writes, `silent` makes it fall silent."""

    def __init__(self, address: str = "modbus-tcp://bench:502") -> None:
        self.address = address
        self.cells: dict[tuple[Table, int], int] = {}
        self.on_read: Callable[[Table, int, int], None] = lambda table, address, count: None
        self.on_write: Callable[[Table, int, Sequence[int]], None] = lambda table, address, values: None
        self.silent = False
        self.reads: list[tuple[Table, int, int]] = []
        self.writes: list[tuple[Table, int, tuple[int, ...]]] = []

    async def read(self, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        await asyncio.sleep(0.001)
        if self.silent:
            raise DeviceSilent(f"unit {unit}", self.address, f"read of {table} {address}: no answer")
        self.reads.append((table, address, count))
        self.on_read(table, address, count)
        try:
            return tuple(self.cells[table, place] for place in range(address, address + count))
        except KeyError:
            raise DeviceRefused(f"unit {unit}", self.address, "no such address", 2) from None

    async def write(self, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        await asyncio.sleep(0.001)
        if self.silent:
            raise DeviceSilent(f"unit {unit}", self.address, f"write of {table} {address}: no answer")
        self.writes.append((table, address, tuple(values)))
        for place, value in enumerate(values, start=address):
            self.cells[table, place] = value
        self.on_write(table, address, values)

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        while not holds(value := await read()):
            await asyncio.sleep(every)
        return value


class ScriptedTexts:
    """A text device in memory: `answer(text)` gives the messages that follow what was sent, with their delays."""

    def __init__(
        self, answer: Callable[[str], Sequence[tuple[float, str]]], address: str = "tcp://bench:10000"
    ) -> None:
        self.address = address
        self.answer = answer
        self.sent: list[str] = []
        self.silent = False
        self._inbox: Channel[str | None] = Channel()

    def say(self, text: str, after: float = 0.0) -> None:
        asyncio.get_running_loop().call_later(after, self._inbox.send, text)

    def cut(self, greets: bool = True) -> None:
        """The connection is lost and made again."""
        self._inbox.send(None)
        if greets:
            self._inbox.send("[3000][Connected to Meca500 R3 v11.3.0]")

    async def send(self, text: str) -> None:
        if self.silent:
            raise DeviceSilent("link", self.address, "it is not connected")
        self.sent.append(text)
        for delay, message in self.answer(text):
            self.say(message, delay)

    async def receive(self) -> str:
        message = await self._inbox.receive()
        if message is None:
            raise DeviceSilent("link", self.address, "the connection was lost")
        return message

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        while not holds(value := await read()):
            await asyncio.sleep(every)
        return value


class BenchRack:
    """Links by address and devices by name; its background work ends with the test."""

    def __init__(self) -> None:
        self.runtime: Any = LoopRuntime()
        self.links: dict[str, Any] = {}
        self.devices: dict[str, Any] = {}
        self.running: list[asyncio.Task[None]] = []

    async def link(self, address: str, kind: type[T]) -> T:
        link = self.links[address]
        assert isinstance(link, kind)
        return link

    def device(self, name: str) -> Any:
        if name not in self.devices:
            raise UnknownName("device", name, self.devices)
        return self.devices[name]

    def background(self, work: Callable[[], Coroutine[Any, Any, None]], name: str = "") -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work())
        self.running.append(task)
        return task

    def add(self, driver: Any) -> Any:
        self.devices[driver.name] = driver
        return driver


class Performed:
    """An `Act` that performs at once and keeps the names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, action: Action[Any], moves: Any = None) -> Any:
        self.names.append(action.name)
        return await action.perform(len(self.names))


@pytest.fixture
def rack() -> BenchRack:
    return BenchRack()


@pytest.fixture
def registers_link() -> type[ScriptedRegisters]:
    return ScriptedRegisters


@pytest.fixture
def texts_link() -> type[ScriptedTexts]:
    return ScriptedTexts


@pytest.fixture
def act() -> Act:
    return Performed()


@pytest.fixture
def leap(rack: BenchRack) -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run to the end on a loop whose time leaps; then end the rack's background work."""

    def run(work: Coroutine[Any, Any, T]) -> T:
        async def main() -> T:
            try:
                return await work
            finally:
                for task in rack.running:
                    task.cancel()
                await asyncio.gather(*rack.running, return_exceptions=True)

        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            return runner.run(main())

    return run


# --- devices with a script of their own -------------------------------------------------------------------------------


@pytest.fixture
def controller(texts_link: type[ScriptedTexts], rack: BenchRack) -> Controller:
    made = Controller(texts_link)
    rack.links[made.link.address] = made.link
    return made


@pytest.fixture
def arm(rack: BenchRack, controller: Controller) -> Mecademic:
    options = MecademicOptions(address=controller.link.address)
    made: Mecademic = rack.add(Mecademic("arm.controller", options, rack))
    return made


@pytest.fixture
def a_plc(registers_link: type[ScriptedRegisters], rack: BenchRack) -> Plc:
    made = Plc(registers_link())
    rack.links[made.link.address] = made.link
    return made


@pytest.fixture
def press(rack: BenchRack, a_plc: Plc) -> HandshakeMachine:
    return HandshakeMachine("press", HandshakeMachineOptions(address=a_plc.link.address), rack)
