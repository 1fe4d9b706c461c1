"""Many kills from one run: up to its kill, each is the same undisturbed run, so that is run once, and the process
splits (fork) at each step before which somebody is to be killed. The copy goes on with it and tells what came of it.

A kill comes to the same as in a run of its own, to the last event: a copy differs in nothing but the kill.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from cellctl.line.model import Line
from cellctl_sim.aimed_kills import StepKill
from cellctl_sim.assassin import Assassin
from cellctl_sim.crash_search import Trial
from cellctl_sim.universe import Universe

Stage = Callable[[Universe], None]


def may_split() -> bool:
    """Whether this process has a single thread, those of a BLAS included: only such a one can be copied whole."""
    threads = Path("/proc/self/task")
    return hasattr(os, "fork") and threads.is_dir() and len(list(threads.iterdir())) == 1


def split_run(
    line: Line, kills: Sequence[StepKill], run: Callable[[Stage], Trial], tell: Callable[[Trial], bytes]
) -> dict[StepKill, bytes]:
    """What `tell` makes of the trial of each kill. `run(stage)` is the undisturbed run, prepared by `stage`.

    A kill is missing where the run ends before its step, or its copy ended without a word.
    """
    split = _Split(line, kills)
    try:
        trial = run(split.prepare)
    except _AllTold:
        return split.told
    except BaseException:
        if split.is_copy:
            os._exit(1)
        raise
    if split.is_copy:
        split.end(tell, trial)
    return split.told


class _AllTold(BaseException):
    """The run need not go on: every kill is tried."""


class _Split:
    """The run that is copied, or one of its copies."""

    def __init__(self, line: Line, kills: Sequence[StepKill]) -> None:
        self._line = line
        self._waiting = sorted(kills, key=lambda kill: kill.step)
        self._mouth = -1  # of a copy: where it tells
        self.told: dict[StepKill, bytes] = {}

    @property
    def is_copy(self) -> bool:
        return self._mouth >= 0

    def prepare(self, universe: Universe) -> None:
        """Have the run split at every kill."""
        for kill in self._waiting:
            universe.at_step(kill.step, partial(self._split, universe, kill))

    def _split(self, universe: Universe, kill: StepKill) -> None:
        if self.is_copy:
            return
        self._waiting.remove(kill)
        ear, mouth = os.pipe()
        copy = os.fork()
        if not copy:
            os.close(ear)
            self._mouth = mouth
            universe.loop.go_on_in_copy()
            Assassin(universe, self._line, [kill])
            return
        os.close(mouth)
        said = _hear(ear, copy)
        if said:
            self.told[kill] = said
        if not self._waiting:
            raise _AllTold

    def end(self, tell: Callable[[Trial], bytes], trial: Trial) -> NoReturn:
        """The end of a copy: nothing of it but its word goes on."""
        try:
            with open(self._mouth, "wb") as mouth:
                mouth.write(tell(trial))
        finally:
            os._exit(0)


def _hear(ear: int, copy: int) -> bytes:
    """All that a copy says; it has ended then."""
    try:
        with open(ear, "rb") as pipe:
            said = pipe.read()
    finally:
        _, status = os.waitpid(copy, 0)
    return said if status == 0 else b""
