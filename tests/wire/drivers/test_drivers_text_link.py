"""The live text link against a scripted server on loopback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cellctl.errors import DeviceError, DeviceSilent
from cellctl.runtime import Texts
from cellctl_drivers.links.text import LONGEST, open_tcp


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"[3000][Connected]\0")
    while True:
        writer.write(b"<" + await reader.readuntil(b"\0"))


def test_messages_end_with_nul_or_a_line_end_and_may_come_in_pieces(
    loop_runtime: Any, listening: Any
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in (b"[20", b"00][a]\0[2001][b]\r\n", b"[2002][c]", b"\n\0[2003][d]\0"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        await reader.read(1)

    async def main() -> list[str]:
        async with (
            listening(serve) as server,
            open_tcp(f"tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            return [await link.receive() for _ in range(4)]

    assert asyncio.run(main()) == ["[2000][a]", "[2001][b]", "[2002][c]", "[2003][d]"]


def test_what_is_sent_ends_with_nul(loop_runtime: Any, listening: Any) -> None:
    async def main() -> list[str]:
        async with (
            listening(_echo) as server,
            open_tcp(f"tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            assert isinstance(link, Texts)
            await link.send("MoveLin(1,2,3)")
            await link.send("Home")
            return [await link.receive() for _ in range(3)]

    assert asyncio.run(main()) == ["[3000][Connected]", "<MoveLin(1,2,3)", "<Home"]


def test_a_loss_is_told_once_and_then_the_new_connection_is_read(loop_runtime: Any, listening: Any) -> None:
    async def main() -> None:
        async with (
            listening(_echo) as server,
            open_tcp(f"tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            assert await link.receive() == "[3000][Connected]"
            assert link.connections == 1
            server.cut()
            with pytest.raises(DeviceSilent, match="the connection was lost"):
                await link.receive()
            assert await link.receive() == "[3000][Connected]"
            assert link.connections == 2
            await link.send("x")
            assert await link.receive() == "<x"

    asyncio.run(main())


def test_nobody_there_is_silence_when_sending_and_patience_when_receiving(
    loop_runtime: Any, listening: Any
) -> None:
    async def main() -> str:
        async with listening(_echo) as server:
            port = server.port
        async with open_tcp(f"tcp://127.0.0.1:{port}", loop_runtime) as link:
            with pytest.raises(DeviceSilent, match="it is not connected"):
                await link.send("Home")
            async with listening(_echo, port), asyncio.timeout(5):
                return await link.receive()

    assert asyncio.run(main()) == "[3000][Connected]"


def test_a_message_without_end_ends_the_connection(loop_runtime: Any, listening: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * (LONGEST + 1000))
        await reader.read(1)

    async def main() -> None:
        async with (
            listening(serve) as server,
            open_tcp(f"tcp://127.0.0.1:{server.port}", loop_runtime) as link,
            asyncio.timeout(5),
        ):
            with pytest.raises(DeviceSilent):
                await link.receive()

    asyncio.run(main())


def test_a_peer_that_takes_nothing_is_silent(loop_runtime: Any, listening: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with (
            listening(serve) as server,
            open_tcp(f"tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            with pytest.raises(DeviceSilent, match=r"takes no more messages|not connected"):
                await asyncio.gather(*(link.send("x" * 30000) for _ in range(2000)))

    asyncio.run(main())


def test_two_messages_in_one_are_refused(loop_runtime: Any, listening: Any) -> None:
    async def main() -> None:
        async with (
            listening(_echo) as server,
            open_tcp(f"tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            with pytest.raises(DeviceError, match="not one message"):
                await link.send("Home\0ActivateRobot")

    asyncio.run(main())


def test_a_received_message_is_kept_when_its_receiver_is_cancelled(loop_runtime: Any, listening: Any) -> None:
    async def main() -> str:
        async with (
            listening(_echo) as server,
            open_tcp(f"tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            await link.receive()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(link.receive(), 0.01)
            await link.send("x")
            return await link.receive()

    assert asyncio.run(main()) == "<x"
