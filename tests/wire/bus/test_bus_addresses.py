"""Addresses of the bus: what can be listened at, and what is refused."""

from __future__ import annotations

import asyncio

import pytest
from bus_bench import ANY, Lines, bus

from cellctl.errors import BusError
from cellctl.live.bus import Bus, is_local
from cellctl.live.deployment import Addresses


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
