"""A guard whose reader is killed, with real processes: its member in another process stands before a second is over."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from cellctl.live.client import Client
from cellctl_sim.live_search import LiveLine

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

DOOR = "safety:\n  door: {input: io1.di7, modules: [arm]}\n\nmodules:\n  belt:"


def guarded_line(place: Path) -> LiveLine:
    line = LiveLine(place)
    file = line.place / "lines" / "puck.yaml"
    text = file.read_text()
    assert "modules:\n  belt:" in text
    file.write_text(text.replace("modules:\n  belt:", DOOR, 1))
    return line


def arm_of(status: dict[str, Any]) -> str:
    return next(str(module["state"]) for module in status["modules"] if module["module"] == "arm")


def test_a_member_of_a_guard_stands_soon_after_the_reader_was_killed(tmp_path: Path) -> None:
    with guarded_line(tmp_path) as line, Client(line.state, "operator") as person:
        line.fault("io1", "stuck", 600.0, point="di7", value=1)  # the door is closed
        line.order("indoor", 1)
        assert line.run_until(lambda status: arm_of(status) == "execute", within=40.0)
        began = time.monotonic()
        assert line.kill("belt")
        while arm_of(status := person.call("status")) not in ("aborting", "aborted"):
            assert time.monotonic() - began < 5.0, status
        took = time.monotonic() - began
        alarms = {alarm["code"]: alarm["text"] for alarm in person.call("status")["alarms"]}
        assert "nobody reads door" in alarms["R015"]
        assert took < 3.0
