"""Hostile bytes on every port of the plant: they close the connection that they came by, and nothing else."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from cellctl.line.model import Line
from cellctl_sim.devices.altivar import AltivarDevice
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.ports import ModbusPort, Troubles, Wired
from cellctl_sim.plant_process import serve_plant
from cellctl_sim.servers import modbus

Serve = Any


def drive() -> AltivarDevice:
    return AltivarDevice("drive", Agenda())


async def closed_after(port: int, data: bytes, within: float = 1.0) -> bool:
    """Whether the server closes a connection that carries `data`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(within):
            return await reader.read(-1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    finally:
        writer.close()


async def still_answers(port: int) -> bool:
    async with AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1, retries=0) as client:
        return bool((await client.read_holding_registers(3103)).registers == [600])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: drive\r\n\r\n", id="http"),
        pytest.param(bytes(64), id="zeros"),
        pytest.param(b"\xff" * 300, id="ones"),
        pytest.param(b"\0\1\0\0\xff\xff\1\3" + b"\0" * 70000, id="oversized"),
        pytest.param(b"\0\1\0\0\0\1\1", id="without a function"),
        pytest.param(b"\0\1\0\2\0\6\1\3\0\0\0\1", id="another protocol"),
    ],
)
def test_garbage_closes_its_connection_only(serve_device: Serve, data: bytes) -> None:
    async def run() -> tuple[bool, bool]:
        async with serve_device(drive()) as port:
            return await closed_after(port, data), await still_answers(port)

    assert asyncio.run(run()) == (True, True)


def test_half_a_frame_closes_its_connection_after_a_while(
    serve_device: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modbus, "FRAME_TIME", 0.1)

    async def run() -> tuple[bool, bool]:
        async with serve_device(drive()) as port:
            return await closed_after(port, b"\0\1\0\0\0\6\1\3"), await still_answers(port)

    assert asyncio.run(run()) == (True, True)


def test_a_frame_in_single_bytes_is_answered(serve_device: Serve) -> None:
    async def run() -> bytes:
        async with serve_device(drive()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for byte in b"\0\7\0\0\0\6\1\3\x0c\x1f\0\1":
                writer.write(bytes((byte,)))
                await writer.drain()
                await asyncio.sleep(0.002)
            answer = await reader.readexactly(11)
            writer.close()
            return answer

    assert asyncio.run(run()) == b"\0\7\0\0\0\5\1\3\2\2\x58"


def test_requests_in_one_piece_are_answered_in_their_order(serve_device: Serve) -> None:
    async def run() -> bytes:
        async with serve_device(drive()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"".join(bytes((0, n)) + b"\0\0\0\6\1\3\x0c\x1f\0\1" for n in range(5)))
            answers = await reader.readexactly(55)
            writer.close()
            return answers[1::11]

    assert asyncio.run(run()) == bytes(range(5))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(b"\x2a\0\0", 1, id="unknown function"),
        pytest.param(b"\3\0\0", 3, id="cut short"),
        pytest.param(b"\3\x0c\x1f\0\0", 3, id="nothing asked for"),
        pytest.param(b"\3\x0c\x1f\0\x7e", 3, id="too much asked for"),
        pytest.param(b"\3\xff\xff\0\2", 2, id="beyond the last address"),
        pytest.param(b"\x10\x23\x29\0\2\3\0\1\0", 3, id="byte count does not fit"),
        pytest.param(b"\5\0\0\x12\x34", 3, id="neither on nor off"),
        pytest.param(b"\x2b\x0d\1\0", 1, id="unknown MEI"),
    ],
)
def test_a_malformed_request_gets_an_exception_reply(serve_device: Serve, request_: bytes, code: int) -> None:
    async def run() -> bytes:
        async with serve_device(drive()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\0\1\0\0" + (len(request_) + 1).to_bytes(2, "big") + b"\1" + request_)
            async with asyncio.timeout(2):
                answer = await reader.readexactly(9)
            writer.close()
            return answer

    assert asyncio.run(run())[7:] == bytes((request_[0] | 0x80, code))


def test_a_wrong_crc_closes_an_rtu_connection(serve_device: Serve) -> None:
    async def run() -> bool:
        async with serve_device(drive(), "modbus-rtu-tcp") as port:
            return await closed_after(port, bytes.fromhex("02030C1E0004276D"))

    assert asyncio.run(run())


def test_random_bytes_on_every_port_leave_the_plant_alive(plant_line: Line) -> None:
    rng = random.Random(7)

    async def run() -> tuple[int, dict[str, int]]:
        async with serve_plant(plant_line) as served:
            ports = [
                int(address.rpartition(":")[2]) for address in (*served.devices.values(), served.control)
            ]
            for port in ports:
                for size in (1, 7, 100, 20000):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(rng.randbytes(size))
                    await asyncio.sleep(0.005)
                    writer.close()
            drive_port = int(served.devices["modbus-tcp://10.0.1.11:502"].rpartition(":")[2])
            return await still_answers(drive_port), served.plant.counters()

    assert asyncio.run(run()) == (True, {})


def test_a_text_client_that_never_ends_its_message_is_cut_off(plant_line: Line) -> None:
    async def run() -> bool:
        async with serve_plant(plant_line) as served:
            port = int(served.devices["tcp://10.0.1.31:10000"].rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readuntil(b"\0")
            writer.write(b"A" * 20000)
            try:
                async with asyncio.timeout(2):
                    return await reader.read(-1) == b""
            except ConnectionError:
                return True
            finally:
                writer.close()

    assert asyncio.run(run())


def test_cutting_a_device_off_closes_its_connections_and_refuses_new_ones(plant_line: Line) -> None:
    async def run() -> tuple[bool, bool, bool]:
        async with serve_plant(plant_line) as served:
            port = int(served.devices["modbus-tcp://10.0.1.11:502"].rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            fault = Fault.model_validate({"device": "belt.drive", "fault": "cut", "for": "200 ms"})
            served.plant.fault(fault, 0.0)
            async with asyncio.timeout(1):
                try:
                    cut = await reader.read(-1) == b""
                except ConnectionError:
                    cut = True
            writer.close()
            refused = await closed_after(port, b"")
            await asyncio.sleep(0.3)
            return cut, refused, await still_answers(port)

    assert asyncio.run(run()) == (True, True, True)


def test_units_on_one_bus_answer_for_themselves_and_nobody_for_the_others(serve_device: Serve) -> None:
    units = {unit: Wired(AltivarDevice(f"drive{unit}", Agenda()), Troubles()) for unit in (2, 3)}
    port_of = ModbusPort("bus", units, lambda t: None)

    async def run() -> tuple[list[int], bool]:
        async with serve_device(port_of, "modbus-rtu-tcp") as port:
            bus = AsyncModbusTcpClient("127.0.0.1", port=port, framer=FramerType.RTU, timeout=0.3, retries=0)
            async with bus:
                await bus.write_register(9001, 77, device_id=3)
                values = [
                    (await bus.read_holding_registers(9001, device_id=unit)).registers[0] for unit in (2, 3)
                ]
                try:
                    await bus.read_holding_registers(9001, device_id=4)
                except ModbusIOException:
                    return values, True
                return values, False

    assert asyncio.run(run()) == ([30, 77], True)
