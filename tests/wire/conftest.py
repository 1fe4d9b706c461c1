"""The shipped puck line, up on loopback with simulated devices, for tests that mistreat it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cellctl.flow.events import FlowEvent
from cellctl.journal import ModuleRecord
from cellctl.live import deployment, process_table
from cellctl.live.deployment import Deployment
from cellctl.live.line_file import read_line
from cellctl.live.records import runner_events
from cellctl.live.store import read_all_rows
from cellctl_sim.checkers import check
from cellctl_sim.control_client import ask
from cellctl_sim.evidence import gather
from cellctl_sim.own_line import own_line

HERE = Path(__file__).parent
_PREFIX = 24  # bytes before the record in a journal's row


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything at the wire is live."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live)


class MistreatedLine:
    """A copy of the shipped files with free ports, and commands that run in it. It is down to begin with."""

    def __init__(self, place: Path) -> None:
        self.place, self.state = place / "cell", place / "state"
        self.file = own_line(self.place)

    # --- its commands -----------------------------------------------------------------------------------------------

    def run(self, *arguments: str, state: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One command on this line; it never shows a traceback."""
        done = subprocess.run(
            (sys.executable, "-P", "-m", "cellctl", *arguments, "--state", str(state or self.state)),
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def well(self, *arguments: str) -> str:
        """The standard output of a command that has to succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.well("status", "--json"))
        return found

    def is_complete(self) -> bool:
        return all(order["complete"] for order in self.status()["orders"])

    def eventually(self, holds: Callable[[], bool], within: float) -> bool:
        ends = time.monotonic() + within
        while not holds():
            if time.monotonic() > ends:
                return False
            time.sleep(0.2)
        return True

    # --- what it left -----------------------------------------------------------------------------------------------

    @property
    def deployment(self) -> Deployment:
        return deployment.load(self.state)

    def pid(self, process: str) -> int:
        found = process_table.load(self.state).process(process)
        return found.pid if found else 0

    def records(self, process: str) -> list[ModuleRecord]:
        """The journal of a module process."""
        decoder = msgspec.msgpack.Decoder(ModuleRecord)
        return [decoder.decode(row[_PREFIX:]) for row in read_all_rows(self.state / f"{process}.sqlite")]

    def events(self) -> list[FlowEvent]:
        """The journal of the runner, its chain checked."""
        return list(runner_events(self.state))

    def log(self, process: str) -> str:
        path = self.state / "log" / f"{process}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self) -> dict[str, str]:
        return {path.stem: path.read_text(errors="replace") for path in (self.state / "log").glob("*.log")}

    def crash_files(self) -> list[Path]:
        return sorted((self.state / "log").glob("crash-*"))

    def plant(self, do: str, **what: object) -> dict[str, Any]:
        """A request to the simulated plant's control socket."""
        answer: dict[str, Any] = asyncio.run(ask(process_table.load(self.state).control, do, **what))
        return answer

    def end(self) -> None:
        """Take it down, whatever happened to it."""
        if process_table.supervisor_of(self.state):
            self.run("down")
        if pid := process_table.supervisor_of(self.state):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def mistreated(tmp_path: Path) -> Iterator[MistreatedLine]:
    """A puck line of its own, down again afterwards."""
    line = MistreatedLine(tmp_path)
    yield line
    line.end()


@pytest.fixture
def evidence_findings() -> Callable[[MistreatedLine], list[str]]:
    """What the checkers of the crash search find in a line and its plant; nothing, when all is well."""
    return _findings


def _findings(line: MistreatedLine) -> list[str]:
    model, _ = read_line(line.file)
    assert model is not None
    counted = line.plant("counters")
    evidence = gather(
        model,
        {name: list(read_all_rows(line.state / f"{name}.sqlite")) for name in (*model.processes, "runner")},
        counted["counters"],
        {machine: {int(n): t for n, t in runs.items()} for machine, runs in counted["runs"].items()},
        line.plant("items")["items"],
        [(t, text) for t, text in line.plant("incidents")["incidents"]],
    )
    return [str(finding) for finding in check(evidence)]
