"""What people and guards may count on, on the puck line in virtual time: rest is rest, and nothing moves unasked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cellctl.errors import Refused
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.modules.host import Host
from cellctl.plugins import load_drivers, load_kinds
from cellctl.runner.dialogue import Dialogue
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import Order, ask, start_line
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"
ORDER = Order("1", RECIPE.read_text(), RECIPE.name, "indoor", 3)
DOOR = "safety:\n  door: {input: io1.di7, modules: [belt, arm]}\n\nmodules:\n  belt:"

Ask = Callable[..., Awaitable[dict[str, Any]]]


class Floor:
    """The puck line, its plant, and a person who does what a script says."""

    def __init__(self, line: Line, faults: tuple[Fault, ...] = ()) -> None:
        self.universe = Universe(1)
        self.line, self.faults = line, faults

    def play(self, script: Callable[[Floor, SimRuntime, Ask], Awaitable[None]], until: float = 200.0) -> None:
        with self.universe as universe:
            self.plant = Plant(self.line, universe.random, list(self.faults))
            universe.install(self.plant)
            start_line(universe, self.line)
            finished: list[Exception | None] = []

            async def person(runtime: SimRuntime) -> None:
                async with runtime.connect("runner") as runner:

                    async def say(verb: str, **body: Any) -> dict[str, Any]:
                        return await ask(runtime, runner, verb, body)

                    await say("order", **ORDER.body)
                    await say("start")
                    try:
                        await script(self, runtime, say)
                        finished.append(None)
                    except (Exception, pytest.fail.Exception) as error:
                        finished.append(error)
                    universe.stop()

            universe.start("person", person)
            universe.run(until)
            assert finished, "the script did not come to its end"
            if finished[0] is not None:
                raise finished[0]

    def count(self, counter: str) -> int:
        self.plant.advance(self.universe.now)
        return int(self.plant.counters().get(counter, 0))


def puck(tmp_path: Path, restart: str = "automatic", guarded: bool = False) -> Line:
    text = (ROOT / "recipes/lines/puck.yaml").read_text()
    if guarded:
        text = text.replace("modules:\n  belt:", DOOR, 1)
    (tmp_path / "puck.yaml").write_text(text)
    report = Report()
    line = load_line(tmp_path / "puck.yaml", report, load_kinds(), load_drivers())
    assert line is not None, report.render()
    return type(line)(**{f: getattr(line, f) for f in line.__dataclass_fields__} | {"restart": restart})


CLOSED = Fault(device="io1", fault="stuck", point="di7", value=1, at=0.0, lasts=1000.0)


def closed_until(seconds: float) -> Fault:
    return Fault(device="io1", fault="stuck", point="di7", value=1, at=0.0, lasts=seconds)


def states(status: dict[str, Any]) -> dict[str, str]:
    return {module["module"]: module["state"] for module in status["modules"]}


def alarms(status: dict[str, Any]) -> set[tuple[str, str]]:
    return {(alarm["code"], alarm["source"]) for alarm in status["alarms"]}


async def until(
    runtime: SimRuntime, say: Ask, holds: Callable[[dict[str, Any]], bool], every: float = 0.2
) -> dict[str, Any]:
    while not holds(status := await say("status")):
        await runtime.sleep(every)
    return status


# --- guards -------------------------------------------------------------------------------------------------------


def test_an_open_guard_stops_its_members_in_every_process_and_keeps_them_stopped(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda status: ("M020", "door") in alarms(status))
        await runtime.sleep(1.0)
        gripped = floor.count("arm.gripper.gripped")
        for _ in range(20):
            found = states(await say("status"))
            assert (found["belt"], found["arm"]) == ("aborted", "aborted")
            await runtime.sleep(0.5)
        assert floor.count("arm.gripper.gripped") == gripped
        for command in ("clear", "reset", "start"):
            with pytest.raises(Refused, match="door"):
                await say("command", module="arm", command=command)

    Floor(puck(tmp_path, guarded=True), (closed_until(12.0),)).play(script)


def silent_reader(alarm: dict[str, Any]) -> bool:
    return (
        alarm["code"] == "R015"
        and alarm["source"] == "door"
        and "process belt does not answer" in alarm["text"]
    )


def test_a_guard_whose_reader_died_stops_its_members_elsewhere_until_a_person_brings_them_back(
    tmp_path: Path,
) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda _: floor.count("arm.gripper.gripped") > 0, every=0.05)
        died = floor.universe.now
        floor.universe.at(died, lambda: floor.universe.kill("belt"))
        status = await until(runtime, say, lambda status: states(status)["arm"] == "aborted")
        assert runtime.now() - died < 2.0
        assert [alarm["source"] for alarm in status["alarms"] if silent_reader(alarm)] == ["door"]
        assert states(status)["gauge"] == "execute"
        with pytest.raises(Refused, match="door"):
            await say("command", module="arm", command="clear")
        floor.universe.at(floor.universe.now, lambda: floor.universe.restart("belt"))
        await until(runtime, say, lambda status: ("R015", "door") not in alarms(status))
        await runtime.sleep(5.0)
        assert states(await say("status"))["arm"] == "aborted"
        for module in ("belt", "arm"):
            await say("command", module=module, command="clear")
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]))

    Floor(puck(tmp_path, guarded=True), (CLOSED,)).play(script, 400.0)


def test_a_reader_that_comes_back_at_once_was_away_all_the_same(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda status: states(status)["arm"] == "execute")
        floor.universe.at(floor.universe.now, lambda: floor.universe.restart("belt"))
        await until(runtime, say, lambda status: states(status)["arm"] == "aborted")
        await until(runtime, say, lambda status: ("R015", "door") not in alarms(status))

    Floor(puck(tmp_path, guarded=True), (CLOSED,)).play(script)


def test_a_line_whose_guard_is_not_read_yet_does_not_start(tmp_path: Path) -> None:
    island = Fault(device="io1", fault="silent", at=0.0, lasts=20.0)

    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await say("start")
        for _ in range(30):
            assert states(await say("status"))["arm"] in ("unknown", "stopped", "aborting", "aborted")
            await runtime.sleep(0.1)
        with pytest.raises(Refused, match="door"):
            await say("command", module="arm", command="reset")

    Floor(puck(tmp_path, guarded=True), (island, CLOSED)).play(script)


def test_after_a_guard_was_closed_a_person_brings_the_members_back(tmp_path: Path) -> None:
    again = Fault(device="io1", fault="stuck", point="di7", value=1, at=14.0, lasts=500.0)

    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda status: ("M020", "door") in alarms(status))
        await until(runtime, say, lambda status: ("M020", "door") not in alarms(status))
        await runtime.sleep(5.0)
        found = states(await say("status"))
        assert (found["belt"], found["arm"]) == ("aborted", "aborted")
        for module in ("belt", "arm"):
            await say("command", module=module, command="clear")
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]))

    Floor(puck(tmp_path, guarded=True), (closed_until(12.0), again)).play(script, 400.0)


def test_a_line_is_not_started_while_a_guard_is_open(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await say("command", command="stop")
        await until(runtime, say, lambda status: ("M020", "door") in alarms(status))
        await until(runtime, say, lambda status: status["state"] == "stopped")
        with pytest.raises(Refused, match="door"):
            await say("start")

    Floor(puck(tmp_path, guarded=True), (closed_until(8.0),)).play(script)


def test_a_stop_given_while_the_line_starts_stops_it(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await runtime.sleep(1.0)
        await say("command", command="stop")
        await runtime.sleep(10.0)
        assert (await say("status"))["state"] == "stopped"

    Floor(puck(tmp_path)).play(script)


# --- hold, stop and abort reach everything --------------------------------------------------------------------------


def test_an_abort_of_the_line_reaches_a_module_that_is_out_of_use(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await runtime.sleep(8.2)
        await say("out", module="arm")
        assert states(await say("status"))["arm"] == "execute"
        await say("command", command="abort")
        status = await until(runtime, say, lambda status: status["state"] == "aborted")
        assert set(states(status).values()) == {"aborted"}

    Floor(puck(tmp_path)).play(script)


def test_a_module_whose_journal_is_not_trusted_is_still_aborted(tmp_path: Path) -> None:
    def cut(universe: Universe) -> None:
        universe.kill("press")
        del universe.disk("press").durable[-3:]
        universe.restart("press")

    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda _: floor.count("press.plc.started") > 0)
        await runtime.sleep(0.2)
        floor.universe.at(floor.universe.now, lambda: cut(floor.universe))
        await until(runtime, say, lambda status: ("R011", "press") in alarms(status))
        with pytest.raises(Refused, match="only hold, stop and abort"):
            await say("command", module="press", command="reset")
        await say("command", module="press", command="abort")
        await until(runtime, say, lambda status: states(status)["press"] == "aborted")

    Floor(puck(tmp_path)).play(script)


# --- replies ------------------------------------------------------------------------------------------------------


def test_the_reply_to_a_command_to_a_module_is_what_the_module_did(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda status: status["state"] == "execute")
        assert (await say("command", module="gauge", command="hold"))["state"] == "holding"
        await until(runtime, say, lambda status: states(status)["gauge"] == "held")
        with pytest.raises(Refused, match="reset"):
            await say("command", module="gauge", command="reset")
        assert (await say("command", module="gauge", command="unhold"))["state"] == "unholding"

    Floor(puck(tmp_path)).play(script)


def test_a_module_that_dies_before_it_answers_is_named_and_nobody_is_told_yes(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda status: status["state"] == "execute")
        floor.universe.at(floor.universe.now, lambda: floor.universe.kill("gauge"))
        await runtime.sleep(0.1)
        with pytest.raises(Refused, match="gauge fell silent before it answered"):
            await say("command", module="gauge", command="hold")
        with pytest.raises(Refused, match="gauge does not answer"):
            await say("command", module="gauge", command="hold")

    Floor(puck(tmp_path)).play(script)


def test_a_module_whose_answer_does_not_come_is_said_to_have_given_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "_heed", lambda *_: None)

    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda status: status["state"] == "execute")
        asked = runtime.now()
        with pytest.raises(Refused, match="gauge gave no answer within"):
            await say("command", module="gauge", command="hold")
        assert runtime.now() - asked < 2.1
        assert states(await say("status"))["gauge"] in ("holding", "held")

    Floor(puck(tmp_path)).play(script)


# --- contradictions and hands -----------------------------------------------------------------------------------------


def test_nothing_moves_while_journal_and_sensors_disagree_and_a_correction_ends_the_command(
    tmp_path: Path,
) -> None:
    stuck = Fault(device="io1", fault="stuck", point="di2", value=1, at=6.5, lasts=20.0)

    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda _: floor.count("arm.gripper.gripped") > 0, every=0.05)
        await runtime.sleep(0.1)
        for process in ("arm", "runner"):
            floor.universe.at(floor.universe.now, lambda process=process: floor.universe.restart(process))
        await runtime.sleep(3.0)
        assert ("R012", "belt.gauge") in alarms(await say("status"))
        with pytest.raises(Refused, match=r"belt\.gauge"):
            await say("start")
        for module, command in (("arm", "reset"), ("arm", "start")):
            with pytest.raises(Refused):
                await say("command", module=module, command=command)
        await runtime.sleep(3.0)
        assert floor.count("arm.gripper.released") == 0

        held = next(item["item"] for item in (await say("map"))["items"] if item["journal"] == "arm.gripper")
        await say("correct", item=held, place="")
        await until(
            runtime,
            say,
            lambda status: any("ended with corrected" in part["waits"] for part in status["parts"]),
        )
        assert all(not module["doing"] for module in (await say("status"))["modules"])
        assert floor.count("arm.gripper.released") == 0
        await until(runtime, say, lambda status: ("R012", "belt.gauge") not in alarms(status))

    Floor(puck(tmp_path, restart="operator"), (stuck,)).play(script)


def test_an_item_of_a_command_that_goes_on_is_not_corrected(tmp_path: Path) -> None:
    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        await until(runtime, say, lambda _: floor.count("arm.gripper.gripped") > 0, every=0.05)
        await runtime.sleep(0.1)
        held = next(item["item"] for item in (await say("map"))["items"] if item["journal"] == "arm.gripper")
        with pytest.raises(Refused, match="stop arm first"):
            await say("correct", item=held, place="")

    Floor(puck(tmp_path)).play(script)


def test_leaving_manual_mode_holds_the_sensors_against_the_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[float] = []
    plain = Dialogue._compare

    async def script(floor: Floor, runtime: SimRuntime, say: Ask) -> None:
        def noted(self: Dialogue, remote: Any, view: Any) -> None:
            if remote.name == "belt":
                compared.append(runtime.now())
            plain(self, remote, view)

        monkeypatch.setattr(Dialogue, "_compare", noted)
        await until(runtime, say, lambda status: status["state"] == "execute")
        for command, state in (("stop", "stopped"), ("reset", "idle")):
            await say("command", module="belt", command=command)
            await until(runtime, say, lambda status, state=state: states(status)["belt"] == state)
        await say("mode", module="belt", mode="manual")
        await runtime.sleep(0.3)
        compared.clear()
        began = runtime.now()
        await say("mode", module="belt", mode="production")
        await runtime.sleep(0.3)
        assert compared
        assert compared[0] - began < 0.3

    Floor(puck(tmp_path, restart="operator")).play(script)
