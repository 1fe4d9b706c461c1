"""Tasks of the virtual loop. `VirtualTask` is its own: it is made ready and goes on without callbacks or handles.

`StockTask` is CPython's task, for tests that compare the two: both come to the same events in the same order. Tasks
hash by order of creation, because asyncio keeps them in sets: hashed by address, a group that fails would cancel its
tasks in another order each run.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import tasks
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from cellctl_sim.futures import VirtualFuture
from cellctl_sim.life import LIFE, Life

if TYPE_CHECKING:
    from cellctl_sim.loop import VirtualLoop

T = TypeVar("T")

UNCANCEL_WITHDRAWS = sys.version_info >= (3, 13)  # a cancellation that has not been delivered yet
RUNNING: dict[object, object] = tasks._current_tasks  # type: ignore[attr-defined]  # what `current_task` tells, by loop


class VirtualTask(VirtualFuture[T], Generic[T]):
    """A task with its number; `life` is the node's life that it belongs to, None for the world's own.

    It cancels, times out and ends as `asyncio.Task` does (Lib/asyncio/tasks.py of the same version).
    """

    __slots__ = (
        "__weakref__",
        "_awaited",
        "_cancels",
        "_context",
        "_coro",
        "_log_destroy_pending",
        "_name",
        "_run",
        "_send",
        "_thrown",
        "life",
        "number",
    )

    def __init__(
        self,
        coro: Coroutine[Any, Any, T],
        loop: VirtualLoop,
        number: int,
        name: str,
        context: Context,
    ) -> None:
        super().__init__(loop)
        self.number = self._number = number
        self.seen = False
        self._awaited: Any = None  # what it waits for
        self._thrown: BaseException | None = None  # to be raised where it waits, instead of going on
        self._cancels = 0
        self.life: Life | None = context.get(LIFE)
        self._coro, self._name, self._context = coro, name, context
        self._send: Callable[[Any], Any] = coro.send
        self._run: Callable[..., Any] = context.run
        loop.ready.append(self)

    def __repr__(self) -> str:
        return f"<task {self._name} of {self._coro!r}{' done' if self.off else ''}>"

    # --- going on ---------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Go on, as far as the next wait. The loop takes it out of RUNNING before it does anything else."""
        loop = self.loop
        RUNNING[loop] = self
        self._awaited = None
        try:
            awaited = self._run(self._send if self._thrown is None else self._throw, None)
        except BaseException as error:
            self._end(error)
        else:
            if (
                awaited.__class__ is VirtualFuture
                and awaited.task is None
                and awaited.callbacks is None
                and awaited.loop is loop
                and self._thrown is None
            ):
                awaited.task, self._awaited = self, awaited
            else:
                self._wait_for(awaited)

    def _throw(self, _: None) -> Any:
        error, self._thrown = self._thrown, None
        assert error is not None
        return self._coro.throw(error)

    def _end(self, error: BaseException) -> None:
        """The coroutine has returned or raised."""
        if not isinstance(error, StopIteration):
            trace = error.__traceback__
            self._error = error.with_traceback(
                trace and trace.tb_next
            )  # without `step`, which holds this task
        elif self._thrown is not None:  # cancelled in its last step
            self._error = self._thrown
        else:
            self._result = error.value
        self.finish()
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error

    def _wait_for(self, awaited: Any) -> None:
        """Wait for any asyncio future, for the next turn (None), or fail at what cannot be waited for."""
        if awaited is None:
            self.loop.ready.append(self)
        elif getattr(awaited, "_asyncio_future_blocking", None) is None:
            self._fail(f"Task got bad yield: {awaited!r}")
        elif awaited.get_loop() is not self.loop:
            self._fail(f"Task {self!r} got Future {awaited!r} attached to a different loop")
        elif not awaited._asyncio_future_blocking:
            self._fail(f"yield was used instead of yield from in task {self!r} with {awaited!r}")
        elif awaited is self:
            self._fail(f"Task cannot await on itself: {self!r}")
        else:
            awaited._asyncio_future_blocking = False
            if isinstance(awaited, VirtualFuture):
                awaited.call_at_once(self._get_ready)
            else:
                awaited.add_done_callback(self._woken, context=self._context)
            self._awaited = awaited
            if self._thrown is not None and awaited.cancel(*self._thrown.args):
                self._thrown = None

    def _fail(self, why: str) -> None:
        if self._thrown is None:
            self._thrown = RuntimeError(why)
        self.loop.ready.append(self)

    def _get_ready(self, _: object) -> None:
        self.loop.ready.append(self)

    def _woken(self, _: asyncio.Future[Any]) -> None:
        """A future of another kind is done; it calls in this task's own context, which cannot be entered twice."""
        self._run = _call
        try:
            self.step()
        finally:
            self._run = self._context.run

    # --- cancelling, as asyncio.Task --------------------------------------------------------------------------

    def cancel(self, msg: object = None) -> bool:
        """Have CancelledError raised where the task waits. False when it is done."""
        if self.off:
            return False
        self._cancels += 1
        if self._awaited is None or not self._awaited.cancel(msg):
            self._thrown = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        return True

    def cancelling(self) -> int:
        """How many cancellations were asked for and not taken back."""
        return self._cancels

    def uncancel(self) -> int:
        """Take one cancellation back; how many are left."""
        if self._cancels > 0:
            self._cancels -= 1
            if UNCANCEL_WITHDRAWS and self._cancels == 0:
                self._thrown = None
        return self._cancels

    # --- what may be asked ------------------------------------------------------------------------------------

    def get_coro(self) -> Coroutine[Any, Any, T]:
        return self._coro

    def get_context(self) -> Context:
        return self._context

    def get_name(self) -> str:
        return self._name

    def set_name(self, name: object) -> None:
        self._name = str(name)

    def set_result(self, result: T) -> NoReturn:
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: object) -> NoReturn:
        raise RuntimeError("Task does not support set_exception operation")

    def take_unseen(self) -> BaseException | None:
        """The exception of a task that failed when nobody has looked at it, once."""
        if self.seen or self._error is None or self.cancelled():
            return None
        self.seen = True
        return self._error

    def leave_unfinished(self) -> None:
        """It is meant not to be finished: say nothing when it goes away."""

    def __del__(self) -> None:
        error = self.take_unseen()
        if error is not None and (self.life is None or not self.life.ended):
            message = "Task exception was never retrieved"
            self.loop.call_exception_handler({"message": message, "task": self, "exception": error})


class StockTask(asyncio.Task[T], Generic[T]):
    """CPython's task with a number and a life, as `VirtualTask`."""

    def __init__(
        self,
        coro: Coroutine[Any, Any, T],
        loop: VirtualLoop,
        number: int,
        name: str,
        context: Context,
    ) -> None:
        self.number = number  # before the rest: asyncio hashes the task while it makes it
        self.life: Life | None = context.get(LIFE)
        super().__init__(coro, loop=loop, name=name, context=context)

    def __hash__(self) -> int:
        return self.number

    def take_unseen(self) -> BaseException | None:
        """As `VirtualTask.take_unseen`."""
        if not (self.done() and self._log_traceback):
            return None
        self._log_traceback = False
        return self.exception()

    def leave_unfinished(self) -> None:
        """As `VirtualTask.leave_unfinished`."""
        self._log_destroy_pending = False


AnyTask = VirtualTask[Any] | StockTask[Any]


def _call(function: Callable[[Any], Any], argument: Any) -> Any:
    return function(argument)
