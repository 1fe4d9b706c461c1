"""A machine that makes parts: they lie in its nests when the program has ended, as many as it was told."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from plugged_in import Installed

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.runtime import Table
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant

TEXT = """
line: print
modules:
  printer:
    kind: machine
    devices:
      plc: {use: handshake_machine, address: modbus-tcp://10.0.4.51:502, simulated: {makes: bracket}}
    stations:
      plate: {pose: {x: 0 mm, y: 200 mm, z: 40 mm}, grid: {columns: 3, rows: 2, column_pitch: 25 mm, row_pitch: 25 mm}}
    programs:
      bracket: {number: 7, time: 3 h, counted: COUNTED}
materials: {bracket: {mass: 15 g}}
"""
HOURS_3 = 3 * 3600.0


@pytest.fixture(name="line")
def printer(tmp_path: Path, installed: Installed, request: pytest.FixtureRequest) -> Line:
    path = tmp_path / "line.yaml"
    path.write_text(TEXT.replace("COUNTED", getattr(request, "param", "true")))
    report = Report()
    line = load_line(path, report, *installed)
    assert line is not None, report.render()
    return line


class Trial:
    """The plant of that line, and a client that orders programs."""

    def __init__(self, line: Line) -> None:
        self.plant = Plant(line, lambda name: random.Random(name))
        self.device = self.plant.simulator("printer.plc")

    def order(self, t: float, number: int, *values: float, program: int = 7) -> None:
        words = [word for value in values for word in struct.unpack(">HH", struct.pack(">f", value))]
        frame = [program, len(values), *words, *[0] * (16 - len(words)), 0, number]
        self.device.write(t, 1, Table.HOLDING, 0, frame)

    def places(self, t: float) -> list[object]:
        self.plant.advance(t)
        return [item["place"] for item in self.plant.items()]

    def code(self, t: float) -> int:
        return int(self.device.read(t, 1, Table.INPUT, 6, 1)[0])


def test_nothing_lies_there_before_the_program_has_ended_and_then_as_many_as_it_was_told(line: Line) -> None:
    trial = Trial(line)
    trial.order(10.0, 1, 4.0)
    assert trial.places(10.0 + HOURS_3 - 0.001) == []
    assert trial.places(10.0 + HOURS_3) == [f"printer.plate#{nest}" for nest in range(4)]
    assert trial.plant.counters()["printer.plc.made"] == 4


@pytest.mark.parametrize("line", ["false"], indirect=True)
def test_a_program_that_is_not_told_fills_every_nest(line: Line) -> None:
    trial = Trial(line)
    trial.order(10.0, 1)
    assert len(trial.places(10.0 + HOURS_3)) == 6


def test_each_program_makes_its_own_material(tmp_path: Path, installed: Installed) -> None:
    path, report = tmp_path / "line.yaml", Report()
    text = TEXT.replace("COUNTED", "true").replace(
        "{makes: bracket}", "{makes: {bracket: bracket, clip: clip}}"
    )
    clip = "      clip: {number: 8, time: 40 min, counted: true}\nmaterials: {clip: {mass: 4 g}, "
    path.write_text(text.replace("materials: {", clip))
    line = load_line(path, report, *installed)
    assert line is not None, report.render()
    for number, material in ((7, "bracket"), (8, "clip")):
        trial = Trial(line)
        trial.order(10.0, 1, 1.0, program=number)
        trial.places(10.0 + HOURS_3)
        assert [item["components"] for item in trial.plant.items()] == [[material]]


def test_to_make_parts_where_some_lie_is_noted_and_the_program_fails(line: Line) -> None:
    trial = Trial(line)
    trial.order(10.0, 1, 1.0)
    trial.order(10.0 + 2 * HOURS_3, 2, 2.0)
    assert trial.places(10.0 + 4 * HOURS_3) == ["printer.plate#0"]
    assert trial.code(10.0 + 4 * HOURS_3) != 0
    assert [text for _, text in trial.plant.incidents()] == [
        "printer.plc: made a part where one lies, in printer.plate#0"
    ]


def test_a_power_loss_half_way_makes_nothing(line: Line) -> None:
    trial = Trial(line)
    trial.order(10.0, 1, 6.0)
    trial.plant.fault(Fault(device="printer.plc", fault="power_loss", lasts=60.0), now=3600.0)
    assert trial.places(3 * HOURS_3) == []
