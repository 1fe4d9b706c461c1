"""What is drawn for a scenario: every kind of trouble, each in a few scenarios, and each can be written and read."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from cellctl.line.model import Line
from cellctl_sim.hostility import NEEDS_A_PERSON, STANDS, doubtful_devices, draw_hostility
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import Disturbance, Kind, ProcessFault
from cellctl_sim.scenario import USUAL, Scenario, read, write
from cellctl_sim.shrink import rounded


@pytest.fixture(scope="module")
def drawn(puck_line: Line) -> list[list[Fault | ProcessFault]]:
    return [draw_hostility(random.Random(seed), puck_line, 30.0) for seed in range(1500)]


def kinds(faults: list[Fault | ProcessFault]) -> set[str]:
    return {f"{type(fault).__name__} {fault.fault}" for fault in faults}


def test_every_kind_is_drawn_and_none_in_every_scenario(drawn: list[list[Fault | ProcessFault]]) -> None:
    counts = Counter(kind for faults in drawn for kind in kinds(faults))
    of_devices = {fault for kinds in (STANDS, NEEDS_A_PERSON) for some in kinds.values() for fault, _ in some}
    wanted = {f"ProcessFault {kind}" for kind in Kind} | {f"Fault {fault}" for fault in of_devices}
    wanted |= {"Fault refuse", "Fault corrupt"}
    assert counts.keys() == wanted
    assert max(counts.values()) < len(drawn) / 3
    assert any(not faults for faults in drawn)


def test_what_is_drawn_is_read_again_to_the_last_bit(
    drawn: list[list[Fault | ProcessFault]], tmp_path: Path
) -> None:
    faults = tuple(fault for faults in drawn[:100] for fault in faults)
    scenario = Scenario(1, "automatic", (), USUAL, faults, ())
    path = tmp_path / "scenario.yaml"
    path.write_text(write(scenario, []), "utf-8")
    assert read(path).scenario(()) == scenario


def test_a_fault_that_may_need_a_person_makes_its_device_doubtful(puck_line: Line) -> None:
    faults = [
        Fault(device="press.plc", fault="power_loss"),
        Fault(device="press.plc", fault="stall"),
        Fault(device="arm.gripper", fault="miss"),
        Fault(device="io1", fault="silent"),
    ]
    assert doubtful_devices(puck_line, faults) == ("press.plc",)


def test_an_arm_that_is_switched_off_takes_its_gripper_with_it(puck_line: Line) -> None:
    fault = Fault(device="arm.controller", fault="estop")
    assert doubtful_devices(puck_line, [fault]) == ("arm.controller", "arm.gripper")


@pytest.mark.parametrize(("process", "doubtful"), [("press", ("press.plc",)), ("belt", ()), ("runner", ())])
def test_a_process_that_cannot_write_breaks_off_its_machine(
    puck_line: Line, process: str, doubtful: tuple[str, ...]
) -> None:
    fault = ProcessFault(process=process, fault=Kind.FULL_DISK)
    assert doubtful_devices(puck_line, [fault]) == doubtful


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (ProcessFault.model_validate({"process": "a", "fault": "late", "at": 3.456, "value": 0.3456}), 0.35),
        (ProcessFault.model_validate({"process": "a", "fault": "drift", "value": 0.00123}), 0.0012),
        (Fault(device="a", fault="error", value=1041.0), 1041.0),
        (Fault(device="a", fault="silent"), None),
    ],
)
def test_the_value_of_a_fault_is_rounded_with_its_times(fault: Disturbance, shown: float | None) -> None:
    assert getattr(rounded(fault, 1), "value", None) == shown
