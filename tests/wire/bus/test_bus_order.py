"""The bus on real ZeroMQ sockets over loopback TCP: messages keep their order, and what is lost is told."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack, ExitStack

import pytest
from bus_bench import ANY, bus, heard, joined, messages, request

from cellctl.errors import BusError, DeadlineExceeded
from cellctl.live.bring_up import free_addresses
from cellctl.live.liveness import EVERY
from cellctl.live.tasks import TaskGroup, deadline
from cellctl.messages import MAX_MESSAGE_BYTES, Accepted, Event, Message, Reply, Request


def test_requests_and_replies_arrive_in_order_and_none_is_missing() -> None:
    count = 4000

    async def main() -> tuple[list[Message], list[Message]]:
        async with joined() as (server, peer):
            for number in range(count):
                peer.send(request(number))
            requests = await messages(server.requests, count)
            for number in range(count):
                server.reply(peer.known_as, Reply(str(number)))
            return requests, await messages(peer.inbox, count)

    requests, replies = asyncio.run(main())
    assert requests == [request(number) for number in range(count)]
    assert replies == [Reply(str(number)) for number in range(count)]


@pytest.mark.parametrize("cut_after", [0.0002, 0.005])
def test_nothing_is_lost_while_deadlines_cut_receives_short_under_load(cut_after: float) -> None:
    count = 4000

    async def main() -> tuple[list[str], int]:
        replies: list[str] = []
        cut = 0
        async with joined() as (server, peer), TaskGroup() as group:

            async def serve() -> None:
                for _ in range(count):
                    incoming = await heard(server.requests, lambda incoming: incoming.message is not None)
                    assert isinstance(incoming.message, Request)
                    server.reply(incoming.peer, Reply(incoming.message.id))

            async def ask() -> None:
                for number in range(count):
                    peer.send(request(number))
                    if number % 8 == 0:
                        await asyncio.sleep(0.012 if number % 200 == 0 else 0.0005)

            group.start(serve())
            group.start(ask())
            while len(replies) < count:
                try:
                    async with deadline(cut_after):
                        message = (await peer.inbox.receive()).message
                        if isinstance(message, Reply):
                            replies.append(message.id)
                except DeadlineExceeded:
                    cut += 1
        return replies, cut

    replies, cut = asyncio.run(main())
    assert replies == [str(number) for number in range(count)]
    assert cut > 10


def test_events_and_answers_come_into_one_inbox_each_in_order() -> None:
    async def main() -> list[Message]:
        async with joined() as (server, peer):
            for number in range(1000):
                server.publish(Event(number, "belt"))
                server.reply(peer.known_as, Accepted("belt", number))
            return await messages(peer.inbox, 2000)

    received = asyncio.run(main())
    assert [m.number for m in received if isinstance(m, Event)] == list(range(1000))
    assert [m.number for m in received if isinstance(m, Accepted)] == list(range(1000))


def test_who_is_told_that_the_server_is_there_misses_no_event_from_then_on() -> None:
    """Joining is slow on a subscription; the first notice must wait for it, time and again."""

    async def main() -> None:
        with bus("belt") as belt:
            async with belt.serve(ANY) as server:
                for turn in range(10):
                    with bus(f"display{turn}") as display:
                        async with display.connect("belt", server.addresses) as peer:
                            await heard(
                                peer.inbox, lambda incoming: incoming.alive and incoming.message is None
                            )
                            server.publish(Event(turn, "belt"))
                            assert await messages(peer.inbox, 1) == [Event(turn, "belt")]

    asyncio.run(main())


def test_whoever_connects_knows_that_the_server_is_there_long_before_its_next_heartbeat() -> None:
    async def main() -> list[float]:
        taken = []
        with ExitStack() as buses:
            displays = [buses.enter_context(bus(f"display{number}")) for number in range(11)]
            belt = buses.enter_context(bus("belt"))
            async with belt.serve(ANY) as server, AsyncExitStack() as connections:
                for display in displays:
                    began = time.perf_counter()
                    peer = await connections.enter_async_context(display.connect("belt", server.addresses))
                    await heard(peer.inbox, lambda incoming: incoming.alive)
                    taken.append(time.perf_counter() - began)
        return taken

    assert statistics.median(asyncio.run(main())) < EVERY / 3


def test_a_reply_to_a_peer_that_is_gone_is_dropped_and_counted() -> None:
    async def main() -> int:
        async with joined() as (server, _):
            server.reply("nobody", Reply("1"))
            return server.dropped

    assert asyncio.run(main()) == 1


def test_a_request_to_a_server_that_is_not_there_is_dropped_not_kept_for_later() -> None:
    async def main() -> list[Message]:
        with bus("runner") as runner, bus("belt") as belt:
            addresses = free_addresses(["belt"])["belt"]
            async with runner.connect("belt", addresses) as peer:
                peer.send(request(1))
                assert peer.dropped >= 1
                async with belt.serve(addresses) as server:
                    await heard(peer.inbox, lambda incoming: incoming.alive)
                    peer.send(request(2))
                    return await messages(server.requests, 1)

    assert asyncio.run(main()) == [request(2)]


def test_a_message_too_large_to_be_taken_is_refused_where_it_is_sent() -> None:
    async def main() -> None:
        async with joined() as (server, peer):
            with pytest.raises(
                BusError, match=f"a Request of .* is larger than the allowed {MAX_MESSAGE_BYTES}"
            ):
                peer.send(Request("1", "order", "test", {"recipe": "x" * MAX_MESSAGE_BYTES}))
            peer.send(Request("2", "order", "test", {"recipe": "x" * (MAX_MESSAGE_BYTES - 1000)}))
            assert len(await messages(server.requests, 1)) == 1

    asyncio.run(main())
