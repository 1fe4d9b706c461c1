"""What may be asked about unfinished tasks: where each of them waits; and how they are put away in the end."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from types import CodeType, FrameType
from typing import Any

from cellctl_sim.tasks import AnyTask


def describe_waits(tasks: Iterable[AnyTask]) -> str:
    """What every task waits for, one line each; tasks of ended lives are left out."""
    lines = [
        f"  {_who(task)} waits in {_where(task)}"
        for task in tasks
        if task.life is None or not task.life.ended
    ]
    return "\n".join(["these tasks wait:", *lines]) if lines else "no task is left"


def _who(task: AnyTask) -> str:
    node = f"{task.life.node}: " if task.life is not None else ""
    return f"{node}{task.get_name()}"


def _where(task: AnyTask) -> str:
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


def dispose(tasks: Sequence[AnyTask], generators: Sequence[AsyncGenerator[Any, Any]]) -> None:
    """Close the coroutines of unfinished tasks quietly, newest first; what they raise on the way out is nobody's."""
    for task in reversed(tasks):
        task.leave_unfinished()
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
