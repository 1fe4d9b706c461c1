"""A process that is told to end (SIGTERM) stops what it drives before it is gone: real signal, simulated drive."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from cellctl.live import process_table
from cellctl_sim.live_search import LiveLine

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

RAMP = 0.5  # [s] that the drive may take to stand, with the way of the signal
LONG = 0.4  # [s]: what it must stand for; its process is not back by then


def travelled(line: LiveLine) -> float:
    """How far the belt has gone [m]."""
    return float(line.ask("belts")["travelled"]["belt"])


def wait_until_it_runs(line: LiveLine) -> None:
    """Until it is in the middle of a way from one stop to the next: it has just gone 60 mm without a rest."""
    assert line.run_until(lambda status: status["state"] == "execute", within=40.0)
    ends = time.monotonic() + 40.0
    began = before = travelled(line)
    while before - began < 0.06:
        assert time.monotonic() < ends
        now = travelled(line)
        began, before = (began if now > before else now), now


def test_a_belt_whose_process_is_told_to_end_stands_before_its_watchdog_would_stop_it(tmp_path: Path) -> None:
    with LiveLine(tmp_path) as line:
        line.order("indoor", 1)
        wait_until_it_runs(line)
        process = process_table.load(line.state).process("belt")
        assert process is not None
        os.kill(process.pid, signal.SIGTERM)
        time.sleep(RAMP)
        before = travelled(line)
        time.sleep(LONG)
        assert travelled(line) - before < 0.002
        assert line.run_until(
            lambda status: all(order["complete"] for order in status["orders"]), within=90.0
        )
