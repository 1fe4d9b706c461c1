"""Who listens in on the bus reads nothing, and who repeats what he recorded delivers nothing."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from bus_bench import ANY, bus, connected, exchange, serving, until

from cellctl.live.deployment import Addresses
from cellctl.runtime import Incoming

SECRET_WORD = "an-order-nobody-else-may-read"


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
