"""Keys on the bus: who holds a trusted one gets in; who does not is turned away and named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import zmq
from bus_bench import Lines, connected, exchange, serving, until

from cellctl.live import curve
from cellctl.live.tasks import deadline
from cellctl.messages import Event, Request, encode
from cellctl.runtime import Incoming


def test_who_holds_a_trusted_key_gets_in(keys_of_line: Path) -> None:
    async def main() -> None:
        async with (
            serving(keys_of_line) as server,
            connected("runner", keys_of_line, server.addresses) as peer,
        ):
            await exchange(server, peer)

    asyncio.run(main())


def test_whoever_sends_something_is_known_by_the_key_that_he_holds(keys_of_line: Path) -> None:
    async def main() -> None:
        async with (
            serving(keys_of_line) as server,
            connected("runner", keys_of_line, server.addresses) as peer,
        ):
            async with deadline(10):
                assert (await peer.inbox.receive()).alive
                peer.send(Request("1", "status", "mallory"))
                while (incoming := await server.requests.receive()).message is None:
                    pass
            assert incoming.key == "runner"
            assert isinstance(incoming.message, Request)
            assert incoming.message.who == "mallory"

    asyncio.run(main())


def test_an_unknown_key_is_turned_away_and_named_on_both_sides(
    keys_of_line: Path, strangers_keys: Path
) -> None:
    ours, theirs = Lines(), Lines()

    async def main() -> list[Incoming]:
        async with (
            serving(keys_of_line, ours) as server,
            connected("mallory", strangers_keys, server.addresses, theirs) as peer,
        ):
            peer.send(Request("1", "stop", "mallory"))
            await until(lambda: bool(ours.about("turned away") and theirs.about("does not trust our key")))
            assert not peer.inbox.drain()
            return server.requests.drain()

    assert asyncio.run(main()) == []
    line = ours.about("turned away")[0]
    assert line["key"] == curve.load_keys(strangers_keys, "mallory").public.decode()
    assert line["address"] == "127.0.0.1"
    assert "cellctl keys trust" in str(line["remedy"])
    assert theirs.about("does not trust our key")[0]["peer"] == "belt"


def test_an_unknown_key_does_not_get_events_either(keys_of_line: Path, strangers_keys: Path) -> None:
    """By a raw subscription with the stranger's keys, so that nothing of our own peer can hide them."""

    async def main() -> None:
        log = Lines()
        async with serving(keys_of_line, log) as server:
            with zmq.Context() as context, context.socket(zmq.SUB) as stranger:
                pair = curve.load_keys(strangers_keys, "mallory")
                curve.secure_client(stranger, pair, curve.public_key_of(strangers_keys, "belt"))
                stranger.subscribe(b"")
                stranger.connect(server.addresses.events)
                await until(lambda: bool(log.about("turned away")))
                server.publish(Event(1, "belt"))
                await asyncio.sleep(0.3)
                assert not stranger.poll(0)

    asyncio.run(main())


def test_who_has_no_keys_is_turned_away_and_both_sides_say_so(keys_of_line: Path) -> None:
    ours, theirs = Lines(), Lines()

    async def main() -> None:
        async with (
            serving(keys_of_line, ours) as server,
            connected("runner", None, server.addresses, theirs) as peer,
        ):
            await until(lambda: server.rejected > 0 and bool(theirs.lines))
            assert not peer.inbox.drain()

    asyncio.run(main())
    assert "has no keys" in str(ours.lines[0]["why"])
    assert "keys" in str(theirs.lines[0]["event"])


def test_an_impostor_s_server_gets_no_requests(keys_of_line: Path, tmp_path: Path) -> None:
    """It sits at the server's address but does not hold its secret key."""
    curve.make_keys(tmp_path / "impostor", "belt")
    log = Lines()

    async def main() -> None:
        async with (
            serving(tmp_path / "impostor") as impostor,
            connected("runner", keys_of_line, impostor.addresses, log) as peer,
        ):
            await until(lambda: bool(log.lines))
            peer.send(Request("1", "order", "test"))
            await asyncio.sleep(0.3)
            assert not impostor.requests.drain()
            assert not peer.inbox.drain()

    asyncio.run(main())
    assert "key" in str(log.lines[0]["event"])


def test_trust_given_and_taken_away_acts_without_a_restart(keys_of_line: Path, strangers_keys: Path) -> None:
    async def main() -> None:
        log = Lines()
        async with serving(keys_of_line, log) as server:
            async with connected("mallory", strangers_keys, server.addresses) as peer:
                await until(lambda: bool(log.about("turned away")))
                curve.trust(keys_of_line, strangers_keys / "mallory.public")
                async with deadline(10):
                    assert (await peer.inbox.receive()).alive
            (keys_of_line / "trusted" / "mallory.public").unlink()
            before = len(log.about("turned away"))
            async with connected("mallory", strangers_keys, server.addresses):
                await until(lambda: len(log.about("turned away")) > before)

    asyncio.run(main())


def test_keys_that_others_can_add_to_let_nobody_in(keys_of_line: Path) -> None:
    log = Lines()

    async def main() -> None:
        async with serving(keys_of_line, log) as server:
            (keys_of_line / "trusted").chmod(0o777)
            with zmq.Context() as context, context.socket(zmq.DEALER) as client:
                belt = curve.load_keys(keys_of_line, "belt").public
                curve.secure_client(client, curve.load_keys(keys_of_line, "runner"), belt)
                client.linger = 0
                client.connect(server.addresses.commands)
                client.send(encode(Request("1", "status", "test")))
                await until(lambda: bool(log.about("nobody can connect")))

    asyncio.run(main())
    assert "chmod go-w" in str(log.about("nobody can connect")[0]["why"])


def test_without_a_doorkeeper_nobody_gets_in(keys_of_line: Path) -> None:
    """libzmq by itself lets every key in where nobody answers its question."""
    belt, runner = (curve.load_keys(keys_of_line, name) for name in ("belt", "runner"))
    with zmq.Context() as context, context.socket(zmq.REP) as server, context.socket(zmq.REQ) as client:
        curve.secure_server(server, belt)
        curve.secure_client(client, runner, belt.public)
        client.linger = 0
        client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
        client.send(b"anybody there?")
        assert not server.poll(500)
