"""The real thing: processes of a line that is up are killed, its device links cut; judged by the plant's counts."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellctl_sim.checkers import check
from cellctl_sim.live_search import LiveLine, is_complete

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

PARTS = 1
LINKS = ("io1", "belt.drive", "arm.controller", "press.plc", "gauge.head")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveLine]:
    with LiveLine(tmp_path) as line:
        line.order("indoor", PARTS)
        assert line.run_until(lambda status: any(part["place"] for part in status["parts"]), within=60.0)
        yield line


def work_on(live: LiveLine, seconds: float) -> None:
    """Look after the line for a while."""
    live.run_until(lambda status: False, within=seconds)


def made_once(live: LiveLine) -> None:
    assert live.run_until(is_complete, within=100.0), live.look()
    findings = check(live.end())
    assert not findings, "\n".join(map(str, findings))


def moves(live: LiveLine) -> dict[str, int]:
    """What the plant has counted so far."""
    found: dict[str, int] = live.ask("counters")["counters"]
    return found


def wait_for(live: LiveLine, counter: str, above: int, within: float = 40.0) -> None:
    """Wait until something has just happened in the plant, so that what follows strikes in the midst of it."""
    ends = time.monotonic() + within
    while moves(live).get(counter, 0) <= above and time.monotonic() < ends:
        live.look()
        time.sleep(0.02)


def test_killed_processes_and_cut_links_lose_nothing_and_do_nothing_twice(live: LiveLine) -> None:
    dice = random.Random(7)
    wait_for(live, "arm.gripper.gripped", moves(live).get("arm.gripper.gripped", 0))
    assert live.kill("arm")  # with something in its gripper, on its way
    work_on(live, dice.uniform(1.0, 2.0))
    live.fault(dice.choice(LINKS), "cut", 0.5)
    assert live.kill("runner")
    work_on(live, dice.uniform(1.0, 2.0))
    wait_for(live, "belt.load.passed", 0)
    assert live.kill("belt")  # with a part between two stops
    wait_for(live, "press.plc.started", 0)
    assert live.kill("press")  # while it presses
    live.fault("press.plc", "cut", 0.5)
    made_once(live)
