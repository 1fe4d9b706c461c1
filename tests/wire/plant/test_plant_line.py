"""The whole plant of the puck line, in memory: arms that truly reach, ports with faults, announcements that hold."""

from __future__ import annotations

import random
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from cellctl.errors import PlugInError, UnknownName
from cellctl.line.model import Device, Line
from cellctl.motion.profile import synchronised
from cellctl.motion.robots import robot
from cellctl.runtime import Table
from cellctl_sim.devices.protocols import (
    ConnectionCut,
    ModbusDevice,
    ModbusException,
    NoAnswer,
    TextDevice,
    TextSession,
)
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant

ARM, DRIVE = "tcp://10.0.1.31:10000", "modbus-tcp://10.0.1.11:502"
IO1, IO2, GAUGE = "modbus-tcp://10.0.1.20:502", "modbus-tcp://10.0.1.21:502", "modbus-tcp://10.0.1.41:502"


def plant_of(line: Line, seed: int = 1, *faults: Fault) -> Plant:
    return Plant(line, lambda name: random.Random(f"{seed}/{name}"), faults)


def modbus(plant: Plant, address: str) -> ModbusDevice:
    device = plant.device(address)
    assert isinstance(device, ModbusDevice)
    return device


def fault(**what: object) -> Fault:
    return Fault.model_validate(what)


class Arm:
    """A client of the arm that waits for its end of block, in the plant's own time."""

    def __init__(self, plant: Plant) -> None:
        device = plant.device(ARM)
        assert isinstance(device, TextDevice)
        self.plant, self.device, self.t = plant, device, 0.0
        self.session: TextSession = device.open(0.0)
        self.heard: list[str] = []
        self("ActivateRobot", "[2000]")
        self("Home", "[2002]")
        self.session.receive(self.t, "SetTrf(0,0,65,0,0,0)")
        self.session.receive(self.t, "SetJointVel(100)")

    def __call__(self, text: str, until: str) -> float:
        """Say it and wait for a message that begins with `until`; how long that took [s]."""
        began = self.t
        self.session.receive(self.t, text)
        while True:
            heard = [said for _, said in self.session.pending(self.t)]
            self.heard += heard
            if any(said.startswith(until) for said in heard):
                return self.t - began
            self.t = self.device.next_change(self.t)
            assert self.t < inf, f"{text}: nothing more happens; heard {self.heard[-5:]}"

    def go(self, station: str, above: float = 0.0) -> float:
        """To a station of the line, `above` it in free motion and onto it on a straight line; how long it took [s]."""
        pose = self.plant.line.station(station).pose_for("arm")
        assert pose is not None
        name = "MovePose" if above else "MoveLin"
        x, y, z = 1000 * pose.x, 1000 * pose.y, 1000 * (pose.z + above)
        return self(f"{name}({x},{y},{z},180,0,0)", "[3012]")

    def finger(self, text: str) -> None:
        self.session.receive(self.t, text)
        self("Delay(0.3)", "[3012]")


def test_the_arm_carries_a_housing_from_its_bowl_to_the_belt(plant_line: Line) -> None:
    plant = plant_of(plant_line)
    arm = Arm(plant)
    modbus(plant, IO2).write(arm.t, 1, Table.COILS, 0, [1])
    arm.t += 1.0
    arm.go("housings.pick", above=0.05)
    arm.go("housings.pick")
    arm.finger("GripperClose")
    arm.go("housings.pick", above=0.05)
    assert plant.items()[0]["place"] == "arm.gripper"
    arm.go("belt.load", above=0.05)
    arm.go("belt.load")
    arm.finger("GripperOpen")
    assert plant.items()[0]["place"] == "belt.load"
    assert modbus(plant, IO1).read(arm.t, 1, Table.DISCRETE, 0, 4) == (1, 0, 0, 0)
    assert plant.incidents() == []


def test_an_arm_that_closes_two_millimetres_too_high_grips_nothing(plant_line: Line) -> None:
    plant = plant_of(plant_line)
    arm = Arm(plant)
    plant.world.lay(arm.t, "belt.load", ["housing"])
    arm.go("belt.load", above=0.0025)
    arm.finger("GripperClose")
    assert plant.items()[0]["place"] == "belt.load"


def test_a_motion_takes_the_time_of_the_motion_core(plant_line: Line) -> None:
    arm, meca = Arm(plant_of(plant_line)), robot("meca500")
    goal = np.radians([60, 20, -20, 0, 30, 0])
    predicted = float(synchronised(goal, meca.v_max, meca.a_max, meca.j_max).duration.max())
    assert arm("MoveJoints(60,20,-20,0,30,0)", "[3012]") == pytest.approx(predicted, abs=2e-6)


def test_a_straight_motion_keeps_to_its_line_and_its_speed(plant_line: Line) -> None:
    plant = plant_of(plant_line)
    arm = Arm(plant)
    arm.go("belt.press", above=0.1)
    arm.session.receive(arm.t, "SetCartLinVel(100)")
    controller, began = plant.simulator("arm.controller"), arm.t
    arm.session.receive(arm.t, "MoveLinRelWrf(0,0,-80,0,0,0)")
    heights = []
    for step in range(200):
        x, y, z = controller.where(plant_time := began + 0.005 * step)
        plant.advance(plant_time)
        assert (x, y) == pytest.approx((0.2, 0.0), abs=1e-9)
        heights.append(z)
    speeds = -np.diff(heights) / 0.005
    assert speeds.min() >= -1e-9
    assert speeds.max() == pytest.approx(0.1, rel=1e-6)
    assert heights[-1] == pytest.approx(heights[0] - 0.08, abs=1e-9)


def test_what_is_cleared_out_of_the_queue_is_told_as_discarded(plant_line: Line) -> None:
    arm = Arm(plant_of(plant_line))
    arm.session.receive(arm.t, "MoveJoints(90,0,0,0,30,0)")
    arm.session.receive(arm.t, "SetCheckpoint(3)")
    arm("ClearMotion", "[2044]")
    assert "[3040][3]" in arm.heard


def test_a_straight_way_out_of_reach_or_through_a_singularity_is_an_error(plant_line: Line) -> None:
    arm = Arm(plant_of(plant_line))
    arm.go("belt.press", above=0.1)
    arm("MoveLin(600,0,100,180,0,0)", "[1016]")
    arm("ResetError", "[2005]")
    arm("ResumeMotion", "[2043]")
    arm("MoveLin(-200,20,130,180,0,0)", "[1012]")


def test_a_scrapped_part_ends_in_the_bin(plant_line: Line) -> None:
    plant = plant_of(plant_line)
    arm = Arm(plant)
    plant.lay(arm.t, "belt.gauge", "housing", "lid-black")
    arm.go("belt.gauge", above=0.05)
    arm.go("belt.gauge")
    arm.finger("GripperClose")
    arm.go("belt.gauge", above=0.05)
    arm.go("arm.bin", above=0.05)
    arm.go("arm.bin")
    arm.finger("GripperOpen")
    (item,) = plant.items()
    assert (item["place"], item["components"]) == ("arm.bin", ["housing", "lid-black"])


def test_the_same_seed_gives_the_same_plant_and_another_one_another(plant_line: Line) -> None:
    def fed_at(seed: int) -> float:
        plant = plant_of(plant_line, seed)
        modbus(plant, IO2).write(0.0, 1, Table.COILS, 0, [1])
        return plant.next_change(0.0)

    assert fed_at(1) == fed_at(1) != fed_at(2)


def test_inputs_change_only_when_the_island_has_announced_it(plant_line: Line) -> None:
    """Polls an island every 7 ms while parts run; between announcements nothing may be seen to change."""
    plant, rng = plant_of(plant_line, 3), random.Random(4)
    io1, io2, drive = (modbus(plant, address) for address in (IO1, IO2, DRIVE))
    for address, value in {8413: 164, 8423: 10, 8501: 6}.items():
        drive.write(0.0, 1, Table.HOLDING, address, [value])
    plant.world.lay(0.0, "belt.load", ["housing"])
    seen, change, changes = None, 0.0, 0
    for step in range(3000):
        t = round(0.007 * step, 6)
        if step % 50 == 0:  # somebody acts: what was announced before holds no more
            drive.write(t, 1, Table.HOLDING, 8501, [15, rng.choice([0, 200, 300])])
            io1.write(t, 1, Table.COILS, 0, [rng.randrange(2) for _ in range(3)])
            io2.write(t, 1, Table.COILS, 0, [rng.randrange(2)])
            change = t
        now = io1.read(t, 1, Table.DISCRETE, 0, 8) + io2.read(t, 1, Table.DISCRETE, 0, 8)
        if seen is not None and now != seen:
            assert change <= t
            changes += 1
        seen, change = now, min(io1.next_change(t), io2.next_change(t))
    assert changes > 4


def test_everything_that_is_done_from_outside_is_told_to_subscribers(plant_line: Line) -> None:
    plant = plant_of(plant_line)
    told: list[float] = []
    end = plant.subscribe(told.append)
    modbus(plant, IO1).write(1.0, 1, Table.COILS, 0, [1])
    plant.fault(fault(device="io1", fault="silent", lasts=1.0), 2.0)
    plant.lay(3.0, "belt.load", "housing")
    modbus(plant, GAUGE).read(4.0, 1, Table.INPUT, 0, 1)
    end()
    modbus(plant, IO1).write(5.0, 1, Table.COILS, 0, [0])
    assert told == [1.0, 2.0, 3.0]


# --- ports and faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "raised"),
    [("silent", NoAnswer), ("mute", NoAnswer), ("refuse", ModbusException), ("cut", ConnectionCut)],
)
def test_a_fault_on_the_wire_begins_and_ends_in_time(
    plant_line: Line, kind: str, raised: type[Exception]
) -> None:
    plant = plant_of(plant_line, 1, fault(device="io1", fault=kind, at="2 s", **{"for": "3 s"}))
    io1 = modbus(plant, IO1)
    assert io1.next_change(0.0) == 2.0
    assert io1.read(1.9, 1, Table.DISCRETE, 0, 1) == (0,)
    plant.advance(2.0)
    with pytest.raises(raised):
        io1.read(2.0, 1, Table.DISCRETE, 0, 1)
    assert io1.next_change(2.0) == 5.0
    assert io1.read(5.0, 1, Table.DISCRETE, 0, 1) == (0,)


def test_a_mute_device_does_what_it_is_told_and_a_silent_one_does_not(plant_line: Line) -> None:
    done = []
    for kind in ("mute", "silent"):
        plant = plant_of(plant_line, 1, fault(device="io1", fault=kind, **{"for": "1 s"}))
        with pytest.raises(NoAnswer):
            modbus(plant, IO1).write(0.5, 1, Table.COILS, 0, [1])
        done.append(modbus(plant, IO1).read(2.0, 1, Table.COILS, 0x200, 1))
    assert done == [(1,), (0,)]


def test_a_late_device_says_by_how_much(plant_line: Line) -> None:
    plant = plant_of(plant_line, 1, fault(device="io1", fault="late", value="700 ms", **{"for": "1 s"}))
    assert [modbus(plant, IO1).delay(t) for t in (0.5, 1.0)] == [0.7, 0.0]


def test_a_device_that_boots_is_cut_off_meanwhile(plant_line: Line) -> None:
    plant = plant_of(plant_line, 1, fault(device="press.plc", fault="restart"))
    press = modbus(plant, "modbus-tcp://10.0.1.51:502")
    with pytest.raises(ConnectionCut):
        press.read(2.9, 1, Table.INPUT, 5, 1)
    assert press.read(3.0, 1, Table.INPUT, 5, 1) == (2,)


def test_a_cut_text_connection_is_closed_and_opens_again_when_the_fault_is_over(plant_line: Line) -> None:
    plant = plant_of(plant_line)
    device = plant.device(ARM)
    assert isinstance(device, TextDevice)
    session = device.open(0.0)
    plant.fault(fault(device="arm.controller", fault="cut", **{"for": "1 s"}), 1.0)
    assert not session.is_open(1.0)
    with pytest.raises(ConnectionCut):
        device.open(1.5)
    assert device.open(2.0).pending(2.0)[0][1].startswith("[3000]")


def test_an_emergency_stop_takes_the_power_off_the_arm(plant_line: Line) -> None:
    plant = plant_of(plant_line)
    arm = Arm(plant)
    arm.session.receive(arm.t, "MoveJoints(90,0,0,0,30,0)")
    plant.advance(arm.t + 0.3)
    plant.fault(fault(device="arm.controller", fault="estop", **{"for": "2 s"}), arm.t + 0.3)
    standing = plant.simulator("arm.controller").queue.joints(arm.t + 0.3)
    said = [text for _, text in arm.session.pending(arm.t + 3.0)]
    assert said[:1] == ["[3070][1]"]
    assert "[3070][0]" in said
    assert plant.simulator("arm.controller").queue.joints(arm.t + 3.0) == standing
    assert plant.simulator("arm.controller").status()[:2] == (0, 0)


def test_an_unknown_device_in_a_fault_is_named_with_the_nearest_ones(plant_line: Line) -> None:
    with pytest.raises(UnknownName, match=r"belt\.drive"):
        plant_of(plant_line, 1, fault(device="belt.driv", fault="silent"))


def test_an_unknown_unit_gets_no_device(plant_line: Line) -> None:
    with pytest.raises(ModbusException) as refusal:
        modbus(plant_of(plant_line), DRIVE).read(0.0, 7, Table.HOLDING, 3201, 1)
    assert refusal.value.code == 0x0B


def changed(line: Line, name: str, **changes: object) -> Line:
    device: Device = replace(line.devices[name], **changes)  # type: ignore[arg-type]
    return replace(line, devices={**line.devices, name: device})


def test_wrong_simulated_keys_are_named_with_those_that_there_are(plant_line: Line) -> None:
    with pytest.raises(PlugInError, match=r"gauge\.head, simulated: nois.*noise"):
        plant_of(changed(plant_line, "gauge.head", simulated={"nois": 1.0}))


def test_simulated_keys_change_the_device(plant_line: Line) -> None:
    line = changed(plant_line, "housings.bowl", simulated={"takes": "3 s"})
    plant = plant_of(line)
    modbus(plant, IO2).write(0.0, 1, Table.COILS, 0, [1])
    assert plant.next_change(0.0) == 3.0


def test_a_device_that_nobody_simulates_is_an_error_with_its_name(plant_line: Line) -> None:
    with pytest.raises(PlugInError, match="nobody simulates"):
        Plant(plant_line, lambda name: random.Random(0), simulators={})
