"""Keeps the processes of one line running: starts, watches, reaps, starts again, and ends them all.

A process is reaped before it is replaced, so two never hold one journal. What they do is not known here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from cellctl.errors import DeploymentError
from cellctl.live import process_table
from cellctl.live.child import Child, Exit, Launch, last_words, shorten_log
from cellctl.live.deployment import Addresses
from cellctl.live.process_table import ProcessTable, Running
from cellctl.live.restarts import LONGEST_PAUSE, Restarts
from cellctl.live.watchdog import EVERY

GRACE = 5.0  # [s] that a process has to end by itself
REWRITE = 1.0  # [s] after which a table that could not be written is written again
LOGS_EVERY = 60.0  # [s] after which the size of the logs is looked at
AGAIN = 300.0  # [s] after which a process that was given up is tried again: its cause may have been mended
HUNG_AFTER = (
    30.0  # [s] without a sign of life; far above what an order's compilation or a loaded computer takes
)

Say = Callable[[str], None]


class Keeper:
    """One process and its restarts. `changed` is called whenever what `shown` says has changed."""

    def __init__(
        self, launch: Launch, addresses: Addresses | None, log: Path, changed: Say, say: Say
    ) -> None:
        self.launch, self.log = launch, log
        self._addresses, self._changed, self._say = addresses or Addresses("", ""), changed, say
        self._restarts, self._child, self._started = Restarts(), None, 0.0
        self._state, self._said = "waits for its start", ""
        self._stopping = asyncio.Event()
        self.replaced: list[int] = []  # exit codes with which it ended and was to be started again

    _child: Child | None

    def shown(self) -> Running:
        """The process as the process table has it."""
        runs = self._child is not None and self._state == "running"
        return Running(
            name=self.launch.name,
            pid=self._child.pid if self._child and runs else 0,
            state=self._state,
            restarts=self._restarts.count,
            started=self._started,
            commands=self._addresses.commands,
            events=self._addresses.events,
            log=str(self.log),
        )

    async def start(self) -> None:
        """Start the process. Raises DeploymentError."""
        self._child = await Child.start(self.launch, self.log)
        self._started = time.time()
        self._enter("running")

    async def keep(self) -> str:
        """Start it again whenever it ends; why the simulated devices ended, or "" when it was to stop."""
        while True:
            why, code = await self._run()
            if self._stopping.is_set():
                self._enter("ended")
                return ""
            if self.launch.is_plant:
                self._enter("given up")
                return why
            if await _happens_within(self._stopping, self._pause_after(why, code)):
                self._enter("ended")
                return ""

    def _pause_after(self, why: str, code: int) -> float:
        """How long to wait before it is started again; told, but the same for ever only once."""
        self.replaced.append(code)
        pause, again = self._restart_pause(code), f"in {AGAIN / 60:g} minutes"
        self._enter("given up" if pause is None else "waits for its restart")
        if pause is None:
            text = (
                f"ALARM: {why}. It is given up for now: starting it again at once does not help. The rest of the line "
                f"goes on; read {self.log} and mend the cause. It is tried again {again}"
            )
        else:
            text = f"{why}; it is started again {'every' if code == Exit.WAITS else 'in'} {pause:g} s"
        if text != self._said or code not in (Exit.WAITS, Exit.HOPELESS):
            self._say(text)
        self._said = text
        return AGAIN if pause is None else pause

    def _restart_pause(self, code: int) -> float | None:
        """None where a restart at once does not help."""
        if code == Exit.HOPELESS:
            return None
        if code == Exit.WAITS:  # for what is outside of it, however long that takes
            return LONGEST_PAUSE
        return self._restarts.pause_after(asyncio.get_running_loop().time())

    def end_if_hung(self, after: float) -> None:
        """End it when its loop has shown no sign of life for so long [s]; to be asked once in `EVERY` seconds."""
        if self._child is None or self._state != "running" or self._stopping.is_set():
            return
        if self._child.watchdog.silence() >= after:
            self._say(f"{self.launch.name} has shown no sign of life for {after:g} s: it hangs, and is ended")
            self._child.kill()

    async def _run(self) -> tuple[str, int]:
        """Until the process has ended; how it did, in words and as its exit code."""
        try:
            if self._state != "running":
                await self.start()
        except DeploymentError as error:
            return str(error), Exit.FAILED
        assert self._child is not None
        if self._stopping.is_set():
            await self._child.end(GRACE)
        code = await self._child.wait()
        words = last_words(self.log) if code > 0 else ""
        why = f"{self.launch.name} {how_it_ended(code)}{f': {words}' if words else ''}"
        return why, code

    async def end(self) -> None:
        """End the process, whatever it is doing; returns when it is reaped."""
        self._stopping.set()
        if self._child is not None:
            await self._child.end(GRACE)

    def kill(self) -> None:
        """End it at once, without waiting."""
        self._stopping.set()
        if self._child is not None:
            self._child.kill()

    def _enter(self, state: str) -> None:
        self._state = state
        self._changed(state)


class Supervisor:
    """The processes of one line. Use as `async with`: however it is left, none of them runs afterwards.

    `broken` gets the reason when the line cannot go on (the simulated plant ended). Everything else that happens
    is told to `say`, one line each. A process that shows no sign of life for `hung_after` seconds is ended and
    started again like one that ended by itself; 0: never.
    """

    def __init__(
        self, state: Path, line: str, say: Say, *, simulated: bool = False, hung_after: float = HUNG_AFTER
    ) -> None:
        self.state, self.line, self.simulated = state, line, simulated
        self._hung_after = hung_after
        self.control = ""  # of the simulated plant
        self.broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._say = say
        self._kept: list[tuple[Keeper, asyncio.Task[None]]] = []
        self._chores: list[asyncio.Task[None]] = []
        self._rewriting: asyncio.TimerHandle | None = None  # of a table that could not be written

    async def __aenter__(self) -> Supervisor:
        self._chores.append(asyncio.create_task(self._look_after_logs(), name="look after logs"))
        if self._hung_after:
            self._chores.append(asyncio.create_task(self._look_for_hung(), name="look for hung processes"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for chore in self._chores:
            chore.cancel()
        if kind is not None and not issubclass(kind, Exception):
            self.kill()
        await self.stop()

    @property
    def replaced(self) -> list[tuple[str, int]]:
        """Each process that ended and was to be started again, with its exit code (negative: the signal)."""
        return [(keeper.launch.name, code) for keeper, _ in self._kept for code in keeper.replaced]

    async def start(self, launch: Launch, addresses: Addresses | None = None) -> None:
        """Start a process and keep it running. Raises DeploymentError when it cannot be started at all."""
        log = self.state / "log" / f"{launch.name}.log"
        keeper = Keeper(launch, addresses, log, lambda _: self.write_table(), self._say)
        await keeper.start()
        self._kept.append((keeper, asyncio.create_task(self._keep(keeper), name=f"keep {launch.name}")))
        self.write_table()

    async def stop(self) -> None:
        """End all processes, simulated devices last; returns when the last one is reaped."""
        for are_plants in (False, True):
            chosen = [(k, task) for k, task in self._kept if k.launch.is_plant is are_plants]
            await asyncio.gather(*(keeper.end() for keeper, _ in chosen))
            await asyncio.gather(*(task for _, task in chosen))
        self.write_table()

    def kill(self) -> None:
        """End all processes at once; `stop` then has nothing to wait for."""
        for keeper, _ in self._kept:
            keeper.kill()

    def write_table(self) -> None:
        """Write down what is running; tried again where it cannot be: the processes are kept all the same."""
        shown = tuple(keeper.shown() for keeper, _ in self._kept)
        table = ProcessTable(os.getpid(), self.line, self.simulated, shown, self.control)
        try:
            process_table.save(table, self.state)
        except DeploymentError as error:
            if self._rewriting is None:
                self._say(str(error))
            else:
                self._rewriting.cancel()
            self._rewriting = asyncio.get_running_loop().call_later(REWRITE, self.write_table)
        else:
            self._rewriting = None

    async def _keep(self, keeper: Keeper) -> None:
        why = await keeper.keep()
        if why and not self.broken.done():
            self.broken.set_result(f"the line cannot go on without its simulated devices: {why}")

    async def _look_after_logs(self) -> None:
        while True:
            await asyncio.sleep(LOGS_EVERY)
            for log in sorted((self.state / "log").glob("*.log")):  # that of the supervisor among them
                await asyncio.to_thread(shorten_log, log)

    async def _look_for_hung(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            for keeper, _ in self._kept:
                keeper.end_if_hung(self._hung_after)


def how_it_ended(code: int) -> str:
    """`ended with exit code 1`, `was ended by SIGKILL`."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


async def _happens_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
