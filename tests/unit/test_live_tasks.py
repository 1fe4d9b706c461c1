"""Channel, Event and deadline on the stock loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from turns import turns

from cellctl.errors import DeadlineExceeded
from cellctl.live.tasks import Channel, Event, TaskGroup, deadline

# --- channel ----------------------------------------------------------------------------------------------------


def test_a_channel_gives_items_in_the_order_in_which_they_were_sent() -> None:
    async def main() -> list[int]:
        channel: Channel[int] = Channel()
        for item in range(5):
            channel.send(item)
        return [await channel.receive() for _ in range(3)] + channel.drain()

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_a_waiting_receive_gets_the_next_item() -> None:
    async def main() -> str:
        channel: Channel[str] = Channel()
        waiting = asyncio.create_task(channel.receive())
        await turns(2)
        channel.send("puck")
        return await waiting

    assert asyncio.run(main()) == "puck"


@pytest.mark.parametrize("send_first", [True, False])
def test_a_receive_cancelled_in_the_turn_in_which_its_item_comes_loses_nothing(send_first: bool) -> None:
    async def main() -> list[int]:
        channel: Channel[int] = Channel()
        waiting = asyncio.create_task(channel.receive())
        await turns(2)
        both: list[Callable[[], object]] = [lambda: channel.send(7), waiting.cancel]
        for act in both if send_first else reversed(both):
            act()
        with contextlib.suppress(asyncio.CancelledError):
            return [await waiting]
        return channel.drain()

    assert asyncio.run(main()) == [7]


def test_an_item_whose_receiver_was_cancelled_goes_to_the_next_receiver() -> None:
    async def main() -> int:
        channel: Channel[int] = Channel()
        first = asyncio.create_task(channel.receive())
        await turns(2)
        channel.send(7)
        second = asyncio.create_task(channel.receive())
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await first
        async with asyncio.timeout(1):
            return await second

    assert asyncio.run(main()) == 7


def test_no_item_is_lost_or_doubled_while_deadlines_cut_receives_short() -> None:
    async def main() -> list[int]:
        channel: Channel[int] = Channel()
        count, cut = 1000, 0
        received: list[int] = []

        async def send() -> None:
            for item in range(count):
                channel.send(item)
                await asyncio.sleep(0.0001 if item % 7 else 0)

        sending = asyncio.create_task(send())
        while len(received) < count:
            try:
                async with deadline(0.0001):
                    received.append(await channel.receive())
            except DeadlineExceeded:
                cut += 1
        await sending
        assert cut > 20
        return received

    assert asyncio.run(main()) == list(range(1000))


def test_a_second_receiver_is_refused() -> None:
    async def main() -> None:
        channel: Channel[int] = Channel()
        waiting = asyncio.create_task(channel.receive())
        await turns(2)
        try:
            with pytest.raises(RuntimeError, match="one receiver"):
                await channel.receive()
        finally:
            waiting.cancel()

    asyncio.run(main())


# --- event ------------------------------------------------------------------------------------------------------


def test_an_event_wakes_the_waiting_in_the_order_in_which_they_came() -> None:
    async def main() -> list[str]:
        event, woken = Event(), []

        async def wait(name: str) -> None:
            await event.wait()
            woken.append(name)

        async with TaskGroup() as group:
            for name in "abc":
                group.start(wait(name))
            await turns(2)
            assert not event.is_set()
            event.set()
        assert event.is_set()
        await event.wait()
        return woken

    assert asyncio.run(main()) == ["a", "b", "c"]


def test_an_event_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="is_set"):
        bool(Event())


# --- deadline ---------------------------------------------------------------------------------------------------


def test_a_deadline_cancels_what_is_inside_and_names_its_seconds() -> None:
    cleaned = []

    async def main() -> None:
        async with deadline(0.01):
            try:
                await asyncio.sleep(10)
            finally:
                cleaned.append(True)

    with pytest.raises(DeadlineExceeded, match=r"0\.01 s") as raised:
        asyncio.run(main())
    assert raised.value.seconds == 0.01
    assert cleaned


def test_a_deadline_that_is_met_leaves_no_trace() -> None:
    async def main() -> int:
        async with deadline(10):
            await turns(3)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(main()) == 0


def test_a_deadline_lets_a_timeout_error_from_inside_pass() -> None:
    async def main() -> None:
        async with deadline(10):
            raise TimeoutError("the device's own")

    with pytest.raises(TimeoutError, match="the device's own"):
        asyncio.run(main())


def test_the_outer_deadline_passes_through_the_inner_one() -> None:
    async def main() -> None:
        async with deadline(0.01), deadline(5):
            await asyncio.sleep(10)

    with pytest.raises(DeadlineExceeded) as raised:
        asyncio.run(main())
    assert raised.value.seconds == 0.01


def test_a_cancellation_passes_through_a_deadline() -> None:
    async def main() -> bool:
        async def work() -> None:
            async with deadline(10):
                await asyncio.sleep(10)

        task = asyncio.create_task(work())
        await turns(2)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())
