"""Manual mode on a real line: a panel whose process is killed while it moves the belt, and a second panel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cellctl.journal import LeaseTaken

Line = Any  # the line of the fixture `mistreated`

SPEED = 0.05  # [m/s]
RAMP = 0.25 / 0.5  # [m/s^2] 50 Hz of 5 mm each within 0.5 s, as the puck line's drive is set up
VOID_AFTER = 0.2  # [s]
LATE = 0.1  # [s] that a process may be late on a computer that does other things, too


def travelled(line: Line) -> tuple[float, float]:
    """The plant's own time [s], and how far the belt has gone [m]."""
    found = line.plant("belts")
    return found["now"], found["travelled"]["belt"]


@contextmanager
def jogging(line: Line) -> Iterator[subprocess.Popen[str]]:
    """A panel's process that moves the belt, from when it moves at full speed on."""
    before = travelled(line)[1]
    command = (
        sys.executable,
        "-P",
        "-m",
        "cellctl",
        "jog",
        "belt",
        "drive",
        "+50mm/s",
        "--state",
        str(line.state),
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=line.place) as panel:
        try:
            assert line.eventually(lambda: travelled(line)[1] > before + 0.02, within=30)
            yield panel
        finally:
            if panel.poll() is None:
                panel.kill()


def standing(line: Line) -> float:
    """How far the belt has gone once it stands [m]."""
    at = travelled(line)[1]
    while at != (after := _a_moment_later(line)):
        at = after
    return at


def _a_moment_later(line: Line) -> float:
    time.sleep(0.15)
    return travelled(line)[1]


def leases(line: Line) -> list[LeaseTaken]:
    return [record for record in line.records("belt") if isinstance(record, LeaseTaken)]


@pytest.mark.timeout(180)
def test_a_panel_that_is_killed_stops_the_belt_within_200_ms_and_its_ramp_by_the_plants_own_clock(
    mistreated: Line,
) -> None:
    line = mistreated
    line.well("up", "puck", "--simulated", "--detach")
    line.well("mode", "belt", "manual")
    with jogging(line) as panel:
        second = line.run("jog", "belt", "drive", "+50mm/s", "--for", "1s")
        assert second.returncode == 1
        assert f"({panel.pid})" in second.stderr
        assert line.run("mode", "belt", "production").returncode == 1
        t, at = travelled(line)
        os.kill(panel.pid, signal.SIGKILL)
        killed, _ = travelled(line)
        panel.wait()
        end = standing(line)
    began_to_brake = t + (end - at - SPEED**2 / (2 * RAMP)) / SPEED
    late = began_to_brake - killed
    assert late < VOID_AFTER + LATE, f"it braked {late:.3f} s after the kill"
    assert began_to_brake > t

    assert line.eventually(lambda: line.run("mode", "belt", "production").returncode == 0, within=10)
    assert line.eventually(lambda: leases(line)[-1].holder == "runner of puck", within=10)
    assert [lease.epoch for lease in leases(line)] == list(range(1, len(leases(line)) + 1))
    assert not line.crash_files()


@pytest.mark.timeout(180)
def test_ctrl_c_stops_the_belt_before_the_panel_ends_and_the_next_one_gets_the_lease_at_once(
    mistreated: Line,
) -> None:
    line = mistreated
    line.well("up", "puck", "--simulated", "--detach")
    line.well("mode", "belt", "manual")
    with jogging(line) as panel:
        panel.send_signal(signal.SIGINT)
        said = panel.communicate(timeout=30)[1]
        at = travelled(line)[1]
    assert panel.returncode == 130, said
    assert "has stopped" in said
    assert standing(line) == at
    assert "io1.do0 of belt has stopped" in line.run("jog", "belt", "io1.do0", "on", "--for", "0.2s").stderr
