"""One line from its start to its end: brought up, watched, held on request, and ended without leaving anything."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cellctl.errors import CellctlError, DeploymentError
from cellctl.line.model import Line
from cellctl.live import deployment as deployments
from cellctl.live import process_table
from cellctl.live.bring_up import HOLD_TIME, addresses_of, bring_up, hold
from cellctl.live.deployment import FILE, Deployment
from cellctl.live.interrupts import Interrupts, unless
from cellctl.live.process_table import FILE as TABLE
from cellctl.live.process_table import LOCK, supervising
from cellctl.live.supervisor import HUNG_AFTER, Supervisor

LOG = Path("log") / "supervisor.log"  # in the state directory
JOURNAL = "runner.sqlite"
KEPT = {"log", "keys", LOCK}  # of a state directory, whatever is set aside
INTERRUPTED = 130


async def attend(
    line: Line,
    path: Path,
    state: Path,
    say: Callable[[str], None],
    *,
    simulated: bool,
    keys: str = "",
    fresh: bool = False,
    hung_after: float = HUNG_AFTER,
) -> int:
    """Run the line until a signal ends it; the exit code for `cellctl up`. `fresh` sets earlier records aside.

    The first signal holds the line, so that what is in hand is finished; a second one ends it at once.
    Raises LineIsUp, BusError, DeploymentError.
    """
    interrupts = Interrupts()
    with supervising(state):
        _refuse_other_world(state, simulated)
        _refuse_other_line(state, line.name)
        told = _also_to(state / LOG, say)
        if simulated:
            _begin(state, fresh, told)
        async with Supervisor(
            state, line.name, told, simulated=simulated, hung_after=hung_after
        ) as supervisor:
            interrupts.when_hurried = supervisor.kill
            work = bring_up(supervisor, line, path, processes=addresses_of(line), keys=keys)
            deployment = await unless(interrupts.stop, work)
            if deployment is not None:
                told(f"{line.name} is up: {len(deployment.processes)} processes, state and logs in {state}")
                why = await unless(interrupts.stop, supervisor.broken)
                if why is not None:
                    told(why)
                    return 1
                await _hold(deployment, interrupts, told)
        told(f"{line.name} is down")
    return INTERRUPTED if interrupts.received is signal.SIGINT else 0


async def _hold(deployment: Deployment, interrupts: Interrupts, told: Callable[[str], None]) -> None:
    told(f"what is in hand is finished first, at most {HOLD_TIME:g} s; once more ends the line at once")
    try:
        state = await unless(interrupts.at_once, hold(deployment))
    except CellctlError as error:
        told(f"the line could not be held: {error}")
    else:
        told(f"the line is {state}" if state else "ended at once")


def _refuse_other_world(state: Path, simulated: bool) -> None:
    """Records of simulated parts must never meet the real line, nor the other way round."""
    if not (state / FILE).exists():
        return
    if deployments.load(state).simulated is not simulated:
        was, asked = ("simulated", "real") if not simulated else ("real", "simulated")
        raise DeploymentError(
            f"{state} holds the records of a line on {was} devices, which say nothing about {asked} ones; "
            "choose another directory with --state"
        )


def _refuse_other_line(state: Path, line: str) -> None:
    """One line's orders and parts mean nothing to another."""
    if not (state / TABLE).exists():
        return
    kept = process_table.load(state).line
    if kept != line:
        raise DeploymentError(
            f"{state} holds the records of the line {kept!r}, not of {line!r}; choose another directory with --state"
        )


def _begin(state: Path, fresh: bool, told: Callable[[str], None]) -> None:
    """A simulated line is empty at each start, whatever the records of an earlier one say."""
    if not (state / JOURNAL).exists():
        return
    if not fresh:
        told("simulated devices begin empty; parts on record are to be put right with `cellctl recover`")
        return
    aside = state / f"before-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
    aside.mkdir(mode=0o700)
    for path in sorted(
        state.iterdir(), key=lambda path: path.name == JOURNAL
    ):  # it last: it says that there is more
        if path.name not in KEPT and not path.name.startswith("before-"):
            path.rename(aside / path.name)
    told(f"the records of the earlier run are in {aside}")


def _also_to(log: Path, say: Callable[[str], None]) -> Callable[[str], None]:
    """`say` that also writes to the supervisor's log, unless stderr is that log already."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("a") as file:
        is_stderr = (
            os.path.sameopenfile(file.fileno(), sys.stderr.fileno()) if _has_file(sys.stderr) else False
        )

    def tell(text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with suppress(OSError):  # a full disk, a closed terminal: the line is kept up all the same
            say(f"{stamp} {text}" if is_stderr else text)
        if is_stderr:
            return
        with suppress(OSError), log.open("a") as file:
            file.write(f"{stamp} {text}\n")

    return tell


def _has_file(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
    return True
