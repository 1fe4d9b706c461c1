"""What `VirtualLoop.create_future` gives: a future without callbacks where one task waits for it, as nearly always.

It keeps the protocol of `asyncio.Future`, so that stock primitives, groups and CPython's own tasks can use it. A
`VirtualTask` that waits for it is noted in it and is made ready with no callback in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from cellctl_sim.loop import VirtualLoop
    from cellctl_sim.tasks import VirtualTask

T = TypeVar("T")

Callback = Callable[[Any], object]


class VirtualFuture(Generic[T]):
    """A result to come. `off` once it has come, or was cancelled; `task` is who waits, where that is one task of ours.

    `seen` is set once somebody was given the error.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_error",
        "_number",
        "_result",
        "callbacks",
        "loop",
        "off",
        "seen",
        "task",
    )

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self._asyncio_future_blocking = self.off = False
        self.task: VirtualTask[Any] | None = None
        self.callbacks: list[tuple[Callback, Context | None]] | None = None
        self._result: T | None = None
        self._error: BaseException | None = None

    def __hash__(self) -> int:
        """By order of asking, never by address: asyncio keeps futures in sets."""
        try:
            return self._number
        except AttributeError:
            self._number: int = self.loop.number()
            return self._number

    def __repr__(self) -> str:
        state = "pending" if not self.off else f"failed {self._error!r}" if self._error else "done"
        return f"<future {state}>"

    def __await__(self) -> Generator[VirtualFuture[T], None, T]:
        if not self.off:
            self._asyncio_future_blocking = True
            yield self
        if self._error is not None:
            self.seen = True
            raise self._error
        return self._result  # type: ignore[return-value]  # it is set by now, or T is None

    __iter__ = __await__

    # --- what it came to --------------------------------------------------------------------------------------

    def done(self) -> bool:
        return self.off

    def cancelled(self) -> bool:
        return isinstance(self._error, asyncio.CancelledError)

    def result(self) -> T:
        error = self.exception()
        if error is not None:
            raise error
        return self._result  # type: ignore[return-value]  # it is set by now, or T is None

    def exception(self) -> BaseException | None:
        if not self.off:
            raise asyncio.InvalidStateError("it is not done yet")
        self.seen = True
        if isinstance(self._error, asyncio.CancelledError):
            raise self._error
        return self._error

    @property
    def _cancel_message(self) -> object:  # asked by `asyncio.gather`
        return self._error.args[0] if self.cancelled() and self._error and self._error.args else None

    def _make_cancelled_error(self) -> BaseException:  # asked by `asyncio.gather`
        return self._error if self._error is not None else asyncio.CancelledError()

    # --- ending it --------------------------------------------------------------------------------------------

    def set_result(self, result: T) -> None:
        if self.off:
            raise asyncio.InvalidStateError(f"it is done already: {self!r}")
        self._result = result
        self.off = True
        if self.task is not None:
            self.loop.ready.append(self.task)
        if self.callbacks is not None:
            self._call_back(self.callbacks)

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        if self.off:
            raise asyncio.InvalidStateError(f"it is done already: {self!r}")
        error = exception() if isinstance(exception, type) else exception
        if isinstance(error, StopIteration):
            raise TypeError(
                "StopIteration cannot be raised into a future; it would end the generator that awaits"
            )
        self._error = error
        self.finish()

    def cancel(self, msg: object = None) -> bool:
        """False when it is done already."""
        if self.off:
            return False
        self._error = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self.finish()
        return True

    def finish(self) -> None:
        """It is done, with None where nothing was set: who waits is made ready, in the order of coming."""
        self.off = True
        if self.task is not None:
            self.loop.ready.append(self.task)
        if self.callbacks is not None:
            self._call_back(self.callbacks)

    def _call_back(self, callbacks: list[tuple[Callback, Context | None]]) -> None:
        self.callbacks = None
        for callback, context in callbacks:
            if context is None:  # it makes a task ready
                callback(self)
            else:
                self.loop.call_soon(callback, self, context=context)

    def call_at_once(self, call: Callback) -> None:
        """Have `call(self)` called as soon as it is done, with no step of the loop between, after those before it."""
        if self.callbacks is None:
            self.callbacks = []
        self.callbacks.append((call, None))

    def add_done_callback(self, fn: Callback, *, context: Context | None = None) -> None:
        context = context if context is not None else copy_context()
        if self.off:
            self.loop.call_soon(fn, self, context=context)
        elif self.callbacks is None:
            self.callbacks = [(fn, context)]
        else:
            self.callbacks.append((fn, context))

    def remove_done_callback(self, fn: Callback) -> int:
        before = self.callbacks or []
        self.callbacks = [entry for entry in before if entry[0] != fn] or None
        return len(before) - len(self.callbacks or ())

    def get_loop(self) -> VirtualLoop:
        return self.loop
