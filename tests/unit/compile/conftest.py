"""A line on which much can go wrong, and a way to ask what is found in a recipe for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from plugged_in import Installed
from texts import changed

from cellctl.compile.compiler import check_recipe
from cellctl.findings import Finding, Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import parse_recipe

LINE = """\
line: paths
runner: {bus: tcp://127.0.0.1:5700}
devices:
  io: {use: remote_io, address: modbus-tcp://10.0.0.1:502, inputs: 8, outputs: 8}
modules:
  belt:
    kind: conveyor
    speed: 150 mm/s
    devices: {drive: {use: altivar, address: modbus-tcp://10.0.0.2:502, speed_per_hz: 5 mm}}
    stations:
      load: {at: 100 mm, eye: io.di0, stopper: io.do0, approach: 20 mm, pose: {x: 200 mm, y: -110 mm, z: 30 mm}}
      press: {at: 200 mm, eye: io.di1, stopper: io.do1}
      gauge: {at: 300 mm, eye: io.di2, stopper: io.do2, approach: 20 mm, pose: {x: 200 mm, y: 110 mm, z: 30 mm}}
      exit: {at: 400 mm, eye: io.di3, sink: true}
  arm:
    kind: arm
    robot: meca500
    devices: {controller: {use: mecademic, address: tcp://10.0.0.3:10000}}
    tools: {gripper: {use: megp25, controller: controller, length: 65 mm}}
    stations:
      bin: {sink: true, approach: 20 mm, pose: {x: -150 mm, y: 110 mm, z: 50 mm}}
      shelf: {approach: 20 mm, pose: {x: 120 mm, y: 30 mm, z: 30 mm}}
  bodies:
    kind: feeder
    devices: {bowl: {use: bowl_feeder, io: io, start: do4, present: di4}}
    stations: {pick: {source: body, approach: 20 mm, pose: {x: 0 mm, y: -210 mm, z: 30 mm}}}
  lids:
    kind: feeder
    devices: {bowl: {use: bowl_feeder, io: io, start: do5, present: di5}}
    stations: {pick: {source: lid, approach: 20 mm, pose: {x: 110 mm, y: -180 mm, z: 30 mm}}}
  press:
    kind: machine
    devices: {plc: {use: handshake_machine, address: modbus-tcp://10.0.0.4:502}}
    at: belt.press
    programs: {close: {number: 1, time: 2 s}}
  gauge:
    kind: inspection
    devices: {head: {use: register_gauge, address: modbus-tcp://10.0.0.5:502}}
    at: belt.gauge
    features: [height]
materials:
  body: {mass: 9 g}
  lid: {mass: 6 g}
"""

RECIPE = """\
recipe: thing
steps:
  - {step: load, do: transfer, take: body, to: belt.load}
  - {step: lid, do: insert, take: lid, into: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {step: press, do: run, program: close, timeout: 6 s}
  - {step: to_gauge, do: advance, to: belt.gauge}
  - {step: measure, do: measure, expect: {height: 18 mm ± 0.1 mm}, on: {reject: {retry: 1, then: scrap}}}
  - {step: out, do: advance, to: belt.exit}
scrap:
  - {step: drop, do: transfer, to: bin}
"""

Changes = tuple[tuple[str, str], ...]


@pytest.fixture
def report_of_line(tmp_path: Path, installed: Installed) -> Callable[..., tuple[Line | None, Report]]:
    """The line after some changes (old, new), and what was found in it."""

    def load(*changes: tuple[str, str]) -> tuple[Line | None, Report]:
        path, report = tmp_path / "line.yaml", Report()
        path.write_text(changed(LINE, changes))
        return load_line(path, report, *installed), report

    return load


@pytest.fixture
def found_in(report_of_line: Callable[..., tuple[Line | None, Report]]) -> Callable[..., list[str]]:
    """What is found in the recipe after some changes, as "severity code step: message; help" lines."""

    def check(*changes: tuple[str, str], line: Changes = (), whole: str = RECIPE) -> list[str]:
        made, _ = report_of_line(*line)
        assert made is not None
        report, text = Report(), changed(whole, changes)
        recipe = parse_recipe(text, "thing.yaml", report)
        assert recipe is not None, report.render()
        check_recipe(recipe, made, report)
        rows = text.split("\n")
        return [f"{f.severity} {f.code} {_marked(rows, f)}: {f.message}; {f.help}" for f in report.findings]

    return check


@pytest.fixture
def compiled(report_of_line: Callable[..., tuple[Line | None, Report]]) -> tuple[Executable, Line]:
    """The recipe as it stands, and its line."""
    line, report = report_of_line()
    recipe = parse_recipe(RECIPE, "thing.yaml", report)
    assert line is not None
    assert recipe is not None
    return check_recipe(recipe, line, report)[""], line


def _marked(rows: list[str], finding: Finding) -> str:
    span = finding.span
    return rows[span.line - 1][span.column - 1 : span.end_column - 1]
