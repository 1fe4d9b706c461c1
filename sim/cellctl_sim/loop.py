"""An asyncio event loop in virtual time: no selector, no threads, no waiting. Whoever sleeps makes time jump.

Order is exact: callbacks run first come, first served; timers by (time, sequence). Time is kept in integer nanoseconds
and every duration that was computed is rounded to one microsecond, so that a CPU's last bit never changes a run.
Stock asyncio code (tasks, futures, timeouts, groups, shield, gather) runs on it unchanged.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from asyncio import events
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context, copy_context
from heapq import heappop, heappush
from typing import Any, TypeVar

from cellctl_sim.entry import Entry
from cellctl_sim.futures import VirtualFuture
from cellctl_sim.leaks import no_leaks
from cellctl_sim.life import LIFE
from cellctl_sim.tasks import RUNNING, AnyTask, StockTask, VirtualTask
from cellctl_sim.waits import describe_waits, dispose

T = TypeVar("T")

MICROSECOND = 1_000  # [ns]
SECOND = 1_000_000_000  # [ns]
STEPS_PER_INSTANT = 500_000  # twice as many without time going on: something turns in a circle


def nanoseconds(seconds: float) -> int:
    """`seconds` as nanoseconds, rounded to one microsecond."""
    return round(seconds * 1e6) * MICROSECOND


class Deadlock(RuntimeError):
    """Nothing is ready, no timer is set, and the work is not done; says what every task waits for."""


class Stuck(RuntimeError):
    """Time stands still while callbacks run on and on: somebody asks again and again without waiting."""


class UnhandledError(RuntimeError):
    """A task or callback failed and nobody looked at its exception, which is this error's cause."""


class WorldEnded(BaseException):
    """The loop is closed and nobody can wait any more; what is left of coroutines is being put away."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """The loop. `now` is the virtual time [ns]; `steps` counts callbacks run, and names an instant exactly."""

    def __init__(self, task: type[VirtualTask[Any]] | type[StockTask[Any]] = VirtualTask) -> None:
        """`task`: of which kind its tasks are; StockTask for tests that compare."""
        self._task = task
        self.now = 0
        self.steps = 0
        self.root = Context()  # of the world itself: what runs in it belongs to no node
        self.ready: deque[Entry | VirtualTask[Any]] = deque()
        self._timers: list[tuple[int, int, Entry | VirtualFuture[None]]] = []
        self._sequence = 0
        self._sweep_at = 64
        self._tasks: list[AnyTask] = []
        self._task_count = 0
        self._prune_at = 64
        self._generators: list[AsyncGenerator[Any, Any]] = []
        self._steps_asked: list[tuple[int, int, Callable[[], None]]] = []
        self._asked = 0
        self._attend_at = self._look_at = STEPS_PER_INSTANT  # steps
        self._looked = -1  # when it was last looked whether time goes on [ns]
        self._failure: dict[str, Any] | None = None
        self._stopping = self._running = self._closed = False

    # --- time and callbacks -----------------------------------------------------------------------------------

    def time(self) -> float:
        return self.now / SECOND

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Entry:  # type: ignore[override]
        entry = Entry(callback, args, context if context is not None else copy_context())
        self.ready.append(entry)
        return entry

    def sleep(self, wait: int) -> VirtualFuture[None]:
        """To be awaited at once: done `wait` [ns] from now."""
        sleep: VirtualFuture[None] = VirtualFuture(self)
        self._set(self.now + wait, sleep)
        return sleep

    def number(self) -> int:
        """A number that nothing else in this loop has."""
        self._sequence += 1
        return self._sequence

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Entry:
        entry = self.after(delay, callback, *args)
        entry.context = context if context is not None else copy_context()
        return entry

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Entry:
        entry = self.at(max(nanoseconds(when), self.now), callback, *args)
        entry.context = context if context is not None else copy_context()
        return entry

    def after(self, delay: float, callback: Callable[..., object], *args: Any) -> Entry:
        """Have the world itself, no node, call back `delay` [s] from now."""
        wait = round(delay * 1e6) * MICROSECOND  # `nanoseconds`, without the call
        if wait <= 0:
            wait = MICROSECOND if delay > 0 else 0  # whoever waits at all lets time go on
        entry = Entry(callback, args, self.root, self.now + wait)
        self._set(entry.time, entry)
        return entry

    def at(self, when: int, callback: Callable[..., object], *args: Any) -> Entry:
        """Have the world itself, no node, call back at the exact time `when` [ns]."""
        entry = Entry(callback, args, self.root, when)
        self._set(when, entry)
        return entry

    def _set(self, when: int, timer: Entry | VirtualFuture[None]) -> None:
        self._sequence += 1
        heappush(self._timers, (when, self._sequence, timer))
        if len(self._timers) > self._sweep_at:
            self._sweep()

    def _sweep(self) -> None:
        """Drop cancelled timers; deadlines that were kept would otherwise pile up."""
        self._timers = [timer for timer in self._timers if not timer[2].off]
        heapq.heapify(self._timers)
        self._sweep_at = 2 * len(self._timers) + 64

    def call_at_step(self, step: int, call: Callable[[], None]) -> None:
        """Call `call` between two steps, just before step number `step` (of `steps`), outside every node."""
        self._asked += 1  # not `_sequence`: who only asks changes nothing
        heappush(self._steps_asked, (step, self._asked, call))
        self._set_attention()

    # --- running ----------------------------------------------------------------------------------------------

    def run_until_complete(self, future: Any) -> Any:
        """Run until `future` (or coroutine) is done; its result. Raises Deadlock, Stuck, UnhandledError."""
        main = asyncio.ensure_future(future, loop=self)
        main.add_done_callback(self._stop_soon)
        try:
            self._run(sys.maxsize)
        finally:
            main.remove_done_callback(self._stop_soon)
        if not main.done() and self._stopping:
            raise RuntimeError("the run was stopped before its work was done")
        if not main.done():
            raise Deadlock(f"nothing can happen any more; {describe_waits(self.unfinished())}")
        result = main.result()
        self.check_failures()
        return result

    def run_until(self, when: float) -> None:
        """Run everything that happens up to `when` [s] inclusive; the time is `when` then, unless `stop` was called."""
        end = nanoseconds(when)
        self._run(end)
        if not self._stopping:
            self.now = max(self.now, end)

    def run_forever(self) -> None:
        """Run until `stop`, or until nothing is left to do."""
        self._run(sys.maxsize)

    def go_on_in_copy(self) -> None:
        """The operating system has just copied this process (fork) while the loop runs; asyncio forgets it then."""
        events._set_running_loop(self)

    def stop(self) -> None:
        """Stop after the callback that runs now; run again to go on."""
        self._stopping = True

    def _stop_soon(self, _: asyncio.Future[Any]) -> None:
        self._stopping = True

    def _run(self, end: int) -> None:
        self._check_usable()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=_ignore, finalizer=self._generators.append)
        events._set_running_loop(self)
        self._running, self._stopping = True, False
        try:
            with no_leaks():
                self.root.run(self._turn, end)
        finally:
            self._running = False
            RUNNING.pop(self, None)
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _turn(self, end: int) -> None:
        ready, root = self.ready, self.root
        while not self._stopping:
            if not ready and not self._next_instant(end):
                break
            if self.steps >= self._attend_at:
                self._attend()
            entry = ready.popleft()
            if isinstance(entry, VirtualTask):
                life = entry.life
                if life is None or not life.ended:
                    self.steps += 1
                    entry.step()
                else:
                    life.kept.append(entry)
            elif entry.context is root:
                if not entry.off:
                    self.steps += 1
                    RUNNING.pop(self, None)
                    entry.callback(*entry.args)
            elif not entry.off:
                self._run_in_context(entry)
        self._raise_failure()

    def _run_in_context(self, entry: Entry) -> None:
        life = entry.context.get(LIFE)
        if life is not None and life.ended:
            life.kept.append(entry)
            return
        self.steps += 1
        RUNNING.pop(self, None)
        entry.context.run(entry.callback, *entry.args)

    def _next_instant(self, end: int) -> bool:
        """Let time go on to the earliest timer and make all timers of that time ready; False when there is none."""
        timers, ready = self._timers, self.ready
        while timers and timers[0][2].off:
            heappop(timers)
        if not timers or timers[0][0] > end:
            return False
        when = self.now = timers[0][0]
        while timers and timers[0][0] == when:
            due = heappop(timers)[2]
            if isinstance(due, Entry):
                ready.append(due)
            elif not due.off:
                due.finish()
        return True

    def _attend(self) -> None:
        """Call what was asked to be called before this step, and see whether time goes on."""
        while self._steps_asked and self._steps_asked[0][0] <= self.steps:
            RUNNING.pop(self, None)
            heappop(self._steps_asked)[2]()
        if self.steps >= self._look_at:
            if self.now == self._looked:
                raise Stuck(f"time stands still at {self.time():g} s; {describe_waits(self.unfinished())}")
            self._looked, self._look_at = self.now, self.steps + STEPS_PER_INSTANT
        self._set_attention()

    def _set_attention(self) -> None:
        asked = self._steps_asked[0][0] if self._steps_asked else sys.maxsize
        self._attend_at = min(self._look_at, asked)

    def _check_usable(self) -> None:
        if self._closed:
            raise RuntimeError("this loop is closed")
        if self._running or events._get_running_loop() is not None:
            raise RuntimeError("another event loop runs here already")

    # --- tasks and futures ------------------------------------------------------------------------------------

    def create_future(self) -> VirtualFuture[Any]:  # type: ignore[override]
        if self._closed:
            raise WorldEnded
        return VirtualFuture(self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **_: Any,
    ) -> VirtualTask[T] | StockTask[T]:
        if self._closed:
            coro.close()
            raise WorldEnded
        if len(self._tasks) > self._prune_at:
            self._prune()
        self._task_count += 1
        context = context if context is not None else copy_context()
        task = self._task(coro, self, self._task_count, name or f"task-{self._task_count}", context)
        self._tasks.append(task)
        return task

    def unfinished(self) -> list[AnyTask]:
        """Every task that is not done, those of ended lives included, in the order of their creation."""
        return [task for task in self._tasks if not task.done()]

    def _prune(self) -> None:
        """Let go of tasks that are done; whose exception nobody saw then says so itself."""
        for task in self._tasks:
            if task.life is not None and task.life.ended:
                task.take_unseen()
        self._tasks = self.unfinished()
        self._prune_at = 2 * len(self._tasks) + 64

    def check_failures(self) -> None:
        """Raise UnhandledError when a task has failed and nobody has looked at its exception.

        Who would have looked may have been killed, so tasks of ended lives do not count.
        """
        for task in self._tasks:
            error = task.take_unseen()
            if error is not None and (task.life is None or not task.life.ended):
                message = "Task exception was never retrieved"
                self.call_exception_handler({"message": message, "task": task, "exception": error})
        self._raise_failure()

    # --- the end ----------------------------------------------------------------------------------------------

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Somebody failed and nobody listens: stop, and raise it from the run."""
        if self._failure is None and not self._closed:
            self._failure = context
            self._stopping = True

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def _raise_failure(self) -> None:
        context, self._failure = self._failure, None
        if context is not None:
            who = context.get("task") or context.get("future") or context.get("handle") or ""
            raise UnhandledError(f"{context['message']}: {who!r}") from context.get("exception")

    def close(self) -> None:
        """Put everything unfinished away; its `finally` blocks may run now, but nothing in them has an effect."""
        if self._closed:
            return
        if self._running:
            raise RuntimeError("a running loop cannot be closed")
        self._closed = True
        self.ready.clear()
        self._timers.clear()
        dispose(self.unfinished(), self._generators)
        self._tasks.clear()

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        """Does nothing: there is no slow callback where no time passes."""

    async def shutdown_asyncgens(self) -> None:
        """Nothing to do: unfinished generators are kept and put away by `close`."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Refused: a thread would bring real time and chance into the run."""
        raise RuntimeError("virtual time has no threads; ask the Runtime")


def _ignore(_: AsyncGenerator[Any, Any]) -> None:
    """Generators are only of interest when they are dropped."""
