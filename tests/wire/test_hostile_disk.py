"""No more room for records: the processes that need it stop and say so, nothing is lost, and they go on when there is
room again, by themselves as far as their restart allows.

A limit on the size of files stands for the full disk: it needs no rights, and stops one line's processes only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cellctl.live import process_table
from cellctl.live.child import Exit

Line = Any  # the line of the fixture `mistreated`

ROOM = (
    24_000  # bytes: less than a journal with its log needs for a part, more than the supervisor's own files
)


def allow(line: Line, size: int) -> None:
    """Let no process of the line write a file beyond this size."""
    table = process_table.load(line.state)
    for pid in (table.supervisor, *(process.pid for process in table.processes if process.name != "plant")):
        if pid:
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            except ProcessLookupError:
                continue


def look_after(line: Line) -> None:
    """As an operator does: bring back what stands."""
    shown = line.run("status", "--json")
    if shown.returncode:
        return
    status = json.loads(shown.stdout)
    if status["state"] != "execute":
        line.run("start")
    for module in status["modules"]:
        following = {"stopped": "reset", "idle": "start", "aborted": "clear"}.get(module["state"])
        if following and status["state"] == "execute":
            line.run(following, module["module"])


@pytest.mark.timeout(240)
def test_without_room_for_records_the_line_says_so_and_goes_on_when_there_is_room_again(
    mistreated: Line, evidence_findings: Any
) -> None:
    line = mistreated
    line.well("up", "puck", "--simulated", "--detach")
    line.well("order", "add", "sensor-puck/indoor:2", "--id", "first")
    line.well("start")
    assert line.eventually(lambda: bool(line.status()["parts"]), within=20)
    allow(line, ROOM)
    assert line.eventually(
        lambda: f"ended with exit code {Exit.WAITS}: the journal " in line.log("supervisor"), 30
    )
    time.sleep(12)  # longer than a restart takes
    said = line.log("supervisor")
    assert "it is started again every 5 s" in said
    assert "given up" not in said
    assert not (line.run("status").returncode == 0 and line.is_complete())

    allow(line, resource.RLIM_INFINITY)
    ends = time.monotonic() + 90
    while line.run("status").returncode or not line.is_complete():
        assert time.monotonic() < ends, line.log("supervisor")
        allow(line, resource.RLIM_INFINITY)  # also those that were being started
        look_after(line)
        time.sleep(0.5)
    assert [order["good"] for order in line.status()["orders"]] == [2]
    line.well("hold")
    assert line.eventually(lambda: line.status()["state"] == "held", within=15)
    assert evidence_findings(line) == []
    line.well("down")
    assert not [name for name, text in line.logs().items() if "Traceback" in text]
    assert not line.crash_files()


@pytest.mark.parametrize(
    ("name", "arguments"), [("runner", ("run-runner",)), ("belt", ("run-module", "belt"))]
)
def test_a_process_whose_journal_cannot_grow_ends_and_loses_nothing(
    mistreated: Line, name: str, arguments: tuple[str, ...]
) -> None:
    line = mistreated
    line.well("up", "puck", "--simulated", "--detach")
    line.well("down")
    before = line.events() if name == "runner" else line.records(name)
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, -1));"
        "from cellctl.cli.main import main; sys.argv[0] = 'cellctl'; main()"
    )
    done = subprocess.run(
        (sys.executable, "-P", "-c", limited, *arguments, "--state", str(line.state)),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == Exit.WAITS
    last = json.loads(done.stderr.splitlines()[-1])
    assert (last["level"], last["kind"]) == ("error", "StoreError")
    assert str(line.state / f"{name}.sqlite") in last["event"]
    assert (line.events() if name == "runner" else line.records(name)) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_log_that_cannot_be_written_shows_no_traceback(tmp_path: Path) -> None:
    code = (
        "from cellctl.live.log import process_log; import sys;"
        "log = process_log('belt', stream=open('/dev/full', 'w')); log.warning('x' * 100_000); log.info('y')"
    )
    done = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, timeout=30, env=os.environ
    )
    assert "Logging error" not in done.stderr
