"""Frames and bytes on the bus from strangers and faulty peers: counted, logged, dropped, and nobody else disturbed."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
import zmq
from bus_bench import ANY, Lines, bus, joined, messages, raw, request, until

from cellctl.live.deployment import Addresses
from cellctl.live.sockets import LoopSocket
from cellctl.messages import MAX_MESSAGE_BYTES, Event, Inquire, Message, encode
from cellctl.runtime import Incoming

GARBAGE = [
    b"",
    b"\x00",
    b"\xc1",
    b"\xc1short",
    b"\xff" * 100,
    b"\x81\xa4type\xa7Command",
    encode(request(1))[:-1],
    encode(request(1)) + b"\x00",
    b"\x91" * 50_000,
    Random(300).randbytes(300),
    b"x" * (MAX_MESSAGE_BYTES + 1),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: f"{bytes(garbage[:8]).hex()}-{len(garbage)}")
def test_garbage_at_the_server_is_counted_logged_with_its_sender_and_goes_no_further(garbage: bytes) -> None:
    log = Lines()

    async def main() -> list[Message]:
        with bus("belt", log=log) as belt, zmq.Context() as context:
            async with belt.serve(ANY) as server:
                with raw(context, zmq.DEALER, "stranger", server.addresses.commands) as stranger:
                    stranger.send(garbage)
                    await until(lambda: server.rejected == 1)
                    stranger.send(encode(request(2)))
                    return await messages(server.requests, 1)

    assert asyncio.run(main()) == [request(2)]
    assert [line["peer"] for line in log.lines] == ["stranger"]


@pytest.mark.parametrize("frames", [[b"", encode(request(1))], [encode(request(1))] * 2, [b"x"] * 200])
def test_a_message_with_the_wrong_number_of_frames_is_counted_and_dropped(frames: list[bytes]) -> None:
    async def main() -> list[Incoming]:
        with bus("belt") as belt, zmq.Context() as context:
            async with belt.serve(ANY) as server:
                with raw(context, zmq.DEALER, "stranger", server.addresses.commands) as stranger:
                    stranger.send_multipart(frames)
                    await until(lambda: server.rejected == 1)
                    return server.requests.drain()

    assert asyncio.run(main()) == []


@pytest.mark.parametrize("name", ["", "two\nlines", "n" * 100], ids=["none", "unprintable", "long"])
def test_a_peer_without_a_usable_name_is_counted_and_dropped(name: str) -> None:
    async def main() -> list[Incoming]:
        with bus("belt") as belt, zmq.Context() as context:
            async with belt.serve(ANY) as server:
                with raw(context, zmq.DEALER, name, server.addresses.commands) as stranger:
                    stranger.send(encode(request(1)))
                    await until(lambda: server.rejected == 1)
                    return server.requests.drain()

    assert asyncio.run(main()) == []


def test_a_thousand_bad_messages_make_a_few_log_lines() -> None:
    log = Lines()

    async def main() -> None:
        with bus("belt", log=log) as belt, zmq.Context() as context:
            async with belt.serve(ANY) as server:
                with raw(context, zmq.DEALER, "stranger", server.addresses.commands) as stranger:
                    for _ in range(1000):
                        stranger.send(b"\xff")
                    await until(lambda: server.rejected == 1000)

    asyncio.run(main())
    assert [line["times"] for line in log.lines] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_an_enormous_message_costs_its_sender_the_connection_and_nobody_else_anything() -> None:
    async def main() -> None:
        async with joined() as (server, peer):
            with zmq.Context() as context:
                with raw(context, zmq.DEALER, "stranger", server.addresses.commands) as stranger:
                    cut = stranger.get_monitor_socket(zmq.EVENT_DISCONNECTED)
                    stranger.send(bytes(5 * MAX_MESSAGE_BYTES))
                    await until(lambda: bool(cut.poll(0)))
                    stranger.disable_monitor()
                    cut.close()
                    stranger.linger = 0
                peer.send(request(1))
                assert await messages(server.requests, 1) == [request(1)]

    asyncio.run(main())


@pytest.mark.parametrize("port", ["commands", "events"])
@pytest.mark.parametrize(
    "hello", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"\x00" * 10_000, Random(500).randbytes(500)]
)
def test_bytes_that_are_not_zeromq_s_disturb_nobody(port: str, hello: bytes) -> None:
    async def main() -> None:
        async with joined() as (server, peer):
            address = getattr(server.addresses, port)
            _, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
            writer.write(hello)
            await writer.drain()
            for number in range(50):
                peer.send(request(number))
            assert len(await messages(server.requests, 50)) == 50
            server.publish(Event(1, "belt"))
            assert await messages(peer.inbox, 1) == [Event(1, "belt")]
            writer.close()

    asyncio.run(main())


def test_what_a_subscriber_sends_up_the_events_socket_is_counted_and_dropped() -> None:
    async def main() -> list[Incoming]:
        with bus("belt") as belt, zmq.Context() as context:
            async with belt.serve(ANY) as server:
                with raw(context, zmq.XSUB, "", server.addresses.events) as stranger:
                    stranger.send(b"\x01")
                    stranger.send(encode(request(1)))
                    await until(lambda: server.rejected == 1)
                    return server.requests.drain()

    assert asyncio.run(main()) == []


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda garbage: f"{bytes(garbage[:8]).hex()}-{len(garbage)}")
def test_garbage_from_a_server_is_counted_on_both_sockets_and_goes_no_further(garbage: bytes) -> None:
    log = Lines()

    async def main() -> list[Message]:
        with (
            zmq.Context() as context,
            context.socket(zmq.ROUTER) as router,
            context.socket(zmq.PUB) as publisher,
        ):
            ports = [socket.bind_to_random_port("tcp://127.0.0.1") for socket in (router, publisher)]
            addresses = Addresses(*(f"tcp://127.0.0.1:{port}" for port in ports))
            with bus("runner", log=log) as runner:
                async with runner.connect("belt", addresses) as peer:
                    await until(lambda: bool(router.poll(0)))
                    known_as = router.recv_multipart()[0]
                    assert known_as == runner.known_as.encode()
                    router.send_multipart([known_as, garbage])
                    router.send_multipart([known_as, b"two", b"frames"])
                    await until(lambda: peer.rejected == 2)
                    while peer.rejected < 3:  # until the subscription has arrived
                        publisher.send(garbage)
                        await asyncio.sleep(0.01)
                    publisher.send(encode(Event(1, "belt")))
                    return await messages(peer.inbox, 1)

    assert asyncio.run(main()) == [Event(1, "belt")]
    assert {line["peer"] for line in log.lines} == {"belt"}


def test_a_frame_that_is_replayed_is_the_same_numbered_message_again() -> None:
    """The bus does not judge it: commands, requests and events carry numbers for that."""

    async def main() -> list[Message]:
        with bus("belt") as belt, zmq.Context() as context:
            async with belt.serve(ANY) as server:
                with raw(context, zmq.DEALER, "runner", server.addresses.commands) as stranger:
                    for frame in (encode(Inquire("belt")), encode(request(1)), encode(request(1))):
                        stranger.send(frame)
                    return await messages(server.requests, 3)

    assert asyncio.run(main()) == [Inquire("belt"), request(1), request(1)]


def test_a_message_behind_one_that_could_not_be_taken_is_taken_all_the_same() -> None:
    async def main() -> list[bytes]:
        taken: list[bytes] = []

        def take(frames: list[bytes]) -> None:
            if frames == [b"bad"]:
                raise ValueError("no")
            taken.extend(frames)

        said: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        with zmq.Context() as context:
            ours, theirs = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
            ours.bind("inproc://here")
            theirs.connect("inproc://here")
            for text in (b"bad", b"good"):
                theirs.send(text)
            socket = LoopSocket(ours, take)
            await until(lambda: taken == [b"good"])
            socket.close()
            theirs.close()
        assert len(said) == 1
        return taken

    assert asyncio.run(main()) == [b"good"]
