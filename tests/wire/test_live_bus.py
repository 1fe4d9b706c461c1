"""The bus on real ZeroMQ sockets over loopback TCP: order, loss, restarts, hostile frames, and who is there."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import zmq

from cellctl.errors import BusError, DeadlineExceeded
from cellctl.live.bus import Bus, is_local
from cellctl.live.deployment import Addresses
from cellctl.live.endpoints import BusPeer, BusServer
from cellctl.live.liveness import EVERY
from cellctl.live.tasks import Channel, TaskGroup, deadline
from cellctl.messages import MAX_MESSAGE_BYTES, Accepted, Event, Inquire, Message, Reply, Request, encode
from cellctl.runtime import Incoming

ROOT = Path(__file__).parents[2]
ANY = Addresses("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")


class Lines:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def _keep(self, event: str, **fields: object) -> None:
        self.lines.append({"event": event} | fields)

    debug = info = warning = error = _keep


@contextmanager
def bus(name: str, keys: Path | None = None, log: Lines | None = None) -> Iterator[Bus]:
    opened = Bus(name, log or Lines(), keys)
    try:
        yield opened
    finally:
        opened.close()


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[BusServer, BusPeer]]:
    """A server "belt" and a peer "runner" of it that hear each other; each its own process as far as ZeroMQ knows."""
    with bus("belt") as belt, bus("runner") as runner:
        async with belt.serve(ANY) as server, runner.connect("belt", server.addresses) as peer:
            await heard(peer.inbox, lambda incoming: incoming.alive)
            await heard(server.requests, lambda incoming: incoming.peer == peer.known_as)
            yield server, peer


async def heard(
    channel: Channel[Incoming], is_it: Callable[[Incoming], bool], within: float = 10
) -> Incoming:
    """The first that is it; what comes before it is dropped."""
    async with deadline(within):
        while True:
            incoming = await channel.receive()
            if is_it(incoming):
                return incoming


async def messages(channel: Channel[Incoming], count: int) -> list[Message]:
    """The next messages, notices left out."""
    found: list[Message] = []
    async with deadline(20):
        while len(found) < count:
            incoming = await channel.receive()
            if incoming.message is not None:
                found.append(incoming.message)
    return found


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something outside of it has come about."""
    async with deadline(10):
        while not holds():
            await asyncio.sleep(0.005)


def request(number: int) -> Request:
    return Request(str(number), "status", "test")


def raw(context: zmq.Context[zmq.Socket[bytes]], kind: int, name: str, address: str) -> zmq.Socket[bytes]:
    stranger = context.socket(kind)
    stranger.linger = 500
    if name:
        stranger.setsockopt(zmq.ROUTING_ID, name.encode())
    stranger.connect(address)
    return stranger


# --- order and loss ---------------------------------------------------------------------------------------------


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
            addresses = Addresses(f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}")
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


# --- who is there -----------------------------------------------------------------------------------------------

SERVER = """
    import asyncio, sys
    from cellctl.live.bus import Bus
    from cellctl.live.deployment import Addresses
    from cellctl.live.log import process_log
    from cellctl.messages import Reply, Request

    async def main(commands, events):
        async with Bus("belt", process_log("belt")).serve(Addresses(commands, events)) as server:
            print("serving", flush=True)
            while True:
                incoming = await server.requests.receive()
                if isinstance(incoming.message, Request):
                    server.reply(incoming.peer, Reply(incoming.message.id))

    asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def server_process(addresses: Addresses) -> Iterator[subprocess.Popen[str]]:
    """The server "belt" as a process of its own, serving."""
    command = [sys.executable, "-c", textwrap.dedent(SERVER), addresses.commands, addresses.events]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "serving\n"
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_killed_server_is_told_as_silent_and_its_successor_as_there() -> None:
    addresses = Addresses(f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}")

    async def main() -> float:
        with bus("runner") as runner:
            async with runner.connect("belt", addresses) as peer:
                with server_process(addresses):
                    assert (await peer.inbox.receive()).alive
                killed = time.monotonic()
                assert await peer.inbox.receive() == Incoming("belt", None, alive=False)
                silent = time.monotonic() - killed
                with server_process(addresses):
                    assert await peer.inbox.receive() == Incoming("belt", None, alive=True)
                    peer.send(request(7))
                    assert await messages(peer.inbox, 1) == [Reply("7")]
                return silent

    assert 0.7 < asyncio.run(main()) < 2.5


def test_a_server_that_hangs_is_told_as_silent_and_then_as_back() -> None:
    addresses = Addresses(f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}")

    async def main() -> None:
        with bus("runner") as runner:
            async with runner.connect("belt", addresses) as peer:
                with server_process(addresses) as process:
                    await heard(peer.inbox, lambda incoming: incoming.alive)
                    process.send_signal(signal.SIGSTOP)
                    assert await peer.inbox.receive() == Incoming("belt", None, alive=False)
                    process.send_signal(signal.SIGCONT)
                    assert await peer.inbox.receive() == Incoming("belt", None, alive=True)
                    peer.send(request(7))
                    assert await messages(peer.inbox, 1) == [Reply("7")]

    asyncio.run(main())


def test_a_server_that_restarts_within_the_silence_limit_is_told_as_gone_and_back() -> None:
    addresses = Addresses(f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}")

    async def main() -> list[Incoming]:
        with bus("runner") as runner:
            async with runner.connect("belt", addresses) as peer, deadline(15):
                with bus("belt") as belt:
                    async with belt.serve(addresses):
                        await heard(peer.inbox, lambda incoming: incoming.alive)
                with bus("belt") as belt:
                    async with belt.serve(addresses):
                        return [await peer.inbox.receive(), await peer.inbox.receive()]

    assert [notice.alive for notice in asyncio.run(main())] == [False, True]


def test_each_life_of_a_peer_is_a_peer_of_its_own_and_gets_its_answers() -> None:
    async def main() -> set[str]:
        lives = set()
        with bus("belt") as belt:
            async with belt.serve(ANY) as server:
                for number in range(3):
                    with bus("runner") as runner:
                        async with runner.connect("belt", server.addresses) as peer:
                            await heard(peer.inbox, lambda incoming: incoming.alive)
                            peer.send(request(number))
                            while (incoming := await server.requests.receive()).message is None:
                                pass
                            assert incoming.message == request(number)
                            assert incoming.peer.startswith("runner ")
                            lives.add(incoming.peer)
                            server.reply(incoming.peer, Reply(str(number)))
                            assert await messages(peer.inbox, 1) == [Reply(str(number))]
        return lives

    assert len(asyncio.run(main())) == 3


def test_two_processes_of_one_name_do_not_get_in_each_other_s_way() -> None:
    async def main() -> tuple[list[Message], list[Message]]:
        with bus("belt") as belt, bus("runner") as first, bus("runner") as second:
            async with (
                belt.serve(ANY) as server,
                first.connect("belt", server.addresses) as one,
                second.connect("belt", server.addresses) as other,
            ):
                for number, peer in enumerate((one, other)):
                    await heard(peer.inbox, lambda incoming: incoming.alive)
                    peer.send(request(number))
                    found = await heard(server.requests, lambda incoming: incoming.message is not None)
                    server.reply(found.peer, Reply(str(number)))
                return await messages(one.inbox, 1), await messages(other.inbox, 1)

    assert asyncio.run(main()) == ([Reply("0")], [Reply("1")])


def test_a_peer_whose_old_connection_hangs_gets_its_answers_on_the_new_one() -> None:
    async def main() -> list[Message]:
        with zmq.Context() as context, bus("belt") as belt, bus("runner") as runner:
            async with belt.serve(ANY) as server:
                with raw(context, zmq.DEALER, runner.known_as, server.addresses.commands) as hanging:
                    hanging.send(encode(request(0)))
                    assert await messages(server.requests, 1) == [request(0)]
                    async with runner.connect("belt", server.addresses) as peer:
                        await heard(peer.inbox, lambda incoming: incoming.alive)
                        peer.send(request(1))
                        assert await messages(server.requests, 1) == [request(1)]
                        server.reply(peer.known_as, Reply("1"))
                        return await messages(peer.inbox, 1)

    assert asyncio.run(main()) == [Reply("1")]


def test_a_peer_that_leaves_is_told_as_silent_once() -> None:
    async def main() -> list[Incoming]:
        with bus("belt") as belt:
            async with belt.serve(ANY) as server:
                with bus("runner") as runner:
                    async with runner.connect("belt", server.addresses):
                        await heard(server.requests, lambda incoming: incoming.alive)
                gone = await heard(server.requests, lambda incoming: not incoming.alive)
                assert gone == Incoming(runner.known_as, None, alive=False)
                await asyncio.sleep(0.5)
                return server.requests.drain()

    assert asyncio.run(main()) == []


def test_a_process_that_was_held_up_itself_does_not_take_the_others_for_silent() -> None:
    addresses = Addresses(f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}")

    async def main() -> list[Incoming]:
        with bus("runner") as runner:
            async with runner.connect("belt", addresses) as peer:
                with server_process(addresses):
                    await heard(peer.inbox, lambda incoming: incoming.alive)
                    time.sleep(1.5)  # this loop, and with it the peer, stands still
                    await asyncio.sleep(0.3)
                    return peer.inbox.drain()

    assert asyncio.run(main()) == []


# --- hostile frames ---------------------------------------------------------------------------------------------

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
    os.urandom(300),
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
    "hello", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"\x00" * 10_000, os.urandom(500)]
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


# --- addresses --------------------------------------------------------------------------------------------------


def test_an_address_in_use_is_named_with_what_to_do() -> None:
    async def main() -> None:
        with bus("belt") as belt, bus("other") as other:
            async with belt.serve(ANY) as server:
                with pytest.raises(BusError, match="in use") as raised:
                    async with other.serve(server.addresses):
                        pass
                assert server.addresses.commands in str(raised.value)
                assert "cellctl status" in str(raised.value)

    asyncio.run(main())


@pytest.mark.parametrize(
    "address", ["127.0.0.1:5700", "tcp://", "carrier-pigeon://127.0.0.1:1", "tcp://127.0.0.1:99999"]
)
def test_what_is_no_address_is_a_bus_error(address: str) -> None:
    async def main() -> None:
        with bus("belt") as belt:
            async with belt.serve(Addresses(address, "tcp://127.0.0.1:*")):
                pass

    with pytest.raises(BusError):
        asyncio.run(main())


@pytest.mark.parametrize(
    "address", ["tcp://0.0.0.0:5700", "tcp://*:5700", "tcp://10.0.1.5:5700", "tcp://eth0:5700"]
)
def test_nothing_listens_beyond_this_computer_without_keys(address: str) -> None:
    async def serve() -> None:
        with bus("belt") as belt:
            async with belt.serve(Addresses("tcp://127.0.0.1:*", address)):
                pass

    async def connect() -> None:
        with bus("runner") as runner:
            async with runner.connect("belt", Addresses(address, "tcp://127.0.0.1:5701")):
                pass

    for attempt in (serve, connect):
        with pytest.raises(BusError, match="without keys") as raised:
            asyncio.run(attempt())
        assert address in str(raised.value)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("tcp://127.0.0.1:5700", True),
        ("tcp://127.9.9.9:5700", True),
        ("tcp://localhost:5700", True),
        ("tcp://[::1]:5700", True),
        ("ipc:///run/cellctl/belt", True),
        ("tcp://127.0.0.1.example.org:5700", False),
        ("tcp://[::]:5700", False),
        ("tcp://*:*", False),
        ("udp://10.0.0.1:5", False),
        ("nonsense", False),
    ],
)
def test_only_loopback_counts_as_local(address: str, local: bool) -> None:
    assert is_local(address) is local


def test_a_second_way_to_the_same_server_is_refused() -> None:
    async def main() -> None:
        with bus("belt") as belt, bus("runner") as runner:
            async with belt.serve(ANY) as server, runner.connect("belt", server.addresses):
                with pytest.raises(BusError, match="already"):
                    async with runner.connect("belt", server.addresses):
                        pass
            async with belt.serve(ANY) as server, runner.connect("belt", server.addresses):
                pass

    asyncio.run(main())


@pytest.mark.parametrize("name", ["", "a\nb", "n" * 65, "run ner", "../runner"])
def test_a_process_needs_a_name_that_others_can_read(name: str) -> None:
    with pytest.raises(BusError, match="printable"):
        Bus(name, Lines())
