"""The virtual loop: its time, its steps, and how it ends when something is wrong."""

from __future__ import annotations

import asyncio

import pytest
from loop_stories import failing, new_loop, sleeper

from cellctl_sim.loop import Deadlock, Stuck, UnhandledError


def test_a_task_whose_error_nobody_saw_says_so_when_it_goes_away() -> None:
    loop = new_loop()

    async def main() -> None:
        for _ in range(200):  # so many that the loop lets go of those that are done
            asyncio.create_task(failing(lambda _: None, 0))  # noqa: RUF006
            await asyncio.sleep(0.01)

    with pytest.raises(UnhandledError, match="never retrieved"):
        loop.run_until_complete(main())
    assert loop.time() < 1.9  # long before the end
    loop.close()


def test_timers_of_one_instant_run_in_the_order_in_which_they_were_set() -> None:
    loop = new_loop()
    order: list[int] = []

    async def main() -> None:
        for number in range(50):
            loop.call_at(1.0, order.append, number)
        await asyncio.sleep(1)

    loop.run_until_complete(main())
    assert order == list(range(50))


def test_the_time_is_exactly_the_sum_of_what_was_slept() -> None:
    loop = new_loop()

    async def main() -> None:
        for _ in range(10_000):
            await asyncio.sleep(0.1)

    loop.run_until_complete(main())
    assert loop.now == 1000 * 10**9
    assert loop.time() == 1000.0


def test_a_duration_is_rounded_to_one_microsecond_and_never_to_nothing() -> None:
    loop = new_loop()

    async def main() -> list[int]:
        await asyncio.sleep(0.1 + 0.2)
        first = loop.now
        await asyncio.sleep(1e-12)
        return [first, loop.now]

    assert loop.run_until_complete(main()) == [300_000_000, 300_001_000]


def test_a_deadlock_says_what_every_task_waits_for() -> None:
    loop = new_loop()

    async def waits_in_vain() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        await asyncio.create_task(waits_in_vain(), name="hopeful")

    with pytest.raises(
        Deadlock, match=r"hopeful waits in .*waits_in_vain \(test_virtual_loop.py:\d+\) > Event.wait"
    ):
        loop.run_until_complete(main())
    loop.close()


def test_a_program_that_turns_in_a_circle_is_stopped() -> None:
    loop = new_loop()

    async def main() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Stuck, match="time stands still at 0 s"):
        loop.run_until_complete(main())
    loop.close()


def test_an_exception_in_a_callback_ends_the_run() -> None:
    loop = new_loop()

    async def main() -> None:
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(main())
    loop.close()


def test_an_exception_in_a_task_that_nobody_awaits_ends_the_run() -> None:
    loop = new_loop()

    async def main() -> None:
        asyncio.create_task(failing(lambda _: None, 1))  # noqa: RUF006
        await asyncio.sleep(2)

    with pytest.raises(UnhandledError, match="never retrieved") as raised:
        loop.run_until_complete(main())
    assert isinstance(raised.value.__cause__, ValueError)
    loop.close()


def test_threads_are_refused() -> None:
    loop = new_loop()
    with pytest.raises(RuntimeError, match="no threads"):
        loop.run_until_complete(asyncio.to_thread(print))
    loop.close()


def test_cancelled_deadlines_do_not_pile_up() -> None:
    loop = new_loop()

    async def main() -> None:
        for _ in range(1000):
            async with asyncio.timeout(3600):
                await asyncio.sleep(0.001)

    loop.run_until_complete(main())
    assert len(loop._timers) < 100


def test_closing_the_loop_puts_waiting_tasks_away_without_a_word() -> None:
    loop = new_loop()
    said: list[object] = []

    async def main() -> None:
        asyncio.create_task(sleeper(said.append, "a", 5))  # noqa: RUF006
        await asyncio.sleep(1)

    loop.run_until_complete(main())
    loop.close()
    assert said == ["a sleeps", "a finally"]


def test_a_call_between_two_steps_comes_just_before_that_step() -> None:
    loop = new_loop()
    steps: list[int] = []
    loop.call_at_step(7, lambda: steps.append(loop.steps))

    async def main() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert steps == [7]
