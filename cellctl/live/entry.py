"""What runs inside the processes that the supervisor starts: the runner, or the modules of one process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from cellctl.errors import (
    CellctlError,
    DeploymentError,
    JournalBroken,
    JournalShort,
    PlugInError,
    Refused,
    StoreError,
    UnknownName,
)
from cellctl.line.model import Line
from cellctl.live import deployment as deployments
from cellctl.live.child import Exit
from cellctl.live.crash_file import write_crash
from cellctl.live.deployment import Deployment
from cellctl.live.line_file import read_line
from cellctl.live.log import process_log
from cellctl.live.runtime import LiveRuntime
from cellctl.live.watchdog import signs_of_life

Body = Callable[[LiveRuntime, Line], Awaitable[None]]

HOPELESS = (DeploymentError, JournalBroken, JournalShort, PlugInError, Refused, UnknownName)


def run_runner_process(state: Path) -> int:
    """The runner of the line that is deployed in `state`, until it is told to end; its exit code."""

    async def body(runtime: LiveRuntime, line: Line) -> None:
        from cellctl.runner.requests import VERBS
        from cellctl.runner.shell import run_runner

        _import_what_orders_need()
        automatic = goes_on_by_itself(line, runtime.deployment)
        await run_runner(runtime, line, VERBS, automatic=automatic)

    return _run("runner", state, body)


def _import_what_orders_need() -> None:
    """Before anybody listens: importing numpy with the first order would make the runner silent for a while."""
    import cellctl.plan.deadlock
    import cellctl.plan.reach  # noqa: F401


def run_module_process(process: str, state: Path) -> int:
    """The modules of one process of the line that is deployed in `state`; its exit code."""

    async def body(runtime: LiveRuntime, line: Line) -> None:
        from cellctl.modules.shell import run_process

        if process not in line.processes:
            raise UnknownName("process", process, line.processes)
        await run_process(runtime, line, process)

    return _run(process, state, body)


def goes_on_by_itself(line: Line, deployment: Deployment) -> bool:
    """Whether the line goes on after a crash without a person: as its file says, else only on simulated devices."""
    return line.restart == "automatic" or (not line.restart and deployment.simulated)


def _run(name: str, state: Path, body: Body) -> int:
    log = process_log(name)
    try:
        deployment = deployments.load(state)
        line = _deployed_line(deployment)
        with suppress(asyncio.CancelledError):
            asyncio.run(_until_told(name, deployment, line, body))
    except Exception as error:
        errors = list(_single(error))
        for each in errors:
            if isinstance(each, CellctlError):
                log.error(str(each), kind=type(each).__name__)
            else:
                path = write_crash(error, name, state / "log")
                log.error(f"an unexpected error: {type(each).__name__}: {each}; its trace is in {path}")
        return _exit_for(errors)
    return Exit.WELL


async def _until_told(name: str, deployment: Deployment, line: Line, body: Body) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with signs_of_life():
        async with LiveRuntime(name, deployment) as runtime:
            runtime.log.info("started", line=line.name, simulated=deployment.simulated)
            await body(runtime, line)


def _deployed_line(deployment: Deployment) -> Line:
    line, report = read_line(Path(deployment.line))
    if line is None:
        first = next(iter(report.findings), None)
        raise DeploymentError(
            f"the line file cannot be used: {f'{first.span}: {first.message}' if first else deployment.line}; "
            f"see `cellctl check {deployment.line}`"
        )
    if line.digest != deployment.digest:
        raise DeploymentError(
            f"{deployment.line} changed since the line was started; `cellctl down`, then `cellctl up`"
        )
    return line


def _exit_for(errors: list[BaseException]) -> Exit:
    if any(isinstance(each, HOPELESS) for each in errors):
        return Exit.HOPELESS
    return Exit.WAITS if any(isinstance(each, StoreError) for each in errors) else Exit.FAILED


def _single(error: BaseException) -> list[BaseException]:
    """The errors in a group, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        return [each for inner in error.exceptions for each in _single(inner)]
    return [error]
