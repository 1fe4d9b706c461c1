"""Starts `cellctl up` as a process of its own and waits until its line answers."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from cellctl.errors import DeploymentError, PeerSilent
from cellctl.live import deployment as deployments
from cellctl.live.attend import LOG
from cellctl.live.bring_up import until_ready
from cellctl.live.child import command_line
from cellctl.live.client import connect
from cellctl.live.process_table import LineIsUp, supervisor_of

PATIENCE = 30.0  # [s] for the line to answer


def start_detached(arguments: Sequence[str], state: Path) -> None:
    """Start it; returns when the line answers. Raises LineIsUp, DeploymentError with what it said last."""
    if pid := supervisor_of(state):
        raise LineIsUp(state, pid)
    log = state / LOG
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command_line(arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
        )
    try:
        _wait_for(process, state, log, before)
    except BaseException:
        process.terminate()
        raise


def _wait_for(process: subprocess.Popen[bytes], state: Path, log: Path, before: int) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if process.poll() is not None:
            said = (
                _said(log, before)
                or f"it said nothing (exit code {process.returncode}); see `cellctl doctor`"
            )
            raise DeploymentError(f"the line did not start:\n{said}")
        if supervisor_of(state) == process.pid and _is_ready(state):
            return
        time.sleep(0.1)
    raise DeploymentError(
        f"the line did not answer within {PATIENCE:g} s and is ended; read {state / 'log'}:\n{_said(log, before)}"
    )


def _said(log: Path, before: int) -> str:
    """The last few lines that were written to a log after it was `before` bytes long."""
    rows = log.read_bytes()[before:].decode("utf-8", "replace").strip().splitlines()
    return "\n".join(rows[-6:])


def _is_ready(state: Path) -> bool:
    async def ask() -> None:
        async with connect(deployments.load(state)) as session:
            await until_ready(session, 1.0)

    try:
        asyncio.run(ask())
    except (DeploymentError, PeerSilent):
        return False
    return True
