"""A second runner for the same line, by mistake or by malice: refused clearly, and nothing moves twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cellctl.journal import LeaseTaken, Taken
from cellctl.live import deployment as deployments
from cellctl.live.bring_up import free_addresses
from cellctl.live.child import Exit

Line = Any  # the line of the fixture `mistreated`


@contextmanager
def started(line: Line, state: Path, *arguments: str) -> Iterator[Path]:
    """A process of the line started by hand with this state directory; its log."""
    log = state / "by-hand.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            (sys.executable, "-P", "-m", "cellctl", *arguments, "--state", str(state)),
            stdout=output,
            stderr=output,
        )
        try:
            yield log
        finally:
            process.terminate()
            process.wait(10)


def programs_run(line: Line) -> int:
    """How often the press closed, by its own count."""
    return sum(times for runs in line.plant("counters")["runs"].values() for times in runs.values())


def test_the_same_line_with_another_state_directory_is_refused_and_nothing_is_started(
    mistreated: Line,
) -> None:
    line, other = mistreated, mistreated.place.parent / "other"
    line.well("up", "puck", "--simulated", "--detach")
    second = line.run("up", "puck", "--simulated", state=other)
    assert second.returncode == 1
    assert "runner cannot listen at tcp://127.0.0.1:" in second.stderr
    assert "Is the line up already, perhaps with another --state?" in second.stderr
    assert not (other / "runner.sqlite").exists()
    again = line.run("up", "puck", "--simulated")
    assert (again.returncode, "is up already" in again.stderr) == (1, True)


def test_a_second_process_by_hand_with_the_same_journal_is_refused(mistreated: Line) -> None:
    line = mistreated
    line.well("up", "puck", "--simulated", "--detach")
    for arguments in (("run-runner",), ("run-module", "belt")):
        second = line.run(*arguments)
        name = "runner" if len(arguments) == 1 else "belt"
        assert second.returncode == Exit.WAITS
        assert (
            f"is in use by process {line.pid(name)}; two processes must never write one journal"
            in second.stderr
        )


@pytest.mark.timeout(180)
def test_a_second_runner_at_other_addresses_gets_no_lease_while_the_first_makes_parts(
    mistreated: Line,
) -> None:
    """It has the same name, the same line file and a journal of its own: only the modules can tell them apart."""
    line, other = mistreated, mistreated.place.parent / "other"
    line.well("up", "puck", "--simulated", "--detach")
    own = line.deployment
    addresses = {**own.processes, **free_addresses(["runner"])}
    deployments.save(msgspec.structs.replace(own, state=str(other), processes=addresses))
    line.well("order", "add", "sensor-puck/indoor:1", "--id", "first")
    line.well("start")
    with started(line, other, "run-runner") as log:
        assert line.eventually(lambda: line.run("status", state=other).returncode == 0, within=20)
        line.run("order", "add", "sensor-puck/indoor:1", "--id", "second", state=other)
        line.run("start", state=other)
        assert line.eventually(line.is_complete, within=60)
        refused = log.read_text()
    assert "lease denied" in refused
    assert "this is another process, with another journal" in refused
    taken = [
        record.command
        for name in own.processes
        if name != "runner"
        for record in line.records(name)
        if isinstance(record, Taken)
    ]
    numbers = Counter(command.number for command in taken)
    assert set(numbers.values()) == {1}
    assert programs_run(line) == 1
    leases = [record for record in line.records("belt") if isinstance(record, LeaseTaken)]
    assert len(leases) == 1


@pytest.mark.timeout(120)
def test_a_second_runner_whose_journal_is_shorter_is_refused_also_after_the_first_died(
    mistreated: Line,
) -> None:
    line, other = mistreated, mistreated.place.parent / "other"
    line.well("up", "puck", "--simulated", "--detach")
    line.well("order", "add", "sensor-puck/indoor:1", "--id", "first")
    line.well("start")
    assert line.eventually(lambda: bool(line.status()["parts"]), within=20)
    own = line.deployment
    deployments.save(
        msgspec.structs.replace(
            own, state=str(other), processes={**own.processes, **free_addresses(["runner"])}
        )
    )
    runner = line.pid("runner")
    os.kill(runner, signal.SIGSTOP)  # as good as dead for its peers, and not started again
    try:
        with started(line, other, "run-runner") as log:
            denied = "the runner's journal does not have record"
            assert line.eventually(lambda: denied in log.read_text(), within=20)
    finally:
        os.kill(runner, signal.SIGCONT)
    assert line.eventually(line.is_complete, within=60)
    assert programs_run(line) == 1
    assert line.status()["alarms"] == []
