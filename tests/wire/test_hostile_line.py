"""Bad input at every door of a live line while it makes parts: nothing lost, nothing twice, and it says who it was."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import pytest
import zmq

from cellctl.cli.files import shipped
from cellctl.flow.events import Drained, LotLoaded, ModuleOut
from cellctl.journal import LeaseTaken, Taken
from cellctl.live.line_file import read_line
from cellctl.messages import (
    Answer,
    Cancel,
    Command,
    Event,
    Head,
    Inquire,
    Instruct,
    Item,
    Jog,
    LeaseGranted,
    LeaseRequest,
    Message,
    Move,
    Noted,
    Refusal,
    Reply,
    Request,
    Settle,
    encode,
)
from cellctl.packml import Mode, StateCommand

Line = Any  # the line of the fixture `mistreated`

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31)  # ZMTP 3.0, RFC 23
READY = b"\x04\x26\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00"
HUGE = 2**62


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def throw(port: int, data: bytes, stay: float = 0.0) -> None:
    """Connect to a port on loopback, send, leave."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0) as thrown:
        thrown.settimeout(0.5)
        if data:
            thrown.sendall(data)
        time.sleep(stay)


def bytes_for_a_bus(rng: random.Random) -> Iterator[bytes]:
    """What is no ZeroMQ, only half of it, or claims to be more than it is."""
    yield b""
    yield rng.randbytes(rng.choice((1, 10, 64, 5000)))
    yield b"GET / HTTP/1.1\r\nHost: line\r\n\r\n"
    yield GREETING[: rng.randrange(1, 64)]
    yield GREETING
    yield GREETING + READY[: rng.randrange(2, len(READY))]
    yield GREETING + b"\x06" + struct.pack(">Q", HUGE)
    yield GREETING + READY + b"\x02" + struct.pack(">Q", HUGE) + b"half"
    yield GREETING + READY + b"\x00\x20" + b"half a frame"
    yield GREETING + READY + rng.randbytes(300)


def bytes_for_a_device(rng: random.Random, scheme: str) -> Iterator[bytes]:
    """What no device of this protocol takes, or only answers; never a write, which every device has to obey."""
    yield b""
    yield rng.randbytes(rng.choice((1, 7))) + b"\xff" * 600
    if scheme == "tcp":
        yield b"\xff\xfe\x00MoveTheMoon(1)\x00" + b"A" * 20_000
        yield b"SetConf(1"
        return
    yield b"\x00\x01\x00\x00\x00\x06\x01\x03"
    yield b"\x00\x01\x00\x00\xff\xff\x01\x10" + bytes(70_000)
    yield b"\x00\x02\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01"  # a sound read, from somebody else
    yield b"\x00\x03\x00\x00\x00\x03\x01\x2b\xff"
    yield b"\x00\x04\x00\x07\x00\x06\x01\x03\x00\x00\x00\x01"


# --- messages -----------------------------------------------------------------------------------------------------


def captured(line: Line, process: str) -> tuple[list[Command], int]:
    """Commands as the runner sent them, from the journal that took them, and the epoch of now."""
    records = line.records(process)
    taken = [record.command for record in records if isinstance(record, Taken)]
    epochs = [record.epoch for record in records if isinstance(record, LeaseTaken)]
    return taken, max(epochs, default=0)


def forged(line: Line, process: str, module: str, rng: random.Random) -> Iterator[Message]:
    """Everything that a module process might be told by one who has no business to."""
    commands, epoch = captured(line, process)
    for command in commands[-4:]:
        yield command  # replayed
        yield msgspec.structs.replace(command, epoch=epoch)  # brought up to date
        yield msgspec.structs.replace(
            command, epoch=epoch, number=command.number + 500
        )  # a number of its own
        yield msgspec.structs.replace(command, epoch=epoch, items=(Item("p99", "belt.load", "belt.exit"),))
        yield Cancel(module, epoch, command.number)
        yield msgspec.structs.replace(command, epoch=epoch, oldest=10**9, number=10**9)  # forgets all others
    for wrong in (0, 1, epoch - 1, epoch, epoch + 1, 2**63):
        yield Command(2**40 + rng.randrange(1000), module, wrong, 1, "advance", (Item("p1", "belt.load"),))
        yield Instruct(module, "mallory", StateCommand.RESET, epoch=wrong)
        yield Instruct(module, "mallory", mode=Mode.MANUAL, epoch=wrong)
    for head in (Head(), Head(10**9, "ff" * 16)):
        yield LeaseRequest(module, "runner of puck", head)
        yield LeaseRequest(module, "mallory", head)
    yield Settle(module, 1, "done", "mallory")
    yield Noted(module, 7)
    yield Jog(module, "mallory", "drive", "forward", 1.0)
    yield Inquire(module)
    yield Inquire("x" * 999_000)  # its refusal would be too large to send
    yield Inquire("no such module")
    yield Settle(module, 1, "\x00" * 900_000, "mallory")
    yield from wrong_way(module)


def wrong_way(module: str) -> Iterator[Message]:
    """What only servers say."""
    yield Answer(module, 1, "done", (Move("p1", "belt.exit"),))
    yield LeaseGranted(module, "mallory", 99)
    yield Refusal(module, 1, "no", lease_lost=True)
    yield Event(1, module, move=Move("p1", ""))
    yield Reply("1", {"state": "execute"})


def requests(rng: random.Random) -> Iterator[Message]:
    """What a client may ask the runner, asked wrongly."""
    ext = msgspec.msgpack.Ext(5, b"ext")
    odd: list[Any] = [
        None,
        -1,
        2**63,
        1e308,
        float("nan"),
        "",
        "\x00" * 10,
        [],
        {},
        True,
        ext,
        [[{}]],
        b"\xff",
    ]
    verbs = ("order", "cancel", "priority", "load", "out", "in", "mode", "settle", "decide", "correct")
    keys = (
        "order",
        "text",
        "source",
        "variant",
        "quantity",
        "priority",
        "parts",
        "material",
        "station",
        "lot",
    )
    keys += ("module", "command", "mode", "question", "choice", "part", "item", "place", "off")
    for verb in verbs:
        keyed = {key: rng.choice(odd) for key in rng.sample(keys, 8)}
        yield Request("1", verb, "mallory", keyed)
        yield Request("2", verb, "mallory", {"item": "?", "order": "nosuch", "module": "belt2"})
    yield Request("3", "\x00" * 990_000, "mallory")  # its refusal would be too large to send
    yield Request("x" * 900_000, "status", "mallory")
    yield Request("4", "order", "mallory", {"order": "big", "text": "a" * 900_000, "source": "s"})
    yield Request("5", "order", "mallory", order_body("recipe: [" * 2000))
    yield Request("6", "order", "mallory", order_body("\x00\xff"))
    sound = shipped_recipe()
    for spoilt in (
        {"quantity": 2**63},
        {"quantity": 0},
        {"priority": 2**63},
        {"order": ""},
        {"order": "\x1b[2J"},
        {"order": "x" * 65},
        {"parts": [{"force": ext}]},
    ):
        yield Request("8", "order", "mallory", order_body(sound) | spoilt)
    yield Request("9", "load", "mallory", load_body() | {"quantity": 2**63})
    yield Request("10", "load", "mallory", load_body() | {"lot": "\n" * 3})
    yield Request("7", "correct", "mallory", {"item": "c" * 300_000, "place": "\x00" * 300_000})
    yield from wrong_way("runner")


def order_body(text: str) -> dict[str, Any]:
    return {"order": "o", "text": text, "source": "x.yaml", "variant": "indoor", "quantity": 1}


def load_body() -> dict[str, Any]:
    return {"material": "board", "station": "boards.pick", "lot": "L1", "quantity": 5}


def shipped_recipe() -> str:
    recipes = shipped()
    assert recipes is not None
    return (recipes / "products" / "sensor-puck.yaml").read_text()


@contextmanager
def dealer(context: zmq.Context[Any], name: bytes, address: str) -> Iterator[zmq.Socket[bytes]]:
    """A client of a ROUTER that goes by this name; b"" has none."""
    with context.socket(zmq.DEALER) as sock:
        sock.setsockopt(zmq.LINGER, 200)
        sock.setsockopt(zmq.SNDTIMEO, 500)
        if name:
            sock.setsockopt(zmq.ROUTING_ID, name)
        sock.connect(address)
        yield sock


def send(sock: zmq.Socket[bytes], *frames: bytes) -> None:
    with suppress(zmq.ZMQError):
        sock.send_multipart(frames)


NAMES = (b"mallory", b"runner", b"belt", b"", b"\x01\xff", b"n" * 200, b"operator 1 2")


def attack_router(context: zmq.Context[Any], address: str, said: list[Message], rng: random.Random) -> None:
    """Frames that are no messages, broken messages and forged ones, under several names."""
    with dealer(context, rng.choice(NAMES), address) as sock:
        send(sock, b"")
        send(sock, b"", b"")
        send(sock, *(b"frame" for _ in range(9)))
        send(sock, rng.randbytes(5000))
        send(sock, b"\xc1" + bytes(8))  # a heartbeat of somebody
        send(sock, b"\xc1" + bytes(3))
        send(sock, bytes(2_000_000))
        for message in [m for m in said if not isinstance(m, Request)][
            :6
        ]:  # a bit may make a good order of a bad one
            data = bytearray(encode(message))
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            send(sock, bytes(data))
            send(sock, bytes(data[: len(data) // 2]))
        time.sleep(0.1)
    for number, name in enumerate((b"mallory", b"runner")):
        with dealer(context, name, address) as sock:
            for message in said[number::2]:
                send(sock, encode(message))
            time.sleep(0.1)
    with dealer(context, b"giant", address) as sock:
        send(sock, bytes(5_000_000))  # libzmq cuts this connection
        time.sleep(0.05)


def attack_publisher(context: zmq.Context[Any], address: str, rng: random.Random) -> None:
    """An XPUB hears subscriptions only."""
    with context.socket(zmq.XSUB) as sock:
        sock.setsockopt(zmq.LINGER, 100)
        sock.connect(address)
        for data in (
            b"\x01",
            b"\x00",
            b"\x02?",
            b"",
            rng.randbytes(900),
            encode(Event(1, "belt")),
            bytes(5_000_000),
        ):
            send(sock, data)
        time.sleep(0.05)
    with dealer(context, b"mallory", address) as sock:  # the wrong kind of socket
        send(sock, encode(Event(1, "belt", move=Move("p1", ""))))
        time.sleep(0.05)


# --- the whole ----------------------------------------------------------------------------------------------------


def attack(line: Line, context: zmq.Context[Any], rng: random.Random) -> None:
    """One round at every door."""
    deployment = line.deployment
    model, _ = read_line(line.file)
    for name, addresses in deployment.processes.items():
        if name == "runner":
            said = [*requests(rng)]
        else:
            said = [m for module in model.processes[name].modules for m in forged(line, name, module, rng)]
        rng.shuffle(said)
        for address in (addresses.commands, addresses.events):
            for data in bytes_for_a_bus(rng):
                throw(port_of(address), data)
        attack_router(context, addresses.commands, said, rng)
        attack_publisher(context, addresses.events, rng)
    for address in deployment.devices.values():
        for data in bytes_for_a_device(rng, address.partition("://")[0]):
            throw(port_of(address), data, 0.01)
    control = line.plant("clock") and port_of(
        __import__("cellctl.live.process_table", fromlist=["load"]).load(line.state).control
    )
    for data in (rng.randbytes(200), b"{" * 70_000, b'{"do": 5}\n[]\n{"do": "fault"}\n', b'{"do": "clock"'):
        throw(control, data)


@pytest.mark.timeout(180)
def test_bad_input_at_every_door_changes_nothing_and_is_logged_with_its_sender(
    mistreated: Line, evidence_findings: Any
) -> None:
    line, rng = mistreated, random.Random(5)
    line.well("up", "puck", "--simulated", "--detach")
    pids = {name: line.pid(name) for name in (*line.deployment.processes, "plant")}
    for variant in ("indoor", "outdoor"):
        line.well("order", "add", f"sensor-puck/{variant}:1", "--id", variant)
    line.well("start")
    ends, rounds = time.monotonic() + 90, 0
    with zmq.Context() as context:
        while rounds < 2 or not line.is_complete():
            attack(line, context, rng)
            rounds += 1
            assert time.monotonic() < ends, line.status()
    assert {name: line.pid(name) for name in pids} == pids  # nobody died
    line.well("hold")
    assert line.eventually(lambda: line.status()["state"] == "held", within=10)
    status = line.status()
    assert [(o["order"], o["good"], o["scrapped"]) for o in status["orders"]] == [
        ("indoor", 1, 0),
        ("outdoor", 1, 0),
    ]
    assert status["alarms"] == []
    assert not [event for event in line.events() if isinstance(event, LotLoaded | Drained | ModuleOut)]
    assert evidence_findings(line) == []
    line.well("down")
    for name in line.deployment.processes:
        assert '"peer":"mallory"' in line.log(name), name
    assert "something other than a subscription" in line.log("belt")
    assert not [name for name, text in line.logs().items() if "Traceback" in text]
    assert line.crash_files() == []
