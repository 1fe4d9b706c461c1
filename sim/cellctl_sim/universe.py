"""A whole simulated world: one loop, one seed, a bus, disks, a plant, and nodes that are started, killed and restarted.

    with Universe(seed=7) as universe:
        universe.start("belt", run_belt)        # run_belt(runtime) is the process's main coroutine
        universe.at(12.0, lambda: universe.kill("belt"))
        universe.at(12.8, lambda: universe.restart("belt"))
        universe.run(60.0)

A kill is a power cut for one process: not one line of its code runs afterwards, its `finally` blocks included, what it
had not synced is lost, and what it had sent is on its way. Same seed, same programs: same trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any, TypeVar

from cellctl.errors import StoreError, UnknownName
from cellctl.live.restarts import LONGEST_PAUSE
from cellctl.runtime import RandomStream
from cellctl_sim.bus import Bus
from cellctl_sim.clock import Clock
from cellctl_sim.devices.protocols import ModbusDevice
from cellctl_sim.disk import Disk
from cellctl_sim.life import LIFE, Life
from cellctl_sim.links import Links, PlantDoor
from cellctl_sim.loop import UnhandledError, VirtualLoop
from cellctl_sim.registers import SimRegisters
from cellctl_sim.runtime import LogRecord, SimRuntime, random_stream
from cellctl_sim.tasks import AnyTask, StockTask, VirtualTask
from cellctl_sim.texts import SimTexts
from cellctl_sim.trace import Trace

T = TypeVar("T")

Main = Callable[[SimRuntime], Coroutine[Any, Any, Any]]


@dataclass(slots=True)
class Node:
    """One process of the simulated world: how it is started, and its present life."""

    name: str
    main: Main
    life: Life
    task: AnyTask


class Universe:
    """The world. `trace` holds everything that had an effect, `records` what was logged."""

    def __init__(
        self,
        seed: int = 0,
        keep_trace: bool = False,
        print_log: bool = False,
        task: type[VirtualTask[Any]] | type[StockTask[Any]] = VirtualTask,
    ) -> None:
        self.seed = seed
        self.print_log = print_log
        self.loop = VirtualLoop(task)  # type: ignore[abstract]  # sockets and signals have no place here
        self.trace = Trace(keep_trace)
        self.bus = Bus(self.loop, self.trace)
        self.records: list[LogRecord] = []
        self._links: Links | None = None
        self._disks: dict[str, Disk] = {}
        self._nodes: dict[str, Node] = {}
        self._epochs: dict[str, int] = {}
        self._clocks: dict[str, Clock] = {}

    # --- nodes ------------------------------------------------------------------------------------------------

    def start(self, name: str, main: Main) -> None:
        """Start the process `name`; it ends when `main` returns, and an error that leaves `main` ends the run."""
        if self.is_alive(name):
            raise RuntimeError(f"{name} runs already; kill it first")
        epoch = self._epochs[name] = self._epochs.get(name, 0) + 1
        life = Life(name, epoch)
        context = Context()
        context.run(LIFE.set, life)
        self.trace.add(self.loop.now, name, "starts")
        task = self.loop.create_task(main(SimRuntime(self, life)), name="main", context=context)
        self._nodes[name] = Node(name, main, life, task)
        task.add_done_callback(self._ended, context=self.loop.root)

    def kill(self, name: str) -> None:
        """Cut the power of a process, at once. Does nothing when it is not alive. Raises UnknownName."""
        node = self._node(name)
        if not node.life.ended:
            self.trace.add(self.loop.now, name, "killed")
            node.life.end()

    def restart(self, name: str) -> None:
        """Kill a process if it lives, and start its main again on the same disks. Raises UnknownName."""
        self.kill(name)
        self.start(name, self._node(name).main)

    @property
    def names(self) -> list[str]:
        """Every process that was ever started."""
        return list(self._nodes)

    def is_alive(self, name: str) -> bool:
        """True while the process of this name runs."""
        return name in self._nodes and not self._nodes[name].life.ended

    def _node(self, name: str) -> Node:
        if name not in self._nodes:
            raise UnknownName("process", name, self._nodes)
        return self._nodes[name]

    def _ended(self, task: asyncio.Future[Any]) -> None:
        assert isinstance(task, VirtualTask | StockTask)
        assert task.life is not None
        name = task.life.node
        self.trace.add(self.loop.now, name, "ends")
        task.life.end()
        error = asyncio.CancelledError("cancelled") if task.cancelled() else task.exception()
        if error is not None and self.disk(name).may_work_again and _is_of_store(error):
            self.at(self.now + LONGEST_PAUSE, lambda: self._start_again(name))
        elif error is not None:
            raise UnhandledError(f"{name} failed at {self.loop.time():g} s: {error!r}") from error

    def _start_again(self, name: str) -> None:
        """As its supervisor does with a process whose disk failed it."""
        if not self.is_alive(name):
            self.start(name, self._node(name).main)

    # --- running ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Time since the world began [s]."""
        return self.loop.time()

    def run(self, until: float) -> None:
        """Let the world go on to the time `until` [s], or until `stop`. Raises UnhandledError when a process fails."""
        self.loop.run_until(until)

    def stop(self) -> None:
        """End the present run, now."""
        self.loop.stop()

    def run_until_complete(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the world go on until `work`, which belongs to no node, is done. Raises Deadlock."""
        result: T = self.loop.run_until_complete(work)
        return result

    def at(self, time: float, call: Callable[[], object]) -> None:
        """Have the world do something at `time` [s]: a kill, a fault."""
        self.loop.call_at(time, call, context=self.loop.root)

    def at_step(self, step: int, call: Callable[[], None]) -> None:
        """Have the world do something just before step number `step`, between any two lines that wait."""
        self.loop.call_at_step(step, call)

    def random(self, stream: str) -> RandomStream:
        """A random stream of the world itself."""
        return random_stream(self.seed, "", stream)

    def install(self, plant: PlantDoor) -> Links:
        """Put the plant into the world; every link leads to it."""
        self._links = Links(self.loop, self.trace, plant)
        return self._links

    @property
    def links(self) -> Links:
        """All links to the plant. Raises UnknownName before a plant is installed."""
        if self._links is None:
            raise UnknownName("plant", "installed", ())
        return self._links

    def link(self, address: str, life: Life) -> SimRegisters | SimTexts:
        """A new link to a device of the plant. Raises UnknownName."""
        if self._links is None:
            raise UnknownName("device address", address, ())
        device = self._links.plant.device(address)
        if isinstance(device, ModbusDevice):
            return SimRegisters(self._links, address, device, life)
        return SimTexts(self._links, address, device, life)

    def disk(self, name: str) -> Disk:
        """The disk of the record store `name`; a new one the first time."""
        if name not in self._disks:
            self._disks[name] = Disk(name, self.loop, self.trace)
        return self._disks[name]

    def clock(self, name: str) -> Clock:
        """The clock of a node, the same one in all its lives."""
        return self._clocks.setdefault(name, Clock())

    def close(self) -> None:
        """The end of the world: every life ends, and what is left of the processes is put away without effect."""
        for node in self._nodes.values():
            node.life.end()
        self.loop.close()

    def __enter__(self) -> Universe:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Close; raises UnhandledError when a task failed and nobody noticed."""
        try:
            if kind is None:
                self.loop.check_failures()
        finally:
            self.close()


def _is_of_store(error: BaseException) -> bool:
    """Whether a process ended because it could not write its journal."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_of_store, error.exceptions))
    return type(error) is StoreError
