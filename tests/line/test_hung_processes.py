"""A process that hangs is ended and started again; one that is slow, silent from the start, or well is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from children import python, running, soon

from cellctl.live import process_table
from cellctl.live.child import Exit
from cellctl.live.supervisor import Supervisor

pytestmark = pytest.mark.live

ALIVE = """
import asyncio
from cellctl.live import watchdog
watchdog.EVERY = 0.05

async def main():
    with watchdog.signs_of_life():
        await asyncio.sleep(60)

asyncio.run(main())
"""
MUTE = "import time; time.sleep(60)"
AFTER = 0.5  # [s]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten looks in half a second."""
    monkeypatch.setattr("cellctl.live.supervisor.EVERY", 0.05)
    monkeypatch.setattr("cellctl.live.watchdog.EVERY", 0.05)


def has_beaten(supervisor: Supervisor) -> bool:
    """Whether the first child has shown a sign of life."""
    keeper = supervisor._kept[0][0]
    return keeper._child is not None and keeper._child.watchdog._missed >= 0


def test_a_stopped_process_is_ended_and_started_again_and_the_supervisor_says_why(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> tuple[int, int]:
        async with Supervisor(tmp_path, "line", said.append, hung_after=AFTER) as supervisor:
            await supervisor.start(python("arm", ALIVE))
            assert await soon(lambda: has_beaten(supervisor))
            first = running(tmp_path, "arm").pid
            os.kill(first, signal.SIGSTOP)
            assert await soon(lambda: running(tmp_path, "arm").pid not in (0, first))
            return first, running(tmp_path, "arm").pid

    first, second = asyncio.run(main())
    assert first != second
    assert said == [
        "arm has shown no sign of life for 0.5 s: it hangs, and is ended",
        "arm was ended by SIGKILL; it is started again in 0.2 s",
    ]


@pytest.mark.parametrize(("code", "after"), [(ALIVE, AFTER), (MUTE, AFTER)])
def test_a_process_that_is_well_or_never_showed_a_sign_is_left_alone(
    tmp_path: Path, code: str, after: float
) -> None:
    said: list[str] = []

    async def main() -> None:
        async with Supervisor(tmp_path, "line", said.append, hung_after=after) as supervisor:
            await supervisor.start(python("arm", code))
            await soon(lambda: has_beaten(supervisor), within=2.0 if code is ALIVE else 0.0)
            await asyncio.sleep(4 * AFTER)

    asyncio.run(main())
    assert said == []


def test_a_supervisor_that_was_held_up_itself_accuses_nobody(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> None:
        async with Supervisor(tmp_path, "line", said.append, hung_after=AFTER) as supervisor:
            await supervisor.start(python("arm", ALIVE))
            assert await soon(lambda: has_beaten(supervisor))
            child = running(tmp_path, "arm").pid
            os.kill(child, signal.SIGSTOP)
            time.sleep(3 * AFTER)  # both stand still, as when the computer is paused
            os.kill(child, signal.SIGCONT)
            await asyncio.sleep(2 * AFTER)

    asyncio.run(main())
    assert said == []


def test_a_process_that_was_given_up_is_tried_again_and_the_same_reason_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cellctl.live.supervisor.AGAIN", 0.05)
    said: list[str] = []
    mended = tmp_path / "mended"
    code = (
        f"import os, sys, time; print('no such driver')\n"
        f"os.path.exists({str(mended)!r}) or sys.exit({int(Exit.HOPELESS)})\ntime.sleep(60)"
    )

    async def main() -> int:
        async with Supervisor(tmp_path, "line", said.append) as supervisor:
            await supervisor.start(python("belt", code))
            assert await soon(lambda: len(supervisor.replaced) >= 3)
            mended.touch()
            assert await soon(lambda: process_table.load(tmp_path).processes[0].state == "running")
            await asyncio.sleep(0.5)
            return running(tmp_path, "belt").pid

    assert asyncio.run(main()) != 0
    assert len(said) == 1
    assert "It is given up for now" in said[0]


def test_the_log_of_the_supervisor_begins_anew_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellctl.live.supervisor.LOGS_EVERY", 0.01)
    monkeypatch.setattr("cellctl.live.child.LONGEST_LOG", 100)
    log = tmp_path / "log" / "supervisor.log"
    log.parent.mkdir()
    log.write_text("x" * 200)

    async def main() -> None:
        async with Supervisor(tmp_path, "line", lambda _: None):
            assert await soon(lambda: log.stat().st_size == 0)

    asyncio.run(main())
    assert (log.parent / "supervisor.log.1").read_text() == "x" * 200
