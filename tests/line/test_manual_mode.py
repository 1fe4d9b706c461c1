"""A module moved by hand on the puck line, in virtual time: what moves, and what is compared afterwards."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from floor import Floor
from msgspec.structs import replace

from cellctl.errors import Refused
from cellctl.line.model import Line
from cellctl.messages import Jog, JogEnded, LeaseGranted, LeaseRequest, LeaseReturned, View
from cellctl.runtime import Peer


async def hears(peer: Peer, kind: type) -> Any:
    while not isinstance(message := (await peer.inbox.receive()).message, kind):
        pass
    return message


async def by_hand(floor: Floor, jog: Jog, seconds: float) -> str:
    """A panel that presses for so long, or until the motion is over; why it ended."""
    async with floor.runtime.connect(jog.module) as peer:
        while (await peer.inbox.receive()).message is not None:
            pass  # until the process is heard
        peer.send(LeaseRequest(jog.module, "ann's panel", by_hand=True))
        lease, began = await hears(peer, LeaseGranted), floor.now()
        why = "released"
        while (pressed := floor.now() - began) < seconds and why == "released":
            peer.send(replace(jog, epoch=lease.epoch, at=pressed))
            await floor.sleep(0.05)
            messages = [incoming.message for incoming in peer.inbox.drain()]
            why = next((m.why for m in messages if isinstance(m, JogEnded)), why)
        peer.send(LeaseReturned(jog.module, lease.epoch))
        while (await hears(peer, View)).holder:
            pass
        return why


def test_a_part_that_was_moved_by_hand_is_a_contradiction_until_a_person_says_where_it_is(
    puck_line: Line,
) -> None:
    async def script(floor: Floor) -> None:
        await floor.order(2)
        await floor.say("start")
        await floor.until(lambda _: floor.count("press.plc.started") > 0)
        with pytest.raises(Refused, match="changes only in stopped, idle, aborted, not in execute"):
            await floor.say("mode", module="belt", mode="manual")
        await floor.bring("belt", "stop", "stopped")
        await floor.until(lambda status: not any(m["doing"] for m in status["modules"]))
        reply = await floor.say("mode", module="belt", mode="manual")
        assert reply["mode"] == "manual"
        part = next(i["item"] for i in (await floor.say("map"))["items"] if i["journal"] == "belt.press")
        gripped = floor.count("arm.gripper.gripped")

        assert await by_hand(floor, Jog("belt", "ann", "press", "run", 0.05), 3.5) == "released"
        await floor.sleep(10.0)  # nothing new begins while hands may be in there
        assert floor.count("arm.gripper.gripped") == gripped
        assert not (await floor.say("map"))["contradictions"]

        await floor.say("mode", module="belt", mode="production")
        await floor.sleep(0.3)
        found = (await floor.say("map"))["contradictions"]
        assert [(c["station"], c["items"], c["occupied"]) for c in found] == [
            ("belt.press", [part], False),
            ("belt.gauge", [], True),
        ]
        with pytest.raises(Refused, match=r"belt\.press"):
            await floor.say("command", module="belt", command="reset")

        await floor.say("correct", item=part, place="belt.gauge")
        await floor.until(lambda status: "R012" not in status.codes)
        await floor.say("decide", part=part, choice="measure")
        await floor.bring("belt", "reset", "idle")
        await floor.bring("belt", "start", "execute")
        await floor.until(lambda status: status.is_complete)

    Floor(puck_line, pucks=0).play(script)


def test_nothing_new_begins_while_a_module_is_moved_by_hand_unless_it_is_taken_out_of_use(
    puck_line: Line,
) -> None:
    async def script(floor: Floor) -> None:
        await floor.say("start")
        await floor.until(lambda status: status["state"] == "execute")
        await floor.bring("lids", "stop", "stopped")
        await floor.say("mode", module="lids", mode="manual")
        await floor.order(2)
        await floor.sleep(10.0)
        assert (await floor.status())["orders"][0]["begun"] == 0
        await floor.say("out", module="lids")
        await floor.until(lambda status: status["orders"][0]["begun"] > 0)
        await floor.say("in", module="lids")
        await floor.say("mode", module="lids", mode="production")
        await floor.sleep(1.0)
        await floor.bring("lids", "reset", "idle")
        await floor.bring("lids", "start", "execute")
        await floor.until(lambda status: status.is_complete)

    Floor(puck_line, pucks=0).play(script)


def test_a_line_does_not_start_a_module_that_is_in_manual_mode(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status.states["belt"] == "stopped")
        await floor.sleep(0.5)
        await floor.say("mode", module="belt", mode="manual")
        with pytest.raises(Refused, match="belt is in manual mode"):
            await floor.say("start")
        await floor.say("mode", module="belt", mode="production")
        await floor.say("start")
        await floor.until(lambda status: status["state"] == "execute")

    Floor(puck_line, pucks=0).play(script)


def test_manual_mode_outlives_the_runner_and_the_module_and_a_panel_needs_no_runner(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status.states["belt"] == "stopped")
        await floor.sleep(0.5)
        await floor.say("mode", module="belt", mode="manual")
        travelled = floor.plant.world.belts["belt"].travel(floor.now())
        await floor.sleep(5.0 - floor.now())
        jog = Jog("belt", "ann", "drive", "run", 0.1)
        assert await by_hand(floor, jog, 2.0) == "released"  # the runner died after the first second
        floor.plant.advance(floor.now())
        assert floor.plant.world.belts["belt"].travel(floor.now()) - travelled == pytest.approx(0.2, abs=0.01)
        await floor.sleep(12.0 - floor.now())
        status = await floor.until(lambda status: status.module("belt")["mode"] == "manual")
        assert not status.codes & {"R011", "R014", "M030"}
        assert (await floor.say("mode", module="belt", mode="production"))["mode"] == "production"
        await floor.sleep(1.0)
        await floor.bring("belt", "reset", "idle")

    floor = Floor(puck_line, pucks=0)
    for process, at in (("runner", 6.0), ("belt", 9.0)):
        floor.universe.at(at, partial(floor.universe.restart, process))
    floor.play(script)


def test_an_arm_goes_exactly_the_step_that_was_asked_for_and_no_faster_than_by_hand(puck_line: Line) -> None:
    async def script(floor: Floor) -> None:
        await floor.until(lambda status: status.states["arm"] == "stopped")
        await floor.sleep(0.5)
        await floor.bring("arm", "reset", "idle")
        await floor.say("mode", module="arm", mode="manual")
        arm: Any = floor.plant.simulator("arm.controller")
        for joint in ("j3", "j5"):  # away from where its wrist is stretched
            jog = Jog("arm", "ann", "controller", joint, distance=0.5 if joint == "j5" else -0.5)
            assert await by_hand(floor, jog, 20.0) == ""
        before, began = arm.where(floor.now()), floor.now()
        jog = Jog("arm", "ann", "controller", "z", 0.02, -0.05)
        assert await by_hand(floor, jog, 20.0) == ""
        took, after = floor.now() - began, arm.where(floor.now())
        assert after == pytest.approx((before[0], before[1], before[2] - 0.05), abs=1e-6)
        assert 2.5 <= took < 3.5

        began = floor.now()
        assert await by_hand(floor, jog, 1.0) == "released"
        lower = after[2] - arm.where(floor.now())[2]
        assert 0.01 < lower < 0.025
        await floor.sleep(1.0)
        assert after[2] - arm.where(floor.now())[2] == lower
        assert "outside" in await by_hand(floor, Jog("arm", "ann", "controller", "z", 0.3, 0.05), 1.0)

    Floor(puck_line, pucks=0).play(script)
