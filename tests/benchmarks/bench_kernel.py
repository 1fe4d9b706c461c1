"""The virtual kernel beside SimPy 4.1, and the whole control path beside SimPy's bare model of a line.

Run `python tests/benchmarks/bench_kernel.py [PARTS] [PUCKS]` (20,000 and 100 unless said). The bare line: a source,
eight stations, a sink, buffers of three between them, one robot that stations 2 and 5 share; 32 operations per part
(put, get, sleep, take, give back). Process times are drawn beforehand, so both kernels must come to the same makespan,
to the microsecond. The whole path is the shipped puck line, eight steps a part on five processes, with its runner,
journals, bus, drivers, protocols and plant: its parts/s beside SimPy's for the bare line, which knows none of that.
Figures are CPU time, what is compared in turns, the best of each. Exit status 1 when the kernel's floor is missed or
makespans differ.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import simpy

from cellctl.live.line_file import read_line
from cellctl_sim.futures import VirtualFuture
from cellctl_sim.loop import VirtualLoop
from cellctl_sim.simulation import Order, simulate
from cellctl_sim.tasks import StockTask, VirtualTask

ROOT = Path(__file__).parents[2]
CAPACITY = 3
OPERATIONS = 32  # per part
FLOOR = 2.0  # times SimPy's rate
TURNS = 3
TASKS: dict[str, Any] = {"own task": VirtualTask, "CPython's task": StockTask}


def draw(parts: int, stations: int) -> list[list[int]]:
    """Process times [us], by station and part; about 10 s."""
    numbers = random.Random(1)
    return [[round(numbers.uniform(8e6, 12e6)) for _ in range(parts)] for _ in range(stations)]


def sharing(stations: int) -> set[int]:
    """The stations that need the robot: two of every eight."""
    return {k for k in range(stations) if k % 8 in (2, 5)}


class Buffer:
    """Items in order, so many at most; who waits is served in the order of coming."""

    def __init__(self, loop: VirtualLoop, capacity: int) -> None:
        self._loop, self._free = loop, capacity
        self._items: deque[int] = deque()
        self._getters: deque[VirtualFuture[int]] = deque()
        self._putters: deque[VirtualFuture[None]] = deque()

    async def put(self, item: int) -> None:
        if not self._free:
            turn: VirtualFuture[None] = VirtualFuture(self._loop)
            self._putters.append(turn)
            await turn
        else:
            self._free -= 1
        if self._getters:
            self._getters.popleft().set_result(item)
        else:
            self._items.append(item)

    async def get(self) -> int:
        if self._items:
            item = self._items.popleft()
        else:
            turn: VirtualFuture[int] = VirtualFuture(self._loop)
            self._getters.append(turn)
            item = await turn
        if self._putters:
            self._putters.popleft().set_result(None)
        else:
            self._free += 1
        return item


def on_our_kernel(times: list[list[int]], task: Any = VirtualTask) -> float:
    """The makespan [s]."""
    stations, parts = len(times), len(times[0])
    loop = VirtualLoop(task)  # type: ignore[abstract]
    buffers = [Buffer(loop, CAPACITY) for _ in range(stations + 1)]
    robot = Buffer(loop, 1)
    shared = sharing(stations)

    async def source() -> None:
        for part in range(parts):
            await buffers[0].put(part)

    async def station(k: int) -> None:
        before, after, lasts = buffers[k], buffers[k + 1], times[k]
        for _ in range(parts):
            part = await before.get()
            if k in shared:
                await robot.put(part)
                await loop.sleep(lasts[part] * 1000)
                await robot.get()
            else:
                await loop.sleep(lasts[part] * 1000)
            await after.put(part)

    async def sink() -> None:
        for _ in range(parts):
            await buffers[-1].get()

    async def line() -> None:
        work = [source(), *(station(k) for k in range(stations)), sink()]
        await asyncio.gather(*(loop.create_task(each) for each in work))

    loop.run_until_complete(line())
    loop.close()
    return loop.time()


def on_simpy(times: list[list[int]]) -> float:
    """The makespan [s]."""
    stations, parts = len(times), len(times[0])
    world = simpy.Environment()
    buffers = [simpy.Store(world, CAPACITY) for _ in range(stations + 1)]
    robot = simpy.Resource(world, 1)
    shared = sharing(stations)

    def source() -> Generator[Any, Any, None]:
        for part in range(parts):
            yield buffers[0].put(part)

    def station(k: int) -> Generator[Any, Any, None]:
        before, after, lasts = buffers[k], buffers[k + 1], times[k]
        for _ in range(parts):
            part = yield before.get()
            if k in shared:
                claim = robot.request()
                yield claim
                yield world.timeout(lasts[part])
                yield robot.release(claim)
            else:
                yield world.timeout(lasts[part])
            yield after.put(part)

    def sink() -> Generator[Any, Any, None]:
        for _ in range(parts):
            yield buffers[-1].get()

    world.process(source())
    for k in range(stations):
        world.process(station(k))
    world.run(until=world.process(sink()))
    return float(world.now) / 1e6


def best(calls: Iterable[Callable[[], float]]) -> list[tuple[float, float]]:
    """CPU time [s] and result of each call; the least of some turns, in turns."""
    calls = list(calls)
    found = [(float("inf"), 0.0)] * len(calls)
    for _ in range(TURNS):
        for index, call in enumerate(calls):
            began = time.process_time()
            result = call()
            found[index] = min(found[index], (time.process_time() - began, result))
    return found


def kernels(parts: int) -> bool:
    """Print rates; False when the floor is missed."""
    times = draw(parts, 8)
    names = ["SimPy", *TASKS]
    calls = [
        lambda: on_simpy(times),
        *(lambda task=task: on_our_kernel(times, task) for task in TASKS.values()),
    ]
    found = dict(zip(names, best(calls), strict=True))
    simpy_s = found["SimPy"][0]
    for name, (seconds, makespan) in found.items():
        rate = parts * OPERATIONS / seconds / 1e6
        print(
            f"{name:16} {rate:6.2f} M operations/s  {simpy_s / seconds:5.2f} x SimPy  makespan {makespan:.6f} s"
        )
    same = len({round(makespan * 1e6) for _, makespan in found.values()}) == 1
    return same and simpy_s / found["own task"][0] >= FLOOR


def growth(parts: int) -> None:
    """Rates with more stations and more parts, and the most memory that is held beside the drawn times."""
    for stations, count in [
        (4, parts),
        (16, parts),
        (64, parts // 4),
        (8, 1),
        (8, parts // 10),
        (8, 10 * parts),
    ]:
        times = draw(max(count, 1), stations)
        ((seconds, _),) = best_once(times)
        tracemalloc.start()
        on_our_kernel([each[: max(1, count // 10)] for each in times])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        steps = count * stations / seconds / 1e3
        print(
            f"{stations:3} stations {count:8} parts  {steps:8.1f} k stations passed/s  peak {peak / 1024:7.0f} KiB"
        )


def whole_path(pucks: int) -> None:
    """Print the puck line's rate beside the rate of SimPy's bare line, and what a shift of 8 h would take."""
    line, _ = read_line(ROOT / "recipes/lines/puck.yaml")
    assert line is not None
    recipe = ROOT / "recipes/products/sensor-puck.yaml"
    order = Order("1", recipe.read_text(), recipe.name, "indoor", pucks)
    times = draw(2000, 8)
    found = best([lambda: on_simpy(times), lambda: simulate(line, [order]).ended])
    (bare_s, _), (whole_s, makespan) = found
    rate, bare = pucks / whole_s, 2000 / bare_s
    print(f"whole path       {rate:6.1f} parts/s, {rate / bare:.4f} x SimPy's bare line ({bare:.0f} parts/s)")
    print(f"8 h of the line  {8 * 3600 / makespan * whole_s:6.1f} CPU s")


def best_once(times: list[list[int]]) -> list[tuple[float, float]]:
    began = time.process_time()
    makespan = on_our_kernel(times)
    return [(time.process_time() - began, makespan)]


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    well = kernels(size)
    whole_path(int(sys.argv[2]) if len(sys.argv) > 2 else 100)
    growth(size)
    sys.exit(0 if well else 1)
