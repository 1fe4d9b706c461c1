"""In-memory links: waiting for a change gives what plain polling gives, with a few of its requests."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import pytest
from links_bench import (
    Island,
    NotifyingIsland,
    run,
    with_registers,
    world,
)

from cellctl.errors import (
    DeadlineExceeded,
    DeviceSilent,
)
from cellctl.runtime import Registers, Table
from cellctl_sim.devices.protocols import ConnectionCut, NoAnswer
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Main


def waits_for(number: int, value: int, every: float) -> Main:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def inputs() -> tuple[int, ...]:
            return await link.read(1, Table.DISCRETE, 0, 8)

        await link.until(inputs, lambda bits: bits[number] == value, every)
        runtime.log.info(f"input {number} is {value}")

    return with_registers(work)


def test_a_wait_ends_at_the_first_polling_instant_after_the_change_and_asks_but_a_few_times() -> None:
    island = Island(changes=[(10.0, 3, 1)])
    said = run(world(island), waits_for(3, 1, every=0.02))
    assert said == ["10.018000 input 3 is 1"]  # the 477th poll begins at 10.017 s; they are 21 ms apart
    assert island.asked <= 4


def test_a_wait_sees_what_another_process_does() -> None:
    async def acts(runtime: SimRuntime, link: Registers) -> None:
        await runtime.sleep(3.0)
        await link.write(1, Table.COILS, 7, [1])

    island = NotifyingIsland()
    said = run(world(island), waits_for(7, 1, every=0.02), with_registers(acts))
    assert said == ["3.025000 input 7 is 1"]  # written at 3.001, shown at 3.006, asked at 3.024


def test_a_wait_keeps_a_watchdog_fed_and_a_wait_that_is_given_up_does_not() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def inputs() -> tuple[int, ...]:
            return await link.read(1, Table.DISCRETE, 0, 8)

        await link.write(1, Table.COILS, 0, [1])
        with pytest.raises(DeadlineExceeded):
            async with runtime.deadline(5.0):
                await link.until(inputs, lambda bits: bits[0] == 1, 0.1)
        assert await link.read(1, Table.COILS, 0, 1) == (1,)
        await runtime.sleep(5.0)
        assert await link.read(1, Table.COILS, 0, 1) == (0,)
        runtime.log.info("fed, then not")

    island = NotifyingIsland(watchdog=1.0)
    assert len(run(world(island), with_registers(work))) == 1
    assert island.asked < 10


def test_after_a_wait_that_came_true_the_watchdog_counts_again() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def inputs() -> tuple[int, ...]:
            return await link.read(1, Table.DISCRETE, 0, 8)

        await link.write(1, Table.COILS, 0, [1])
        await link.until(inputs, lambda bits: bits[3] == 1, 0.1)
        await runtime.sleep(5.0)
        await link.read(1, Table.COILS, 0, 1)

    island = NotifyingIsland(changes=[(4.05, 3, 1)], watchdog=1.0)
    run(world(island), with_registers(work))
    assert island.expired == [5.143]  # the last poll was answered at 4.143 s


def test_a_wait_for_something_that_is_no_device_is_plain_polling() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def clock() -> float:
            return runtime.now()

        await link.until(clock, lambda now: now > 1.0, 0.3)
        runtime.log.info("over")

    assert run(world(), with_registers(work)) == ["1.200000 over"]


def busy_cell(seed: int) -> tuple[Island, list[Main]]:
    """An island whose inputs change at random times, processes that wait for them, and one that writes now and then."""
    numbers = random.Random(seed)
    changes = sorted(
        (
            round(numbers.uniform(0.0, 20.0), numbers.choice([3, 6])),
            numbers.randrange(7),
            numbers.randrange(2),
        )
        for _ in range(20)
    )
    watchdog = numbers.choice([0.05, 0.7, 3.0, math.inf])
    island = NotifyingIsland(changes=changes, watchdog=watchdog, late=numbers.choice([0.0, 0.0041]))
    fault = numbers.uniform(2.0, 15.0), numbers.choice([NoAnswer, ConnectionCut])
    island.troubles = (round(fault[0], 6), round(fault[0] + numbers.choice([0.004, 0.4, 1.5]), 6))
    island.trouble = lambda t: fault[1]() if island.troubles[0] <= t < island.troubles[1] else None

    def waiter(number: int, every: float, patience: float) -> Main:
        async def work(runtime: SimRuntime, link: Registers) -> None:
            async def inputs() -> tuple[int, ...]:
                return await link.read(1, Table.DISCRETE, 0, 8)

            for value in (1, 0) * 10:
                try:
                    async with runtime.deadline(patience):
                        seen = await link.until(inputs, lambda bits: bits[number] == value, every)  # noqa: B023
                    runtime.log.info(f"{runtime.name} saw {seen}")
                    await link.write(1, Table.COILS, number, [value])
                except (DeadlineExceeded, DeviceSilent) as error:
                    runtime.log.info(f"{runtime.name} gave up: {error}")
                    await runtime.sleep(0.1)

        return with_registers(work)

    def writer(pauses: Iterable[float]) -> Main:
        async def work(runtime: SimRuntime, link: Registers) -> None:
            for count, pause in enumerate(pauses):
                await runtime.sleep(pause)
                try:
                    await link.write(1, Table.COILS, 7, [count % 2])
                    runtime.log.info(f"outputs {await link.read(1, Table.COILS, 0, 8)}")
                except DeviceSilent:
                    runtime.log.info("outputs unknown")

        return with_registers(work)

    periods = [numbers.choice([0.005, 0.01, 0.02, 0.1]) for _ in range(7)]
    waiters = [waiter(number, period, numbers.uniform(0.5, 4.0)) for number, period in enumerate(periods)]
    return island, [*waiters, writer([numbers.uniform(0.1, 1.5) for _ in range(15)])]


@pytest.mark.parametrize("seed", range(12))
def test_waiting_gives_the_trace_of_plain_polling(seed: int) -> None:
    told, asked, traces = [], [], []
    for plainly in (False, True):
        island, mains = busy_cell(seed)
        universe = world(island, plainly=plainly)
        told.append(
            sorted(run(universe, *mains, until=25.0))
        )  # what coincides to the nanosecond has no order
        asked.append(island.asked)
        traces.append(sorted(universe.trace.lines().splitlines()))
    assert told[0] == told[1]
    assert traces[0] == traces[1]
    assert len(told[0]) > 50
    assert asked[0] < asked[1] / 2
