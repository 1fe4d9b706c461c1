"""Programs for any loop of asyncio: who waits for what, and who goes on when."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from loop_stories import Program, Say, failing, sleeper


async def gathers(say: Say) -> None:
    say(await asyncio.gather(sleeper(say, "a", 2), sleeper(say, "b", 1)))
    say(await asyncio.gather(failing(say, 1), sleeper(say, "c", 2), return_exceptions=True))


async def waits_for_the_first(say: Say) -> None:
    tasks = [asyncio.create_task(sleeper(say, name, seconds)) for name, seconds in (("a", 3), ("b", 1))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    say((sorted(task.result() for task in done), len(pending)))
    say(await tasks[0])


async def takes_turns(say: Say) -> None:
    async def turn(name: str) -> None:
        for number in range(3):
            say(f"{name}{number}")
            await asyncio.sleep(0)

    await asyncio.gather(turn("a"), turn("b"), turn("c"))


async def passes_through_queues_and_locks(say: Say) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(2)
    lock = asyncio.Lock()

    async def producer() -> None:
        for number in range(5):
            await queue.put(number)
            await asyncio.sleep(0.25)

    async def consumer(name: str) -> None:
        while True:
            number = await queue.get()
            async with lock:
                await asyncio.sleep(1)
                say(f"{name} took {number}")
            queue.task_done()

    consumers = [asyncio.create_task(consumer(name)) for name in "xy"]
    await producer()
    await queue.join()
    for task in consumers:
        task.cancel()
    say(await asyncio.gather(*consumers, return_exceptions=True))


async def keeps_contexts_apart(say: Say) -> None:
    variable = contextvars.ContextVar("variable", default="none")

    async def child(value: str) -> None:
        variable.set(value)
        await asyncio.sleep(1)
        say(variable.get())
        asyncio.get_running_loop().call_later(1, lambda: say(f"called with {variable.get()}"))

    await asyncio.gather(child("one"), child("two"))
    await asyncio.sleep(2)
    say(variable.get())


async def runs_callbacks_in_order(say: Say) -> None:
    loop = asyncio.get_running_loop()
    late = loop.call_later(2, say, "never")
    loop.call_later(1, say, "later")
    loop.call_soon(say, "soon")
    loop.call_at(loop.time() + 3, say, "at")
    late.cancel()
    say(late.cancelled())
    await asyncio.sleep(4)


async def closes_a_generator_it_leaves(say: Say) -> None:
    async def numbers() -> Any:
        try:
            for number in range(5):
                yield number
                await asyncio.sleep(1)
        finally:
            say("closed")

    generator = numbers()
    async for number in generator:
        say(number)
        if number == 2:
            break
    await generator.aclose()


async def waits_for_many_things_at_once(say: Say) -> None:
    event, condition = asyncio.Event(), asyncio.Condition()

    async def waits(name: str) -> None:
        await event.wait()
        async with condition:
            await condition.wait()
            say(name)

    tasks = [asyncio.create_task(waits(name)) for name in "abc"]
    await asyncio.sleep(1)
    event.set()
    await asyncio.sleep(1)
    async with condition:
        condition.notify(2)
    await asyncio.sleep(1)
    tasks[2].cancel()
    say(await asyncio.gather(*tasks, return_exceptions=True))


async def shares_a_future(say: Say) -> None:
    shared = asyncio.get_running_loop().create_future()
    foreign: asyncio.Future[str] = asyncio.Future()

    async def waits(name: str) -> None:
        say((name, await shared))
        say((name, await foreign, asyncio.current_task().get_name()))  # type: ignore[union-attr]

    shared.add_done_callback(lambda _: asyncio.get_running_loop().call_soon(say, "called first"))
    shared.add_done_callback(lambda _: say("called"))
    tasks = [asyncio.create_task(waits(name), name=name) for name in "ab"]
    await asyncio.sleep(0)
    shared.add_done_callback(lambda _: say("called"))
    tasks.append(asyncio.create_task(waits("c"), name="c"))
    await asyncio.sleep(1)
    shared.set_result("there")
    await asyncio.sleep(1)
    foreign.set_result("abroad")
    await asyncio.gather(*tasks)


async def gets_the_error_of_what_it_waits_for(say: Say) -> None:
    task = asyncio.create_task(failing(say, 1))

    async def waits() -> None:
        try:
            await task
        except ValueError as error:
            say(repr(error))

    await asyncio.gather(waits(), waits())
    say(repr(task.exception()))


async def waits_for_what_cannot_be_waited_for(say: Say) -> None:
    class Odd:
        def __await__(self) -> Any:
            yield "nothing of the kind"

    async def waits_for_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        await task

    async def waits_for_something_odd() -> None:
        await Odd()

    for program in (waits_for_itself, waits_for_something_odd):
        try:
            await asyncio.create_task(program())
        except RuntimeError as error:
            say(str(error).split(":")[0])


WAITING: list[Program] = [
    gathers,
    waits_for_the_first,
    takes_turns,
    passes_through_queues_and_locks,
    keeps_contexts_apart,
    runs_callbacks_in_order,
    closes_a_generator_it_leaves,
    waits_for_many_things_at_once,
    shares_a_future,
    gets_the_error_of_what_it_waits_for,
    waits_for_what_cannot_be_waited_for,
]
