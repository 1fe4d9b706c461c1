"""What cellctl adds to each command on the puck line, live on simulated devices and in virtual time.

Run `python tests/benchmarks/bench_overhead.py`; it takes two minutes. A command lasts from the runner's intent
(`Dispatched.at`, before it is durable) to the module's answer (`Answered.ended`). Less the time inside device actions
(`device_time`), that is overhead: both journals, the bus, and the skill between its actions. "to the module" is the
part until the module has taken the command. "hand-over" is from the answer to the next intent for the same part, where
that follows at once (within 0.2 s: beyond, the part waited for a place or a tool). Live, these are wall time
on this machine with all it runs beside; in virtual time they are the modelled latencies of bus and disk. An `advance`
that waits for the part ahead to leave its target waits inside the command, and is among the longest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median, quantiles

from cellctl.cli.files import find_line, find_recipe
from cellctl.flow.events import Answered, Dispatched, FlowEvent
from cellctl.live.line_file import read_line
from cellctl.live.records import runner_events
from cellctl_sim.simulation import Order, simulate

VARIANTS = ("indoor", "outdoor", "tall")
AT_ONCE = 0.2  # [s]

Overheads = dict[str, list[float]]  # [s]


def overheads(events: Iterable[FlowEvent]) -> Overheads:
    """Of every command that ended `done`."""
    found: Overheads = {"overhead": [], "to the module": [], "in the module": [], "hand-over": []}
    commands: dict[int, Dispatched] = {}
    answered: dict[str, float] = {}  # part -> end of its last command
    for event in events:
        match event:
            case Dispatched(number, parts=parts, at=at):
                commands[number] = event
                waits = [at - answered.pop(part) for part in parts if part in answered]
                found["hand-over"] += [wait for wait in waits if wait < AT_ONCE]
            case Answered(number, "done"):
                command = commands.pop(number)
                inside = event.ended - event.started - event.device_time
                found["overhead"].append(event.started - command.at + inside)
                found["to the module"].append(event.started - command.at)
                found["in the module"].append(inside)
                answered.update(dict.fromkeys(command.parts, event.ended))
            case _:
                pass
    return found


def live(parts: int) -> Iterable[FlowEvent]:
    """The journal of the demo: a process a module, CURVE off as on any loopback line, SQLite FULL."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as place:
        state = Path(place, "state")
        command = [
            sys.executable,
            "-m",
            "cellctl",
            "demo",
            "--json",
            "--parts",
            str(parts),
            "--state",
            str(state),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        return list(runner_events(state))


def virtual(parts: int) -> Iterable[FlowEvent]:
    """The journal of the same order in virtual time."""
    line, report = read_line(find_line("puck"))
    assert line is not None, report
    recipe = find_recipe("sensor-puck", find_line("puck"))
    orders = [Order(v, recipe.read_text(), str(recipe), v, parts // len(VARIANTS)) for v in VARIANTS]
    return simulate(line, orders, seed=1).events


def table(name: str, found: Overheads) -> None:
    print(f"\n{name:22}{'times':>7}{'p50 ms':>10}{'p99 ms':>10}{'most ms':>10}")
    for label, times in found.items():
        milliseconds = [1e3 * time for time in times]
        p99 = quantiles(milliseconds, n=100, method="inclusive")[98]
        print(f"{label:22}{len(times):7}{median(milliseconds):10.2f}{p99:10.2f}{max(milliseconds):10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Overhead of each command on the puck line.")
    parser.add_argument("--parts", type=int, default=12, help="how many parts; the demo takes 10 s for each")
    parts = parser.parse_args().parts
    print(f"puck line, {parts} parts; Python {sys.version.split()[0]}, {os.cpu_count()} CPUs", end="")
    print(f", load average at the start {os.getloadavg()[0]:.1f}")
    table("in virtual time", overheads(virtual(parts)))
    table("live", overheads(live(parts)))


if __name__ == "__main__":
    main()
