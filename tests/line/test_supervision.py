"""Supervision with small children of our own: real processes, real signals, no line."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from children import eventually, is_running, python, running, soon

from cellctl.live import process_table
from cellctl.live.child import Exit
from cellctl.live.process_table import LineIsUp, supervising, supervisor_of
from cellctl.live.restarts import LONGEST_PAUSE, MOST_RESTARTS, WINDOW, Restarts
from cellctl.live.supervisor import Supervisor

pytestmark = pytest.mark.live

PATIENT = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
BOUND = "from cellctl.live.kinship import end_with_parent; end_with_parent(); import time; time.sleep(60)"


def test_leaving_the_supervisor_ends_and_reaps_every_child(tmp_path: Path) -> None:
    async def main() -> list[int]:
        async with Supervisor(tmp_path, "line", lambda _: None) as supervisor:
            await supervisor.start(python("a", PATIENT))
            await supervisor.start(python("b", PATIENT))
            return [running(tmp_path, name).pid for name in "ab"]

    pids = asyncio.run(main())
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert [process.state for process in process_table.load(tmp_path).processes] == ["ended", "ended"]


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cellctl.live.supervisor.GRACE", 0.3)

    async def main() -> int:
        async with Supervisor(tmp_path, "line", lambda _: None) as supervisor:
            await supervisor.start(python("a", f"open({str(tmp_path / 'ready')!r}, 'w'); {STUBBORN}"))
            assert await soon((tmp_path / "ready").exists)
            await asyncio.sleep(0.1)
            return running(tmp_path, "a").pid

    assert not Path(f"/proc/{asyncio.run(main())}").exists()


def test_simulated_devices_end_after_everything_that_uses_them(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    code = textwrap.dedent("""
        import signal, sys, time
        def end(*_):
            time.sleep({pause})
            open({path!r}, "a").write({name!r} + " ")
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        open({ready!r}, "w")
        time.sleep(60)
    """)

    async def main() -> None:
        async with Supervisor(tmp_path, "line", lambda _: None, simulated=True) as supervisor:
            for name, pause, is_plant in (("plant", 0, True), ("belt", 0.3, False)):
                ready = tmp_path / f"{name}.ready"
                filled = code.format(pause=pause, path=str(ends), name=name, ready=str(ready))
                await supervisor.start(python(name, filled, is_plant=is_plant))
                assert await soon(ready.exists)

    asyncio.run(main())
    assert ends.read_text().split() == ["belt", "plant"]


def test_a_killed_child_is_reaped_and_started_again(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> tuple[int, int]:
        async with Supervisor(tmp_path, "line", said.append) as supervisor:
            await supervisor.start(python("a", PATIENT))
            first = running(tmp_path, "a").pid
            os.kill(first, signal.SIGKILL)
            assert await soon(lambda: running(tmp_path, "a").pid not in (0, first))
            assert not Path(f"/proc/{first}").exists()
            return first, running(tmp_path, "a").restarts

    _, restarts = asyncio.run(main())
    assert restarts == 1
    assert said == ["a was ended by SIGKILL; it is started again in 0.2 s"]


def test_a_child_that_keeps_failing_is_given_up_with_an_alarm_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cellctl.live.restarts.FIRST_PAUSE", 0.001)
    monkeypatch.setattr("cellctl.live.restarts.LONGEST_PAUSE", 0.001)
    said: list[str] = []

    async def main() -> tuple[str, int, str]:
        async with Supervisor(tmp_path, "line", said.append) as supervisor:
            await supervisor.start(python("well", PATIENT))
            await supervisor.start(python("ill", "print('the belt is torn'); raise SystemExit(1)"))
            assert await soon(lambda: running(tmp_path, "ill").state == "given up", within=30)
            ill = running(tmp_path, "ill")
            return ill.state, ill.restarts, running(tmp_path, "well").state

    assert asyncio.run(main()) == ("given up", MOST_RESTARTS, "running")
    assert said[-1].startswith("ALARM: ill ended with exit code 1: the belt is torn. It is given up")


def test_a_child_that_says_that_no_restart_helps_is_not_started_again(tmp_path: Path) -> None:
    said: list[str] = []

    async def main() -> int:
        async with Supervisor(tmp_path, "line", said.append) as supervisor:
            await supervisor.start(python("ill", f"raise SystemExit({int(Exit.HOPELESS)})"))
            assert await soon(lambda: running(tmp_path, "ill").state == "given up")
            return running(tmp_path, "ill").restarts

    assert asyncio.run(main()) == 0
    assert len(said) == 1


def test_the_line_is_broken_when_its_simulated_devices_end(tmp_path: Path) -> None:
    async def main() -> str:
        async with Supervisor(tmp_path, "line", lambda _: None, simulated=True) as supervisor:
            await supervisor.start(
                python("plant", "print('the world ended'); raise SystemExit(3)", is_plant=True)
            )
            return await asyncio.wait_for(supervisor.broken, 10)

    expected = (
        "the line cannot go on without its simulated devices: plant ended with exit code 3: the world ended"
    )
    assert asyncio.run(main()) == expected


def test_pauses_double_up_to_five_seconds_and_the_ninth_failure_in_a_minute_is_the_last() -> None:
    restarts = Restarts()
    pauses = [restarts.pause_after(float(second)) for second in range(9)]
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, None]


def test_failures_far_apart_never_add_up() -> None:
    restarts = Restarts()
    assert {restarts.pause_after(n * (WINDOW + 1)) for n in range(100)} == {0.2}
    assert LONGEST_PAUSE < WINDOW


def test_no_child_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", _SUPERVISE, str(tmp_path), BOUND])
    try:
        assert eventually(lambda: len(_pids(tmp_path)) == 3)
        pids = _pids(tmp_path)
        assert all(is_running(pid) for pid in pids)
        supervisor.kill()
        supervisor.wait()
        assert eventually(lambda: not any(is_running(pid) for pid in pids), within=5)
    finally:
        supervisor.kill()
        supervisor.wait()


def test_a_child_whose_parent_died_before_it_could_look_does_not_start(tmp_path: Path) -> None:
    environment = {**os.environ, "CELLCTL_PARENT": "1"}  # not its parent
    child = subprocess.run([sys.executable, "-c", BOUND], env=environment, check=False, timeout=30)
    assert child.returncode == 1


def test_only_one_supervisor_has_a_state_directory(tmp_path: Path) -> None:
    with supervising(tmp_path):
        assert supervisor_of(tmp_path) == os.getpid()
        with pytest.raises(LineIsUp, match=f"process {os.getpid()}"), supervising(tmp_path):
            pass
    assert supervisor_of(tmp_path) == 0


_SUPERVISE = """
import asyncio, sys
from pathlib import Path
from cellctl.live.child import Launch
from cellctl.live.supervisor import Supervisor

async def main():
    state, code = Path(sys.argv[1]), sys.argv[2]
    async with Supervisor(state, "line", print) as supervisor:
        for name in "abc":
            await supervisor.start(Launch(name, (sys.executable, "-c", code)))
        await asyncio.sleep(60)

asyncio.run(main())
"""


def _pids(state: Path) -> list[int]:
    try:
        return [process.pid for process in process_table.load(state).processes]
    except Exception:
        return []
