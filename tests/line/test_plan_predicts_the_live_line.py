"""The plan against the line that runs live, on simulated devices behind real sockets, and follows its best order."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cellctl_sim.own_line import own_line

FIVE_PERCENT = 0.05
ORDER = "sensor-puck/indoor:6"


class Cell:
    """A copy of the puck line, and the commands that are given to it."""

    def __init__(self, place: Path) -> None:
        self.lines, self.state = place / "cell", place / "state"
        own_line(self.lines)

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-P", "-m", "cellctl", *arguments]
        done = subprocess.run(
            command, cwd=self.lines, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--state", str(self.state), "--json"))

    def make(self, order: str) -> Any:
        """What the report says when the order is made."""
        self.run("up", "puck", "--simulated", "--detach", "--state", str(self.state))
        try:
            self.run("order", "add", order, "--follow", "--state", str(self.state))
            self.run("start", "--state", str(self.state))
            ends = time.monotonic() + 120
            while not all(order["complete"] for order in self.ask("status")["orders"]):
                assert time.monotonic() < ends, self.ask("status")
                time.sleep(1.0)
            return self.ask("report")
        finally:
            self.run("down", "--state", str(self.state))


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_cycle_of_the_live_line_is_predicted_within_five_percent(tmp_path: Path) -> None:
    cell = Cell(tmp_path)
    planned = json.loads(cell.run("plan", "puck", "--order", ORDER, "--optimal", "--json"))
    report = cell.make(ORDER)
    assert report["parts_made"] == 6
    assert report["cycle_time_s"] == pytest.approx(planned["cycle_s"]["likely"], rel=FIVE_PERCENT)
    assert planned["pace"][0]["optimal"]["followed_s"] == pytest.approx(
        planned["cycle_s"]["likely"], rel=0.01
    )
