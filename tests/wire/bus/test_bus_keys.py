"""Keys on the bus: who holds a trusted one gets in, who does not is turned away and named, and nobody listens in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import zmq
from bus_bench import ANY, Lines

from cellctl.errors import BusError
from cellctl.live import curve
from cellctl.live.bus import Bus
from cellctl.live.deployment import Addresses
from cellctl.live.endpoints import BusPeer, BusServer
from cellctl.live.sockets import LoopSocket
from cellctl.live.tasks import Channel, deadline
from cellctl.messages import Event, Message, Reply, Request, encode
from cellctl.runtime import Incoming

SECRET_WORD = "an-order-nobody-else-may-read"


@pytest.fixture
def keys_of_line(tmp_path: Path) -> Path:
    """A keys directory in which the server "belt" and the peer "runner" trust each other."""
    directory = tmp_path / "keys"
    for name in ("belt", "runner"):
        curve.make_keys(directory, name)
        curve.trust(directory, directory / f"{name}.public")
    return directory


@pytest.fixture
def strangers_keys(tmp_path: Path, keys_of_line: Path) -> Path:
    """The keys directory of a "mallory" who knows the server's public key, and whom the server does not know."""
    directory = tmp_path / "mallory"
    curve.make_keys(directory, "mallory")
    curve.trust(directory, keys_of_line / "belt.public")
    return directory


@contextmanager
def bus(name: str, keys: Path | None, log: Lines | None = None) -> Iterator[Bus]:
    opened = Bus(name, log or Lines(), keys)
    try:
        yield opened
    finally:
        opened.close()


@asynccontextmanager
async def serving(keys: Path, log: Lines | None = None) -> AsyncIterator[BusServer]:
    with bus("belt", keys, log) as belt:
        async with belt.serve(ANY) as server:
            yield server


@asynccontextmanager
async def connected(
    name: str, keys: Path | None, addresses: Addresses, log: Lines | None = None
) -> AsyncIterator[BusPeer]:
    with bus(name, keys, log) as peer_bus:
        async with peer_bus.connect("belt", addresses) as peer:
            yield peer


async def first_message(channel: Channel[Incoming]) -> Message:
    async with deadline(10):
        while (incoming := await channel.receive()).message is None:
            pass
        return incoming.message


async def until(holds: Callable[[], bool]) -> None:
    async with deadline(10):
        while not holds():
            await asyncio.sleep(0.005)


async def exchange(server: BusServer, peer: BusPeer, word: str = "") -> None:
    """A request, its reply and an event get through."""
    async with deadline(10):
        assert (await peer.inbox.receive()).alive
    peer.send(Request("1", "status", "test", {"word": word}))
    assert isinstance(await first_message(server.requests), Request)
    server.reply(peer.known_as, Reply("1", {"word": word}))
    assert isinstance(await first_message(peer.inbox), Reply)
    server.publish(Event(1, "belt", cleared=word))
    assert isinstance(await first_message(peer.inbox), Event)


# --- on the wire ------------------------------------------------------------------------------------------------


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


class Wiretap:
    """Passes the connections to a port on to the server, and keeps what each side said."""

    def __init__(self, address: str) -> None:
        self._port = int(address.rpartition(":")[2])
        self._writers: list[asyncio.StreamWriter] = []
        self.said_by_client, self.said_by_server = bytearray(), bytearray()

    async def __aenter__(self) -> Wiretap:
        self._server = await asyncio.start_server(self._tap, "127.0.0.1", 0)
        self.address = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
            await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
        await asyncio.sleep(0.05)  # for the passing tasks to see it

    async def _tap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += [writer, server_writer]
        await asyncio.gather(
            self._pass(reader, server_writer, self.said_by_client),
            self._pass(server_reader, writer, self.said_by_server),
        )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                kept += data
                writer.write(data)
        writer.close()


def test_who_listens_in_reads_nothing_with_keys_and_everything_without(keys_of_line: Path) -> None:
    async def heard(keys: Path | None) -> bytes:
        with bus("belt", keys) as belt:
            async with (
                belt.serve(ANY) as server,
                Wiretap(server.addresses.commands) as commands,
                Wiretap(server.addresses.events) as events,
            ):
                async with connected("runner", keys, Addresses(commands.address, events.address)) as peer:
                    await exchange(server, peer, SECRET_WORD)
                return bytes(commands.said_by_client + commands.said_by_server + events.said_by_server)

    assert SECRET_WORD.encode() not in asyncio.run(heard(keys_of_line))
    assert asyncio.run(heard(None)).count(SECRET_WORD.encode()) == 3  # request, reply and event


def test_a_session_that_is_recorded_and_replayed_delivers_nothing(keys_of_line: Path) -> None:
    async def main() -> list[Incoming]:
        async with serving(keys_of_line) as server:
            async with Wiretap(server.addresses.commands) as tap:
                addresses = Addresses(tap.address, server.addresses.events)
                async with connected("runner", keys_of_line, addresses) as peer:
                    await exchange(server, peer)
            server.requests.drain()
            port = int(server.addresses.commands.rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(tap.said_by_client)
            await writer.drain()
            await until(lambda: server.rejected > 0)  # the server has seen through it
            writer.close()
            await writer.wait_closed()
            return [incoming for incoming in server.requests.drain() if incoming.alive]

    assert asyncio.run(main()) == []


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


# --- files ------------------------------------------------------------------------------------------------------


def test_the_secret_key_file_belongs_to_its_owner_alone_and_is_never_replaced(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        pair = curve.make_keys(tmp_path, "belt")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "belt.secret").stat().st_mode) == 0o600
    assert curve.load_keys(tmp_path, "belt") == pair
    with pytest.raises(BusError, match=r"there is a key at .*belt\.secret already"):
        curve.make_keys(tmp_path, "belt")
    assert curve.load_keys(tmp_path, "belt") == pair


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    curve.make_keys(tmp_path, "belt")
    (tmp_path / "belt.secret").chmod(mode)
    with pytest.raises(BusError, match=r"others can read .*belt\.secret.*chmod 600"):
        curve.load_keys(tmp_path, "belt")


def test_a_process_whose_secret_others_can_read_does_not_serve(keys_of_line: Path) -> None:
    (keys_of_line / "belt.secret").chmod(0o644)

    async def main() -> None:
        async with serving(keys_of_line):
            pass

    with pytest.raises(BusError, match="others can read"):
        asyncio.run(main())


def test_a_missing_key_says_which_command_makes_it(tmp_path: Path) -> None:
    with pytest.raises(BusError, match=r"press has no key: .*cellctl keys make press"):
        curve.load_keys(tmp_path, "press")


def test_a_server_that_is_not_trusted_is_named_with_its_nearest(keys_of_line: Path) -> None:
    with pytest.raises(BusError, match=r"'bolt'; did you mean belt.*cellctl keys trust"):
        curve.public_key_of(keys_of_line, "bolt")


@pytest.mark.parametrize("content", ["", "short\n", "x" * 40 + "\n" + "y" * 40 + "\n", "\x00" * 40, "é" * 40])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "belt.public").write_text(content)
    with pytest.raises(BusError, match=r"belt\.public"):
        curve.trust(tmp_path, tmp_path / "belt.public")


def test_the_printed_form_of_a_key_pair_does_not_show_the_secret(tmp_path: Path) -> None:
    pair = curve.make_keys(tmp_path, "belt")
    assert pair.secret.decode() not in f"{pair} {pair!r}"
    assert re.search("'belt'", repr(pair))


def test_the_public_key_is_the_one_that_libsodium_derives_from_the_secret(tmp_path: Path) -> None:
    pair = curve.make_keys(tmp_path, "belt")
    assert zmq.curve_public(pair.secret) == pair.public
    assert curve.trusted(tmp_path) == {}
    curve.trust(tmp_path, tmp_path / "belt.public")
    assert curve.trusted(tmp_path) == {pair.public: "belt"}


# --- files that come and go ---------------------------------------------------------------------------------------


def test_a_link_that_leads_nowhere_among_the_trusted_keys_lets_nobody_in_and_keeps_nobody_out(
    keys_of_line: Path,
) -> None:
    (keys_of_line / "trusted" / "gone.public").symlink_to(keys_of_line / "nowhere")

    async def main() -> None:
        async with (
            serving(keys_of_line) as server,
            connected("runner", keys_of_line, server.addresses) as peer,
        ):
            await exchange(server, peer)

    asyncio.run(main())


def test_keys_that_cannot_be_looked_at_once_refuse_once_and_nobody_is_locked_out_for_good(
    keys_of_line: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, answers = Lines(), [PermissionError(13, "Permission denied"), None]
    trusted = curve.trusted

    def sometimes(directory: Path) -> dict[bytes, str]:
        problem = answers.pop(0) if answers else None
        if problem:
            raise problem
        return trusted(directory)

    async def main() -> None:
        async with serving(keys_of_line, log) as server:
            monkeypatch.setattr(curve, "trusted", sometimes)
            with zmq.Context() as context, context.socket(zmq.DEALER) as sock:  # trusts the server already
                sock.setsockopt(zmq.LINGER, 0)
                curve.secure_client(
                    sock,
                    curve.load_keys(keys_of_line, "runner"),
                    curve.load_keys(keys_of_line, "belt").public,
                )
                sock.connect(server.addresses.commands)
                await until(lambda: bool(log.about("trusted keys cannot be used")))
            async with connected("runner", keys_of_line, server.addresses) as peer:
                await exchange(server, peer)

    asyncio.run(main())


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
