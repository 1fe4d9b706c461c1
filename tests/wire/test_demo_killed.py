"""`cellctl demo` while somebody kills its processes: the issue's own scene, on real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cellctl.errors import CellctlError
from cellctl.live import process_table
from cellctl.live.records import runner_events

PARTS = 3
KILLS = {
    "runner": 12,
    "arm": 30,
    "belt": 45,
}  # process -> records in the runner's journal after which it is killed


@pytest.mark.timeout(240)
def test_killed_processes_are_started_again_and_the_order_ends_right(tmp_path: Path) -> None:
    command = (sys.executable, "-P", "-m", "cellctl", "demo", "--json", "--parts", str(PARTS))
    demo = subprocess.Popen(
        (*command, "--state", str(tmp_path)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        for name, records in KILLS.items():
            wait_for(lambda records=records: journal_length(tmp_path) > records, demo)
            kill(tmp_path, name)
        result, said = demo.communicate(timeout=180)
    finally:
        demo.kill()
    assert demo.returncode == 0, said
    found = json.loads(result)
    assert found["accounted"] is True
    assert found["killed"] == dict.fromkeys(KILLS, 1)
    assert found["parts_made"] + found["parts_scrapped"] == PARTS
    assert found["counters"]["belt.exit.swallowed"] == found["parts_made"]
    assert "the runner is away" in said
    for name in KILLS:
        assert f"{name} was ended by SIGKILL; it is started again in 0.2 s" in said


def journal_length(state: Path) -> int:
    try:
        return sum(1 for _ in runner_events(state))
    except CellctlError:  # not there yet
        return 0


def kill(state: Path, name: str) -> None:
    process = process_table.load(state).process(name)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


def wait_for(holds: Callable[[], bool], demo: subprocess.Popen[str], within: float = 60.0) -> None:
    ends = time.monotonic() + within
    while not holds():
        assert demo.poll() is None, "the demo has ended"
        assert time.monotonic() < ends
        time.sleep(0.1)
