"""What people and guards may count on, on the puck line in virtual time: rest is rest, and nothing moves unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from floor import Floor

from cellctl.errors import Refused
from cellctl.line.model import Line
from cellctl.live.line_file import read_line
from cellctl.modules.host import Host
from cellctl.runner.dialogue import Dialogue
from cellctl_sim.plant.faults import Fault

PUCK = Path(__file__).parents[2] / "recipes/lines/puck.yaml"
DOOR = "safety:\n  door: {input: io1.di7, modules: [belt, arm]}\n\nmodules:\n  belt:"


@pytest.fixture
def guarded_line(tmp_path: Path) -> Line:
    """The puck line with a door, which guards belt and arm."""
    path = tmp_path / "puck.yaml"
    path.write_text(PUCK.read_text().replace("modules:\n  belt:", DOOR, 1))
    line, report = read_line(path)
    assert line is not None, report.render()
    return line


def closed_until(seconds: float) -> Fault:
    return Fault(device="io1", fault="stuck", point="di7", value=1, at=0.0, lasts=seconds)


CLOSED = closed_until(1000.0)


# --- guards -------------------------------------------------------------------------------------------------------


def test_an_open_guard_stops_its_members_in_every_process_and_keeps_them_stopped(guarded_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: ("M020", "door") in status.alarms)
        await floor.sleep(1.0)
        gripped = floor.count("arm.gripper.gripped")
        for _ in range(20):
            found = (await floor.status()).states
            assert (found["belt"], found["arm"]) == ("aborted", "aborted")
            await floor.sleep(0.5)
        assert floor.count("arm.gripper.gripped") == gripped
        for command in ("clear", "reset", "start"):
            with pytest.raises(Refused, match="door"):
                await floor.say("command", module="arm", command=command)

    Floor(guarded_line, (closed_until(12.0),)).play(script)


def silent_reader(alarm: dict[str, Any]) -> bool:
    return (
        alarm["code"] == "R015"
        and alarm["source"] == "door"
        and "process belt does not answer" in alarm["text"]
    )


def test_a_guard_whose_reader_died_stops_its_members_elsewhere_until_a_person_brings_them_back(
    guarded_line: Line,
) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda _: floor.count("arm.gripper.gripped") > 0, every=0.05)
        died = floor.now()
        floor.universe.kill("belt")
        status = await floor.until(lambda status: status.states["arm"] == "aborted")
        assert floor.now() - died < 2.0
        assert [alarm["source"] for alarm in status["alarms"] if silent_reader(alarm)] == ["door"]
        assert status.states["gauge"] == "execute"
        with pytest.raises(Refused, match="door"):
            await floor.say("command", module="arm", command="clear")
        floor.universe.restart("belt")
        await floor.until(lambda status: ("R015", "door") not in status.alarms)
        await floor.sleep(5.0)
        assert (await floor.status()).states["arm"] == "aborted"
        for module in ("belt", "arm"):
            await floor.say("command", module=module, command="clear")
        await floor.until(lambda status: status.is_complete)

    Floor(guarded_line, (CLOSED,)).play(script)


def test_a_reader_that_comes_back_at_once_was_away_all_the_same(guarded_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status.states["arm"] == "execute")
        floor.universe.restart("belt")
        await floor.until(lambda status: status.states["arm"] == "aborted")
        await floor.until(lambda status: ("R015", "door") not in status.alarms)

    Floor(guarded_line, (CLOSED,)).play(script)


def test_a_line_whose_guard_is_not_read_yet_does_not_start(guarded_line: Line) -> None:
    island = Fault(device="io1", fault="silent", at=0.0, lasts=20.0)

    async def script(floor: Floor) -> None:
        await floor.say("start")
        for _ in range(30):
            assert (await floor.status()).states["arm"] in ("unknown", "stopped", "aborting", "aborted")
            await floor.sleep(0.1)
        with pytest.raises(Refused, match="door"):
            await floor.say("command", module="arm", command="reset")

    Floor(guarded_line, (island, CLOSED)).play(script)


def test_after_a_guard_was_closed_a_person_brings_the_members_back(guarded_line: Line) -> None:
    again = Fault(device="io1", fault="stuck", point="di7", value=1, at=14.0, lasts=500.0)

    async def script(floor: Floor) -> None:
        await floor.until(lambda status: ("M020", "door") in status.alarms)
        await floor.until(lambda status: ("M020", "door") not in status.alarms)
        await floor.sleep(5.0)
        found = (await floor.status()).states
        assert (found["belt"], found["arm"]) == ("aborted", "aborted")
        for module in ("belt", "arm"):
            await floor.say("command", module=module, command="clear")
        await floor.until(lambda status: status.is_complete)

    Floor(guarded_line, (closed_until(12.0), again)).play(script)


def test_a_line_is_not_started_while_a_guard_is_open(guarded_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.say("command", command="stop")
        await floor.until(lambda status: ("M020", "door") in status.alarms)
        await floor.until(lambda status: status["state"] == "stopped")
        with pytest.raises(Refused, match="door"):
            await floor.say("start")

    Floor(guarded_line, (closed_until(8.0),)).play(script)


def test_a_stop_given_while_the_line_starts_stops_it(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.sleep(1.0)
        await floor.say("command", command="stop")
        await floor.sleep(10.0)
        assert (await floor.status())["state"] == "stopped"

    Floor(puck_line).play(script)


# --- hold, stop and abort reach everything --------------------------------------------------------------------------


def test_an_abort_of_the_line_reaches_a_module_that_is_out_of_use(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.sleep(8.2)
        await floor.say("out", module="arm")
        assert (await floor.status()).states["arm"] == "execute"
        await floor.say("command", command="abort")
        status = await floor.until(lambda status: status["state"] == "aborted")
        assert set(status.states.values()) == {"aborted"}

    Floor(puck_line).play(script)


def test_a_module_whose_journal_is_not_trusted_is_still_aborted(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda _: floor.count("press.plc.started") > 0)
        await floor.sleep(0.2)
        floor.universe.kill("press")
        del floor.universe.disk("press").durable[-3:]
        floor.universe.restart("press")
        await floor.until(lambda status: ("R011", "press") in status.alarms)
        with pytest.raises(Refused, match="only hold, stop and abort"):
            await floor.say("command", module="press", command="reset")
        await floor.bring("press", "abort", "aborted")

    Floor(puck_line).play(script)


# --- replies ------------------------------------------------------------------------------------------------------


def test_the_reply_to_a_command_to_a_module_is_what_the_module_did(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status["state"] == "execute")
        assert (await floor.say("command", module="gauge", command="hold"))["state"] == "holding"
        await floor.until(lambda status: status.states["gauge"] == "held")
        with pytest.raises(Refused, match="reset"):
            await floor.say("command", module="gauge", command="reset")
        assert (await floor.say("command", module="gauge", command="unhold"))["state"] == "unholding"

    Floor(puck_line).play(script)


def test_a_module_that_dies_before_it_answers_is_named_and_nobody_is_told_yes(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status["state"] == "execute")
        floor.universe.kill("gauge")
        await floor.sleep(0.1)
        with pytest.raises(Refused, match="gauge fell silent before it answered"):
            await floor.say("command", module="gauge", command="hold")
        with pytest.raises(Refused, match="gauge does not answer"):
            await floor.say("command", module="gauge", command="hold")

    Floor(puck_line).play(script)


def test_a_module_whose_answer_does_not_come_is_said_to_have_given_none(
    puck_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "_heed", lambda *_: None)

    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status["state"] == "execute")
        asked = floor.now()
        with pytest.raises(Refused, match="gauge gave no answer within"):
            await floor.say("command", module="gauge", command="hold")
        assert floor.now() - asked < 2.1
        assert (await floor.status()).states["gauge"] in ("holding", "held")

    Floor(puck_line).play(script)


# --- contradictions and hands -----------------------------------------------------------------------------------------


def test_nothing_moves_while_journal_and_sensors_disagree_and_a_correction_ends_the_command(
    attended_line: Line,
) -> None:
    stuck = Fault(device="io1", fault="stuck", point="di2", value=1, at=6.5, lasts=20.0)

    async def script(floor: Floor) -> None:
        await floor.until(lambda _: floor.count("arm.gripper.gripped") > 0, every=0.05)
        await floor.sleep(0.1)
        for process in ("arm", "runner"):
            floor.universe.restart(process)
        await floor.sleep(3.0)
        assert ("R012", "belt.gauge") in (await floor.status()).alarms
        with pytest.raises(Refused, match=r"belt\.gauge"):
            await floor.say("start")
        for module, command in (("arm", "reset"), ("arm", "start")):
            with pytest.raises(Refused):
                await floor.say("command", module=module, command=command)
        await floor.sleep(3.0)
        assert floor.count("arm.gripper.released") == 0

        held = next(
            item["item"] for item in (await floor.say("map"))["items"] if item["journal"] == "arm.gripper"
        )
        await floor.say("correct", item=held, place="")
        await floor.until(
            lambda status: any("ended with corrected" in part["waits"] for part in status["parts"]),
        )
        assert all(not module["doing"] for module in (await floor.status())["modules"])
        assert floor.count("arm.gripper.released") == 0
        await floor.until(lambda status: ("R012", "belt.gauge") not in status.alarms)

    Floor(attended_line, (stuck,)).play(script)


def test_an_item_of_a_command_that_goes_on_is_not_corrected(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda _: floor.count("arm.gripper.gripped") > 0, every=0.05)
        await floor.sleep(0.1)
        held = next(
            item["item"] for item in (await floor.say("map"))["items"] if item["journal"] == "arm.gripper"
        )
        with pytest.raises(Refused, match="stop arm first"):
            await floor.say("correct", item=held, place="")

    Floor(puck_line).play(script)


def test_leaving_manual_mode_holds_the_sensors_against_the_map(
    attended_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[float] = []
    plain = Dialogue._compare

    async def script(floor: Floor) -> None:
        def noted(self: Dialogue, remote: Any, view: Any) -> None:
            if remote.name == "belt":
                compared.append(floor.now())
            plain(self, remote, view)

        monkeypatch.setattr(Dialogue, "_compare", noted)
        await floor.until(lambda status: status["state"] == "execute")
        await floor.bring("belt", "stop", "stopped")
        await floor.bring("belt", "reset", "idle")
        await floor.say("mode", module="belt", mode="manual")
        await floor.sleep(0.3)
        compared.clear()
        began = floor.now()
        await floor.say("mode", module="belt", mode="production")
        await floor.sleep(0.3)
        assert compared
        assert compared[0] - began < 0.3

    Floor(attended_line).play(script)
