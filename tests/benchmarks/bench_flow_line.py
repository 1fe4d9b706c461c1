"""A flow line by the whole control path, beside SimPy 4.1's bare model of the same line.

Run `python tests/benchmarks/bench_flow_line.py [PARTS] [SIZES...]` (100 parts; 4, 16 and 64 stations unless said).
Stations in series, buffers of three between them, one robot that takes every part from place to place: 23 commands
for a part that passes eight. Every station works 8 s to 12 s, evenly; the robot takes 100 ms. On our side the runner,
nine processes with their journals, the bus, drivers, the registers of each controller and the plant, in virtual time;
SimPy's side is a generator for each part, with the same draws. Both makespans are printed: they differ by what commands
and polls take. Then how the rate goes with the number of stations and of parts, and the memory that is held.
Figures are CPU time; what is compared runs in turns, the best of each. No exit status: the floor of 0.03 is far off.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
import tomllib
import tracemalloc
from collections.abc import Generator, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import simpy

from cellctl.device import DriverDeclaration
from cellctl.findings import Report
from cellctl.line.distributions import Law
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import DRIVERS, KINDS, declarations, load_drivers, load_kinds
from cellctl.skill import KindDeclaration
from cellctl_sim.simulation import Order, simulate
from cellctl_sim.universe import Universe

PLUGIN = Path(__file__).parents[1] / "line/textbook/plugin"
WORK = "takes: {uniform: [8 s, 12 s]}"
SHIFT = 0.1  # [s]
BUFFER = 3
TURNS = 2


def plug_in(place: Path) -> tuple[dict[str, KindDeclaration], dict[str, DriverDeclaration]]:
    """The shuttle, found as if it were installed."""
    points = tomllib.loads((PLUGIN / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    found = place / "cellctl_textbook-0.1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: cellctl-textbook\nVersion: 0.1.0\n")
    sections = (
        "\n".join([f"[{group}]", *(f"{name} = {code}" for name, code in named.items())])
        for group, named in points.items()
    )
    (found / "entry_points.txt").write_text("\n\n".join(sections))
    sys.path[:0] = [str(PLUGIN), str(place)]
    kinds = [EntryPoint(*point, KINDS) for point in points[KINDS].items()]
    drivers = [EntryPoint(*point, DRIVERS) for point in points[DRIVERS].items()]
    return (
        load_kinds() | declarations(KINDS, KindDeclaration, kinds),
        load_drivers() | declarations(DRIVERS, DriverDeclaration, drivers),
    )


def build(place: Path, installed: tuple[Any, Any], stations: int) -> tuple[Line, str]:
    """The line and its recipe."""
    from cellctl_textbook.lines import line_text, recipe_text

    path, report = place / f"line{stations}.yaml", Report()
    buffers = [BUFFER] * (stations - 1)
    path.write_text(line_text([WORK] * stations, buffers, f"{SHIFT:g} s"), "utf-8")
    line = load_line(path, report, *installed)
    assert line is not None, report.render()
    return line, recipe_text(buffers)


def on_cellctl(line: Line, recipe: str, parts: int) -> float:
    """The makespan [s], by the whole control path."""
    result = simulate(line, [Order("1", recipe, "widget.yaml", "", parts)])
    assert result.complete
    return result.report.makespan_s


def draws(line: Line, parts: int) -> list[list[float]]:
    """What each station draws for each part, in the order of stations."""
    with Universe(0) as universe:
        found = []
        for name in line.modules:
            if name != "shuttle":
                law, stream = (
                    line.devices[f"{name}.plc"].simulated["takes"],
                    universe.random(f"{name}.plc.takes"),
                )
                assert isinstance(law, Law)
                found.append([law.draw(stream) for _ in range(parts)])
        return found


def on_simpy(times: Sequence[Sequence[float]]) -> float:
    """The makespan [s] of the bare model: a part keeps its place until it has the next one and the robot."""
    world = simpy.Environment()
    robot = simpy.Resource(world)
    machines = [simpy.Resource(world) for _ in times]
    buffers = [simpy.Resource(world, BUFFER) for _ in times[1:]]

    def shift(held: tuple[Any, Any], place: simpy.Resource) -> Generator[Any, Any, tuple[Any, Any]]:
        wanted = place.request()
        yield wanted
        with robot.request() as hand:
            yield hand
            yield world.timeout(SHIFT)
        held[0].release(held[1])
        return place, wanted

    def part(n: int) -> Generator[Any, Any, None]:
        first = machines[0].request()
        yield first
        yield world.timeout(times[0][n])
        held: tuple[Any, Any] = (machines[0], first)
        for station in range(1, len(times)):
            held = yield from shift(held, buffers[station - 1])
            held = yield from shift(held, machines[station])
            yield world.timeout(times[station][n])
        with robot.request() as hand:
            yield hand
            yield world.timeout(SHIFT)
        held[0].release(held[1])

    for n in range(len(times[0])):
        world.process(part(n))
    world.run()
    return float(world.now)


def cpu(work: Any) -> tuple[float, float]:
    """CPU seconds, and what it came to."""
    gc.collect()
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def compare(line: Line, recipe: str, parts: int) -> None:
    """Print the rates beside each other."""
    times = draws(line, parts)
    ours = [cpu(lambda: on_cellctl(line, recipe, parts)) for _ in range(TURNS)]
    many = draws(line, 2000)
    theirs = [cpu(lambda: on_simpy(many)) for _ in range(TURNS)]
    rate, bare = parts / min(ours)[0], 2000 / min(theirs)[0]
    print(
        f"eight stations   {rate:6.1f} parts/s, {rate / bare:.4f} x SimPy's bare model ({bare:.0f} parts/s)"
    )
    print(f"makespan of {parts}  {ours[0][1]:.2f} s; SimPy's {on_simpy(times):.2f} s")


def growth(place: Path, installed: tuple[Any, Any], parts: int, sizes: Sequence[int]) -> None:
    """Print how the rate goes with stations, and with parts on eight of them; and the memory."""
    for stations in sizes:
        line, recipe = build(place, installed, stations)
        count = max(2, 4 * parts // stations)  # a part that passes more stations needs more commands
        seconds, _ = cpu(lambda: on_cellctl(line, recipe, count))  # noqa: B023 (called at once)
        rate, commands = count / seconds, 3 * stations - 1
        print(
            f"{stations:3} stations {count:6} parts  {rate:7.2f} parts/s  {rate * commands:6.0f} commands/s"
        )
    line, recipe = build(place, installed, 8)
    for count in (1, parts, 4 * parts):
        tracemalloc.start()
        on_cellctl(line, recipe, count)
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(
            f"  8 stations {count:6} parts  peak {peak / 2**20:6.1f} MiB, held after it {held / 2**20:5.1f} MiB"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        found = plug_in(here)
        size = int(sys.argv[1]) if len(sys.argv) > 1 else 100
        compare(*build(here, found, 8), size)
        growth(here, found, size, [int(text) for text in sys.argv[2:]] or [4, 16, 64])
