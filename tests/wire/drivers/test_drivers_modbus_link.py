"""The live Modbus links against scripted servers and pymodbus' own, on loopback."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from cellctl.errors import DeviceError, DeviceRefused, DeviceSilent
from cellctl.runtime import Registers, Table
from cellctl_drivers.links.modbus import open_rtu_over_tcp, open_tcp
from cellctl_drivers.maps import altivar as drive
from cellctl_drivers.registers import encode, read_registers, write_registers

Pdu = bytes
Answer = Callable[[int, Pdu], Awaitable[Pdu | None]]  # unit, request -> reply, or none at all


def crc(frame: bytes) -> bytes:
    """CRC-16 of a serial line frame, MODBUS over Serial Line V1.02, appendix B."""
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def serve_mbap(answer: Answer, seen: list[bytes]) -> Callable[..., Awaitable[None]]:
    """A Modbus TCP server; answers may overtake each other. `seen` gets every request frame."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks = set()

        async def reply(number: int, unit: int, pdu: Pdu) -> None:
            if (said := await answer(unit, pdu)) is not None:
                writer.write(struct.pack(">HHHB", number, 0, len(said) + 1, unit) + said)

        try:
            while True:
                head = await reader.readexactly(7)
                number, _, length, unit = struct.unpack(">HHHB", head)
                pdu = await reader.readexactly(length - 1)
                seen.append(head + pdu)
                task = asyncio.create_task(reply(number, unit, pdu))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        finally:
            for task in tasks:
                task.cancel()

    return serve


def serve_rtu(answer: Answer, seen: list[bytes]) -> Callable[..., Awaitable[None]]:
    """RTU frames over TCP, for requests of 8 bytes (FC03 and FC06)."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            frame = await reader.readexactly(8)
            seen.append(frame)
            said = await answer(frame[0], frame[1:-2])
            if said is not None:
                body = frame[:1] + said
                writer.write(body + crc(body))

    return serve


async def its_address(unit: int, pdu: Pdu) -> Pdu:
    """Answers a read of holding registers with their addresses, a write with its echo."""
    function, address, count = struct.unpack(">BHH", pdu[:5])
    if function == 3:
        return struct.pack(f">BB{count}H", 3, 2 * count, *range(address, address + count))
    return pdu[:5]


async def nothing(unit: int, pdu: Pdu) -> None:
    return None


def test_a_read_is_the_frame_of_the_vendors_manual(loop_runtime: Any, listening: Any) -> None:
    """ATV12 Modbus manual, BBV28590: read 4 words from 3102 of drive 2."""
    seen: list[bytes] = []

    async def main() -> tuple[int, ...]:
        async with (
            listening(serve_rtu(its_address, seen)) as server,
            open_rtu_over_tcp(f"modbus-rtu-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            return await link.read(2, Table.HOLDING, 3102, 4)

    assert asyncio.run(main()) == (3102, 3103, 3104, 3105)
    assert seen == [bytes.fromhex("02 03 0C 1E 00 04 27 6C")]


def test_a_write_is_the_frame_of_the_vendors_manual(loop_runtime: Any, listening: Any) -> None:
    """ATV12 Modbus manual, BBV28590: ACC (9001) of drive 2 to 1.3 s."""
    seen: list[bytes] = []

    async def main() -> None:
        async with (
            listening(serve_rtu(its_address, seen)) as server,
            open_rtu_over_tcp(f"modbus-rtu-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            await write_registers(link, 2, {drive.ACC: 1.3})

    asyncio.run(main())
    assert seen == [bytes.fromhex("02 06 23 29 00 0D 92 70")]


def test_adjacent_registers_go_in_one_request(loop_runtime: Any, listening: Any) -> None:
    seen: list[bytes] = []

    async def main() -> tuple[float, float, float]:
        async with (
            listening(serve_mbap(its_address, seen)) as server,
            open_tcp(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            found = await read_registers(link, 1, [drive.DEC, drive.ETA, drive.RFR, drive.ACC])
            await write_registers(link, 1, {drive.LFR: -12.5, drive.CMD: 15})
            return found[drive.ETA], found[drive.RFR], found[drive.DEC]

    assert asyncio.run(main()) == pytest.approx((3201, 320.2, 900.2))
    assert [frame[7:] for frame in seen] == [
        struct.pack(">BHH", 3, 3201, 2),
        struct.pack(">BHH", 3, 9001, 2),
        struct.pack(">BHHBHh", 16, 8501, 2, 4, 15, -125),
    ]


def test_an_error_reply_is_a_refusal_with_its_code(loop_runtime: Any, listening: Any) -> None:
    async def refuse(unit: int, pdu: Pdu) -> Pdu:
        return bytes([pdu[0] | 0x80, 2])

    async def main() -> None:
        async with (
            listening(serve_mbap(refuse, [])) as server,
            open_tcp(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            with pytest.raises(DeviceRefused, match=r"read of input register 7.*no such address") as caught:
                await link.read(3, Table.INPUT, 7, 1)
            assert caught.value.code == 2
            assert caught.value.device == "unit 3"
            with pytest.raises(DeviceRefused, match="write of coil 5"):
                await link.write(3, Table.COILS, 5, [1])

    asyncio.run(main())


def test_a_silent_device_is_named_with_its_register_after_two_attempts(
    loop_runtime: Any, listening: Any
) -> None:
    seen: list[bytes] = []

    async def main() -> float:
        async with (
            listening(serve_mbap(nothing, seen)) as server,
            open_tcp(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            began = time.monotonic()
            with pytest.raises(
                DeviceSilent, match=rf"unit 1 at .*:{server.port}: read of holding register 3201"
            ):
                await link.read(1, Table.HOLDING, 3201, 1)
            return time.monotonic() - began

    assert 0.9 < asyncio.run(main()) < 2.0
    assert len(seen) == 2


def test_a_device_that_is_not_there_is_silent_at_once_and_found_later(
    loop_runtime: Any, listening: Any
) -> None:
    async def main() -> float:
        async with listening(serve_mbap(its_address, [])) as server:
            port = server.port
        async with open_tcp(f"modbus-tcp://127.0.0.1:{port}", loop_runtime) as link:
            began = time.monotonic()
            with pytest.raises(DeviceSilent, match="it is not connected"):
                await link.read(1, Table.HOLDING, 10, 1)
            at_once = time.monotonic() - began
            async with listening(serve_mbap(its_address, []), port):
                assert await _retried(link, 10) == (10,)
            return at_once

    assert asyncio.run(main()) < 0.1


async def _retried(link: Registers, address: int) -> tuple[int, ...]:
    async with asyncio.timeout(5):
        while True:
            try:
                return await link.read(1, Table.HOLDING, address, 1)
            except DeviceSilent:
                await asyncio.sleep(0.02)


def test_a_lost_connection_is_made_again(loop_runtime: Any, listening: Any) -> None:
    async def main() -> int:
        async with (
            listening(serve_mbap(its_address, [])) as server,
            open_tcp(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            for address in range(3):
                assert await _retried(link, address) == (address,)
                server.cut()
            assert await _retried(link, 9) == (9,)
            connections: int = server.connections
            return connections

    assert asyncio.run(main()) == 4


def late(delay: float, first: int) -> Answer:
    """Answers the `first` requests too late, then at once."""
    count = 0

    async def answer(unit: int, pdu: Pdu) -> Pdu:
        nonlocal count
        count += 1
        if count <= first:
            await asyncio.sleep(delay)
        return await its_address(unit, pdu)

    return answer


@pytest.mark.parametrize(
    ("open_link", "serve"),
    [(open_tcp, serve_mbap), (open_rtu_over_tcp, serve_rtu)],
    ids=["tcp", "rtu over tcp"],
)
def test_a_late_answer_is_not_taken_for_that_of_the_next_request(
    loop_runtime: Any, listening: Any, open_link: Any, serve: Any
) -> None:
    async def main() -> list[tuple[int, ...]]:
        async with (
            listening(serve(late(0.7, 2), [])) as server,
            open_link(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            with pytest.raises(DeviceSilent):
                await link.read(1, Table.HOLDING, 10, 1)
            return [await _retried(link, address) for address in (20, 30, 40)]

    assert asyncio.run(main()) == [(20,), (30,), (40,)]


@pytest.mark.parametrize(
    ("open_link", "serve"),
    [(open_tcp, serve_mbap), (open_rtu_over_tcp, serve_rtu)],
    ids=["tcp", "rtu over tcp"],
)
def test_the_answer_to_a_request_that_was_given_up_is_not_taken_for_the_next(
    loop_runtime: Any, listening: Any, open_link: Any, serve: Any
) -> None:
    async def main() -> tuple[int, ...]:
        async with (
            listening(serve(late(0.2, 1), [])) as server,
            open_link(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(link.read(1, Table.HOLDING, 10, 1), 0.1)
            return await _retried(link, 20)

    assert asyncio.run(main()) == (20,)


def test_garbage_counts_as_silence(loop_runtime: Any, listening: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(b"\xff" * 300)

    async def main() -> None:
        async with (
            listening(serve) as server,
            open_tcp(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            with pytest.raises(DeviceSilent):
                await link.read(1, Table.HOLDING, 10, 1)

    asyncio.run(main())


def test_one_request_at_a_time_is_on_the_bus(loop_runtime: Any, listening: Any) -> None:
    """Two drivers share a bus: neither's request is sent while the other's is unanswered."""
    on_the_bus, most = 0, 0

    async def answer(unit: int, pdu: Pdu) -> Pdu:
        nonlocal on_the_bus, most
        on_the_bus += 1
        most = max(most, on_the_bus)
        await asyncio.sleep(0.01)
        on_the_bus -= 1
        return await its_address(unit, pdu)

    async def main() -> list[tuple[int, ...]]:
        async with (
            listening(serve_mbap(answer, [])) as server,
            open_tcp(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            return await asyncio.gather(*(link.read(n % 3, Table.HOLDING, n, 1) for n in range(9)))

    assert asyncio.run(main()) == [(n,) for n in range(9)]
    assert most == 1


def test_until_reads_until_it_holds(loop_runtime: Any, listening: Any) -> None:
    count = 0

    async def counting(unit: int, pdu: Pdu) -> Pdu:
        nonlocal count
        count += 1
        return struct.pack(">BBH", 3, 2, count)

    async def main() -> tuple[int, ...]:
        async with (
            listening(serve_mbap(counting, [])) as server,
            open_tcp(f"modbus-tcp://127.0.0.1:{server.port}", loop_runtime) as link,
        ):
            assert isinstance(link, Registers)
            return await link.until(
                lambda: link.read(1, Table.HOLDING, 0, 1), lambda value: value[0] >= 5, every=0.001
            )

    assert asyncio.run(main()) == (5,)
    assert count == 5


@pytest.mark.parametrize("framer", [FramerType.SOCKET, FramerType.RTU])
def test_every_table_against_pymodbus_server(loop_runtime: Any, framer: FramerType) -> None:
    device = SimDevice(
        7,
        (
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=[True, False] * 8, datatype=DataType.BITS)],
            [SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)],
            [SimData(0, values=[*encode_float(230.5), 7], datatype=DataType.REGISTERS)],
        ),
    )
    opened = open_tcp if framer is FramerType.SOCKET else open_rtu_over_tcp

    async def main() -> None:
        server: Any = ModbusTcpServer(device, framer=framer, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        port = server.transport.sockets[0].getsockname()[1]
        try:
            async with opened(f"modbus://127.0.0.1:{port}", loop_runtime) as link:
                await link.write(7, Table.COILS, 3, [1, 1])
                await link.write(7, Table.COILS, 5, [1])
                assert await link.read(7, Table.COILS, 0, 7) == (0, 0, 0, 1, 1, 1, 0)
                assert await link.read(7, Table.DISCRETE, 1, 3) == (0, 1, 0)
                await link.write(7, Table.HOLDING, 2, [65535])
                await link.write(7, Table.HOLDING, 3, [1, 2])
                assert await link.read(7, Table.HOLDING, 1, 4) == (0, 65535, 1, 2)
                assert await link.read(7, Table.INPUT, 0, 3) == (*encode_float(230.5), 7)
        finally:
            await server.shutdown()

    asyncio.run(main())


def encode_float(value: float) -> tuple[int, ...]:
    return struct.unpack(">2H", struct.pack(">f", value))


@pytest.mark.parametrize(
    "address", ["modbus-tcp://", "10.0.1.20:502", "modbus-tcp://host:port", "modbus-tcp://h/x"]
)
def test_an_address_without_host_and_port_is_refused_with_an_example(loop_runtime: Any, address: str) -> None:
    async def main() -> None:
        async with open_tcp(address, loop_runtime):
            pass

    with pytest.raises(DeviceError, match="address"):
        asyncio.run(main())


def test_encode_is_what_went_over_the_wire_above() -> None:
    assert encode(drive.LFR, -12.5) == (0xFF83,)
