"""Machines, gauges and bowls that do not always take the same time, and machines that break down."""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Callable
from math import inf

import pytest

from cellctl.line.distributions import Constant, Exponential
from cellctl.line.model import Material
from cellctl.runtime import RandomStream, Table
from cellctl_sim.devices.handshake_machine import (
    HandshakeMachineDevice,
    HandshakeMachineProperties,
    Program,
)
from cellctl_sim.devices.register_gauge import RegisterGaugeDevice, RegisterGaugeProperties
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.items import Item
from cellctl_sim.plant.spots import Shelf
from cellctl_sim.plant.world import World

STREAMS: Callable[[str], RandomStream] = random.Random
FAILS = {"after": "10 s", "repair": "3 s"}


class Press:
    """A press with an item in it, program 1 of two seconds and program 2 of seven, and a count of what happened."""

    def __init__(self, **properties: object) -> None:
        self.agenda, self.counts, self.number = Agenda(), Counter[str](), 0
        item = Item(1, [Material("puck", 0.02, 0.01)], "press")
        self.device = HandshakeMachineDevice(
            "press",
            self.agenda,
            lambda t: (item, 0.0),
            random.Random(1),
            {1: Program(time=2.0), 2: Program(law=Constant.model_validate("7 s"))},
            HandshakeMachineProperties.model_validate(properties),
            lambda name: self.counts.update([name]),
            streams=STREAMS,
        )

    def run(self, t: float, program: int = 1) -> float:
        """When a program that is begun at `t` ends."""
        self.begin(t, program)
        while self.device.next_change(t) < inf:
            t = self.device.next_change(t)
            self.agenda.advance(t)
        return t

    def begin(self, t: float, program: int = 1) -> None:
        """Write a program with the next number."""
        self.number += 1
        self.device.write(t, 1, Table.HOLDING, 0, [program, *[0] * 17, 0, self.number])


def test_a_machine_takes_what_its_distribution_says() -> None:
    press = Press(takes={"exponential": "4 s"})
    stream, law = STREAMS("press.takes"), Exponential.model_validate({"exponential": "4 s"})
    t = 0.0
    for _ in range(5):
        ended = press.run(t)
        assert ended - t == pytest.approx(law.draw(stream), abs=2e-6)
        t = ended


def test_a_program_with_a_distribution_of_its_own_leaves_that_of_the_machine() -> None:
    assert Press(takes="5 s").run(0.0, program=2) == 7.0
    assert Press(takes="5 s").run(0.0, program=1) == 5.0
    assert Press().run(0.0, program=1) == 2.0


def test_a_machine_breaks_by_time_in_operation_and_goes_on_after_its_repair() -> None:
    press = Press(takes="4 s", fails=FAILS)
    assert press.run(0.0) == 4.0
    assert press.run(1000.0) == 1004.0  # it stood idle meanwhile, and did not wear
    assert press.run(2000.0) == 2007.0  # broke after two of its four seconds, three seconds of repair
    assert press.counts["press.broke"] == press.counts["press.repaired"] == 1


def test_a_long_program_breaks_more_than_once() -> None:
    press = Press(takes="35 s", fails=FAILS)
    assert press.run(0.0) == 35.0 + 3 * 3.0
    assert press.counts["press.broke"] == 3


def test_a_machine_that_is_stopped_while_it_is_mended_begins_when_that_is_over() -> None:
    press = Press(takes="12 s", fails=FAILS)
    press.begin(0.0)
    press.device.write(11.0, 1, Table.HOLDING, 30, [1])
    press.device.write(11.0, 1, Table.HOLDING, 30, [0])
    assert press.run(11.5) == 13.0 + 12.0 + 3.0  # mended at 13; broke again after 10 of the 12


def test_a_stall_is_no_wear() -> None:
    press = Press(takes="8 s", fails={"after": "9 s", "repair": "1 s"})
    press.begin(0.0)
    press.device.suffer(1.0, Fault(at=1.0, device="press", fault="stall"), 101.0)
    assert press.device.next_change(1.0) == 108.0
    press.agenda.advance(108.0)
    assert press.counts["press.broke"] == 0


def test_a_gauge_takes_what_its_distribution_says() -> None:
    agenda, item = Agenda(), Item(1, [Material("puck", 0.02, 0.0182)], "gauge")
    properties = RegisterGaugeProperties.model_validate({"takes": {"uniform": ["1 s", "3 s"]}})
    gauge = RegisterGaugeDevice(
        "gauge",
        agenda,
        lambda t: (item, 0.0),
        random.Random(3),
        properties=properties,
        takes=random.Random(8),
    )
    gauge.write(0.0, 1, Table.HOLDING, 0, [0, 1])
    assert gauge.next_change(0.0) == pytest.approx(1.0 + 2.0 * random.Random(8).random(), abs=1e-6)
    agenda.advance(3.0)
    value = struct.unpack(">f", struct.pack(">HH", *gauge.read(3.0, 1, Table.INPUT, 2, 2)))[0]
    assert value == pytest.approx(18.2, abs=0.1)


def test_a_bowl_takes_what_its_distribution_says() -> None:
    world = World(random.Random, {"lid": Material("lid", 0.01)})
    law = Exponential.model_validate({"exponential": "5 s"})
    bowl = world.bowl("bowl", "pick", "lid", takes=law)
    stream = random.Random("bowl")
    stream.random()  # whether it jams
    bowl.vibrate(0.0, True)
    due = law.draw(stream)
    world.agenda.advance(due - 0.001)
    assert not bowl.present()
    world.agenda.advance(due + 0.001)
    assert bowl.present()


def test_a_shelf_gives_what_came_first_and_notes_when_it_is_overfull() -> None:
    notes: list[str] = []
    shelf = Shelf("buffer", 2, lambda t, what: notes.append(what))
    items = [Item(n, [Material("puck", 0.02)], "hand") for n in range(3)]
    for item in items[:2]:
        shelf.put(0.0, item)
    assert not notes
    shelf.put(0.0, items[2])
    assert notes == ["buffer: more than 2 items"]
    assert [shelf.take(1.0) for _ in items] == items
    assert shelf.look(1.0) == (None, inf)
