"""The task group on the stock loop; where asyncio has the same thing it is the oracle."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from turns import turns

from cellctl.errors import DeadlineExceeded
from cellctl.live.tasks import TaskGroup, deadline


async def fail_after(count: int, error: BaseException) -> None:
    await turns(count)
    raise error


def test_leaving_a_group_waits_for_its_tasks() -> None:
    async def main() -> list[str]:
        done = []

        async def work() -> None:
            await turns(5)
            done.append("work")

        async with TaskGroup() as group:
            task = group.start(work())
            assert not task.done()
        assert task.done()
        return done

    assert asyncio.run(main()) == ["work"]


def test_a_single_failure_is_raised_as_itself_and_cancels_the_rest_in_order() -> None:
    cancelled = []

    async def main() -> None:
        async def work(number: int) -> None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                cancelled.append(number)
                raise

        async with TaskGroup() as group:
            for number in range(20):
                group.start(work(number))
            group.start(fail_after(3, ValueError("first")))
            await asyncio.sleep(10)

    with pytest.raises(ValueError, match="first"):
        asyncio.run(main())
    assert cancelled == list(range(20))


def test_several_failures_are_raised_together_in_the_order_in_which_they_happened() -> None:
    async def main() -> None:
        async def fail_when_cancelled() -> None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                raise KeyError("second") from None

        async with TaskGroup() as group:
            group.start(fail_when_cancelled())
            group.start(fail_after(3, ValueError("first")))

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(main())
    assert [type(error) for error in raised.value.exceptions] == [ValueError, KeyError]


def test_a_failure_of_the_block_itself_is_raised_unchanged() -> None:
    error = ValueError("block")

    async def main() -> None:
        async with TaskGroup() as group:
            group.start(asyncio.sleep(10))
            await turns(2)
            raise error

    with pytest.raises(ValueError, match="block") as raised:
        asyncio.run(main())
    assert raised.value is error


def test_the_cause_of_a_failure_stays_its_cause() -> None:
    async def fail() -> None:
        raise ValueError("ours") from OSError("theirs")

    async def main() -> None:
        async with TaskGroup() as group:
            group.start(fail())
            await asyncio.sleep(10)

    with pytest.raises(ValueError, match="ours") as raised:
        asyncio.run(main())
    assert isinstance(raised.value.__cause__, OSError)


def test_a_group_interrupted_by_a_failure_leaves_no_cancellation_behind() -> None:
    async def main() -> int:
        with contextlib.suppress(ValueError):
            async with TaskGroup() as group:
                group.start(fail_after(2, ValueError()))
                await asyncio.sleep(10)
        await turns(3)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(main()) == 0


def test_a_deadline_around_a_group_ends_its_tasks() -> None:
    async def main() -> None:
        async with deadline(0.01), TaskGroup() as group:
            group.start(asyncio.sleep(10))

    with pytest.raises(DeadlineExceeded):
        asyncio.run(main())


def test_a_cancelled_task_does_not_fail_its_group() -> None:
    async def main() -> None:
        async with TaskGroup() as group:
            group.start(asyncio.sleep(10)).cancel()

    asyncio.run(main())


def test_work_started_while_the_group_ends_never_begins() -> None:
    begun = []

    async def work() -> None:
        begun.append(True)

    async def main() -> None:
        async with TaskGroup() as group:

            async def start_late() -> None:
                try:
                    await asyncio.sleep(10)
                finally:
                    group.start(work())

            group.start(start_late())
            await turns(2)
            raise ValueError("block")

    with pytest.raises(ValueError, match="block"):
        asyncio.run(main())
    assert not begun


def test_work_started_after_the_block_is_refused() -> None:
    async def main() -> None:
        async with TaskGroup() as group:
            pass
        with pytest.raises(RuntimeError, match="inside"):
            group.start(turns(1))

    asyncio.run(main())


def scenarios() -> list[Callable[[Callable[[Coroutine[Any, Any, Any]], Any]], Awaitable[None]]]:
    """Blocks of a group, given its start; run in ours and in asyncio's, they must end alike."""

    async def quiet(start: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        start(turns(3))
        start(turns(1))

    async def child_fails(start: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        start(fail_after(2, ValueError("child")))
        start(asyncio.sleep(10))
        await asyncio.sleep(10)

    async def child_fails_while_leaving(start: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        start(fail_after(5, ValueError("child")))
        start(asyncio.sleep(10))

    async def block_and_child_fail(start: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        start(fail_after(0, ValueError("child")))
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise KeyError("block") from None

    async def block_swallows_the_cancellation(start: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        start(fail_after(0, ValueError("child")))
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(10)

    async def nested(start: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        async def inner() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail_after(1, ValueError("inner")))
                await asyncio.sleep(10)

        start(inner())
        start(asyncio.sleep(10))

    return [
        quiet,
        child_fails,
        child_fails_while_leaving,
        block_and_child_fail,
        block_swallows_the_cancellation,
        nested,
    ]


@pytest.mark.parametrize("cancel_after", [None, 0, 1, 2, 3, 4, 6, 9])
@pytest.mark.parametrize("block", scenarios(), ids=lambda block: block.__name__)
def test_a_group_ends_as_asyncio_s_own_does(
    block: Callable[..., Awaitable[None]], cancel_after: int | None
) -> None:
    async def in_ours() -> None:
        async with TaskGroup() as group:
            await block(group.start)

    async def in_theirs() -> None:
        async with asyncio.TaskGroup() as group:
            await block(group.create_task)

    async def outcome(run: Callable[[], Coroutine[Any, Any, None]]) -> str:
        task = asyncio.create_task(run())
        if cancel_after is not None:
            await turns(cancel_after)
            task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        assert done, "hangs"
        return "cancelled" if task.cancelled() else flat(task.exception())

    assert asyncio.run(outcome(in_ours)) == asyncio.run(outcome(in_theirs))


def flat(error: BaseException | None) -> str:
    """The errors in a possibly nested group, in order; ours does not wrap a single one."""
    if isinstance(error, BaseExceptionGroup):
        return " ".join(flat(inner) for inner in error.exceptions)
    return repr(error)
