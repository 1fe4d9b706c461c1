"""Programs for any loop of asyncio: what is cancelled, by whom, and what becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any

from loop_stories import Program, Say, failing, sleeper


async def cancels_a_sleeping_task(say: Say) -> None:
    task = asyncio.create_task(sleeper(say, "a", 5))
    await asyncio.sleep(1)
    say(task.cancel("enough"))
    try:
        await task
    except asyncio.CancelledError as error:
        say(error.args)
    say((task.cancelled(), task.cancel()))


async def cancels_a_task_before_it_began(say: Say) -> None:
    task = asyncio.create_task(sleeper(say, "a", 5))
    task.cancel()
    say(await asyncio.gather(task, return_exceptions=True))


async def goes_on_after_a_cancellation(say: Say) -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            say("not yet")
            await asyncio.sleep(1)
        return "stubborn"

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(1)
    task.cancel()
    say(await task)


async def times_out(say: Say) -> None:
    try:
        async with asyncio.timeout(2):
            await sleeper(say, "a", 5)
    except TimeoutError:
        say("too late")
    async with asyncio.timeout(2):
        await sleeper(say, "b", 1)
    await asyncio.sleep(3)


async def times_out_within_a_timeout(say: Say) -> None:
    try:
        async with asyncio.timeout(2) as outer:
            try:
                async with asyncio.timeout(3) as inner:
                    await sleeper(say, "a", 5)
            finally:
                say((outer.expired(), inner.expired()))
    except TimeoutError:
        say((outer.expired(), inner.expired()))


async def puts_a_deadline_off(say: Say) -> None:
    async with asyncio.timeout(2) as scope:
        await asyncio.sleep(1)
        scope.reschedule(asyncio.get_running_loop().time() + 4)
        await sleeper(say, "a", 3)


async def waits_for_what_comes_in_time_and_what_does_not(say: Say) -> None:
    say(await asyncio.wait_for(sleeper(say, "a", 1), 2))
    try:
        await asyncio.wait_for(sleeper(say, "b", 5), 2)
    except TimeoutError:
        say("too late")


async def fails_in_a_group(say: Say) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(sleeper(say, f"t{number}", 5))
            group.create_task(failing(say, 1))
            await sleeper(say, "body", 3)
    except* ValueError as errors:
        say(errors.exceptions)


async def is_cancelled_with_its_group(say: Say) -> None:
    async def grouped() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper(say, "a", 5))
            group.create_task(sleeper(say, "b", 6))

    task = asyncio.create_task(grouped())
    await asyncio.sleep(1)
    task.cancel()
    say(await asyncio.gather(task, return_exceptions=True))


async def shields_work_from_cancellation(say: Say) -> None:
    inner = asyncio.create_task(sleeper(say, "inner", 3))

    async def outer() -> None:
        await asyncio.shield(inner)

    task = asyncio.create_task(outer())
    await asyncio.sleep(1)
    task.cancel()
    say(await asyncio.gather(task, return_exceptions=True))
    say(await inner)


async def counts_cancellations(say: Say) -> None:
    async def patient() -> None:
        task = asyncio.current_task()
        assert task is not None
        for _ in range(2):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                say((task.cancelling(), task.uncancel()))
        task.cancel()
        task.uncancel()
        await asyncio.sleep(1)
        say("went on")  # from Python 3.13 on a cancellation that was taken back is not delivered

    task = asyncio.create_task(patient())
    for _ in range(2):
        await asyncio.sleep(1)
        task.cancel()
        task.cancel()
    say(await asyncio.gather(task, return_exceptions=True))
    say(task.cancelling())


async def is_cancelled_when_its_result_is_there(say: Say) -> None:
    loop = asyncio.get_running_loop()
    result = loop.create_future()

    async def waits() -> None:
        try:
            say(await result)
        finally:
            say("over")

    task = asyncio.create_task(waits())
    await asyncio.sleep(1)
    result.set_result("a result")
    say(task.cancel())
    say(await asyncio.gather(task, return_exceptions=True))


async def is_cancelled_in_its_last_step(say: Say) -> None:
    async def ends() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return "a result"

    task = asyncio.create_task(ends())
    await asyncio.wait([task])
    say((task.cancelled(), task.done()))


async def fails_in_a_group_within_a_group(say: Say) -> None:
    async def inner() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(failing(say, 1))
            group.create_task(sleeper(say, "inner", 5))

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(inner())
            group.create_task(sleeper(say, "outer", 5))
    except* ValueError as errors:
        say([str(error) for error in errors.exceptions])


async def is_cancelled_in_a_generator(say: Say) -> None:
    async def numbers() -> Any:
        try:
            for number in range(5):
                yield number
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(1)
            say("closed")

    async def reads() -> None:
        async for number in numbers():
            say(number)

    task = asyncio.create_task(reads())
    await asyncio.sleep(1.5)
    task.cancel()
    say(await asyncio.gather(task, return_exceptions=True))


CANCELLING: list[Program] = [
    cancels_a_sleeping_task,
    cancels_a_task_before_it_began,
    goes_on_after_a_cancellation,
    times_out,
    times_out_within_a_timeout,
    puts_a_deadline_off,
    waits_for_what_comes_in_time_and_what_does_not,
    fails_in_a_group,
    is_cancelled_with_its_group,
    shields_work_from_cancellation,
    counts_cancellations,
    is_cancelled_when_its_result_is_there,
    is_cancelled_in_its_last_step,
    fails_in_a_group_within_a_group,
    is_cancelled_in_a_generator,
]
