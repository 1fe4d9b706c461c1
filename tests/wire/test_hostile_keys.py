"""A real line with keys: who has no key is turned away and named, and who has one speaks for himself only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from cellctl.journal import LeaseTaken
from cellctl.live import curve
from cellctl.live.bus import Bus
from cellctl.live.client import KEY
from cellctl.live.deployment import Addresses
from cellctl.live.rights import may_say
from cellctl.messages import (
    Cancel,
    Command,
    Inquire,
    Instruct,
    Jog,
    LeaseDenied,
    LeaseRequest,
    Message,
    Mode,
    Noted,
    Request,
    Settle,
    View,
    decode,
    encode,
)
from cellctl.packml import StateCommand

Line = Any  # the line of the fixture `mistreated`

MOVING: list[Message] = [
    LeaseRequest("belt", "runner of puck"),
    Command(1, "belt", 1, 1, "advance"),
    Cancel("belt", 1, 1),
    Settle("belt", 1, "done", "somebody"),
    Noted("belt", 1),
    Instruct("belt", "somebody", StateCommand.RESET),
    Instruct("belt", "somebody", StateCommand.CLEAR),
    Instruct("belt", "somebody", mode=Mode.MANUAL),
    Instruct("belt", "somebody", StateCommand.STOP, Mode.MANUAL),
]
FREE: list[Message] = [
    Request("1", "status", "somebody"),
    Inquire("belt"),
    Jog("belt", "somebody", "drive", "run"),
    Instruct("belt", "somebody", StateCommand.HOLD),
    Instruct("belt", "somebody", StateCommand.STOP),
    Instruct("belt", "somebody", StateCommand.ABORT),
]


@pytest.mark.parametrize("message", MOVING, ids=lambda message: type(message).__name__)
def test_what_moves_something_is_for_the_runner_alone(message: Message) -> None:
    assert may_say("runner", message)
    assert may_say("runner 8d3f", message)
    for peer in ("operator", "operator 8d3f", "belt", "runner2", "runners runner", "Runner"):
        assert not may_say(peer, message)


@pytest.mark.parametrize("message", FREE, ids=lambda message: type(message).__name__)
def test_asking_and_bringing_to_rest_is_for_everybody(message: Message) -> None:
    assert may_say("operator 8d3f", message)


@pytest.mark.parametrize("name", ["", "run ner", "../runner", "a/b", "a\nb"])
def test_a_key_cannot_be_called_so_that_it_passes_for_another(name: str, tmp_path: Path) -> None:
    with pytest.raises(curve.BusError, match="a key cannot be called"):
        curve.make_keys(tmp_path, name)


# --- a line -------------------------------------------------------------------------------------------------------


@contextmanager
def raw(keys: Path, key: str, name: str, server: str, address: str) -> Iterator[zmq.Socket[bytes]]:
    """A DEALER that holds the key of one and calls itself as it likes."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.ROUTING_ID, name.encode())
        curve.secure_client(sock, curve.load_keys(keys, key), curve.public_key_of(keys, server))
        sock.connect(address)
        yield sock


def answers(sock: zmq.Socket[bytes], *messages: Message, within: float = 1.5) -> list[Message]:
    """What comes back."""
    for message in messages:
        sock.send(encode(message))
    found, ends = [], time.monotonic() + within
    while (left := ends - time.monotonic()) > 0:
        if sock.poll(int(left * 1000)):
            found.append(decode(sock.recv()))
    return found


@pytest.mark.timeout(180)
def test_a_line_with_keys_makes_parts_and_everybody_speaks_for_himself_only(
    mistreated: Line, tmp_path: Path
) -> None:
    line = mistreated
    keys, strangers = line.state / "keys", tmp_path / "mallory"
    assert line.run("up", "puck", "--simulated", "--keys", str(tmp_path / "none")).returncode == 1
    line.well("keys", "make", "--line", str(line.file))
    for name in ("mallory", "panel"):
        curve.make_keys(strangers, name)
    curve.trust(strangers, keys / "belt.public")
    line.well("keys", "trust", str(strangers / "panel.public"))
    line.well("up", "puck", "--simulated", "--detach", "--keys", str(keys))
    line.well("order", "add", "sensor-puck/indoor:1", "--id", "first")
    line.well("start")
    commands = line.deployment.process("belt").commands
    before = len([record for record in line.records("belt") if isinstance(record, LeaseTaken)])

    with raw(strangers, "mallory", "runner", "belt", commands) as sock:  # an unknown key
        assert not answers(sock, Inquire("belt"))
    with raw(keys, KEY, "runner", "belt", commands) as sock:  # a trusted key under another's name
        assert not answers(sock, *MOVING, Inquire("belt"))
    with raw(strangers, "panel", f"{KEY} 12", "belt", commands) as sock:
        assert not answers(sock, Inquire("belt"))
    with raw(keys, KEY, f"{KEY} 12", "belt", commands) as sock:  # under its own: it may look
        assert {type(message) for message in answers(sock, *MOVING, Inquire("belt"))} == {View}
    with raw(
        keys, "runner", "runner", "belt", commands
    ) as sock:  # the right key, but not the process with the lease
        found = answers(sock, MOVING[0], MOVING[1])
        assert [message for message in found if isinstance(message, LeaseDenied)]

    assert line.eventually(line.is_complete, within=60)
    assert sum(t for runs in line.plant("counters")["runs"].values() for t in runs.values()) == 1
    leases = [record for record in line.records("belt") if isinstance(record, LeaseTaken)]
    assert len(leases) == before
    said = line.log("belt")
    stranger = curve.load_keys(strangers, "mallory").public.decode()
    assert f'"key":"{stranger}"' in said
    assert "a client was turned away: its key is not trusted here" in said
    assert f"it holds the key of {KEY} and goes by another name" in said
    assert "it holds the key of panel and goes by another name" in said
    assert "a LeaseRequest is for the runner to send" in said
    assert not line.crash_files()


def test_the_name_is_checked_with_each_message_also_after_a_handover_of_the_connection(
    tmp_path: Path,
) -> None:
    """Two keys that use one routing id one after another: each message counts for its own key."""
    keys = tmp_path / "keys"
    for name in ("belt", "runner", "operator"):
        curve.make_keys(keys, name)
        curve.trust(keys, keys / f"{name}.public")

    class Silent:
        def debug(self, event: str, **fields: object) -> None: ...

        info = warning = error = debug

    async def main() -> list[str]:
        bus, heard = Bus("belt", Silent(), keys), []
        async with bus.serve(Addresses("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")) as server:
            for key in ("runner", "operator", "runner"):
                with raw(keys, key, "runner", "belt", server.addresses.commands) as sock:
                    sock.send(encode(Inquire(key)))
                    async with asyncio.timeout(5):
                        before = server.rejected
                        while server.rejected == before and heard[-1:] != [key]:
                            await asyncio.sleep(0.01)
                            heard += [i.message.module for i in server.requests.drain() if i.message]
        bus.close()
        return heard

    assert asyncio.run(main())[:1] == ["runner"]
    assert "operator" not in asyncio.run(main())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda keys: (keys / "press.secret").unlink(), "press has no key"),
        (lambda keys: (keys / "press.secret").chmod(0o644), "others can read"),
        (lambda keys: (keys / "press.secret").write_text("no key\n"), "press.secret is not a cellctl key"),
        (lambda keys: (keys / "trusted" / "runner.public").unlink(), "no trusted key is called 'runner'"),
        (lambda keys: (keys / "trusted").chmod(0o777), "others can change"),
    ],
    ids=["missing", "readable", "no key", "not trusted", "open"],
)
def test_keys_that_cannot_be_used_are_named_before_anything_starts(
    mistreated: Line, spoil: Any, said: str
) -> None:
    line = mistreated
    line.well("keys", "make", "--line", str(line.file))
    spoil(line.state / "keys")
    refused = line.run("up", "puck", "--simulated")
    assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert not (line.state / "runner.sqlite").exists()
    symptoms = line.run("doctor", str(line.file))
    assert (symptoms.returncode, said.partition(" ")[0] in symptoms.stdout) == (1, True), symptoms.stdout
