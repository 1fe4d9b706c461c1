"""`cellctl demo` as a user runs it: real processes, real sockets, simulated devices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-P", "-m", "cellctl", "demo", "--json", "--seed", "7")
pytestmark = pytest.mark.live

LONGEST = 150.0  # [s] that the demo may take in all


@pytest.mark.timeout(240)
def test_the_demo_makes_every_part_through_two_faults_and_accounts_for_each(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        (*COMMAND, "--state", str(tmp_path)), capture_output=True, text=True, check=False, timeout=220
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < LONGEST
    assert "SIMULATED" in done.stderr
    found = json.loads(done.stdout)
    assert found["simulated"] is True
    assert found["accounted"] is True
    assert (found["parts_made"], found["parts_scrapped"]) == (11, 1)
    assert {variant: sum(counts.values()) for variant, counts in found["by_variant"].items()} == {
        "indoor": 4,
        "outdoor": 4,
        "tall": 4,
    }
    assert found["retries"] == 2  # the grip that missed, and the measurement before the scrap
    assert found["alarms"] == []
    assert 5.0 < found["cycle_time_s"] < 15.0
    assert found["makespan_s"] < LONGEST
    assert found["busiest_module"] == "arm"
    assert set(found["modules"]) == {"belt", "arm", "housings", "boards", "lids", "press", "gauge"}
    assert all(0.0 < share <= 1.0 for share in found["modules"].values())
    assert all(step["predicted_s"] > 0.0 for step in found["steps"])
    counters = found["counters"]  # what the simulated devices themselves counted
    assert counters["arm.gripper.missed"] == 1
    assert counters["arm.gripper.gripped"] == 3 * 12 + 1  # three components a part, and one part into the bin
    assert counters["belt.exit.swallowed"] == 11
    assert counters["press.plc.started"] == 12 + 4  # once a part, twice a tall one
    assert counters["gauge.head.measured"] == 12 + 1
    assert _children_of(tmp_path) == []


@pytest.mark.timeout(60)
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    demo = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    try:
        ends = time.monotonic() + 30
        while len(_children_of(tmp_path)) < 7 and time.monotonic() < ends:
            time.sleep(0.05)
        assert (
            len(_children_of(tmp_path)) == 7
        )  # the simulated devices, the runner and five processes of modules
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 130
    finally:
        demo.kill()
        demo.communicate()
    assert _children_of(tmp_path) == []
    assert list(tmp_path.glob("cellctl-demo-*")) == []


def _children_of(place: Path) -> list[str]:
    """The command lines of running processes that were given this directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(argument.startswith(str(place).encode()) for argument in arguments):
            found.append(b" ".join(arguments).decode())
    return found
