"""The line never waits without saying for what: refusals, empty feeders, lost components, silence, overtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import load_drivers, load_kinds
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import Order, ask, start_line
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"
LINE = ROOT / "recipes/lines/puck.yaml"

Body = dict[str, Any]
Ask = Callable[..., Awaitable[Body]]
Script = Callable[[Universe, Plant, SimRuntime, Ask], Awaitable[None]]


def puck(path: Path = LINE, restart: str = "automatic") -> Line:
    found = Report()
    line = load_line(path, found, load_kinds(), load_drivers())
    assert line is not None, found.render()
    return replace(line, restart=restart)


def play(
    script: Script, line: Line, faults: Sequence[Fault] = (), recipe: str = "", quantity: int = 1
) -> None:
    """Order pucks, start the line, and do what `script` says; its failures are the test's."""
    text = recipe or RECIPE.read_text()
    with Universe(seed=0) as universe:
        plant = Plant(line, universe.random, list(faults))
        universe.install(plant)
        start_line(universe, line)
        done: list[bool] = []

        async def work(runtime: SimRuntime) -> None:
            async with runtime.connect("runner") as runner:

                async def asked(verb: str, **body: Any) -> Body:
                    return await ask(runtime, runner, verb, body)

                await asked("order", **Order("o", text, RECIPE.name, "indoor", quantity).body)
                await asked("start")
                await script(universe, plant, runtime, asked)
            done.append(True)
            universe.stop()

        universe.start("operator", work)
        universe.run(600.0)
        assert done


def alarms(status: Body) -> dict[tuple[str, str], str]:
    return {(alarm["code"], alarm["source"]): alarm["text"] for alarm in status["alarms"]}


def codes(status: Body) -> set[str]:
    return {alarm["code"] for alarm in status["alarms"]}


async def until(runtime: SimRuntime, asked: Ask, holds: Callable[[Body], object], within: float) -> Body:
    """The first status that is so. Fails when none is within so many seconds."""
    ends = runtime.now() + within
    while not holds(status := await asked("status")):
        assert runtime.now() < ends, {**status, "orders": status["orders"]}
        await runtime.sleep(0.25)
    return status


def test_a_part_whose_command_is_refused_asks_a_person_with_the_modules_words(tmp_path: Path) -> None:
    heavy = tmp_path / "puck.yaml"
    text = LINE.read_text()
    assert "housing: {mass: 18 g" in text
    heavy.write_text(text.replace("housing: {mass: 18 g", "housing: {mass: 480 g"))

    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        await until(runtime, asked, lambda status: "R021" in codes(status), 30.0)
        status = await until(runtime, asked, lambda status: ("R030", "p1") in alarms(status), 10.0)
        assert "load ended with refused. arm:" in alarms(status)["R030", "p1"]
        await runtime.sleep(20.0)
        status = await asked("status")
        assert "R021" not in codes(status)
        assert next(part["waits"] for part in status["parts"]).startswith("an operator's decision")
        await asked("decide", part="p1", choice="remove")

    play(script, puck(heavy))


def test_an_empty_feeder_raises_an_alarm_until_it_is_loaded() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        status = await until(runtime, asked, lambda status: status["empty"], 60.0)
        assert status["empty"] == ["boards.pick"]
        assert "cellctl load" in next(a["remedy"] for a in status["alarms"] if a["code"] == "R022")
        plant.fault(Fault(device="boards.bowl", fault="refill"), universe.now)
        await asked("load", material="board", station="boards.pick", lot="L1", quantity=50)
        await until(runtime, asked, lambda status: "R022" not in codes(status), 1.0)
        await until(runtime, asked, lambda status: status["orders"][0]["complete"], 120.0)

    play(script, puck(), [Fault(device="boards.bowl", fault="empty", at=0.5)])


def test_a_lost_component_is_fed_again_and_shown_as_lost() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        await until(runtime, asked, lambda status: ("R030", "p1") in alarms(status), 60.0)
        assert (await asked("map"))["lost"] == ["c1"]
        await asked("decide", part="p1", choice="retry")
        await until(runtime, asked, lambda status: status["orders"][0]["complete"], 120.0)
        await asked("correct", item="c1", place="")
        assert (await asked("map"))["lost"] == []

    play(script, puck(), [Fault(device="arm.gripper", fault="drop", at=7.8)])


def test_a_process_that_was_never_heard_is_missed() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        universe.kill("gauge")
        universe.restart("runner")
        status = await until(runtime, asked, lambda status: ("R001", "gauge") in alarms(status), 8.0)
        assert "R001" in codes(status)
        universe.restart("gauge")
        await until(runtime, asked, lambda status: "R001" not in codes(status), 3.0)

    play(script, puck())


@pytest.mark.parametrize("module", ["gauge", "press"])
def test_a_line_that_waits_for_a_held_module_says_who_holds_it(module: str) -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        await until(runtime, asked, lambda status: status["state"] == "execute", 10.0)
        await asked("command", module=module, command="hold")
        status = await until(runtime, asked, lambda status: "R016" in codes(status), 2.0)
        [alarm] = [alarm for alarm in status["alarms"] if alarm["code"] == "R016"]
        assert (alarm["source"], alarm["first_out"]) == (module, True)
        assert f"{module} is held by operator" in alarm["text"]
        await asked("command", command="stop")
        await until(runtime, asked, lambda status: "R016" not in codes(status), 5.0)

    play(script, puck())


def test_a_module_that_is_let_go_has_no_alarm_any_more() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        await until(runtime, asked, lambda status: status["state"] == "execute", 10.0)
        await asked("command", module="gauge", command="hold")
        await until(runtime, asked, lambda status: "R016" in codes(status), 2.0)
        await asked("command", module="gauge", command="unhold")
        await until(runtime, asked, lambda status: "R016" not in codes(status), 1.0)
        await until(runtime, asked, lambda status: status["orders"][0]["complete"], 120.0)

    play(script, puck())


def test_a_stopped_module_that_is_taken_out_has_no_alarm() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        await until(runtime, asked, lambda status: status["state"] == "execute", 10.0)
        universe.restart("gauge")
        await until(runtime, asked, lambda status: ("R013", "gauge") in alarms(status), 10.0)
        await asked("out", module="gauge")
        await until(runtime, asked, lambda status: "R013" not in codes(status), 1.0)
        await asked("in", module="gauge")
        await until(runtime, asked, lambda status: ("R013", "gauge") in alarms(status), 4.5)

    play(script, puck(restart="operator"))


def test_a_line_on_its_way_to_execute_gets_there_though_its_runner_is_killed() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        await until(runtime, asked, lambda status: status["state"] == "resetting", 10.0)
        universe.restart("runner")
        await until(runtime, asked, lambda status: status["state"] == "execute", 20.0)

    play(script, puck())


@pytest.mark.parametrize("how", ["killed", "taken out"])
def test_what_was_read_of_a_module_that_is_away_stops_nothing(how: str) -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        await runtime.sleep(9.0)
        universe.restart("belt")  # its sensors are compared when it is back, and one eye is stuck
        await until(runtime, asked, lambda status: "R012" in codes(status), 15.0)
        if how == "killed":
            universe.kill("belt")
        else:
            await asked("out", module="belt")
        await until(runtime, asked, lambda status: "R012" not in codes(status), 3.0)
        await runtime.sleep(3.0)
        assert "R012" not in codes(await asked("status"))
        if how == "killed":
            universe.restart("belt")
        else:
            await asked("in", module="belt")
        await until(runtime, asked, lambda status: "R012" in codes(status), 5.0)

    play(script, puck(), [Fault(device="io1", fault="stuck", point="di2", value=1, at=8.0)])


def test_a_part_that_cannot_have_reached_the_exit_unseen_is_not_taken_for_good() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        def leaves(status: Body) -> bool:
            return any(part["step"] == "out" and part["place"] == "belt" for part in status["parts"])

        await until(runtime, asked, leaves, 60.0)
        universe.kill("belt")
        plant.advance(universe.now)
        belt = plant.world.spot("belt.gauge").belt
        assert belt is not None
        belt.take(universe.now, 0.35)  # somebody takes it off at once
        universe.restart("belt")
        status = await until(runtime, asked, lambda status: ("R030", "p1") in alarms(status), 30.0)
        assert "did not arrive" in alarms(status)["R030", "p1"]
        assert status["orders"][0]["good"] == 0
        reported = [record.fields for record in universe.records if record.event == "unfinished command"]
        assert [(each["module"], each["stands"]) for each in reported] == [("belt", "still running")]

    play(script, puck())


def test_a_status_says_how_an_unfinished_command_stood() -> None:
    async def script(universe: Universe, plant: Plant, runtime: SimRuntime, asked: Ask) -> None:
        def works(status: Body) -> list[str]:
            return [
                text
                for module in status["modules"]
                if module["module"] == "press"
                for text in module["doing"]
            ]

        await until(runtime, asked, works, 60.0)
        await runtime.sleep(0.5)  # so that the machine has begun
        universe.restart("press")

        def said(status: Body) -> list[str]:
            return [text for module in status["modules"] for text in module["settled"]]

        status = await until(runtime, asked, said, 10.0)
        assert "(run): still running (run of press.plc: " in said(status)[0]
        await until(runtime, asked, lambda status: status["orders"][0]["complete"], 60.0)

    play(script, puck())
