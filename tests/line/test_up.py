"""`cellctl up` on the shipped line with simulated devices: started, operated, disturbed and ended by its commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from children import eventually, is_running

from cellctl.live import process_table
from cellctl_sim.own_line import own_line

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


class Cell:
    """A copy of the shipped files with free ports, and commands that run in it."""

    def __init__(self, place: Path) -> None:
        self.place, self.state = place / "cell", place / "cell" / ".cellctl" / "puck"
        own_line(self.place)

    def command(self, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-P", "-m", "cellctl", *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments), cwd=self.place, capture_output=True, text=True, timeout=60, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def status(self) -> dict[str, Any]:
        done = self.run("status", "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def pids(self) -> dict[str, int]:
        return {process.name: process.pid for process in process_table.load(self.state).processes}

    @property
    def supervisor(self) -> int:
        return process_table.supervisor_of(self.state)

    def log(self) -> str:
        return (self.state / "log" / "supervisor.log").read_text()


@pytest.fixture
def cell(tmp_path: Path) -> Iterator[Cell]:
    """A cell that is down, and down again afterwards."""
    made = Cell(tmp_path)
    yield made
    if pid := made.supervisor:
        os.kill(pid, signal.SIGKILL)


def _are_gone(pids: dict[str, int]) -> bool:
    return not any(is_running(pid) for pid in pids.values())


def test_a_detached_line_is_started_ordered_from_held_and_taken_down(cell: Cell) -> None:
    up = cell.run("up", "puck", "--simulated", "--detach")
    assert (up.returncode, up.stdout) == (0, "")
    pids = cell.pids()
    assert set(pids) == {"plant", "runner", "belt", "arm", "io2", "press", "gauge"}
    assert {module["state"] for module in cell.status()["modules"]} == {"stopped"}

    again = cell.run("up", "puck", "--simulated")
    assert again.returncode == 1
    assert f"is up already (process {cell.supervisor})" in again.stderr

    assert cell.run("start").returncode == 0
    assert cell.run("order", "add", "sensor-puck/indoor:2", "--id", "first").stdout == "first\n"
    repeated = cell.run("order", "add", "sensor-puck/indoor:2", "--id", "first")
    assert "was ordered before" in repeated.stderr
    other = cell.run("order", "add", "sensor-puck/indoor:3", "--id", "first")
    assert (other.returncode, "choose another id" in other.stderr) == (1, True)
    unknown = cell.run("order", "add", "sensor-puck/indor:2")
    assert unknown.returncode == 1
    assert "indoor" in unknown.stderr
    assert eventually(lambda: any(part["done"] for part in cell.status()["parts"]), within=40)

    assert cell.run("load", "board", "--at", "boards.pick", "--lot", "B7", "--qty", "50").returncode == 0
    wrong = cell.run("load", "board", "--at", "lids.black_pick", "--lot", "B7", "--qty", "50")
    assert (wrong.returncode, "yields lid-black" in wrong.stderr) == (1, True)

    assert cell.run("hold").returncode == 0
    assert eventually(lambda: cell.status()["state"] == "held", within=40)
    parts = cell.status()["parts"]
    assert parts[0]["place"].startswith("belt")
    life = json.loads(cell.run("trace", "p1", "--json").stdout)
    assert life["visits"][0]["outcome"] == "done"
    assert cell.run("trace", "p99").returncode == 1
    assert json.loads(cell.run("report", "--json").stdout)["parts_in_flight"] == len(parts)

    down = cell.run("down")
    assert (down.returncode, down.stderr) == (0, "the line is down\n")
    assert _are_gone(pids)
    assert cell.run("status").returncode == 1


def test_a_supervisor_that_is_killed_takes_the_whole_line_with_it_and_it_can_be_started_again(
    cell: Cell,
) -> None:
    assert cell.run("up", "puck", "--simulated", "--detach").returncode == 0
    pids = cell.pids()
    os.kill(cell.supervisor, signal.SIGKILL)
    assert eventually(lambda: _are_gone(pids), within=5)
    assert cell.run("up", "puck", "--simulated", "--detach").returncode == 0
    assert [path.name for path in cell.state.glob("before-*/runner.sqlite")] == ["runner.sqlite"]
    assert cell.run("down").returncode == 0


def test_a_module_process_that_is_killed_comes_back_and_the_supervisor_says_so(cell: Cell) -> None:
    assert cell.run("up", "puck", "--simulated", "--detach").returncode == 0
    killed = cell.pids()["press"]
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: cell.pids()["press"] not in (0, killed))
    assert "press was ended by SIGKILL; it is started again in 0.2 s" in cell.log()
    assert eventually(lambda: all(module["state"] == "stopped" for module in cell.status()["modules"]))
    assert cell.run("down").returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_holds_the_line_before_its_processes_end(
    cell: Cell, number: signal.Signals, code: int
) -> None:
    up = subprocess.Popen(
        cell.command("up", "puck", "--simulated"), cwd=cell.place, stderr=subprocess.PIPE, text=True
    )
    assert eventually(lambda: (cell.state / "deployment.json").exists() and cell.run("start").returncode == 0)
    assert eventually(lambda: cell.status()["state"] == "execute", within=40)
    pids = cell.pids()
    up.send_signal(number)
    _, said = up.communicate(timeout=30)
    assert up.returncode == code, said
    assert "SIMULATED" in said
    assert "the line is held" in said
    assert _are_gone(pids)


def test_a_line_whose_simulated_devices_died_ends_with_a_clear_message(cell: Cell) -> None:
    up = subprocess.Popen(
        cell.command("up", "puck", "--simulated"), cwd=cell.place, stderr=subprocess.PIPE, text=True
    )
    assert eventually(lambda: (cell.state / "deployment.json").exists() and "gauge" in cell.pids())
    pids = cell.pids()
    os.kill(pids["plant"], signal.SIGKILL)
    _, said = up.communicate(timeout=30)
    assert up.returncode == 1
    assert "cannot go on without its simulated devices: plant was ended by SIGKILL" in said
    assert _are_gone(pids)


def test_a_line_file_that_changed_after_the_start_is_refused_by_its_processes(cell: Cell) -> None:
    assert cell.run("up", "puck", "--simulated", "--detach").returncode == 0
    line = cell.place / "lines" / "puck.yaml"
    line.write_text(line.read_text().replace("speed: 150 mm/s", "speed: 140 mm/s"))
    os.kill(cell.pids()["belt"], signal.SIGKILL)
    assert eventually(lambda: "ALARM: belt ended with exit code 78" in cell.log())
    assert "changed since the line was started" in cell.log()
    assert cell.run("down").returncode == 0
