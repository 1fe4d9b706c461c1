"""Textbook lines as files: machines in series with finite buffers between them, the first never starved, the last never
blocked, blocking after service. The first machine makes the parts, so there is always one to begin."""

from __future__ import annotations

from collections.abc import Sequence

LINE = """
line: textbook
runner: {{restart: automatic}}
modules:
  shuttle:
    kind: shuttle
    devices: {{plc: {{use: shuttle_plc, address: modbus-tcp://10.0.9.1:502, simulated: {{takes: {shift}}}}}}}
    stations: {{{stations}}}
{machines}
materials: {{part: {{mass: 10 g}}}}
"""
MACHINE = """
  m{number}:
    kind: machine
    at: shuttle.m{number}
    devices:
      plc: {{use: handshake_machine, address: modbus-tcp://10.0.9.{host}:502, simulated: {{{simulated}}}}}
    programs: {{work: {{number: 1, time: 1 min}}}}
"""


def line_text(simulated: Sequence[str], buffers: Sequence[int], shift: str = "1 ms") -> str:
    """The line file: what stands under each machine's `simulated:`, the buffers between them, what a shift takes."""
    count = len(simulated)
    stations = [f"m{n}: {{}}" for n in range(1, count + 1)] + ["out: {sink: true}"]
    stations += [f"b{n}: {{grid: {{columns: {size}}}}}" for n, size in enumerate(buffers, start=1) if size]
    keys = [simulated[0] + ", makes: part", *simulated[1:]]
    machines = [MACHINE.format(number=n, host=10 + n, simulated=own) for n, own in enumerate(keys, start=1)]
    return LINE.format(stations=", ".join(stations), machines="".join(machines), shift=shift)


def recipe_text(buffers: Sequence[int]) -> str:
    """Made at the first machine, then from machine to machine by the buffers between them."""
    steps = ["{step: made1, do: make, by: m1, at: shuttle.m1, program: work}"]
    for n, size in enumerate(buffers, start=1):
        if size:
            steps.append(f"{{step: store{n}, do: shift, to: shuttle.b{n}}}")
        steps.append(f"{{step: load{n + 1}, do: shift, to: shuttle.m{n + 1}}}")
        steps.append(f"{{step: made{n + 1}, do: run, by: m{n + 1}, program: work}}")
    steps.append("{step: out, do: shift, to: shuttle.out}")
    return "recipe: widget\nrevision: 1\nsteps:\n" + "".join(f"  - {step}\n" for step in steps)
