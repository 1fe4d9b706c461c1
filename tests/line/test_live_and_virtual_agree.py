"""The same order, live over real sockets and in virtual time, takes every part through the same steps."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from cellctl.flow.events import Answered, Dispatched, FlowEvent, OrderTaken, PartBorn, RecipeTaken
from cellctl.line.model import Line
from cellctl.live.records import runner_events
from cellctl_sim.own_line import own_line
from cellctl_sim.simulation import Order, simulate

RECIPES = Path(__file__).parents[2] / "recipes"
VARIANTS = ("indoor", "outdoor", "tall")

Way = tuple[tuple[str, str, str], ...]  # step, module, outcome, in the order of the commands


def ways(events: Iterable[FlowEvent]) -> dict[str, list[Way]]:
    """By variant, the way of each part through the line."""
    recipes, orders, variants = {}, {}, {}
    commands: dict[int, Dispatched] = {}
    found: dict[str, list[tuple[str, str, str]]] = {}
    for event in events:
        match event:
            case RecipeTaken(digest, executable):
                recipes[digest] = executable.variant
            case OrderTaken(order, recipe):
                orders[order] = recipes[recipe]
            case PartBorn(part, order):
                variants[part], found[part] = orders[order], []
            case Dispatched(number):
                commands[number] = event
            case Answered(number, outcome):
                command = commands[number]
                for part in command.parts:
                    found[part].append((command.step, command.module, outcome))
    return {
        variant: sorted(tuple(way) for part, way in found.items() if variants[part] == variant)
        for variant in set(variants.values())
    }


def virtually(line: Line) -> dict[str, list[Way]]:
    text = (RECIPES / "products" / "sensor-puck.yaml").read_text()
    orders = [Order(variant, text, "sensor-puck.yaml", variant, 1) for variant in VARIANTS]
    result = simulate(line, orders, seed=1)
    assert result.complete
    return ways(result.events)


def live(place: Path) -> dict[str, list[Way]]:
    own_line(place / "cell")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-P", "-m", "cellctl", *arguments, "--state", str(place / "state")]
        return subprocess.run(
            command, cwd=place / "cell", capture_output=True, text=True, timeout=60, check=True
        ).stdout

    run("up", "puck", "--simulated", "--detach")
    try:
        for variant in VARIANTS:
            run("order", "add", f"sensor-puck/{variant}:1", "--id", variant)
        run("start")
        ends = time.monotonic() + 100
        while not all(order["complete"] for order in json.loads(run("status", "--json"))["orders"]):
            assert time.monotonic() < ends, run("status")
            time.sleep(0.5)
    finally:
        run("down")
    return ways(runner_events(place / "state"))


@pytest.mark.live
@pytest.mark.timeout(180)
def test_every_part_goes_through_the_same_steps_on_the_same_modules_in_both_worlds(
    puck_line: Line, tmp_path: Path
) -> None:
    there, here = live(tmp_path), virtually(puck_line)
    assert set(here) == set(VARIANTS)
    assert there == here
