"""The line file: what it means, and every mistake in it found at its place."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plugged_in import Installed

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line, station_of
from cellctl.line.processes import BusAddress, group_by_devices
from cellctl.motion.robots import robot
from cellctl.motion.transforms import from_xyz_euler

Check = Callable[..., Any]
LINES = Path(__file__).parents[3] / "recipes" / "lines"


# --- what it means --------------------------------------------------------------------------------------------


def test_a_right_file_is_a_line_without_findings(check_line: Check) -> None:
    checked = check_line()
    assert checked.line is not None
    assert checked.report.findings == ()


def test_quantities_become_si(check_line: Check) -> None:
    line = check_line().line
    assert line.modules["belt"].options.speed == 0.15
    assert line.stations["belt.press"].at == 0.2
    assert line.materials["lid"].mass == 0.006
    assert line.devices["belt.drive"].options.speed_per_hz == 0.005


def test_everything_is_called_by_its_full_name(check_line: Check) -> None:
    line = check_line().line
    assert set(line.devices) == {
        "io", "belt.drive", "arm.controller", "arm.gripper", "lids.bowl", "press.plc", "gauge.head",
    }  # fmt: skip
    assert "arm.gripper" in line.stations
    assert line.stations["belt.load"].eye == "io.di0"
    assert line.devices["lids.bowl"].options.start == "io.do2"
    assert line.devices["arm.gripper"].options.controller == "arm.controller"
    assert line.safety[0].point == "io.di3"
    assert all(station_of(name) == station.name for name, station in line.stations.items())


def test_modules_that_share_a_device_share_a_process_named_after_it(check_line: Check) -> None:
    line = check_line().line
    assert list(line.processes) == ["io", "arm", "press", "gauge"]
    assert line.processes["io"].modules == ("belt", "lids")
    assert line.modules["lids"].process == "io"
    assert line.processes["press"].modules == ("press",)


def test_processes_take_two_ports_each_after_the_runners(check_line: Check) -> None:
    line = check_line().line
    assert (line.runner.commands, line.runner.events) == ("tcp://127.0.0.1:5700", "tcp://127.0.0.1:5701")
    ports = [(p.commands.rpartition(":")[2], p.events.rpartition(":")[2]) for p in line.processes.values()]
    assert ports == [("5702", "5703"), ("5704", "5705"), ("5706", "5707"), ("5708", "5709")]


def test_a_module_may_name_its_own_bus_address(check_line: Check) -> None:
    line = check_line(
        ("  press:\n    kind: machine", "  press:\n    bus: tcp://10.0.0.9:6000\n    kind: machine")
    ).line
    assert line.processes["press"].commands == "tcp://10.0.0.9:6000"
    assert line.processes["press"].events == "tcp://10.0.0.9:6001"
    assert line.processes["gauge"].commands == "tcp://127.0.0.1:5708"


def test_groups_are_joined_through_a_chain_of_devices() -> None:
    groups = group_by_devices({"a": ["x"], "b": ["y"], "c": ["x", "y"], "d": ["z"]})
    assert [(group.name, group.modules) for group in groups] == [("x", ("a", "b", "c")), ("d", ("d",))]


@pytest.mark.parametrize(
    "text", ["127.0.0.1:5700", "tcp://host", "tcp://host:0", "tcp://host:65535", "ipc:///x"]
)
def test_a_bus_address_without_room_for_two_ports_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"bus address|port"):
        BusAddress.parse(text)


def test_a_pose_points_straight_down_unless_it_says_otherwise(check_line: Check) -> None:
    pose = check_line().line.stations["belt.load"].pose_for("arm")
    T = from_xyz_euler((pose.x, pose.y, pose.z), (pose.alpha, pose.beta, pose.gamma))
    assert T[:3, 2] == pytest.approx([0.0, 0.0, -1.0], abs=1e-12)
    assert T[:3, 3] == pytest.approx([0.2, 0.0, 0.03])


def test_a_pose_in_a_frame_is_turned_and_moved_into_the_line(check_line: Check) -> None:
    pose = check_line().line.stations["arm.rack"].pose_for("arm")
    assert (pose.x, pose.y, pose.z) == pytest.approx(
        (0.1, 0.06, 0.01)
    )  # 10 mm along x, turned by 90 deg, is along y


def test_a_grid_runs_along_the_frame_of_its_pose(check_line: Check) -> None:
    grid = check_line().line.stations["arm.rack"].grid
    assert grid.turn == pytest.approx(math.pi / 2)
    assert grid.offset(1) == pytest.approx((0.0, 0.02))
    assert grid.offset(2) == pytest.approx((-0.01, 0.0))
    assert check_line().line.stations["arm.rack"].capacity == 4


def test_frames_stand_in_frames(check_line: Check) -> None:
    plate = "  plate: {x: 100 mm, y: 50 mm, z: 10 mm, gamma: 90 deg}"
    line = check_line(
        (plate, f"{plate.replace('x: 100', 'frame: cell, x: 0')}\n  cell: {{x: 1 m, gamma: 90 deg}}")
    ).line
    pose = line.stations["arm.rack"].pose_for("arm")
    assert (pose.x, pose.y) == pytest.approx((1.0 - 0.05 - 0.01, 0.0), abs=1e-12)


def test_a_station_may_have_a_pose_for_each_arm(check_line: Check) -> None:
    checked = check_line(
        ("pose: {x: 200 mm, y: 0 mm, z: 30 mm}", "pose: {arm: {x: 190 mm, y: 0 mm, z: 30 mm}}")
    )
    station = checked.line.stations["belt.load"]
    assert station.pose_for("arm").x == 0.19
    assert station.pose_for("other") is None


def test_the_only_device_that_can_serves_a_feeders_station(check_line: Check) -> None:
    assert check_line().line.stations["lids.pick"].device == "lids.bowl"


def test_simulated_properties_pass_through_in_si(check_line: Check) -> None:
    line = check_line(
        ("speed_per_hz: 5 mm}", "speed_per_hz: 5 mm, simulated: {noise: 2 um, name: x, deep: [3 s]}}")
    ).line
    assert line.devices["belt.drive"].simulated == {"noise": 2e-6, "name": "x", "deep": [3.0]}


TAUGHT = "line: small\nstations:\n  belt.load: {arm: {x: 201.5 mm, y: 1 mm, z: 30 mm, by: anna, when: 2026-11-20 14:03}}\n"


def test_taught_values_replace_the_files_and_change_the_digest(check_line: Check) -> None:
    before, after = check_line().line, check_line(taught=TAUGHT).line
    assert after.stations["belt.load"].pose_for("arm").x == 0.2015
    assert after.digest != before.digest


def test_comments_and_layout_do_not_change_the_digest(check_line: Check) -> None:
    before = check_line().line.digest
    assert check_line(("zones: [table]", "# the zones\nzones:\n  - table")).line.digest == before
    assert check_line(("speed: 150 mm/s", "speed: 151 mm/s")).line.digest != before


def test_the_shipped_line_loads_without_findings(installed: Installed) -> None:
    report = Report()
    line = load_line(LINES / "puck.yaml", report, *installed)
    assert line is not None, report.render()
    assert report.findings == ()
    assert line.processes["io2"].modules == ("housings", "boards", "lids")


def test_the_shipped_arm_reaches_all_its_stations_and_the_way_down_to_them(puck_line: Line) -> None:
    arm, length = robot("meca500"), puck_line.modules["arm"].tools[0].length
    q, reached = arm.lower * 0.0, []
    for station in puck_line.stations.values():
        pose = station.pose_for("arm")
        if pose is None:
            continue
        for above in (0.0, station.approach / 2, station.approach):
            T = from_xyz_euler((pose.x, pose.y, pose.z + above), (pose.alpha, pose.beta, pose.gamma))
            T[:3, 3] -= length * T[:3, 2]
            q = arm.joints_near(T, q)
        reached.append(station.name)
    assert {"belt.load", "belt.press", "belt.gauge", "arm.bin", "housings.pick", "lids.sealed_pick"} <= set(
        reached
    )


# --- what is wrong -----------------------------------------------------------------------------------------------

MISTAKES = {
    "a key that a module does not have": (("speed: 150 mm/s", "«sped: 150 mm/s"), "CC-V001", "'speed'"),
    "a key that a driver does not have": (("speed_per_hz: 5 mm", "«speed_per_herz: 5 mm"), "CC-V001", "'speed_per_hz'"),
    "a key that the file does not have": (("\nmaterials:", "\n«material:"), "CC-V001", "'materials'"),
    "a station's key that the kind does not know": (("{at: 300 mm, eye", "{at: 300 mm, «grid: {}, eye"), "CC-V001", "'exit'"),
    "the same key twice": (("    speed: 150 mm/s\n", "    speed: 150 mm/s\n    «speed: 1 m/s\n"), "CC-Y012", "'speed'"),
    "a quantity without a unit": (("at: 200 mm", "at: «200"), "CC-V004", "200 mm"),
    "a quantity of another dimension": (("at: 200 mm", "at: «200 mm/s"), "CC-V004", "length"),
    "a quantity out of range": (("speed: 150 mm/s", "speed: «150 m/s"), "CC-V006", "5 m/s"),
    "an option that is missing": (
        ("drive: {use: altivar, address: modbus-tcp://10.0.0.2:502, ", "drive: «{use: altivar, "), "CC-V002", "'address'",
    ),
    "a module without a kind": (("  lids:\n    kind: feeder", "  lids:\n    «devices_: x"), "CC-V002", "'kind'"),
    "an unknown kind": (("kind: conveyor", "kind: «conveyer"), "CC-L001", "'conveyor'"),
    "an unknown driver": (("use: altivar", "use: «altivr"), "CC-L002", "'altivar'"),
    "an unknown device in a driver's option": (("io: io, start", "io: «ioo, start"), "CC-L003", "'io'"),
    "an unknown device at an eye": (("eye: io.di1", "eye: «oi.di1"), "CC-L003", "known: io"),
    "an unknown shared device in a role": (
        ("drive: {use: altivar, address: modbus-tcp://10.0.0.2:502, speed_per_hz: 5 mm}", "drive: «motor"), "CC-L003", "motor",
    ),
    "an unknown station": (("kind: inspection\n    devices: {head: {use: register_gauge, address: "
        "modbus-tcp://10.0.0.5:502}}\n    at: belt.press", "kind: inspection\n    devices: {head: {use: register_gauge, "
        "address: modbus-tcp://10.0.0.5:502}}\n    at: «belt.pres"), "CC-L004", "'belt.press'"),
    "a station without its module": (("home: arm.rack", "home: «rack"), "CC-L004", "'arm.rack'"),
    "something that is no point": (("eye: io.di1", "eye: «io.4"), "CC-L005", "io1.di4"),
    "an output where an input is needed": (("eye: io.di1", "eye: «io.do1"), "CC-L005", "'io.di1'"),
    "an input that the device does not have": (("eye: io.di1", "eye: «io.di4"), "CC-L005", "di0 to di3"),
    "an option's output that the device does not have": (("start: do2", "start: «do9"), "CC-L005", "do0 to do3"),
    "a driver of the wrong capability in a role": (
        ("plc: {use: handshake_machine, address: modbus-tcp://10.0.0.4:502}", "plc: «io"), "CC-L006", "machine",
    ),
    "a tool that is no gripper": (
        ("gripper: {use: megp25, controller: controller", "gripper: {use: «remote_io, address: modbus-tcp://1.1.1.1:1"),
        "CC-L006", "gripper",
    ),
    "a point of what is no digital i/o": (("eye: io.di1", "eye: «drive.di1"), "CC-L006", "digital io"),
    "an address without a protocol": (("tcp://10.0.0.3:10000", "«10.0.0.3:10000"), "CC-L020", "modbus-tcp://"),
    "an unknown material": (("source: lid,", "source: «lit,"), "CC-L010", "'lid'"),
    "an unknown frame": (("frame: plate", "frame: «plat"), "CC-L011", "'plate'"),
    "a frame that stands in itself": (("plate: {x: 100 mm", "plate: {frame: «plate, x: 100 mm"), "CC-L011", "plate -> plate"),
    "an unknown zone": (("zone: table", "zone: «tabel"), "CC-L012", "'table'"),
    "an unknown module at a guard": (("modules: [belt, arm]", "modules: [belt, «amr]"), "CC-L013", "'arm'"),
    "a pose for what is no arm": (
        ("pose: {x: 200 mm, y: 0 mm, z: 30 mm}", "pose: {«belt: {x: 200 mm, y: 0 mm, z: 30 mm}}"), "CC-L013", "known: arm",
    ),
    "a shared device with a module's name": (("devices:\n  io:", "devices:\n  «press: {use: register_gauge, address: "
        "modbus-tcp://10.0.0.7:502}\n  io:"), "CC-L014", "'press'"),
    "a module called runner": (("  lids:\n    kind: feeder", "  «runner:\n    kind: feeder"), "CC-L014", "runner"),
    "a bus address that is none": (("bus: tcp://127.0.0.1:5700", "bus: «127.0.0.1:5700"), "CC-L015", "tcp://"),
    "a bus address that is taken": (
        ("  press:\n    kind: machine", "  press:\n    bus: «tcp://127.0.0.1:5701\n    kind: machine"), "CC-L015", "5701",
    ),
    "a stopper that serves two stations": (("stopper: io.do1", "stopper: «io.do0"), "CC-L016", "wiring"),
    "an output that serves a stopper and a bowl": (("start: do2", "start: «do1"), "CC-L016", "wiring"),
    "more carriers than their home holds": (
        ("P1: {nests: 2, home: arm.rack}", "P1: {home: belt.load}\n  P2: {home: «belt.load}"), "CC-L017", "belt.load",
    ),
    "a carrier at every stop of a belt": (
        ("P1: {nests: 2, home: arm.rack}", "P1: {home: belt.load}\n  P2: {home: belt.press}\n  P3: {home: «belt.exit}"),
        "CC-L017", "every one of the 3 stops of 'belt'",
    ),
    "a carrier with two nests on a belt": (
        ("P1: {nests: 2, home: arm.rack}", "«P1: {nests: 2, home: belt.load}"), "CC-L024", "2 nests",
    ),
    "a belt that leads to no station": (("speed: 150 mm/s", "speed: 150 mm/s\n    onto: «arm.ben"), "CC-L004", "arm.bin"),
    "a shared device that nobody uses": (("devices:\n  io:", "devices:\n  «spare: {use: register_gauge, address: "
        "modbus-tcp://10.0.0.7:502}\n  io:"), "CC-L018", "spare"),
    "a guard that the island has no input for": (("input: io.di3", "input: «io.di9"), "CC-L005", "di0 to di3"),
    "a name that is none": (("line: small", "line: «small line"), "CC-V007", ""),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds_at_its_place(check_line: Check, mistake: str) -> None:
    change, code, said = MISTAKES[mistake]
    checked = check_line(change)
    checked.has_only(code, said)
    assert (checked.line is None) == bool(checked.errors)


def test_finds_a_role_that_the_kind_does_not_have(check_line: Check) -> None:
    checked = check_line(("devices: {head:", "devices: {«haed:"))
    checked.has_only("CC-L007", "'head'")


def test_finds_a_role_that_is_missing_at_the_modules_name(check_line: Check) -> None:
    head = "  gauge:\n    kind: inspection\n    devices: {head: {use: register_gauge, address: modbus-tcp://10.0.0.5:502}}"
    check_line((head, "  «gauge:\n    kind: inspection")).has_only("CC-L008", "head: {use:")


def test_finds_a_key_that_every_station_of_a_kind_needs(check_line: Check) -> None:
    check_line(("      press: {at: 200 mm, ", "      «press: {")).has_only("CC-L021", "at: ...")


def test_finds_two_devices_at_one_address_and_says_where_the_other_stands(check_line: Check) -> None:
    checked = check_line(("modbus-tcp://10.0.0.5:502", "«modbus-tcp://10.0.0.4:502"))
    finding = checked.has("CC-L009", "unit 1")
    assert finding.related[0].span.line < finding.span.line


def test_two_units_behind_one_address_are_two_devices(check_line: Check) -> None:
    assert check_line(("modbus-tcp://10.0.0.5:502", "modbus-tcp://10.0.0.4:502, unit: 2")).line is not None


def test_a_feeder_with_two_bowls_must_say_which_serves_a_station(check_line: Check) -> None:
    second = "devices: {other: {use: bowl_feeder, io: io, start: do3, present: di3}, bowl:"
    check_line(("devices: {bowl:", second), ("stations: {pick:", "stations: {«pick:")).has_only(
        "CC-L022", "other, bowl"
    )


def test_finds_a_guard_on_an_island_that_no_module_uses(check_line: Check) -> None:
    island = "devices:\n  spare: {use: remote_io, address: modbus-tcp://10.0.0.7:502}\n  io:"
    checked = check_line(("devices:\n  io:", island), ("input: io.di3", "input: «spare.di3"))
    checked.has_only("CC-L023", "no process reads")
    assert checked.line is None


def test_a_guard_is_read_by_the_process_that_has_its_island(check_line: Check) -> None:
    assert [safety.process for safety in check_line().line.safety] == ["io"]


def test_finds_what_was_taught_for_a_station_that_is_gone(check_line: Check) -> None:
    checked = check_line(taught=TAUGHT.replace("  belt.load", "  «belt.laod"))
    checked.has_only("CC-L019", "'belt.load'")
    assert checked.line is None


def test_a_carrier_has_nests_where_its_grid_says(check_line: Check) -> None:
    grid = "grid: {columns: 2, rows: 2, column_pitch: 30 mm, row_pitch: 20 mm}"
    checked = check_line(("P1: {nests: 2, home: arm.rack}", f"P1: {{{grid}, home: arm.rack}}"))
    assert checked.line is not None
    carrier = checked.line.carriers[0]
    assert carrier.nests == 4
    assert [carrier.offset(nest) for nest in range(4)] == [(0, 0), (0.03, 0), (0, 0.02), (0.03, 0.02)]


def test_finds_many_mistakes_in_one_run_each_once(check_line: Check) -> None:
    checked = check_line(
        ("speed: 150 mm/s", "speed: «150"),
        ("use: altivar", "use: «altivr"),
        ("eye: io.di1", "eye: «io.do1"),
        ("robot: meca500", "«robt: meca500"),
        ("source: lid,", "source: «lit,"),
        ("  body: {mass: 9 g}", "  body: {mass: «9 mm}"),
    )
    found = [finding.code for finding in checked.errors]
    assert found == ["CC-V004", "CC-L002", "CC-L005", "CC-V001", "CC-L010", "CC-V004"]
    for place, finding in enumerate(checked.errors):
        assert (finding.span.line, finding.span.column) == checked.places[place]


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "line: x\n", "just text", "line: x\nmodules: {}\n", "modules: {a: 3}"]
)
def test_a_file_that_is_no_line_file_is_findings(check_line: Check, text: str) -> None:
    checked = check_line(text=text)
    assert checked.line is None
    assert checked.errors


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path, installed: Installed) -> None:
    report = Report()
    assert load_line(tmp_path / "none.yaml", report, *installed) is None
    assert report.has_errors
