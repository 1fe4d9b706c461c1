"""Channel, Event, TaskGroup and deadline on whatever asyncio loop is running, the stock or the simulated one.

Nothing here knows real time: the clock is the running loop's. Order is that of creation, never that of a set.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Generic, NoReturn, TypeVar

from cellctl.errors import DeadlineExceeded

T = TypeVar("T")


class Channel(Generic[T]):
    """An unbounded queue from many senders to one receiver.

    An item leaves the queue in the step in which `receive` returns it, so a cancelled receive loses nothing.
    """

    __slots__ = ("_items", "_waiter")

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def send(self, item: T) -> None:
        """Put `item` at the end; never waits."""
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self) -> T:
        """The oldest item; waits for one. Raises RuntimeError while another receive is waiting."""
        while not self._items:
            if self._waiter is not None and not self._waiter.done():
                raise RuntimeError("a channel has one receiver; another one is waiting on it already")
            waiter = self._waiter = asyncio.get_running_loop().create_future()
            try:
                await waiter
            finally:
                if self._waiter is waiter:
                    self._waiter = None
        return self._items.popleft()

    def drain(self) -> list[T]:
        """All items that are there now, oldest first; never waits."""
        items = list(self._items)
        self._items.clear()
        return items


class Event:
    """Something that happens once; `set` wakes the waiting in the order in which they came."""

    __slots__ = ("_happened", "_waiters")

    def __init__(self) -> None:
        self._happened = False
        self._waiters: list[asyncio.Future[None]] = []

    def set(self) -> None:
        self._happened = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def is_set(self) -> bool:
        return self._happened

    async def wait(self) -> None:
        if self._happened:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)

    def __bool__(self) -> NoReturn:
        raise TypeError("an event has no truth value: ask is_set(), or wait()")


class Deadline:
    """The scope that `deadline` makes; entered once. It counts cancellations as `asyncio.timeout` does."""

    __slots__ = ("_cancels", "_is_over", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds, self._is_over = seconds, False

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # whoever awaits is in one
        self._task, self._cancels = task, task.cancelling()  # those from further out
        when = loop.time() + self._seconds
        is_due = when <= loop.time()
        self._timer = loop.call_soon(self._expire) if is_due else loop.call_at(when, self._expire)

    def _expire(self) -> None:
        self._is_over = True
        self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        del self._timer  # else the two hold each other
        is_own = self._is_over and self._task.uncancel() <= self._cancels
        if is_own and isinstance(error, asyncio.CancelledError):
            raise DeadlineExceeded(self._seconds) from None


def deadline(seconds: float) -> Deadline:
    """Cancel what is inside `async with` after `seconds` and raise DeadlineExceeded.

    A cancellation from outside, and the expiry of a deadline further out, pass through unchanged. An error
    that the work raises while it is being cancelled is raised instead.
    """
    return Deadline(seconds)


class TaskGroup:
    """Work that lives no longer than the `async with` block.

    The first failure, in a task or in the block, cancels the rest, in the order in which they were started.
    A single error is raised as itself, several as an ExceptionGroup in the order in which they happened.
    Cancelling the block cancels the tasks and waits for them; errors that they raise meanwhile go first.
    """

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[Any], None] = {}
        self._errors: list[BaseException] = []
        self._parent: asyncio.Task[Any] | None = None
        self._emptied: asyncio.Future[None] | None = None  # waited on while leaving
        self._ending = self._left = self._interrupted = False

    async def __aenter__(self) -> TaskGroup:
        self._parent = asyncio.current_task()
        return self

    def start(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Run `work` beside the caller; in a group that is ending it is cancelled before it begins.

        Raises RuntimeError outside the block.
        """
        if self._parent is None or self._left:
            work.close()
            raise RuntimeError("work can only be started inside the group's `async with` block")
        try:
            task = self._parent.get_loop().create_task(work, name=name or None)
        except RuntimeError:  # the loop is closed: nobody will ever run it
            work.close()
            raise
        self._running[task] = None
        task.add_done_callback(self._finished)
        if self._ending:
            task.cancel()
        return task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._parent is not None
        cancelled = isinstance(error, asyncio.CancelledError)
        if error is not None:
            self._end()
        cancelled = await self._wait_for_all() or cancelled
        self._left = True
        if self._interrupted:
            self._parent.uncancel()
        if error is not None and not isinstance(error, asyncio.CancelledError):
            self._errors.append(error)
        self._raise(error, cancelled)

    async def _wait_for_all(self) -> bool:
        """True when the block was cancelled from outside meanwhile."""
        cancelled = False
        while self._running:
            self._emptied = asyncio.get_running_loop().create_future()
            try:
                await self._emptied
            except asyncio.CancelledError:
                cancelled = True
                self._end()
        return cancelled

    def _raise(self, error: BaseException | None, cancelled: bool) -> None:
        errors, self._errors = self._errors, []
        try:
            if len(errors) > 1:
                raise BaseExceptionGroup("several tasks failed", errors) from None
            if errors and errors[0] is not error:
                raise errors[0] from errors[0].__cause__
            if not errors and cancelled and error is None:
                raise asyncio.CancelledError
        finally:
            del (
                errors,
                error,
            )  # else its traceback and this frame hold each other

    def _end(self) -> None:
        self._ending = True
        for task in self._running:
            if not task.done():
                task.cancel()

    def _finished(self, task: asyncio.Task[Any]) -> None:
        del self._running[task]
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self._errors.append(failure)
            self._interrupt()
        if self._emptied is not None and not self._running and not self._emptied.done():
            self._emptied.set_result(None)

    def _interrupt(self) -> None:
        """A task failed: cancel the others, and the block if it still runs."""
        if self._ending:
            return
        self._end()
        if self._emptied is None:
            assert self._parent is not None
            self._interrupted = True
            self._parent.cancel()
