"""Our bus against a raw pyzmq echo through zmq.asyncio: CURVE on, two processes, both pinned to one CPU.

Run `python tests/benchmarks/bench_bus.py`. Ours sends a Command and gets an Accepted, encoded and decoded on both
sides; the echo returns the Command's bytes untouched. Each is run several times, taking turns; the median counts.
Exit status 1 when a floor is missed.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import zmq
import zmq.asyncio

sys.path.insert(0, str(Path(__file__).parents[2]))

from cellctl.live import curve
from cellctl.live.bus import Bus
from cellctl.live.deployment import Addresses
from cellctl.live.log import process_log
from cellctl.messages import Accepted, Command, Head, Item, encode

ROUND_TRIPS, PIPELINED, WINDOW, TURNS = 3000, 20_000, 64, 5
LATENCY_FLOOR, THROUGHPUT_FLOOR = 1.0, 1.5
LOCAL = Addresses("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
HEAD = Head(4711, "0123456789abcdef0123456789abcdef")
COMMAND = Command(
    number=4711,
    module="belt",
    epoch=3,
    oldest=4700,
    skill="advance",
    items=(Item("p7", "belt.load", "belt.press"),),
    step="to_press",
    parameters={"force": 40.0},
    head=HEAD,
)

Figures = tuple[float, float, float]  # round trip p50 [us], p99 [us], requests a second


async def measure(send: Callable[[], object], receive: Callable[[], Awaitable[object]]) -> Figures:
    trips = []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        send()
        await receive()
        trips.append((time.perf_counter() - began) * 1e6)
    began = time.perf_counter()
    for _ in range(WINDOW):
        send()
    for _ in range(PIPELINED - WINDOW):
        await receive()
        send()
    for _ in range(WINDOW):
        await receive()
    rate = PIPELINED / (time.perf_counter() - began)
    return statistics.median(trips), statistics.quantiles(trips, n=100)[98], rate


async def serve_ours(keys: Path) -> None:
    async with Bus("belt", process_log("belt"), keys).serve(LOCAL) as server:
        print(server.addresses.commands, server.addresses.events, flush=True)
        while True:
            incoming = await server.requests.receive()
            if isinstance(incoming.message, Command):
                server.reply(incoming.peer, Accepted("belt", incoming.message.number, HEAD))


async def call_ours(keys: Path, addresses: list[str]) -> Figures:
    bus = Bus("runner", process_log("runner"), keys)
    async with bus.connect("belt", Addresses(*addresses)) as peer:
        while not (await peer.inbox.receive()).alive:
            pass

        async def receive() -> None:
            while not isinstance((await peer.inbox.receive()).message, Accepted):
                pass

        figures = await measure(lambda: peer.send(COMMAND), receive)
    bus.close()
    return figures


async def serve_echo(keys: Path) -> None:
    socket = zmq.asyncio.Context().socket(zmq.ROUTER)
    pair = curve.load_keys(keys, "belt")
    socket.curve_server, socket.curve_secretkey, socket.curve_publickey = True, pair.secret, pair.public
    socket.bind(LOCAL.commands)
    print(socket.getsockopt_string(zmq.LAST_ENDPOINT), flush=True)
    while True:
        await socket.send_multipart(await socket.recv_multipart())


async def call_echo(keys: Path, addresses: list[str]) -> Figures:
    with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as socket:
        pair, server = curve.load_keys(keys, "runner"), curve.load_keys(keys, "belt").public
        socket.curve_secretkey, socket.curve_publickey, socket.curve_serverkey = (
            pair.secret,
            pair.public,
            server,
        )
        socket.connect(addresses[0])
        payload = encode(COMMAND)
        return await measure(lambda: socket.send(payload), socket.recv)


SIDES = {"ours": (serve_ours, call_ours), "echo": (serve_echo, call_echo)}


def run(side: str, keys: Path) -> Figures:
    command = [sys.executable, __file__, "serve", side, str(keys)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            return asyncio.run(SIDES[side][1](keys, server.stdout.readline().split()))
        finally:
            server.kill()


def median(turns: list[Figures]) -> list[float]:
    return [statistics.median(column) for column in zip(*turns, strict=True)]


def main() -> int:
    keys = Path(tempfile.mkdtemp())
    for name in ("belt", "runner"):
        curve.make_keys(keys, name)
        curve.trust(keys, keys / f"{name}.public")
    turns: dict[str, list[Figures]] = {"echo": [], "ours": []}
    for _ in range(TURNS):
        for side, figures in turns.items():
            figures.append(run(side, keys))
    echo, ours = median(turns["echo"]), median(turns["ours"])
    cpu = sorted(os.sched_getaffinity(0))
    print(f"CURVE on, both ends on CPU {cpu}, Python {sys.version.split()[0]}, libzmq {zmq.zmq_version()}")
    print(f"{'':28}{'p50 us':>10}{'p99 us':>10}{'requests/s':>14}")
    print(f"{'echo through zmq.asyncio':28}{echo[0]:10.1f}{echo[1]:10.1f}{echo[2]:14.0f}")
    print(f"{'cellctl bus':28}{ours[0]:10.1f}{ours[1]:10.1f}{ours[2]:14.0f}")
    latency, throughput = ours[0] / echo[0], ours[2] / echo[2]
    print(f"{'ratio':28}{latency:10.2f}{ours[1] / echo[1]:10.2f}{throughput:14.2f}")
    print(f"floors: latency at most {LATENCY_FLOOR}, throughput at least {THROUGHPUT_FLOOR}")
    return 0 if latency <= LATENCY_FLOOR and throughput >= THROUGHPUT_FLOOR else 1


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(SIDES[sys.argv[2]][0](Path(sys.argv[3])))
    sys.exit(main())
