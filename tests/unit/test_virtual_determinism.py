"""Same seed, same programs: same trace, whatever the hash seed, the run, or the version of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import pytest
from interpreters import VERSIONS, interpreter

from cellctl.line.model import Line
from cellctl_sim import simulation
from cellctl_sim.simulation import Order, simulate
from cellctl_sim.tasks import StockTask
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, sys
from cellctl.messages import Event, Inquire
from cellctl_sim.universe import Universe

NAMES = {"belt", "arm", "press", "gauge", "feeder"}  # a set on purpose: never iterated but sorted

async def module(runtime):
    numbers = runtime.random("work")
    name = runtime.name
    async with runtime.open_store(name) as store, runtime.serve(name) as server, runtime.tasks() as group:
        async def work(number, peer):
            try:
                async with asyncio.timeout(numbers.uniform(0.0, 0.2)):
                    await runtime.sleep(numbers.expovariate(10.0))
            except TimeoutError:
                pass
            await store.append([f"{number} {numbers.gauss(0.0, 1.0):.9f} {numbers.randrange(1000)}".encode()])
            server.reply(peer, Inquire(f"{number} after {len(list(store.replay()))}"))
            server.publish(Event(number, runtime.name))
        count = 0
        while True:
            incoming = await server.requests.receive()
            if incoming.message is not None:
                count += 1
                group.start(work(count, incoming.peer))

async def fails_together(runtime, store):
    async def waits(name):
        try:
            await asyncio.Event().wait()
        finally:
            await store.append([f"{name} left".encode()])
    async def fails():
        await runtime.sleep(0.01)
        raise ValueError
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(waits(number))
            group.create_task(fails())
    except* ValueError:
        pass
    done, _ = await asyncio.wait([asyncio.create_task(runtime.sleep(0.001 * (n % 3))) for n in range(20)])
    await store.append([" ".join(task.get_name() for task in done).encode()])

async def runner(runtime):
    async with runtime.open_store("runner") as store, runtime.tasks() as group:
        async def speak(name):
            pauses = runtime.random(name)
            async with runtime.connect(name) as peer:
                async def ask():
                    while True:
                        await runtime.sleep(pauses.uniform(0.0, 0.05))
                        peer.send(Inquire(name))
                group.start(ask())
                while True:
                    incoming = await peer.inbox.receive()
                    await store.append([repr(incoming).encode()])
        for name in sorted(NAMES):
            group.start(speak(name))
        while True:
            await runtime.sleep(0.5)
            await fails_together(runtime, store)

with Universe(seed=int(sys.argv[1])) as universe:
    kills = universe.random("kills")
    universe.start("runner", runner)
    for name in sorted(NAMES):
        universe.start(name, module)
        for _ in range(4):
            universe.at(kills.uniform(0.0, 8.0), lambda name=name: universe.restart(name))
    universe.at(kills.uniform(0.0, 8.0), lambda: universe.restart("runner"))
    universe.run(10.0)
    print(universe.trace.digest, universe.trace.count)
"""


@cache
def trace_of(python: str, seed: int, hash_seed: str) -> str:
    paths = os.pathsep.join(str(ROOT / folder) for folder in (".", "drivers", "sim"))
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
    command = [python, "-W", "error", "-c", PROGRAM, str(seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_trace_does_not_depend_on_the_hash_seed_or_the_run() -> None:
    traces = {trace_of(sys.executable, 7, hash_seed) for hash_seed in ("0", "1", "2", "random")}
    assert len(traces) == 1
    assert int(traces.pop().split()[1]) > 5000


def test_another_seed_gives_another_trace() -> None:
    assert trace_of(sys.executable, 7, "0") != trace_of(sys.executable, 8, "0")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_trace_is_the_same_on_every_version_of_python(version: str) -> None:
    assert trace_of(interpreter(version, "msgspec"), 7, "random") == trace_of(sys.executable, 7, "0")


def test_the_puck_line_has_the_same_trace_with_the_tasks_of_cpython(
    puck_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = ROOT / "recipes/products/sensor-puck.yaml"
    order = Order("1", recipe.read_text(), recipe.name, "tall", 2)
    own = simulate(puck_line, [order], seed=5, until=300.0)
    monkeypatch.setattr(simulation, "Universe", partial(Universe, task=StockTask))
    stock = simulate(puck_line, [order], seed=5, until=300.0)
    assert own.complete
    assert (own.trace, own.steps) == (stock.trace, stock.steps)
