"""Who is there on the bus: processes that die, hang, come back, or were held up themselves."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq
from bus_bench import ANY, bus, heard, messages, raw, request

from cellctl.live.bring_up import free_addresses
from cellctl.live.deployment import Addresses
from cellctl.live.tasks import deadline
from cellctl.messages import Message, Reply, encode
from cellctl.runtime import Incoming

ROOT = Path(__file__).parents[3]

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


def test_a_killed_server_is_told_as_silent_and_its_successor_as_there() -> None:
    addresses = free_addresses(["belt"])["belt"]

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
    addresses = free_addresses(["belt"])["belt"]

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
    addresses = free_addresses(["belt"])["belt"]

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
    addresses = free_addresses(["belt"])["belt"]

    async def main() -> list[Incoming]:
        with bus("runner") as runner:
            async with runner.connect("belt", addresses) as peer:
                with server_process(addresses):
                    await heard(peer.inbox, lambda incoming: incoming.alive)
                    time.sleep(1.5)  # this loop, and with it the peer, stands still
                    await asyncio.sleep(0.3)
                    return peer.inbox.drain()

    assert asyncio.run(main()) == []
