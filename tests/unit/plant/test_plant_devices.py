"""Simulated devices, time passed in: watchdogs, drive states, machine and gauge at their edges, faults."""

from __future__ import annotations

import random
import struct
from collections import Counter
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellctl.device import Point
from cellctl.errors import UnknownName
from cellctl.line.model import Material
from cellctl.runtime import Table
from cellctl_sim.devices.altivar import AltivarDevice
from cellctl_sim.devices.altivar_states import Command, DriveState, next_state
from cellctl_sim.devices.handshake_machine import HandshakeMachineDevice, Program
from cellctl_sim.devices.protocols import ModbusException
from cellctl_sim.devices.register_gauge import RegisterGaugeDevice, RegisterGaugeProperties
from cellctl_sim.devices.remote_io import RemoteIODevice
from cellctl_sim.devices.watchdog import Watchdog
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.items import Item
from cellctl_sim.plant.ramp import Ramp
from cellctl_sim.plant.signals import Signals

H, I = Table.HOLDING, Table.INPUT  # noqa: E741 - the two register tables


def fault(device: str, kind: str, lasts: str) -> Fault:
    return Fault.model_validate({"device": device, "fault": kind, "for": lasts})


# --- watchdog ---------------------------------------------------------------------------------------------------


def watched() -> tuple[Agenda, Watchdog, list[float]]:
    agenda = Agenda()
    expired: list[float] = []
    watchdog = Watchdog(agenda, expired.append)
    watchdog.start(0.0, 2.0)
    return agenda, watchdog, expired


def test_a_watchdog_expires_when_nobody_asks() -> None:
    agenda, watchdog, expired = watched()
    agenda.advance(1.5)
    watchdog.heard(1.5)
    agenda.advance(10.0)
    assert expired == [3.5]


def test_polling_that_is_only_announced_keeps_a_watchdog_quiet() -> None:
    agenda, watchdog, expired = watched()
    leave = watchdog.attend(0.0, 0.5)
    agenda.advance(50.0)
    leave(50.0)
    agenda.advance(51.0)
    assert expired == []
    agenda.advance(60.0)
    assert expired == [51.5]  # the last poll was at 49.5 s


def test_polling_slower_than_the_watchdog_does_not_keep_it_quiet() -> None:
    agenda, watchdog, expired = watched()
    watchdog.attend(0.0, 3.0)
    agenda.advance(50.0)
    assert expired == [2.0]


# --- drive ------------------------------------------------------------------------------------------------------


class Drive:
    """A drive set to Modbus, with ramps of 1 s, and the ramps that it gave its motor."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self.turns: list[Ramp] = []
        self.counts: Counter[str] = Counter()
        self.device = AltivarDevice("drive", self.agenda, turn=self._turn, count=self._count)
        for address, value in {8401: 2, 8413: 164, 8423: 10, 9001: 10, 9002: 10, 6005: 20, 7010: 6}.items():
            self.write(0.0, address, value)

    def _turn(self, t: float, ramp: Ramp) -> None:
        self.turns.append(ramp)

    def _count(self, name: str) -> None:
        self.counts[name] += 1

    def write(self, t: float, address: int, *values: int) -> None:
        self.device.write(t, 1, H, address, values)

    def read(self, t: float, address: int) -> int:
        return self.device.read(t, 1, H, address, 1)[0]

    def state(self, t: float) -> int:
        return self.read(t, 3201) & 0x6F

    def run(self, t: float, tenths: int = 300) -> None:
        for command in (6, 7):
            self.write(t, 8501, command)
        self.write(t, 8501, 15, tenths)


def test_the_output_follows_the_ramp_that_acc_says() -> None:
    drive = Drive()
    drive.run(1.0)
    assert drive.turns[-1] == Ramp(1.0, 0.0, 30.0, 50.0)
    assert drive.read(1.3, 3202) == 150
    assert not drive.read(1.59, 3201) & 0x400
    assert drive.read(1.6, 3201) & 0x400


def test_disable_operation_ramps_down_before_it_leaves_operation_enabled() -> None:
    drive = Drive()
    drive.run(0.0)
    drive.write(1.0, 8501, 7)
    assert drive.state(1.1) == DriveState.ENABLED
    assert drive.state(1.7) == DriveState.SWITCHED_ON
    assert drive.turns[-1] == Ramp(1.0, 30.0, 0.0, 50.0)


def test_shutdown_lets_the_motor_coast() -> None:
    drive = Drive()
    drive.run(0.0)
    drive.write(1.0, 8501, 6)
    assert drive.state(1.0) == DriveState.READY
    assert drive.turns[-1].rate == pytest.approx(125.0)


def test_silence_ramps_the_belt_down_and_then_trips() -> None:
    drive = Drive()
    drive.run(0.0)
    drive.agenda.advance(2.3)
    assert drive.device._state is DriveState.FAULT_REACTION
    drive.agenda.advance(2.6)
    assert (drive.state(3.0), drive.read(3.0, 7121)) == (DriveState.FAULT, 5)
    assert drive.turns[-1] == Ramp(2.0, 30.0, 0.0, 50.0)


def test_a_reference_beyond_high_speed_is_cut_and_a_negative_one_is_none() -> None:
    drive = Drive()
    drive.run(0.0, 800)
    assert drive.turns[-1].after == 50.0
    drive.write(1.5, 8502, 0x10000 - 100)
    assert drive.turns[-1].after == 0.0


def test_starts_are_counted() -> None:
    drive = Drive()
    drive.run(0.0)
    drive.write(1.0, 8502, 200)
    drive.write(1.9, 8502, 0)
    drive.write(3.5, 8502, 300)
    assert drive.counts == {"drive.started": 2}


def test_configuration_cannot_be_changed_while_the_motor_runs() -> None:
    drive = Drive()
    drive.run(0.0)
    with pytest.raises(ModbusException) as refusal:
        drive.write(0.5, 8413, 1)
    assert refusal.value.code == 4


@given(polls=st.lists(st.integers(1, 400_000), min_size=1, max_size=40))
def test_between_two_changes_that_it_announces_a_drive_shows_the_same(polls: list[int]) -> None:
    drive = Drive()
    drive.run(0.0)
    registers = (3201, 3202, 3240, 7121, 8604)
    now, change, shown = 0.0, 0.0, None
    for step in polls:
        now = round(now + step / 1e6, 6)
        drive.write(now, 8501, 15)  # keeps the watchdog quiet
        seen = [drive.read(now, address) for address in registers]
        if shown is not None and now < change:
            assert seen == shown
        shown, change = seen, drive.device.next_change(now)
        assert change > now


@pytest.mark.parametrize(
    ("state", "command", "expected"),
    [
        ("SWITCH_ON_DISABLED", 0x06, "READY"),
        ("SWITCH_ON_DISABLED", 0x07, "SWITCH_ON_DISABLED"),
        ("SWITCH_ON_DISABLED", 0x0F, "SWITCH_ON_DISABLED"),
        ("READY", 0x07, "SWITCHED_ON"),
        ("READY", 0x0F, "ENABLED"),
        ("READY", 0x00, "SWITCH_ON_DISABLED"),
        ("READY", 0x02, "SWITCH_ON_DISABLED"),
        ("SWITCHED_ON", 0x0F, "ENABLED"),
        ("SWITCHED_ON", 0x06, "READY"),
        ("ENABLED", 0x07, "SWITCHED_ON"),
        ("ENABLED", 0x0B, "QUICK_STOP"),
        ("ENABLED", 0x00, "SWITCH_ON_DISABLED"),
        ("QUICK_STOP", 0x00, "SWITCH_ON_DISABLED"),
        ("QUICK_STOP", 0x0F, "QUICK_STOP"),
        ("FAULT", 0x0F, "FAULT"),
    ],
)
def test_the_state_machine_is_that_of_cia402(state: str, command: int, expected: str) -> None:
    assert next_state(DriveState[state], Command(command), stands=True) is DriveState[expected]


# --- island -----------------------------------------------------------------------------------------------------


def test_a_stuck_input_shows_what_the_fault_says_for_as_long_as_it_lasts() -> None:
    agenda, signals = Agenda(), Signals()
    island = RemoteIODevice("io", agenda, signals)
    signals.wire_input(Point("io", False, 2), lambda: True)
    island.suffer(1.0, Fault(device="io", fault="stuck", point="di2", value=0), 3.0)
    shown = [island.read(t, 1, Table.DISCRETE, 2, 1)[0] for t in (1.5, 2.9, 3.0)]
    assert shown == [0, 0, 1]


def test_an_island_announces_when_a_stuck_input_comes_loose() -> None:
    island = RemoteIODevice("io", Agenda(), Signals())
    island.suffer(1.0, Fault(device="io", fault="stuck", point="di2", value=1), 3.0)
    assert island.next_change(1.5) == 3.0


def test_a_watchdog_that_is_active_cannot_be_changed_before_it_is_stopped() -> None:
    island = RemoteIODevice("io", Agenda(), Signals())
    island.write(0.0, 1, H, 0x1003, [1])
    with pytest.raises(ModbusException):
        island.write(0.1, 1, H, 0x1000, [5])
    island.write(0.2, 1, H, 0x1008, [0x55AA])
    island.write(0.3, 1, H, 0x1000, [5])
    assert island.read(0.4, 1, H, 0x1000, 1) == (5,)


def test_outputs_go_off_when_the_watchdog_runs_out() -> None:
    agenda, signals = Agenda(), Signals()
    switched: list[tuple[float, bool]] = []
    signals.wire_output(Point("io", True, 3), lambda t, on: switched.append((t, on)))
    island = RemoteIODevice("io", agenda, signals)
    island.write(0.0, 1, H, 0x1000, [20])
    island.write(0.0, 1, H, 0x1003, [1])
    island.write(1.0, 1, Table.COILS, 3, [1])
    agenda.advance(10.0)
    assert switched == [(1.0, True), (3.0, False)]


def test_an_unknown_fault_is_refused_by_name() -> None:
    with pytest.raises(UnknownName, match="stuck"):
        RemoteIODevice("io", Agenda(), Signals()).suffer(0.0, Fault(device="io", fault="stuk"), inf)


# --- machine ----------------------------------------------------------------------------------------------------


class Press:
    """A press with one item in it and program 1: a force, two seconds."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self.runs: Counter[int] = Counter()
        self.item: Item | None = Item(1, [Material("puck", 0.02, 0.01, 100e3)], "press")
        self.off = 0.0
        self.device = HandshakeMachineDevice(
            "press",
            self.agenda,
            lambda t: (self.item, self.off),
            random.Random(1),
            {1: Program(("force",), ("peak",), 2.0)},
            runs=self.runs,
        )

    def order(self, t: float, number: int, program: int = 1, *values: float) -> None:
        words = [word for value in values for word in struct.unpack(">HH", struct.pack(">f", value))]
        frame = [program, len(values), *words, *[0] * (16 - len(words)), number >> 16, number & 0xFFFF]
        self.device.write(t, 1, H, 0, frame)

    def report(self, t: float) -> dict[str, int]:
        words = self.device.read(t, 1, I, 0, 25)
        return {
            "ack": words[0] << 16 | words[1],
            "done": words[2] << 16 | words[3],
            "state": words[4],
            "boots": words[5],
            "code": words[6],
            "locals": words[24],
        }


def test_a_program_runs_for_its_time_and_then_is_done() -> None:
    press = Press()
    press.order(1.0, 5, 1, 40.0)
    assert press.device.next_change(1.0) == 3.0
    assert press.report(2.9)["state"] == 1
    assert press.report(3.0) == {"ack": 5, "done": 5, "state": 2, "boots": 1, "code": 0, "locals": 0}
    assert press.item is not None
    assert press.item.compression == pytest.approx(40.0 / 100e3)


def test_another_number_is_not_taken_while_a_program_runs_nor_afterwards() -> None:
    press = Press()
    press.order(0.0, 5, 1, 40.0)
    press.order(1.0, 6, 1, 40.0)
    assert press.report(9.0)["ack"] == 5
    assert press.runs == {5: 1}


def test_after_a_power_loss_the_number_is_known_but_not_done_and_the_boot_count_is_another() -> None:
    press = Press()
    press.order(0.0, 5, 1, 40.0)
    press.agenda.advance(1.0)
    dark = press.device.suffer(1.0, fault("press", "power_loss", "2 s"), 3.0)
    assert dark == 6.0
    assert press.report(6.0) == {"ack": 5, "done": 0, "state": 0, "boots": 2, "code": 0, "locals": 0}
    assert press.item is not None
    assert press.item.compression == 0.0


def test_the_same_number_does_not_run_again_after_a_power_loss() -> None:
    press = Press()
    press.order(0.0, 5, 1, 40.0)
    press.device.suffer(9.0, Fault(device="press", fault="restart"), inf)
    press.order(20.0, 5, 1, 40.0)
    assert press.report(30.0)["state"] == 0
    assert press.runs == {5: 1}


def test_local_operation_breaks_the_program_off_and_is_counted() -> None:
    press = Press()
    press.order(0.0, 5, 1, 40.0)
    press.agenda.advance(1.0)
    press.device.suffer(1.0, fault("press", "local", "4 s"), 5.0)
    press.order(2.0, 6, 1, 40.0)
    assert press.report(3.0) == {"ack": 5, "done": 0, "state": 4, "boots": 1, "code": 0, "locals": 1}
    assert press.report(5.0)["state"] == 0


def test_a_stalled_program_takes_as_much_longer() -> None:
    press = Press()
    press.order(0.0, 5, 1, 40.0)
    press.agenda.advance(1.0)
    press.device.suffer(1.0, fault("press", "stall", "3 s"), 4.0)
    assert press.device.next_change(1.0) == 5.0


@pytest.mark.parametrize(
    ("program", "values", "code"), [(2, (40.0,), 3), (1, (), 4), (1, (float("nan"),), 4), (1, (1.0, 2.0), 4)]
)
def test_what_the_controller_does_not_understand_fails_at_once(
    program: int, values: tuple[float, ...], code: int
) -> None:
    press = Press()
    press.order(0.0, 5, program, *values)
    report = press.report(0.0)
    assert (report["state"], report["code"], report["done"]) == (3, code, 5)


def test_a_part_that_lies_askew_is_not_pressed() -> None:
    press = Press()
    press.off = 0.005
    press.order(0.0, 5, 1, 40.0)
    assert press.report(9.0)["code"] == 2
    assert press.item is not None
    assert press.item.compression == 0.0


def test_stop_ends_the_program() -> None:
    press = Press()
    press.order(0.0, 5, 1, 40.0)
    press.device.write(1.0, 1, H, 30, [1])
    assert press.report(1.0)["code"] == 9


# --- gauge ------------------------------------------------------------------------------------------------------


def gauge(noise: float = 0.0, seed: int = 3) -> RegisterGaugeDevice:
    item = Item(1, [Material("puck", 0.02, 0.0182)], "gauge")
    properties = RegisterGaugeProperties(noise=noise)
    return RegisterGaugeDevice(
        "gauge", Agenda(), lambda t: (item, 0.0), random.Random(seed), properties=properties
    )


def measured(device: RegisterGaugeDevice, t: float) -> float:
    device.write(t, 1, H, 0, [0, 1])
    words = device.read(t + 1.0, 1, I, 2, 2)
    value: float = struct.unpack(">f", struct.pack(">HH", *words))[0]
    return value


def test_an_offset_fault_holds_for_so_many_measurements() -> None:
    device = gauge()
    device.suffer(0.0, Fault(device="gauge", fault="offset", value=0.001, count=2), inf)
    assert [round(measured(device, 2.0 * n), 4) for n in range(3)] == [19.2, 19.2, 18.2]


def test_the_noise_has_the_standard_deviation_that_is_asked_for() -> None:
    device = gauge(noise=1e-5)
    values = [measured(device, 2.0 * n) for n in range(500)]
    mean = sum(values) / 500
    sigma = (sum((value - mean) ** 2 for value in values) / 499) ** 0.5
    assert mean == pytest.approx(18.2, abs=0.002)
    assert sigma == pytest.approx(0.01, rel=0.15)


def test_a_gauge_announces_the_end_of_its_measurement_and_nothing_else() -> None:
    device = gauge()
    assert device.next_change(0.0) == inf
    device.write(1.0, 1, H, 0, [0, 9])
    assert device.next_change(1.0) == 1.4
    assert device.read(1.39, 1, I, 0, 2) == (2, 0)
    assert device.read(1.4, 1, I, 0, 2) == (1, 9)
