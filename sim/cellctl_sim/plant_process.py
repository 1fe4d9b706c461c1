"""The simulated plant as a process: one loopback port for each device address, and the control socket."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from pydantic import ValidationError

from cellctl.errors import CellctlError
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import load_drivers, load_kinds
from cellctl.runtime import RandomStream
from cellctl_sim.control import open_control
from cellctl_sim.devices.protocols import ModbusDevice
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.plant.world import Streams
from cellctl_sim.servers.modbus import ModbusServer, modbus_server
from cellctl_sim.servers.text import TextServer

SOON = 1e-4  # [s] after a change at which it is surely over


@dataclass(frozen=True, slots=True)
class Served:
    """A plant whose devices listen: `devices` maps addresses of the line file to real ones."""

    plant: Plant
    devices: Mapping[str, str]
    control: str

    def table(self) -> dict[str, object]:
        """As it is written for those who look for the devices."""
        return {"devices": dict(self.devices), "control": self.control, "pid": os.getpid()}


def streams(seed: int) -> Streams:
    """Random numbers by name, the same for the same seed."""

    def stream(name: str) -> RandomStream:
        return random.Random(f"{seed}/{name}")

    return stream


Server = ModbusServer | TextServer


@asynccontextmanager
async def serve_plant(
    line: Line,
    seed: int = 0,
    faults: Iterable[Fault] = (),
    ports: Mapping[str, int] | None = None,
    control_port: int = 0,
) -> AsyncIterator[Served]:
    """Let a line's devices listen on loopback for as long as the block lasts.

    `ports` gives a port for some addresses of the line file; the others get a free one. Faults count from now.
    """
    start = time.monotonic()

    def clock() -> float:
        return time.monotonic() - start

    plant = Plant(line, streams(seed), faults)
    servers = {address: _server(plant, address, clock) for address in plant.addresses()}
    pace = Pace(plant, clock, tuple(servers.values()))
    control, control_address = await open_control(plant, clock, control_port)
    try:
        devices = {
            address: f"{_scheme(address)}://127.0.0.1:{await server.open(port=(ports or {}).get(address, 0))}"
            for address, server in servers.items()
        }
        pace.look()
        yield Served(plant, devices, control_address)
    finally:
        pace.stop()
        control.close()
        for server in servers.values():
            await server.close()


def _scheme(address: str) -> str:
    return address.partition("://")[0]


def _server(plant: Plant, address: str, clock: Callable[[], float]) -> Server:
    device = plant.device(address)
    if isinstance(device, ModbusDevice):
        return modbus_server(device, clock, _scheme(address))
    return TextServer(device, clock)


class Pace:
    """Lets the plant's world run when something is due in it, though nobody asks, and has the servers look then."""

    def __init__(self, plant: Plant, clock: Callable[[], float], servers: Sequence[Server]) -> None:
        self._plant, self._clock, self._servers = plant, clock, servers
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._touched = False
        self._unsubscribe = plant.subscribe(self._touch)

    def _touch(self, t: float) -> None:
        if not self._touched:
            self._touched = True
            self._loop.call_soon(self.look)

    def look(self) -> None:
        """Catch up with the clock."""
        self._touched = False
        now = self._clock()
        self._plant.advance(now)
        for server in self._servers:
            server.look()
        if self._timer is not None:
            self._timer.cancel()
        due = self._plant.world.agenda.first()
        self._timer = None if due == inf else self._loop.call_later(max(due - now, 0.0) + SOON, self.look)

    def stop(self) -> None:
        """The plant is taken down."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()


async def run_plant(line: Line, table: Path | None, seed: int, faults: Sequence[Fault]) -> None:
    """Serve a line's plant until SIGTERM or SIGINT. `table` is written once everything listens."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with serve_plant(line, seed, faults) as served:
        if table is None:
            print(json.dumps(served.table(), indent=2), flush=True)
        else:
            write_table(table, served)
        await ended.wait()


def write_table(table: Path, served: Served) -> None:
    """Write the table of addresses, whole or not at all, readable by the owner only."""
    new = table.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(served.table(), indent=2) + "\n")
    new.replace(table)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m cellctl_sim.plant_process LINE [--table FILE] [--seed N] [--fault '{...}']`; the exit code."""
    parser = argparse.ArgumentParser(
        prog="plant", description="Serve a line's simulated devices on loopback."
    )
    parser.add_argument("line", type=Path, help="the line file")
    parser.add_argument("--table", type=Path, help="where to write the addresses; else they are printed")
    parser.add_argument("--seed", type=int, default=0, help="of the plant's random numbers")
    parser.add_argument("--fault", action="append", default=[], metavar="JSON", help="a fault to come")
    arguments = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        faults = [Fault.model_validate_json(text) for text in arguments.fault]
        line = _read(arguments.line)
        if line is None:
            return 1
        asyncio.run(run_plant(line, arguments.table, arguments.seed, faults))
    except (CellctlError, ValidationError, OSError) as error:
        print(f"plant: {error}", file=sys.stderr)
        return 1
    return 0


def _read(path: Path) -> Line | None:
    report = Report()
    line = load_line(path, report, load_kinds(), load_drivers())
    if line is None:
        print(f"plant: the line file {path} cannot be used; `cellctl check` says why", file=sys.stderr)
    return line


if __name__ == "__main__":
    raise SystemExit(main())
