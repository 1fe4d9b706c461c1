"""The simulated Altivar before independent Modbus clients: vendor frames, the CiA402 sequence, ramps, watchdog."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient

from cellctl_sim.devices.altivar import AltivarDevice
from cellctl_sim.plant.agenda import Agenda

Serve = Any
CHANNELS = {8401: 2, 8413: 164, 8423: 10}  # separate mode, reference and command by Modbus


def drive() -> AltivarDevice:
    return AltivarDevice("drive", Agenda())


def client(port: int, framer: FramerType = FramerType.SOCKET) -> AsyncModbusTcpClient:
    return AsyncModbusTcpClient("127.0.0.1", port=port, framer=framer, timeout=1, retries=0)


async def to_modbus(modbus: AsyncModbusTcpClient) -> None:
    """What a controller sets before it commands the drive; ramps of 0.2 s."""
    for address, value in (CHANNELS | {9001: 2, 9002: 2}).items():
        assert not (await modbus.write_register(address, value)).isError()


async def word(modbus: AsyncModbusTcpClient, address: int) -> int:
    return (await modbus.read_holding_registers(address)).registers[0]


async def exchange(port: int, request: bytes, size: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(2):
            return await reader.readexactly(size)
    finally:
        writer.close()


def test_it_answers_the_vendors_read_frame(serve_device: Serve) -> None:
    """BBV28590: `02 03 0C 1E 00 04 27 6C` reads 3102 to 3105 of slave 2."""

    async def run() -> bytes:
        async with serve_device(drive(), "modbus-rtu-tcp") as port:
            return await exchange(port, bytes.fromhex("02030C1E0004276C"), 13)

    answer = asyncio.run(run())
    assert answer[:3] == bytes.fromhex("020308")
    assert answer[5:7] == (600).to_bytes(2, "big")  # TFR, 60.0 Hz


def test_it_echoes_the_vendors_write_frame(serve_device: Serve) -> None:
    """BBV28590: `02 06 23 29 00 0D 92 70` writes 1.3 s to 9001 of slave 2."""
    frame = bytes.fromhex("02062329000D9270")

    async def run() -> bytes:
        async with serve_device(drive(), "modbus-rtu-tcp") as port:
            return await exchange(port, frame, 8)

    assert asyncio.run(run()) == frame


def test_the_cia402_sequence_shows_the_states_of_the_manual(serve_device: Serve) -> None:
    async def run() -> list[int]:
        async with serve_device(drive()) as port, client(port) as modbus:
            await to_modbus(modbus)
            seen = [await word(modbus, 3201)]
            for command in (6, 7, 15):
                await modbus.write_register(8501, command)
                seen.append(await word(modbus, 3201))
            return seen

    assert [eta & 0x006F for eta in asyncio.run(run())] == [0x40, 0x21, 0x23, 0x27]


def test_the_status_word_says_that_mains_and_network_are_there(serve_device: Serve) -> None:
    async def run() -> list[int]:
        async with serve_device(drive()) as port, client(port) as modbus:
            before = await word(modbus, 3201)
            await to_modbus(modbus)
            return [before, await word(modbus, 3201)]

    assert asyncio.run(run()) == [0x0050, 0x0250]


def test_it_takes_no_commands_before_the_channels_are_set_to_modbus(serve_device: Serve) -> None:
    async def run() -> int:
        async with serve_device(drive()) as port, client(port) as modbus:
            await modbus.write_registers(8501, [6, 300])
            return await word(modbus, 3201)

    assert asyncio.run(run()) & 0x006F == 0x40


def test_the_frequency_ramps_and_the_reference_is_reported_as_reached(serve_device: Serve) -> None:
    async def run() -> tuple[list[int], int]:
        async with serve_device(drive()) as port, client(port) as modbus:
            await to_modbus(modbus)
            for command in (6, 7):
                await modbus.write_register(8501, command)
            await modbus.write_registers(8501, [15, 300])
            seen: list[int] = []
            async with asyncio.timeout(3):
                while not await word(modbus, 3201) & 0x0400:
                    seen.append(await word(modbus, 3202))
            return seen, await word(modbus, 3202)

    ramp, final = asyncio.run(run())
    assert ramp == sorted(ramp)
    assert any(0 < value < 300 for value in ramp)
    assert final == 300


def test_a_controller_that_falls_silent_trips_the_drive_with_slf1(serve_device: Serve) -> None:
    async def run() -> tuple[int, int]:
        async with serve_device(drive()) as port, client(port) as modbus:
            await to_modbus(modbus)
            await modbus.write_register(6005, 2)  # TTO 0.2 s
            await modbus.write_register(8501, 6)
            await asyncio.sleep(0.4)
            return await word(modbus, 3201), await word(modbus, 7121)

    eta, fault = asyncio.run(run())
    assert (eta & 0x006F, fault) == (0x08, 5)


def test_a_fault_is_reset_by_a_rising_edge_only(serve_device: Serve) -> None:
    device = drive()

    async def run() -> list[int]:
        async with serve_device(device) as port, client(port) as modbus:
            await to_modbus(modbus)
            await modbus.write_register(8501, 0x80)
            device.trip(0.0, 9)
            seen = []
            for command in (0x80, 0x00, 0x80):
                await modbus.write_register(8501, command)
                seen.append(await word(modbus, 3201) & 0x006F)
            return seen

    assert asyncio.run(run()) == [0x08, 0x08, 0x40]


def test_it_refuses_what_it_does_not_have(serve_device: Serve) -> None:
    async def run() -> list[int]:
        async with serve_device(drive()) as port, client(port) as modbus:
            replies = [
                await modbus.read_input_registers(3201),
                await modbus.read_holding_registers(3000),
                await modbus.write_register(3201, 1),
                await modbus.write_register(6005, 301),
                await modbus.read_holding_registers(3201, count=64),
            ]
            return [reply.exception_code for reply in replies]

    assert asyncio.run(run()) == [1, 2, 2, 3, 3]


def test_read_write_and_mask_functions_work(serve_device: Serve) -> None:
    async def run() -> tuple[list[int], int]:
        async with serve_device(drive()) as port, client(port) as modbus:
            both = await modbus.readwrite_registers(
                read_address=9001, read_count=2, write_address=9001, values=[12, 34]
            )
            await modbus.mask_write_register(address=9001, and_mask=0x00F0, or_mask=0x0003)
            return both.registers, await word(modbus, 9001)

    assert asyncio.run(run()) == ([12, 34], 12 & 0xF0 | 3)


def test_it_identifies_itself(serve_device: Serve) -> None:
    async def run() -> dict[int, bytes]:
        async with serve_device(drive()) as port, client(port) as modbus:
            return dict((await modbus.read_device_information()).information)

    assert asyncio.run(run())[0] == b"Schneider Electric"


def test_the_communication_scanner_shows_status_and_speed_in_one_read(serve_device: Serve) -> None:
    async def run() -> list[int]:
        async with serve_device(drive()) as port, client(port) as modbus:
            return list((await modbus.read_holding_registers(12741, count=2)).registers)

    assert asyncio.run(run()) == [0x0050, 0]


def test_it_speaks_rtu_over_tcp_with_pymodbus(serve_device: Serve) -> None:
    async def run() -> int:
        async with serve_device(drive(), "modbus-rtu-tcp") as port, client(port, FramerType.RTU) as modbus:
            return await word(modbus, 3104)

    assert asyncio.run(run()) == 500


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed")
def test_a_c_client_reads_the_same(serve_device: Serve) -> None:
    async def run() -> str:
        async with serve_device(drive()) as port:
            command = ["mbpoll", "-m", "tcp", "-a", "1", "-0", "-r", "3103", "-c", "2", "-t", "4", "-1"]
            done = await asyncio.to_thread(
                subprocess.run,
                [*command, "-p", str(port), "127.0.0.1"],
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            )
            return done.stdout

    output = asyncio.run(run())
    assert "600" in output
    assert "500" in output


def test_many_clients_are_served_at_once(serve_device: Serve) -> None:
    async def run() -> list[int]:
        async with serve_device(drive()) as port:

            async def one() -> int:
                async with client(port) as modbus:
                    return await word(modbus, 3103)

            return await asyncio.gather(*(one() for _ in range(10)))

    assert asyncio.run(run()) == [600] * 10
