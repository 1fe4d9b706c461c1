"""A module moved by hand on the puck line, in virtual time: what moves, and what is compared afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cellctl.errors import Refused
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.messages import Jog, JogEnded, LeaseGranted, LeaseRequest, LeaseReturned, View
from cellctl.plugins import load_drivers, load_kinds
from cellctl.runtime import Peer
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import Order, ask, start_line
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"
ORDER = Order("1", RECIPE.read_text(), RECIPE.name, "indoor", 2)

Say = Callable[..., Awaitable[dict[str, Any]]]
Script = Callable[[SimRuntime, Plant, Say], Awaitable[None]]


def play(script: Script, until: float = 300.0, restarts: tuple[tuple[str, float], ...] = ()) -> None:
    report = Report()
    line = load_line(ROOT / "recipes/lines/puck.yaml", report, load_kinds(), load_drivers())
    assert line is not None, report.render()
    with Universe(1) as universe:
        plant = Plant(line, universe.random, [])
        universe.install(plant)
        start_line(universe, line)
        for process, at in restarts:
            universe.at(at, lambda process=process: universe.restart(process))  # type: ignore[misc]
        ended: list[BaseException | None] = []

        async def person(runtime: SimRuntime) -> None:
            async with runtime.connect("runner") as runner:

                async def say(verb: str, **body: Any) -> dict[str, Any]:
                    return await ask(runtime, runner, verb, body)

                try:
                    await script(runtime, plant, say)
                    ended.append(None)
                except (Exception, pytest.fail.Exception) as error:
                    ended.append(error)
                universe.stop()

        universe.start("person", person)
        universe.run(until)
        assert ended, "the script did not come to its end"
        if ended[0] is not None:
            raise ended[0]


def module(status: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in status["modules"] if each["module"] == name)


async def until(runtime: SimRuntime, say: Say, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    while not holds(status := await say("status")):
        await runtime.sleep(0.2)
    return status


async def bring(runtime: SimRuntime, say: Say, name: str, command: str, state: str) -> None:
    await say("command", module=name, command=command)
    await until(runtime, say, lambda status: module(status, name)["state"] == state)


async def hears(peer: Peer, kind: type) -> Any:
    while not isinstance(message := (await peer.inbox.receive()).message, kind):
        pass
    return message


async def by_hand(runtime: SimRuntime, name: str, jog: Jog, seconds: float) -> str:
    """A panel that presses for so long, or until the motion is over; why it ended."""
    async with runtime.connect(name) as peer:
        while (await peer.inbox.receive()).message is not None:
            pass  # until the process is heard
        peer.send(LeaseRequest(name, "ann's panel", by_hand=True))
        lease, began = await hears(peer, LeaseGranted), runtime.now()
        why = "released"
        while runtime.now() - began < seconds and why == "released":
            peer.send(
                Jog(
                    name,
                    "ann",
                    jog.device,
                    jog.motion,
                    jog.speed,
                    jog.distance,
                    lease.epoch,
                    1,
                    runtime.now() - began,
                )
            )
            await runtime.sleep(0.05)
            messages = [incoming.message for incoming in peer.inbox.drain()]
            why = next((m.why for m in messages if isinstance(m, JogEnded)), why)
        peer.send(LeaseReturned(name, lease.epoch))
        while (await hears(peer, View)).holder:
            pass
        return why


def test_a_part_that_was_moved_by_hand_is_a_contradiction_until_a_person_says_where_it_is() -> None:
    async def script(runtime: SimRuntime, plant: Plant, say: Say) -> None:
        await say("order", **ORDER.body)
        await say("start")
        await until(runtime, say, lambda _: plant.counters().get("press.plc.started", 0) > 0)
        with pytest.raises(Refused, match="changes only in stopped, idle, aborted, not in execute"):
            await say("mode", module="belt", mode="manual")
        await bring(runtime, say, "belt", "stop", "stopped")
        await until(runtime, say, lambda status: not any(m["doing"] for m in status["modules"]))
        reply = await say("mode", module="belt", mode="manual")
        assert reply["mode"] == "manual"
        part = next(i["item"] for i in (await say("map"))["items"] if i["journal"] == "belt.press")
        gripped = plant.counters().get("arm.gripper.gripped", 0)

        assert await by_hand(runtime, "belt", Jog("belt", "ann", "press", "run", 0.05), 3.5) == "released"
        await runtime.sleep(10.0)  # nothing new begins while hands may be in there
        assert plant.counters().get("arm.gripper.gripped", 0) == gripped
        assert not (await say("map"))["contradictions"]

        await say("mode", module="belt", mode="production")
        await runtime.sleep(0.3)
        found = (await say("map"))["contradictions"]
        assert [(c["station"], c["items"], c["occupied"]) for c in found] == [
            ("belt.press", [part], False),
            ("belt.gauge", [], True),
        ]
        with pytest.raises(Refused, match=r"belt\.press"):
            await say("command", module="belt", command="reset")

        await say("correct", item=part, place="belt.gauge")
        await until(runtime, say, lambda status: all(a["code"] != "R012" for a in status["alarms"]))
        await say("decide", part=part, choice="measure")
        await bring(runtime, say, "belt", "reset", "idle")
        await bring(runtime, say, "belt", "start", "execute")
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]))

    play(script)


def test_nothing_new_begins_while_a_module_is_moved_by_hand_unless_it_is_taken_out_of_use() -> None:
    async def script(runtime: SimRuntime, plant: Plant, say: Say) -> None:
        await say("start")
        await until(runtime, say, lambda status: status["state"] == "execute")
        await bring(runtime, say, "lids", "stop", "stopped")
        await say("mode", module="lids", mode="manual")
        await say("order", **ORDER.body)
        await runtime.sleep(10.0)
        assert (await say("status"))["orders"][0]["begun"] == 0
        await say("out", module="lids")
        await until(runtime, say, lambda status: status["orders"][0]["begun"] > 0)
        await say("in", module="lids")
        await say("mode", module="lids", mode="production")
        await runtime.sleep(1.0)
        await bring(runtime, say, "lids", "reset", "idle")
        await bring(runtime, say, "lids", "start", "execute")
        await until(runtime, say, lambda status: all(order["complete"] for order in status["orders"]))

    play(script)


def test_a_line_does_not_start_a_module_that_is_in_manual_mode() -> None:
    async def script(runtime: SimRuntime, plant: Plant, say: Say) -> None:
        await until(runtime, say, lambda status: module(status, "belt")["state"] == "stopped")
        await runtime.sleep(0.5)
        await say("mode", module="belt", mode="manual")
        with pytest.raises(Refused, match="belt is in manual mode"):
            await say("start")
        await say("mode", module="belt", mode="production")
        await say("start")
        await until(runtime, say, lambda status: status["state"] == "execute")

    play(script)


def test_manual_mode_outlives_the_runner_and_the_module_and_a_panel_needs_no_runner() -> None:
    async def script(runtime: SimRuntime, plant: Plant, say: Say) -> None:
        await until(runtime, say, lambda status: module(status, "belt")["state"] == "stopped")
        await runtime.sleep(0.5)
        await say("mode", module="belt", mode="manual")
        travelled = plant.world.belts["belt"].travel(runtime.now())
        await runtime.sleep(5.0 - runtime.now())
        jog = Jog("belt", "ann", "drive", "run", 0.1)
        assert (
            await by_hand(runtime, "belt", jog, 2.0) == "released"
        )  # the runner died after the first second
        plant.advance(runtime.now())
        assert plant.world.belts["belt"].travel(runtime.now()) - travelled == pytest.approx(0.2, abs=0.01)
        await runtime.sleep(12.0 - runtime.now())
        status = await until(runtime, say, lambda status: module(status, "belt")["mode"] == "manual")
        assert not [alarm for alarm in status["alarms"] if alarm["code"] in ("R011", "R014", "M030")]
        assert (await say("mode", module="belt", mode="production"))["mode"] == "production"
        await runtime.sleep(1.0)
        await bring(runtime, say, "belt", "reset", "idle")

    play(script, restarts=(("runner", 6.0), ("belt", 9.0)))


def test_an_arm_goes_exactly_the_step_that_was_asked_for_and_no_faster_than_by_hand() -> None:
    async def script(runtime: SimRuntime, plant: Plant, say: Say) -> None:
        await until(runtime, say, lambda status: module(status, "arm")["state"] == "stopped")
        await runtime.sleep(0.5)
        await bring(runtime, say, "arm", "reset", "idle")
        await say("mode", module="arm", mode="manual")
        arm: Any = plant.simulator("arm.controller")
        for joint in ("j3", "j5"):  # away from where its wrist is stretched
            jog = Jog("arm", "ann", "controller", joint, distance=0.5 if joint == "j5" else -0.5)
            assert await by_hand(runtime, "arm", jog, 20.0) == ""
        before, began = arm.where(runtime.now()), runtime.now()
        jog = Jog("arm", "ann", "controller", "z", 0.02, -0.05)
        assert await by_hand(runtime, "arm", jog, 20.0) == ""
        took, after = runtime.now() - began, arm.where(runtime.now())
        assert after == pytest.approx((before[0], before[1], before[2] - 0.05), abs=1e-6)
        assert 2.5 <= took < 3.5

        began = runtime.now()
        assert await by_hand(runtime, "arm", jog, 1.0) == "released"
        lower = after[2] - arm.where(runtime.now())[2]
        assert 0.01 < lower < 0.025
        await runtime.sleep(1.0)
        assert after[2] - arm.where(runtime.now())[2] == lower
        assert "outside" in await by_hand(
            runtime, "arm", Jog("arm", "ann", "controller", "z", 0.3, 0.05), 1.0
        )

    play(script)
