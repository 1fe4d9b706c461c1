"""The demo's line from start to report: brought up, ordered from, disturbed twice, counted and ended.

Whoever watches may kill its processes: the supervisor starts them again, and the demo waits for them.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from cellctl.cli.files import find_line, find_recipe
from cellctl.errors import DeploymentError, PeerSilent
from cellctl.line.model import Line
from cellctl.live import process_table
from cellctl.live.bring_up import addresses_of, bring_up, free_addresses, until_ready
from cellctl.live.client import Session, connect
from cellctl.live.interrupts import Interrupts, unless
from cellctl.live.line_file import read_line
from cellctl.live.process_table import supervising
from cellctl.live.records import runner_events
from cellctl.live.supervisor import Supervisor
from cellctl.runner.report import report
from cellctl_sim.cli.demo_view import View
from cellctl_sim.control_client import ask

LINE, RECIPE = "puck", "sensor-puck"
VARIANTS = ("indoor", "outdoor", "tall")
STARTS, PART, RESTART = (
    60.0,
    10.0,
    20.0,
)  # [s] that the start, each part, and each process that is killed may take
READY = 30.0  # [s] for the processes to find each other
EVERY = 0.25  # [s] between looks at the line
PATIENCE = 2.0  # [s] with the runner, before it is said to be away
INTERRUPTED = 130

DISTURBANCES = (  # (after so many parts have ended, what, fault)
    (1, "the gripper misses its next grip", {"device": "arm.gripper", "fault": "miss"}),
    (
        3,
        "the gauge reads 1 mm too much, twice",
        {"device": "gauge.head", "fault": "offset", "value": "1 mm", "count": 2},
    ),
)

Status = dict[str, Any]


async def run_demo(state: Path, parts: int, seed: int, view: View) -> tuple[dict[str, Any] | None, int]:
    """Run the line; the report and the exit code. Raises CellctlError."""
    interrupts = Interrupts()
    path = find_line(LINE)
    line, _ = read_line(path)
    if line is None:
        raise DeploymentError(f"the shipped line {path} cannot be used; see `cellctl check {LINE}`")
    with supervising(state):
        async with Supervisor(state, line.name, view.note, simulated=True) as supervisor:
            interrupts.when_hurried = supervisor.kill
            processes = free_addresses(addresses_of(line))
            work = bring_up(
                supervisor, line, path, processes=processes, plant_arguments=("--seed", str(seed))
            )
            try:
                deployment = await unless(interrupts.stop, work)
                if deployment is None:
                    return None, INTERRUPTED
                view.note(f"{len(processes)} processes and the simulated devices are up; state in {state}")
                view.note(f"kill -9 any of them, the order still ends right: {_pids(state)}")
                async with connect(deployment) as session:
                    run = Run(session, supervisor, view, parts)
                    ran = await unless(interrupts.stop, run.until_done())
            finally:
                view.close()
            if ran is None:
                return None, INTERRUPTED
    return _result(state, run, seed, line)


class Run:
    """One run of the demo's orders."""

    def __init__(self, session: Session, supervisor: Supervisor, view: View, parts: int) -> None:
        self._session, self._supervisor, self._view = session, supervisor, view
        self.parts = parts
        self._began, self._ran = time.monotonic(), False
        self._seen: Status = {"state": "nowhere", "parts": [], "alarms": []}
        self.alarms: dict[tuple[str, str, float], dict[str, Any]] = {}
        self.injected: list[str] = []
        self.counters: dict[str, int] = {}
        self.truth: list[dict[str, Any]] = []

    @property
    def killed(self) -> Counter[str]:
        """How often each process was ended from outside; the supervisor started it again."""
        return Counter(name for name, code in self._supervisor.replaced if code < 0)

    async def until_done(self) -> bool:
        """Place the orders and see them through. Raises DeploymentError when that takes too long."""
        await until_ready(self._session, READY)
        for variant, quantity in zip(VARIANTS, _shares(self.parts), strict=True):
            await self._order(variant, quantity)
        while not await self._is_done():
            await asyncio.sleep(EVERY)
        control = self._supervisor.control
        self.counters = (await ask(control, "counters"))["counters"]
        self.truth = (await ask(control, "items"))["items"]
        return True

    async def _order(self, variant: str, quantity: int) -> None:
        recipe = find_recipe(RECIPE, find_line(LINE))
        body = {"text": recipe.read_text(), "source": str(recipe), "variant": variant, "quantity": quantity}
        await self._ask("order", {"order": f"demo-{variant}", **body})

    async def _is_done(self) -> bool:
        status = await self._ask("status")
        self._seen = status
        self._view.show(status)
        await self._start_once(status["state"])
        for alarm in status["alarms"]:
            self.alarms[alarm["code"], alarm["source"], alarm["raised"]] = alarm
        ended = sum(order["good"] + order["scrapped"] + order["removed"] for order in status["orders"])
        await self._disturb(ended)
        return all(order["complete"] for order in status["orders"])

    async def _start_once(self, state: str) -> None:
        """Start the line; again when the runner was killed on the way, never when a person has stopped it since."""
        if self._ran:
            return
        self._ran = state == "execute"
        if state in ("stopped", "idle"):
            await self._ask("start")

    async def _ask(self, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the runner answers, asked again where it died meanwhile. Raises DeploymentError when time is over."""
        while True:
            if self._supervisor.broken.done():
                raise DeploymentError(self._supervisor.broken.result())
            longest = STARTS + PART * self.parts + RESTART * self.killed.total()
            if time.monotonic() - self._began > longest:
                raise DeploymentError(f"not all parts were done within {longest:g} s: {self._hindrance()}")
            try:
                found = await self._session.call(verb, body, patience=PATIENCE)
            except PeerSilent:
                self._view.note("the runner is away; the modules finish what they have in hand")
            else:
                return found

    async def _disturb(self, ended: int) -> None:
        for after, text, fault in DISTURBANCES:
            early_enough = min(after, self.parts - 2)
            if ended >= early_enough and text not in self.injected:
                self.injected.append(text)
                self._view.note(f"injected fault: {text}")
                await ask(self._supervisor.control, "fault", **fault)

    def _hindrance(self) -> str:
        status = self._seen
        waiting = [f"{part['part']} at {part['place']} waits for {part['waits']}" for part in status["parts"]]
        alarms = [f"{alarm['code']} {alarm['text']}" for alarm in status["alarms"]]
        return "; ".join([f"the line was last seen {status['state']}", *alarms, *waiting])


def _pids(state: Path) -> str:
    """The processes that may be killed, with their numbers: all but the one that stands for the world."""
    running = process_table.load(state).processes
    return ", ".join(f"{process.name} {process.pid}" for process in running if process.name != "plant")


def _shares(parts: int) -> list[int]:
    """The parts over the variants, as evenly as may be."""
    least, rest = divmod(parts, len(VARIANTS))
    return [least + (place < rest) for place in range(len(VARIANTS))]


def _result(state: Path, run: Run, seed: int, line: Line) -> tuple[dict[str, Any], int]:
    """The report of the journal, held against what truly lies in the simulated plant; and the exit code."""
    made = report(runner_events(state), line)
    missing = _missing(run, made.parts_made, made.parts_scrapped, made.parts_in_flight)
    result = msgspec.to_builtins(made) | {
        "alarms": list(run.alarms.values()),
        "injected": run.injected,
        "killed": dict(run.killed),
        "counters": run.counters,
        "simulated": True,
        "seed": seed,
        "accounted": not missing,
        "missing": missing,
    }
    return result, 0 if not missing else 1


def _missing(run: Run, made: int, scrapped: int, in_flight: int) -> str:
    truly = {place: sum(item["place"] == place for item in run.truth) for place in ("belt.exit", "arm.bin")}
    if made + scrapped != run.parts or in_flight:
        return (
            f"{run.parts} parts were ordered; {made} made, {scrapped} scrapped, {in_flight} still on the line"
        )
    if truly["belt.exit"] != made or truly["arm.bin"] != scrapped:
        return (
            f"the journal has {made} made and {scrapped} scrapped, but {truly['belt.exit']} lie at the belt's end "
            f"and {truly['arm.bin']} in the bin"
        )
    return ""
