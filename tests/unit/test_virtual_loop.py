"""The virtual loop against the stock one: the same programs, the same order of events, the same times.

The oracle is asyncio's own selector loop, whose selector is replaced by one that lets its clock jump. Each program also
runs on the virtual loop with CPython's own tasks, which must come to the same, step by step.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cellctl_sim.loop import Deadlock, Stuck, UnhandledError, VirtualLoop
from cellctl_sim.tasks import StockTask

Say = Callable[[object], None]
Program = Callable[[Say], Coroutine[Any, Any, Any]]


class JumpingSelector(selectors.DefaultSelector):
    """Never waits: what it would have waited is added to its loop's clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout:
            self.now += timeout
        return super().select(0)


class StockLoop(asyncio.SelectorEventLoop):
    """asyncio's loop with a jumping clock."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def new_loop() -> VirtualLoop:
    return VirtualLoop()  # type: ignore[abstract]


def with_stock_tasks() -> VirtualLoop:
    return VirtualLoop(StockTask)  # type: ignore[abstract]


def story(loop: asyncio.AbstractEventLoop, program: Program) -> list[str]:
    """What a program says, with the time [ms] at which it says it, and how it ends."""
    lines: list[str] = []

    def say(what: object) -> None:
        lines.append(f"{round(loop.time() * 1000)} {what}")

    try:
        say(loop.run_until_complete(program(say)))
    except Exception as error:
        say(repr(error))
    finally:
        loop.close()
    return lines


async def sleeper(say: Say, name: str, seconds: float) -> str:
    try:
        say(f"{name} sleeps")
        await asyncio.sleep(seconds)
        say(f"{name} woke")
    except asyncio.CancelledError:
        say(f"{name} cancelled")
        raise
    finally:
        say(f"{name} finally")
    return name


async def failing(say: Say, seconds: float) -> None:
    await asyncio.sleep(seconds)
    say("fails")
    raise ValueError("broken")


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


PROGRAMS: list[Program] = [
    counts_cancellations,
    is_cancelled_when_its_result_is_there,
    is_cancelled_in_its_last_step,
    fails_in_a_group_within_a_group,
    waits_for_many_things_at_once,
    shares_a_future,
    gets_the_error_of_what_it_waits_for,
    waits_for_what_cannot_be_waited_for,
    is_cancelled_in_a_generator,
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
    gathers,
    waits_for_the_first,
    takes_turns,
    passes_through_queues_and_locks,
    keeps_contexts_apart,
    runs_callbacks_in_order,
    closes_a_generator_it_leaves,
]


def in_group_order(lines: list[str]) -> list[str]:
    """The stock loop cancels the tasks of a group in any order; sort what they say of it."""
    return sorted(lines) if any("cancelled" in line for line in lines) else lines


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_tells_the_same_story_as_on_the_stock_loop(program: Program) -> None:
    told, expected = story(new_loop(), program), story(StockLoop(), program)
    assert in_group_order(told) == in_group_order(expected)
    assert len(told) > 1


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_goes_the_same_steps_with_the_tasks_of_cpython(program: Program) -> None:
    own, stock = new_loop(), with_stock_tasks()
    assert story(own, program) == story(stock, program)
    assert own.steps == stock.steps


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


def test_a_failing_group_cancels_its_tasks_in_the_same_order_each_time() -> None:
    stories = {tuple(story(new_loop(), fails_in_a_group)) for _ in range(10)}
    assert len(stories) == 1


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
