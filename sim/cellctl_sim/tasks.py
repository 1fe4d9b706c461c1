"""Tasks of the virtual loop: stock asyncio tasks that hash by order of creation, and what may be asked about them.

The hash matters because asyncio keeps tasks in sets: hashed by address, a group that fails would cancel its tasks in
another order each run.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextvars import Context
from types import CodeType, FrameType
from typing import Any, Generic, TypeVar

from cellctl_sim.life import LIFE, Life

T = TypeVar("T")


class VirtualTask(asyncio.Task[T], Generic[T]):
    """A task with its number; `life` is the node's life that it belongs to, None for the world's own."""

    def __init__(
        self,
        coro: Coroutine[Any, Any, T],
        loop: asyncio.AbstractEventLoop,
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
        """The exception of a task that failed when nobody has looked at it, once."""
        if not (self.done() and self._log_traceback):
            return None
        self._log_traceback = False
        return self.exception()


def describe_waits(tasks: Iterable[VirtualTask[Any]]) -> str:
    """What every task waits for, one line each; tasks of ended lives are left out."""
    lines = [
        f"  {_who(task)} waits in {_where(task)}"
        for task in tasks
        if task.life is None or not task.life.ended
    ]
    return "\n".join(["these tasks wait:", *lines]) if lines else "no task is left"


def _who(task: VirtualTask[Any]) -> str:
    node = f"{task.life.node}: " if task.life is not None else ""
    return f"{node}{task.get_name()}"


def _where(task: VirtualTask[Any]) -> str:
    """The awaiting calls of a task, outermost first: `run (line.py:12) > receive (tasks.py:30)`."""
    places = []
    awaited: object = task.get_coro()
    while awaited is not None:
        code, frame = (
            _first(awaited, "cr_code", "gi_code", "ag_code"),
            _first(awaited, "cr_frame", "gi_frame", "ag_frame"),
        )
        if isinstance(frame, FrameType) and isinstance(code, CodeType):
            places.append(f"{code.co_qualname} ({os.path.basename(code.co_filename)}:{frame.f_lineno})")
        awaited = _first(awaited, "cr_await", "gi_yieldfrom", "ag_await")
    return " > ".join(places) or "nothing: it has ended"


def _first(owner: object, *names: str) -> object:
    """The first of these attributes that is there and not None."""
    return next((value for name in names if (value := getattr(owner, name, None)) is not None), None)


CLOSINGS = 100  # how often a coroutine that waits again while it is closed is closed again


def dispose(tasks: Sequence[VirtualTask[Any]], generators: Sequence[AsyncGenerator[Any, Any]]) -> None:
    """Close the coroutines of unfinished tasks quietly, newest first; what they raise on the way out is nobody's."""
    for task in reversed(tasks):
        task._log_destroy_pending = False  # they are meant to be unfinished
        coroutine = task.get_coro()
        if coroutine is not None:
            _close(coroutine.close)
    for generator in reversed(generators):
        _close(lambda generator=generator: generator.aclose().send(None))  # type: ignore[misc]


def _close(close: Callable[[], object]) -> None:
    for _ in range(CLOSINGS):
        try:
            close()
        except RuntimeError:  # it waited instead of ending
            continue
        except BaseException:  # noqa: S110
            pass
        return
