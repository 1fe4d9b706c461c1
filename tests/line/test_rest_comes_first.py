"""Rest waits for nothing: not for a journal, not for a person's next command, not for the clock on the wall."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from floor import Floor, Status

from cellctl.line.model import Line
from cellctl.messages import Event, Request
from cellctl_sim.loop import nanoseconds
from cellctl_sim.runtime import SimRuntime

SLOW = 4.0  # [s] that a sync takes


def arm_works(status: Status) -> bool:
    return bool(status.module("arm")["doing"])


class Observer:
    """Hears every module itself, not through the runner: (time, module, state) of each view."""

    def __init__(self, floor: Floor) -> None:
        self.seen: list[tuple[float, str, str]] = []
        for process in floor.line.processes:
            floor.universe.start(f"observer of {process}", partial(self._observe, process))

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


def send(floor: Floor, requests: list[tuple[str, dict[str, Any]]]) -> None:
    """Somebody else asks this, one after another, and waits for no reply."""

    async def work(runtime: SimRuntime) -> None:
        async with runtime.connect("runner") as runner:
            await runner.inbox.receive()
            for number, (verb, body) in enumerate(requests):
                runner.send(Request(f"r{number}", verb, "somebody", body))
                await runtime.sleep(0.01)
            await runtime.sleep(60.0)

    floor.universe.start("somebody", work)


# --- the disk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "state"), [("abort", "aborting"), ("stop", "stopping"), ("hold", "holding")]
)
@pytest.mark.parametrize("module", ["", "arm"])
def test_no_rest_waits_for_a_slow_disk(command: str, state: str, module: str, puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(arm_works)
        observer = Observer(floor)
        await floor.sleep(0.1)
        for disk in ("runner", "arm"):
            floor.universe.disk(disk).spells.begin("slow_disk", SLOW, nanoseconds(floor.now() + 60.0))
        send(floor, [("drain", {})])  # its sync is under way when the command comes
        await floor.sleep(0.1)
        began = floor.now()
        await floor.say("command", command=command, **({"module": module} if module else {}))
        took = observer.entered(state, began)
        assert took["arm"] < 0.05, took
        if not module:
            assert len(took) == len(puck_line.modules)
            assert max(took.values()) < 0.05, took

    Floor(puck_line).play(script)


def test_a_rest_that_overtook_an_older_command_is_the_last_word_all_the_same(attended_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(arm_works)
        await floor.bring("gauge", "stop", "stopped")
        floor.universe.disk("runner").spells.begin("slow_disk", SLOW, nanoseconds(floor.now() + 9.0))
        said = [
            ("command", {"module": "gauge", "command": word}) for word in ("reset", "start", "stop", "abort")
        ]
        send(floor, said)
        await floor.sleep(20.0)
        assert (await floor.status()).states["gauge"] == "aborted"

    Floor(attended_line).play(script)


# --- after a kill -------------------------------------------------------------------------------------------------


def test_a_line_that_a_restart_of_its_runner_stopped_has_stopped_modules(attended_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(arm_works)
        floor.universe.kill("runner")
        floor.universe.at(floor.now() + 8.0, lambda: floor.universe.restart("runner"))
        await floor.sleep(8.5)
        status = await floor.until(lambda status: status["state"] == "stopped")
        assert set(status.states.values()) == {"stopped"}
        observer = Observer(floor)
        await floor.sleep(20.0)
        assert not observer.entered("execute", 0.0)
        assert set((await floor.status()).states.values()) == {"stopped"}
        await floor.say("start")
        await floor.until(lambda status: status.is_complete)

    Floor(attended_line).play(script)


def test_start_brings_along_what_a_restart_stopped_and_leaves_what_a_person_stopped(
    attended_line: Line,
) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(arm_works)
        await floor.say("command", module="gauge", command="stop")
        for process in ("belt", "press"):
            floor.universe.restart(process)
        await floor.sleep(5.0)
        found = (await floor.status()).states
        assert (found["belt"], found["press"], found["gauge"]) == ("stopped", "stopped", "stopped")
        reply = await floor.say("start")
        assert (reply["state"], sorted(reply["modules"])) == ("execute", ["belt", "press"])
        await floor.until(lambda status: status.states["belt"] == "execute", 10.0)
        await floor.until(lambda status: status.states["press"] == "execute", 10.0)
        assert (await floor.status()).states["gauge"] == "stopped"
        await floor.bring("gauge", "reset", "idle")
        await floor.say("command", module="gauge", command="start")
        await floor.until(lambda status: status.is_complete)

    Floor(attended_line).play(script)


def test_what_a_person_stopped_stays_so_on_a_line_that_goes_on_by_itself(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(arm_works)
        await floor.say("command", module="gauge", command="stop")
        await floor.sleep(5.0)
        assert (await floor.status()).states["gauge"] == "stopped"

    Floor(puck_line).play(script)


# --- alarms -------------------------------------------------------------------------------------------------------


def test_a_process_that_comes_back_at_once_raises_no_alarm(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(arm_works)
        floor.universe.kill("gauge")
        floor.universe.at(floor.now() + 1.0, lambda: floor.universe.restart("gauge"))
        await floor.until(lambda status: status.is_complete)

    assert Floor(puck_line).play(script).raised == []


def test_of_what_a_dead_process_brings_about_its_own_alarm_is_first_out(attended_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(arm_works)
        floor.universe.kill("gauge")
        await floor.sleep(2.0)  # its silence is noticed
        floor.universe.restart("press")
        status = await floor.until(lambda status: len(status["alarms"]) > 1, 10.0)
        found = {alarm["code"]: alarm["first_out"] for alarm in status["alarms"]}
        assert found == {"R001": True, "R013": False}

    Floor(attended_line).play(script)


# --- the clock ----------------------------------------------------------------------------------------------------


def test_a_clock_that_is_set_an_hour_ahead_cancels_nothing(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        for _ in range(60):
            floor.universe.clock("runner").ahead += 3600.0
            await floor.sleep(0.7)
        await floor.until(lambda status: status.is_complete)

    assert "R020" not in Floor(puck_line).play(script).raised
