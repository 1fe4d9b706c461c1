"""The line never waits without saying for what: refusals, empty feeders, lost components, silence, overtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from floor import Floor, Status

from cellctl.line.model import Line
from cellctl.live.line_file import read_line
from cellctl_sim.plant.faults import Fault

PUCK = Path(__file__).parents[2] / "recipes/lines/puck.yaml"


def test_a_part_whose_command_is_refused_asks_a_person_with_the_modules_words(tmp_path: Path) -> None:
    heavy = tmp_path / "puck.yaml"
    text = PUCK.read_text()
    assert "housing: {mass: 18 g" in text
    heavy.write_text(text.replace("housing: {mass: 18 g", "housing: {mass: 480 g"))

    async def script(floor: Floor) -> None:
        await floor.until(lambda status: "R021" in status.codes, 30.0)
        status = await floor.until(lambda status: ("R030", "p1") in status.alarms, 10.0)
        assert "load ended with refused. arm:" in status.alarms["R030", "p1"]
        await floor.sleep(20.0)
        status = await floor.status()
        assert "R021" not in status.codes
        assert next(part["waits"] for part in status["parts"]).startswith("an operator's decision")
        await floor.say("decide", part="p1", choice="remove")

    line, report = read_line(heavy)
    assert line is not None, report.render()
    Floor(line, pucks=1).play(script)


def test_an_empty_feeder_raises_an_alarm_until_it_is_loaded(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        status = await floor.until(lambda status: status["empty"], 60.0)
        assert status["empty"] == ["boards.pick"]
        assert "cellctl load" in next(a["remedy"] for a in status["alarms"] if a["code"] == "R022")
        floor.plant.fault(Fault(device="boards.bowl", fault="refill"), floor.now())
        await floor.say("load", material="board", station="boards.pick", lot="L1", quantity=50)
        await floor.until(lambda status: "R022" not in status.codes, 1.0)
        await floor.until(lambda status: status.is_complete)

    Floor(puck_line, [Fault(device="boards.bowl", fault="empty", at=0.5)], pucks=1).play(script)


def test_a_lost_component_is_fed_again_and_shown_as_lost(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: ("R030", "p1") in status.alarms, 60.0)
        assert (await floor.say("map"))["lost"] == ["c1"]
        await floor.say("decide", part="p1", choice="retry")
        await floor.until(lambda status: status.is_complete)
        await floor.say("correct", item="c1", place="")
        assert (await floor.say("map"))["lost"] == []

    Floor(puck_line, [Fault(device="arm.gripper", fault="drop", at=7.8)], pucks=1).play(script)


def test_a_process_that_was_never_heard_is_missed(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        floor.universe.kill("gauge")
        floor.universe.restart("runner")
        status = await floor.until(lambda status: ("R001", "gauge") in status.alarms, 8.0)
        assert "R001" in status.codes
        floor.universe.restart("gauge")
        await floor.until(lambda status: "R001" not in status.codes, 3.0)

    Floor(puck_line, pucks=1).play(script)


@pytest.mark.parametrize("module", ["gauge", "press"])
def test_a_line_that_waits_for_a_held_module_says_who_holds_it(puck_line: Line, module: str) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status["state"] == "execute", 10.0)
        await floor.say("command", module=module, command="hold")
        status = await floor.until(lambda status: "R016" in status.codes, 2.0)
        [alarm] = [alarm for alarm in status["alarms"] if alarm["code"] == "R016"]
        assert (alarm["source"], alarm["first_out"]) == (module, True)
        assert f"{module} is held by operator" in alarm["text"]
        await floor.say("command", command="stop")
        await floor.until(lambda status: "R016" not in status.codes, 5.0)

    Floor(puck_line, pucks=1).play(script)


def test_a_module_that_is_let_go_has_no_alarm_any_more(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status["state"] == "execute", 10.0)
        await floor.say("command", module="gauge", command="hold")
        await floor.until(lambda status: "R016" in status.codes, 2.0)
        await floor.say("command", module="gauge", command="unhold")
        await floor.until(lambda status: "R016" not in status.codes, 1.0)
        await floor.until(lambda status: status.is_complete)

    Floor(puck_line, pucks=1).play(script)


def test_a_stopped_module_that_is_taken_out_has_no_alarm(attended_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status["state"] == "execute", 10.0)
        floor.universe.restart("gauge")
        await floor.until(lambda status: ("R013", "gauge") in status.alarms, 10.0)
        await floor.say("out", module="gauge")
        await floor.until(lambda status: "R013" not in status.codes, 1.0)
        await floor.say("in", module="gauge")
        await floor.until(lambda status: ("R013", "gauge") in status.alarms, 4.5)

    Floor(attended_line, pucks=1).play(script)


def test_a_line_on_its_way_to_execute_gets_there_though_its_runner_is_killed(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status["state"] == "resetting", 10.0)
        floor.universe.restart("runner")
        await floor.until(lambda status: status["state"] == "execute", 20.0)

    Floor(puck_line, pucks=1).play(script)


@pytest.mark.parametrize("how", ["killed", "taken out"])
def test_what_was_read_of_a_module_that_is_away_stops_nothing(puck_line: Line, how: str) -> None:
    async def script(floor: Floor) -> None:
        await floor.sleep(9.0)
        floor.universe.restart("belt")  # its sensors are compared when it is back, and one eye is stuck
        await floor.until(lambda status: "R012" in status.codes, 15.0)
        if how == "killed":
            floor.universe.kill("belt")
        else:
            await floor.say("out", module="belt")
        await floor.until(lambda status: "R012" not in status.codes, 3.0)
        await floor.sleep(3.0)
        assert "R012" not in (await floor.status()).codes
        if how == "killed":
            floor.universe.restart("belt")
        else:
            await floor.say("in", module="belt")
        await floor.until(lambda status: "R012" in status.codes, 5.0)

    Floor(puck_line, [Fault(device="io1", fault="stuck", point="di2", value=1, at=8.0)], pucks=1).play(script)


def test_a_part_that_cannot_have_reached_the_exit_unseen_is_not_taken_for_good(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        def leaves(status: Status) -> bool:
            return any(part["step"] == "out" and part["place"] == "belt" for part in status["parts"])

        await floor.until(leaves, 60.0)
        floor.universe.kill("belt")
        floor.plant.advance(floor.now())
        belt = floor.plant.world.spot("belt.gauge").belt
        assert belt is not None
        belt.take(floor.now(), 0.35)  # somebody takes it off at once
        floor.universe.restart("belt")
        status = await floor.until(lambda status: ("R030", "p1") in status.alarms, 30.0)
        assert "did not arrive" in status.alarms["R030", "p1"]
        assert status["orders"][0]["good"] == 0
        reported = [
            record.fields for record in floor.universe.records if record.event == "unfinished command"
        ]
        assert [(each["module"], each["stands"]) for each in reported] == [("belt", "still running")]

    Floor(puck_line, pucks=1).play(script)


def test_a_status_says_how_an_unfinished_command_stood(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        def works(status: Status) -> Any:
            return status.module("press")["doing"]

        await floor.until(works, 60.0)
        await floor.sleep(0.5)  # so that the machine has begun
        floor.universe.restart("press")

        def said(status: Status) -> list[str]:
            return [text for module in status["modules"] for text in module["settled"]]

        status = await floor.until(said, 10.0)
        assert "(run): still running (run of press.plc: " in said(status)[0]
        await floor.until(lambda status: status.is_complete, 60.0)

    Floor(puck_line, pucks=1).play(script)
