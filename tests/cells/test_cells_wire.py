"""The cells' plant on real sockets, asked by an independent Modbus client."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pymodbus.client import AsyncModbusTcpClient

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl_sim.plant_process import serve_plant

PALLETS = Path(__file__).parent / "pallets" / "line.yaml"


async def tag_in_the_field(installed: Any) -> list[int]:
    line = load_line(PALLETS, Report(), *installed)
    assert line is not None
    async with serve_plant(line) as served:
        _, _, place = served.devices["modbus-tcp://10.0.3.61:502"].partition("://")
        host, _, port = place.rpartition(":")
        client = AsyncModbusTcpClient(host, port=int(port))
        assert await client.connect()
        try:
            answer = await client.read_input_registers(0, count=3)
            return list(answer.registers)
        finally:
            client.close()


def test_a_modbus_client_reads_the_tag_of_the_pallet_that_stands_at_the_reader(example_on_path: Any) -> None:
    assert asyncio.run(tag_in_the_field(example_on_path)) == [1, 0, 4711]
