"""What would bring real time, real chance or threads into a simulated process fails loudly while the loop runs.

Only code in a life of a node is held to it, not the plant, not the world, and not what the standard library does for
itself. A function that was imported by name before (`from time import time`), and `datetime.now`, are not caught: the
linter and the comparison of traces are there for those.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
import sysconfig
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from cellctl_sim.life import LIFE

GUARDED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "time": (
        time,
        ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"),
    ),
    "random": (random, ("random", "uniform", "randint", "randrange", "choice", "shuffle", "sample", "gauss")),
    "os": (os, ("urandom",)),
    "uuid": (uuid, ("uuid1", "uuid4")),
    "secrets": (secrets, ("token_bytes", "token_hex", "randbelow", "choice")),
    "threading.Thread": (threading.Thread, ("start",)),
}
STDLIB = sysconfig.get_path("stdlib") + os.sep
INSTALLED = os.sep + "site-packages" + os.sep


class RealWorldLeak(RuntimeError):
    """A simulated process asked the real world for time, chance or a thread."""


@contextmanager
def no_leaks() -> Iterator[None]:
    """Inside, simulated processes get none of these. Raises RealWorldLeak at the call."""
    real = [(owner, name, getattr(owner, name)) for owner, names in GUARDED.values() for name in names]
    for of, (owner, names) in GUARDED.items():
        for name in names:
            setattr(owner, name, _refused_in_a_life(getattr(owner, name), f"{of}.{name}"))
    try:
        yield
    finally:
        for owner, name, function in real:
            setattr(owner, name, function)


def _refused_in_a_life(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        life = LIFE.get()
        if life is not None:
            code, line = sys._getframe(1).f_code, sys._getframe(1).f_lineno
            if not code.co_filename.startswith(STDLIB) or INSTALLED in code.co_filename:
                raise RealWorldLeak(
                    f"{life.node} called {name} in {code.co_qualname} ({code.co_filename}:{line}); "
                    "in virtual time that would make every run another one. Ask the Runtime "
                    "(now, utc, sleep, random, tasks)."
                )
        return function(*args, **kwargs)

    return call
