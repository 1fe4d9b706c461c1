"""Two arms in one space without a zone, and one device that is written as two, are found in the line file."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from collections.abc import Callable

from cellctl.findings import Report
from cellctl.line.model import Line

LoadLine = Callable[..., tuple[Line | None, Report]]

FEEDERS = "  bodies:\n    kind: feeder"


def second_arm(**stations: str) -> tuple[str, str]:
    """Another arm in the line file, with these stations, its own poses only."""
    written = ", ".join(f"{name}: {{{keys}}}" for name, keys in stations.items())
    arm = (
        "  helper:\n    kind: arm\n    robot: meca500\n    base: {x: 400 mm, y: 0 mm, z: 0 mm}\n"
        "    devices: {controller: {use: mecademic, address: tcp://10.0.0.9:10000}}\n"
        "    tools: {hand: {use: megp25, controller: controller, length: 65 mm}}\n"
        f"    stations: {{{written}}}\n"
    )
    return FEEDERS, arm + FEEDERS


def found(report: Report, code: str) -> list[str]:
    return [f"{finding.severity}: {finding.message}" for finding in report.findings if finding.code == code]


HELD = ("pose: {x: 200 mm, y: -110 mm, z: 30 mm}", "pose: {arm: {x: 200 mm, y: -110 mm, z: 30 mm}}")
OTHERS = (
    ("pose: {x: 200 mm, y: 110 mm, z: 30 mm}", "pose: {arm: {x: 200 mm, y: 110 mm, z: 30 mm}}"),
    ("bin: {sink: true, approach: 20 mm, pose: {x: -150 mm, y: 110 mm, z: 50 mm}}", "bin: {sink: true, approach: 20 mm, pose: {arm: {x: -150 mm, y: 110 mm, z: 50 mm}}}"),
    ("shelf: {approach: 20 mm, pose: {x: 120 mm, y: 30 mm, z: 30 mm}}", "shelf: {pose: {arm: {x: 120 mm, y: 30 mm, z: 30 mm}}}"),
    ("pose: {x: 0 mm, y: -210 mm, z: 30 mm}", "pose: {arm: {x: 0 mm, y: -210 mm, z: 30 mm}}"),
    ("pose: {x: 110 mm, y: -180 mm, z: 30 mm}", "pose: {arm: {x: 110 mm, y: -180 mm, z: 30 mm}}"),
)  # fmt: skip


def test_two_arms_that_go_to_one_station_need_a_zone(report_of_line: LoadLine) -> None:
    both = (
        "pose: {x: 200 mm, y: -110 mm, z: 30 mm}",
        "pose: {arm: {x: 200 mm, y: -110 mm, z: 30 mm}, helper: {x: 200 mm, y: -110 mm, z: 30 mm}}",
    )
    far = second_arm(away="sink: true, pose: {helper: {x: 600 mm, y: 0 mm, z: 30 mm}}")
    _, report = report_of_line(both, *OTHERS, far)
    assert found(report, "CC-L025") == ["warning: arm and helper both go to belt.load, and share no zone"]


def test_two_arms_at_stations_close_together_need_a_zone(report_of_line: LoadLine) -> None:
    close = second_arm(hold="sink: true, pose: {helper: {x: 300 mm, y: -110 mm, z: 30 mm}}")
    _, report = report_of_line(HELD, *OTHERS, close)
    assert found(report, "CC-L025") == [
        "warning: arm at belt.load and helper at helper.hold are 100 mm apart, and share no zone"
    ]


def test_a_common_zone_or_distance_keeps_them_apart(report_of_line: LoadLine) -> None:
    zones = ("runner: {bus", "zones: [middle]\nrunner: {bus")
    held = (
        "pose: {x: 200 mm, y: -110 mm, z: 30 mm}",
        "zone: middle, pose: {arm: {x: 200 mm, y: -110 mm, z: 30 mm}}",
    )
    guarded = (
        "pose: {x: 200 mm, y: 110 mm, z: 30 mm}",
        "zone: middle, pose: {arm: {x: 200 mm, y: 110 mm, z: 30 mm}}",
    )
    close = second_arm(hold="zone: middle, sink: true, pose: {helper: {x: 300 mm, y: -110 mm, z: 30 mm}}")
    line, report = report_of_line(zones, held, guarded, *OTHERS[1:], close)
    assert line is not None, report.render()
    assert found(report, "CC-L025") == []
    far = second_arm(hold="sink: true, pose: {helper: {x: 400 mm, y: 0 mm, z: 30 mm}}")
    line, report = report_of_line(HELD, *OTHERS, far)
    assert line is not None, report.render()
    assert found(report, "CC-L025") == []


def test_one_device_may_not_be_written_as_two_with_two_protocols(report_of_line: LoadLine) -> None:
    _, report = report_of_line(("address: tcp://10.0.0.3:10000", "address: tcp://10.0.0.4:502"))
    assert found(report, "CC-L009") == [
        "error: 'press.plc' stands at 10.0.0.4:502, as 'arm.controller' does: one device, "
        "which the processes arm and press would both command"
    ]


def test_one_device_may_not_be_written_as_two_with_another_spelling(report_of_line: LoadLine) -> None:
    named = (
        ("modbus-tcp://10.0.0.4:502", "modbus-tcp://press:502"),
        ("modbus-tcp://10.0.0.5:502", "modbus-tcp://PRESS:502"),
    )
    _, report = report_of_line(*named)
    assert len(found(report, "CC-L009")) == 1


def test_units_behind_one_gateway_are_several_devices(report_of_line: LoadLine) -> None:
    gateway = (
        ("modbus-tcp://10.0.0.4:502", "modbus-tcp://press:502"),
        ("modbus-tcp://10.0.0.5:502", "modbus-tcp://PRESS:502, unit: 2"),
    )
    line, report = report_of_line(*gateway)
    assert line is not None, report.render()
