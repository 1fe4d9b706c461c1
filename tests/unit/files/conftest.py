"""A small line and a small recipe that are right, and a way to spoil them in one place and see what is found there."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from plugged_in import Installed
from texts import changed

from cellctl.compile.compiler import check_recipe
from cellctl.findings import Finding, Report, Severity
from cellctl.line.load import load_line, taught_path
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import Recipe, parse_recipe

LINE = """\
line: small
runner: {bus: tcp://127.0.0.1:5700}
zones: [table]
frames:
  plate: {x: 100 mm, y: 50 mm, z: 10 mm, gamma: 90 deg}
devices:
  io: {use: remote_io, address: modbus-tcp://10.0.0.1:502, inputs: 4, outputs: 4}
modules:
  belt:
    kind: conveyor
    speed: 150 mm/s
    devices:
      drive: {use: altivar, address: modbus-tcp://10.0.0.2:502, speed_per_hz: 5 mm}
    stations:
      load: {at: 100 mm, eye: io.di0, stopper: io.do0, pose: {x: 200 mm, y: 0 mm, z: 30 mm}}
      press: {at: 200 mm, eye: io.di1, stopper: io.do1, pose: {x: 200 mm, y: 100 mm, z: 30 mm}}
      exit: {at: 300 mm, eye: io.di2, sink: true}
  arm:
    kind: arm
    robot: meca500
    devices: {controller: {use: mecademic, address: tcp://10.0.0.3:10000}}
    tools: {gripper: {use: megp25, controller: controller, length: 65 mm}}
    stations:
      bin: {sink: true, pose: {x: 150 mm, y: -150 mm, z: 50 mm}}
      rack: {zone: table, grid: {columns: 2, rows: 2, column_pitch: 20 mm, row_pitch: 10 mm}, pose: {frame: plate, x: 10 mm, y: 0 mm, z: 0 mm}}
  lids:
    kind: feeder
    devices: {bowl: {use: bowl_feeder, io: io, start: do2, present: di3}}
    stations: {pick: {source: lid, pose: {x: 0 mm, y: 200 mm, z: 30 mm}}}
  press:
    kind: machine
    devices: {plc: {use: handshake_machine, address: modbus-tcp://10.0.0.4:502}}
    at: belt.press
    programs: {close: {number: 1, takes: {force: {min: 10 N, max: 80 N}}, gives: [peak], time: 2 s}}
  gauge:
    kind: inspection
    devices: {head: {use: register_gauge, address: modbus-tcp://10.0.0.5:502}}
    at: belt.press
    features: [height]
materials:
  lid: {mass: 6 g, height: 6 mm}
  body: {mass: 9 g}
carriers:
  P1: {nests: 2, home: arm.rack}
safety:
  door: {input: io.di3, modules: [belt, arm]}
"""

RECIPE = """\
recipe: thing
revision: 2
parameters:
  lid: {material: lid}
  force: {default: 40 N, min: 20 N, max: 60 N}
  height: {default: 18.20 mm ± 0.15 mm}
  program: {text: close, choices: [close]}
variants:
  plain: {}
  hard: {force: 55 N}
  harder: {extends: hard, force: 60 N, steps: {again: {after: press, do: run, program: close, force: $force}}}
steps:
  - {step: load, do: transfer, take: $lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {step: press, do: run, program: $program, force: $force, timeout: 6 s}
  - {step: measure, do: measure, expect: {height: $height}, on: {reject: {retry: 1, from: press, then: scrap}}}
  - {step: out, do: advance, to: belt.exit}
scrap:
  - {step: drop, do: transfer, to: bin}
"""


@dataclass(frozen=True)
class Checked:
    """What was found in a text; `places` are those marked with « in it, as (line, column)."""

    report: Report
    places: tuple[tuple[int, int], ...]

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.report.findings if finding.severity is Severity.ERROR]

    def has(self, code: str, said: str = "", place: int = 0) -> Finding:
        """The one finding of this code at a marked place; what it says, help included, contains `said`."""
        there = [
            finding
            for finding in self.report.findings
            if finding.code == code and (finding.span.line, finding.span.column) == self.places[place]
        ]
        assert len(there) == 1, f"{code} at {self.places[place]}:\n{self.report.render()}"
        assert said in f"{there[0].message}\n{there[0].help}", self.report.render()
        return there[0]

    def has_only(self, code: str, said: str = "") -> None:
        """Nothing else is wrong."""
        self.has(code, said)
        assert len(self.errors) <= 1, self.report.render()


@dataclass(frozen=True)
class CheckedLine(Checked):
    line: Line | None


@dataclass(frozen=True)
class CheckedRecipe(Checked):
    recipe: Recipe | None
    made: dict[str, Executable]


def unmarked(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    places = []
    for number, row in enumerate(text.split("\n"), start=1):
        places += [(number, match.start() + 1 - n) for n, match in enumerate(re.finditer("«", row))]
    return text.replace("«", ""), tuple(places)


@pytest.fixture
def check_line(tmp_path: Path, installed: Installed) -> Callable[..., CheckedLine]:
    """Load the small line after some changes (old, new with « before what is wrong), or a text of one's own."""

    def check(*changes: tuple[str, str], text: str = LINE, taught: str = "") -> CheckedLine:
        source, places = unmarked(changed(text, changes))
        path = tmp_path / "small.yaml"
        path.write_text(source, encoding="utf-8")
        if taught:
            beside, places = unmarked(taught)
            taught_path(path).write_text(beside, encoding="utf-8")
        report = Report()
        return CheckedLine(report, places, load_line(path, report, *installed))

    return check


@pytest.fixture
def small_text() -> str:
    """The text of the small line."""
    return LINE


@pytest.fixture(scope="session")
def small_line(tmp_path_factory: pytest.TempPathFactory, installed: Installed) -> Line:
    """The small line as it is."""
    path, report = tmp_path_factory.mktemp("small") / "small.yaml", Report()
    path.write_text(LINE, encoding="utf-8")
    line = load_line(path, report, *installed)
    assert line is not None, report.render()
    return line


@pytest.fixture
def check_small_recipe(small_line: Line) -> Callable[..., CheckedRecipe]:
    """Read and compile the small recipe for the small line after some changes; `included` are sub-recipes by name.

    Their marks come after those of the recipe.
    """

    def check(
        *changes: tuple[str, str],
        text: str = RECIPE,
        line: Line | None = None,
        included: dict[str, str] | None = None,
    ) -> CheckedRecipe:
        source, places = unmarked(changed(text, changes))
        texts = {}
        for name, each in (included or {}).items():
            texts[name], more = unmarked(each)
            places += more
        report = Report()
        recipe = parse_recipe(source, "thing.yaml", report, texts)
        made = check_recipe(recipe, line or small_line, report) if recipe else {}
        return CheckedRecipe(report, places, recipe, made)

    return check
