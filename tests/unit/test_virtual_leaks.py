"""Real time, real chance and threads do not get into a simulated process unnoticed."""

from __future__ import annotations

import os
import random
import secrets
import threading
import time
import uuid
from collections.abc import Callable

import pytest

from cellctl_sim.leaks import RealWorldLeak
from cellctl_sim.loop import UnhandledError
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Universe

LEAKS: list[Callable[[], object]] = [
    lambda: time.time(),
    lambda: time.monotonic(),
    lambda: time.perf_counter(),
    lambda: time.sleep(0),
    lambda: random.random(),
    lambda: random.choice("ab"),
    lambda: os.urandom(4),
    lambda: uuid.uuid4(),
    lambda: secrets.token_hex(),
    lambda: threading.Thread(target=print).start(),
]


def run(call: Callable[[], object]) -> None:
    async def main(runtime: SimRuntime) -> None:
        await runtime.sleep(1.0)
        call()

    with Universe() as universe:
        universe.start("belt", main)
        universe.run(2.0)


@pytest.mark.parametrize("number", range(len(LEAKS)))
def test_a_process_that_asks_the_real_world_fails_and_is_told_where(number: int) -> None:
    with pytest.raises(UnhandledError) as raised:
        run(LEAKS[number])
    assert isinstance(raised.value.__cause__, RealWorldLeak)
    assert "belt called" in str(raised.value.__cause__)
    assert f"{__file__}:" in str(raised.value.__cause__)


def test_the_standard_library_may_do_so_for_itself() -> None:
    run(lambda: random.Random(7).random())
    run(lambda: threading.Event().wait(0.0))


def test_the_world_outside_the_processes_may_and_so_may_everybody_afterwards() -> None:
    asked: list[float] = []
    real = time.time
    with Universe() as universe:
        universe.at(1.0, lambda: asked.append(time.time()))
        universe.run(2.0)
    assert asked
    assert time.time is real
