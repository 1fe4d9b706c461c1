"""Rest waits for nothing: not for a journal, not for a person's next command, not for the clock on the wall."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.messages import Event, Request
from cellctl.plugins import load_drivers, load_kinds
from cellctl_sim.loop import nanoseconds
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import Order, ask, start_line
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"
ORDER = Order("1", RECIPE.read_text(), RECIPE.name, "indoor", 3)
SLOW = 4.0  # [s] that a sync takes

Say = Callable[..., Awaitable[dict[str, Any]]]
Script = Callable[[Universe, SimRuntime, Say], Awaitable[None]]


def puck(restart: str) -> Line:
    report = Report()
    line = load_line(ROOT / "recipes/lines/puck.yaml", report, load_kinds(), load_drivers())
    assert line is not None, report.render()
    return replace(line, restart=restart)


def play(line: Line, script: Script, until: float = 200.0) -> Universe:
    """The line with an order on it, started; and a person who does what a script says."""
    with Universe(1) as universe:
        universe.install(Plant(line, universe.random, []))
        start_line(universe, line)
        ended: list[BaseException | None] = []

        async def person(runtime: SimRuntime) -> None:
            async with runtime.connect("runner") as runner:

                async def say(verb: str, **body: Any) -> dict[str, Any]:
                    return await ask(runtime, runner, verb, body)

                await say("order", **ORDER.body)
                await say("start")
                try:
                    await script(universe, runtime, say)
                    ended.append(None)
                except (Exception, pytest.fail.Exception) as error:
                    ended.append(error)
                universe.stop()

        universe.start("person", person)
        universe.run(until)
        assert ended, "the script did not come to its end"
        if ended[0] is not None:
            raise ended[0]
        return universe


def states(status: dict[str, Any]) -> dict[str, str]:
    return {module["module"]: module["state"] for module in status["modules"]}


async def until(
    runtime: SimRuntime, say: Say, holds: Callable[[dict[str, Any]], bool], within: float = 60.0
) -> dict[str, Any]:
    ends = runtime.now() + within
    while not holds(status := await say("status")):
        assert runtime.now() < ends, status
        await runtime.sleep(0.1)
    return status


async def works(runtime: SimRuntime, say: Say) -> None:
    """Until the arm is at work."""
    await until(
        runtime, say, lambda status: any(m["doing"] for m in status["modules"] if m["module"] == "arm")
    )


class Observer:
    """Hears every module itself, not through the runner: (time, module, state) of each view."""

    def __init__(self, universe: Universe, line: Line) -> None:
        self.seen: list[tuple[float, str, str]] = []
        for process in line.processes:
            universe.start(f"observer of {process}", partial(self._observe, process))

    async def _observe(self, process: str, runtime: SimRuntime) -> None:
        async with runtime.connect(process) as peer:
            while True:
                message = (await peer.inbox.receive()).message
                if isinstance(message, Event) and message.view is not None:
                    self.seen.append((runtime.now(), message.view.module, str(message.view.state)))

    def entered(self, state: str, since: float) -> dict[str, float]:
        """Module -> how long after `since` it was first in a state [s]."""
        found: dict[str, float] = {}
        for time, module, shown in self.seen:
            if shown == state and time >= since:
                found.setdefault(module, time - since)
        return found


def send(universe: Universe, requests: list[tuple[str, dict[str, Any]]]) -> None:
    """Somebody else asks this, one after another, and waits for no reply."""

    async def work(runtime: SimRuntime) -> None:
        async with runtime.connect("runner") as runner:
            await runner.inbox.receive()
            for number, (verb, body) in enumerate(requests):
                runner.send(Request(f"r{number}", verb, "somebody", body))
                await runtime.sleep(0.01)
            await runtime.sleep(60.0)

    universe.start("somebody", work)


# --- the disk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "state"), [("abort", "aborting"), ("stop", "stopping"), ("hold", "holding")]
)
@pytest.mark.parametrize("module", ["", "arm"])
def test_no_rest_waits_for_a_slow_disk(command: str, state: str, module: str) -> None:
    line = puck("automatic")

    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        await works(runtime, say)
        observer = Observer(universe, line)
        await runtime.sleep(0.1)
        for disk in ("runner", "arm"):
            universe.disk(disk).spells.begin("slow_disk", SLOW, nanoseconds(runtime.now() + 60.0))
        send(universe, [("drain", {})])  # its sync is under way when the command comes
        await runtime.sleep(0.1)
        began = runtime.now()
        await say("command", command=command, **({"module": module} if module else {}))
        took = observer.entered(state, began)
        assert took["arm"] < 0.05, took
        if not module:
            assert len(took) == len(line.modules)
            assert max(took.values()) < 0.05, took

    play(line, script)


def test_a_rest_that_overtook_an_older_command_is_the_last_word_all_the_same() -> None:
    line = puck("operator")

    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        await works(runtime, say)
        await say("command", module="gauge", command="stop")
        await until(runtime, say, lambda status: states(status)["gauge"] == "stopped")
        universe.disk("runner").spells.begin("slow_disk", SLOW, nanoseconds(runtime.now() + 9.0))
        said = [
            ("command", {"module": "gauge", "command": word}) for word in ("reset", "start", "stop", "abort")
        ]
        send(universe, said)
        await runtime.sleep(20.0)
        assert states(await say("status"))["gauge"] == "aborted"

    play(line, script)


# --- after a kill -------------------------------------------------------------------------------------------------


def test_a_line_that_a_restart_of_its_runner_stopped_has_stopped_modules() -> None:
    line = puck("operator")

    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        await works(runtime, say)
        universe.at(runtime.now(), lambda: universe.kill("runner"))
        universe.at(runtime.now() + 8.0, lambda: universe.restart("runner"))
        await runtime.sleep(8.5)
        status = await until(runtime, say, lambda status: status["state"] == "stopped")
        assert set(states(status).values()) == {"stopped"}
        observer = Observer(universe, line)
        await runtime.sleep(20.0)
        assert not observer.entered("execute", 0.0)
        assert set(states(await say("status")).values()) == {"stopped"}
        await say("start")
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]), 120.0)

    play(line, script)


def test_start_brings_along_what_a_restart_stopped_and_leaves_what_a_person_stopped() -> None:
    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        await works(runtime, say)
        await say("command", module="gauge", command="stop")
        for process in ("belt", "press"):
            universe.at(runtime.now(), partial(universe.restart, process))
        await runtime.sleep(5.0)
        found = states(await say("status"))
        assert (found["belt"], found["press"], found["gauge"]) == ("stopped", "stopped", "stopped")
        reply = await say("start")
        assert (reply["state"], sorted(reply["modules"])) == ("execute", ["belt", "press"])
        await until(runtime, say, lambda status: states(status)["belt"] == "execute", 10.0)
        await until(runtime, say, lambda status: states(status)["press"] == "execute", 10.0)
        assert states(await say("status"))["gauge"] == "stopped"
        await say("command", module="gauge", command="reset")
        await until(runtime, say, lambda status: states(status)["gauge"] == "idle")
        await say("command", module="gauge", command="start")
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]), 120.0)

    play(puck("operator"), script)


def test_what_a_person_stopped_stays_so_on_a_line_that_goes_on_by_itself() -> None:
    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        await works(runtime, say)
        await say("command", module="gauge", command="stop")
        await runtime.sleep(5.0)
        assert states(await say("status"))["gauge"] == "stopped"

    play(puck("automatic"), script)


# --- alarms -------------------------------------------------------------------------------------------------------


def raised(universe: Universe) -> list[str]:
    return [str(record.fields["code"]) for record in universe.records if record.event == "alarm"]


def test_a_process_that_comes_back_at_once_raises_no_alarm() -> None:
    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        await works(runtime, say)
        universe.at(runtime.now(), lambda: universe.kill("gauge"))
        universe.at(runtime.now() + 1.0, lambda: universe.restart("gauge"))
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]), 120.0)

    assert raised(play(puck("automatic"), script)) == []


def test_of_what_a_dead_process_brings_about_its_own_alarm_is_first_out() -> None:
    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        await works(runtime, say)
        universe.at(runtime.now(), lambda: universe.kill("gauge"))
        await runtime.sleep(2.0)  # its silence is noticed
        universe.at(runtime.now(), lambda: universe.restart("press"))
        status = await until(runtime, say, lambda status: len(status["alarms"]) > 1, 10.0)
        found = {alarm["code"]: alarm["first_out"] for alarm in status["alarms"]}
        assert found == {"R001": True, "R013": False}

    play(puck("operator"), script)


# --- the clock ----------------------------------------------------------------------------------------------------


def test_a_clock_that_is_set_an_hour_ahead_cancels_nothing() -> None:
    async def script(universe: Universe, runtime: SimRuntime, say: Say) -> None:
        for _ in range(60):
            universe.clock("runner").ahead += 3600.0
            await runtime.sleep(0.7)
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]), 120.0)

    assert "R020" not in raised(play(puck("automatic"), script))
