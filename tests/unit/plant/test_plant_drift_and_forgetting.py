"""A gauge that drifts off, and a PLC that forgets what the controller wrote."""

from __future__ import annotations

import random
import struct
from math import inf

import pytest

from cellctl.line.model import Material
from cellctl.runtime import Table
from cellctl_sim.devices.handshake_machine import HandshakeMachineDevice, Program
from cellctl_sim.devices.register_gauge import RegisterGaugeDevice, RegisterGaugeProperties
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.items import Item


def puck() -> Item:
    return Item(1, [Material("puck", 0.02, 0.0182)], "gauge")


def test_a_gauge_that_drifts_measures_more_and_more_too_much_until_it_is_set_right() -> None:
    device = RegisterGaugeDevice(
        "gauge",
        Agenda(),
        lambda t: (puck(), 0.0),
        random.Random(1),
        properties=RegisterGaugeProperties(noise=0.0),
    )

    def height_mm(t: float) -> float:
        device.write(t - 0.4, 1, Table.HOLDING, 0, [0, 1])
        words = device.read(t, 1, Table.INPUT, 2, 2)
        return float(struct.unpack(">f", struct.pack(">HH", *words))[0])

    drift = Fault.model_validate({"device": "gauge", "fault": "drift", "value": 1e-4, "for": 10.0})
    device.suffer(0.0, drift, 10.0)
    assert [height_mm(t) for t in (1.0, 5.0, 9.0)] == pytest.approx([18.3, 18.7, 19.1])
    assert height_mm(11.0) == pytest.approx(18.2)


@pytest.mark.parametrize(("fault", "number"), [("power_loss", 7), ("forget", 0)])
def test_a_plc_that_forgets_has_lost_what_was_written_but_not_what_it_acknowledged(
    fault: str, number: int
) -> None:
    agenda = Agenda()
    device = HandshakeMachineDevice(
        "plc", agenda, lambda t: (puck(), 0.0), random.Random(1), {1: Program(time=2.0)}
    )
    device.write(0.0, 1, Table.HOLDING, 0, [1, 0, *[0] * 16, 0, 7])
    agenda.advance(1.0)
    dark = device.suffer(1.0, Fault.model_validate({"device": "plc", "fault": fault, "for": 2.0}), 3.0)
    assert dark is not None
    assert 3.0 < dark < inf
    assert device.read(dark, 1, Table.HOLDING, 18, 2) == (0, number)
    assert device.read(dark, 1, Table.INPUT, 0, 2) == (0, 7)  # ACK
    assert device.read(dark, 1, Table.INPUT, 2, 2) == (0, 0)  # DONE
