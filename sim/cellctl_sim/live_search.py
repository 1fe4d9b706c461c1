"""Crash search on the real thing: a line up on simulated devices, its processes killed by signal, its links cut.

    with LiveLine(place) as line:           # a copy of the shipped puck line, on free ports
        line.order("indoor", 2)
        line.kill("belt")
        line.fault("io1", "cut", 0.5)
        findings = check(line.end())

Only processes that this line's own supervisor started are signalled, by the number in its process table.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from cellctl.errors import DeploymentError, PeerSilent, Refused
from cellctl.live import process_table
from cellctl.live.client import Client
from cellctl.live.line_file import read_line
from cellctl.live.store import read_all_rows
from cellctl_sim.control_client import ask
from cellctl_sim.evidence import RUNNER, Evidence, gather
from cellctl_sim.own_line import own_line
from cellctl_sim.simulation import ON_THE_WAY

LOOK = 0.2  # [s] between the operator's looks at the line

Body = dict[str, Any]


class LiveLine:
    """One line in a directory of its own, and the operator who starts it again whenever it stands."""

    def __init__(self, place: Path) -> None:
        self.place, self.state = place / "cell", place / "state"
        path = own_line(self.place)
        line, report = read_line(path)
        if line is None:
            raise DeploymentError(report.render())
        self.line, self._path = line, path
        self._recipe = self.place / "products" / "sensor-puck.yaml"
        self._orders = 0

    # --- its life -------------------------------------------------------------------------------------------------

    def __enter__(self) -> LiveLine:
        self._cellctl("up", str(self._path), "--simulated", "--detach")
        self._client = Client(self.state, "crash search")
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, trace)
        with suppress(DeploymentError):
            self._cellctl("down")
        if supervisor := process_table.supervisor_of(self.state):
            os.kill(supervisor, signal.SIGKILL)

    def _cellctl(self, *arguments: str) -> None:
        command = (sys.executable, "-P", "-m", "cellctl", *arguments, "--state", str(self.state))
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
        if done.returncode:
            raise DeploymentError(f"{' '.join(arguments)}: {done.stderr}")

    # --- work -----------------------------------------------------------------------------------------------------

    def order(self, variant: str, quantity: int) -> None:
        """Order parts; asked again until the runner says that it has the order."""
        self._orders += 1
        body = {
            "order": f"o{self._orders}",
            "text": self._recipe.read_text(),
            "source": self._recipe.name,
            "variant": variant,
            "quantity": quantity,
        }
        while self._call("order", body) is None:
            time.sleep(LOOK)

    def look(self) -> Body:
        """The line's status; whatever of it stands is started again. Empty when the runner is not there."""
        status = self._call("status")
        if status is None:
            return {}
        executes = status["state"] == "execute"
        if not executes:
            self._call("start")
        for module in status["modules"]:
            is_idle = module["state"] in ON_THE_WAY if executes else module["state"] == "aborted"
            if module["alive"] and not module["out"] and is_idle:
                self._call("command", {"module": module["module"], "command": ON_THE_WAY[module["state"]]})
        return status

    def run_until(self, holds: Callable[[Body], bool], within: float) -> bool:
        """Look after the line until its status is such; False when that takes longer than `within` [s]."""
        ends = time.monotonic() + within
        while not ((status := self.look()) and holds(status)):
            if time.monotonic() > ends:
                return False
            time.sleep(LOOK)
        return True

    def _call(self, verb: str, body: Body | None = None) -> Body | None:
        try:
            return self._client.call(verb, body, patience=2.0)
        except (PeerSilent, Refused):
            return None

    # --- disturbance ----------------------------------------------------------------------------------------------

    def kill(self, name: str) -> bool:
        """SIGKILL a process of this line; False when it does not run now."""
        process = process_table.load(self.state).process(name)
        if process is None or not process.pid:
            return False
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
            return True
        return False

    def fault(self, device: str, fault: str, seconds: float, **more: object) -> None:
        """Disturb a device or its link from now on."""
        self.ask("fault", device=device, fault=fault, **{"for": seconds}, **more)

    def ask(self, do: str, **what: object) -> Body:
        """A request to the plant's control socket. Raises CellctlError."""
        answer: Body = asyncio.run(ask(process_table.load(self.state).control, do, **what))
        return answer

    # --- the end --------------------------------------------------------------------------------------------------

    def end(self, patience: float = 60.0) -> Evidence:
        """Hold the line, and gather what it leaves behind."""
        status: Body = {}
        ends = time.monotonic() + patience
        while status.get("state") != "held" and time.monotonic() < ends:
            if status.get("state") == "execute":
                self._call("command", {"command": "hold"})
            time.sleep(LOOK)
            status = self._call("status") or {}
        counted, items = self.ask("counters"), self.ask("items")
        return gather(
            self.line,
            {
                name: list(read_all_rows(self.state / f"{name}.sqlite"))
                for name in (*self.line.processes, RUNNER)
            },
            counted["counters"],
            {
                machine: {int(n): times for n, times in runs.items()}
                for machine, runs in counted["runs"].items()
            },
            items["items"],
            [(t, text) for t, text in self.ask("incidents")["incidents"]],
            [f"{a['code']} {a['source']}: {a['text']}" for a in status.get("alarms", ())],
        )


def is_complete(status: Body) -> bool:
    """Whether every order is."""
    return all(order["complete"] for order in status["orders"])
