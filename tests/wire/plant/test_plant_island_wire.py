"""The simulated WAGO island, gauge and machine of the puck line before an independent Modbus client."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from pymodbus.client import AsyncModbusTcpClient

from cellctl.line.model import Line
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant_process import Served, serve_plant

IO2, GAUGE, PRESS = "modbus-tcp://10.0.1.21:502", "modbus-tcp://10.0.1.41:502", "modbus-tcp://10.0.1.51:502"
WELL = {"noise": 0.0}


def client(served: Served, address: str) -> AsyncModbusTcpClient:
    host, _, port = served.devices[address].removeprefix("modbus-tcp://").partition(":")
    return AsyncModbusTcpClient(host, port=int(port), timeout=1, retries=0)


def floats(words: list[int]) -> list[float]:
    return list(struct.unpack(f">{len(words) // 2}f", struct.pack(f">{len(words)}H", *words)))


def float_words(value: float) -> list[int]:
    return list(struct.unpack(">HH", struct.pack(">f", value)))


def order(number: int, program: int, *values: float) -> list[int]:
    """Registers 0 to 19 of the machine: program, values and, last, the action number."""
    words = [word for value in values for word in float_words(value)]
    return [program, len(values), *words, *[0] * (16 - len(words)), number >> 16, number & 0xFFFF]


async def until(ask: Any, holds: Any, seconds: float = 5.0) -> Any:
    async with asyncio.timeout(seconds):
        while not holds(value := await ask()):
            await asyncio.sleep(0.01)
        return value


def test_a_start_output_brings_a_component_that_the_present_input_sees(plant_line: Line) -> None:
    async def run() -> tuple[list[bool], dict[str, int]]:
        async with serve_plant(plant_line) as served, client(served, IO2) as modbus:
            await modbus.write_coil(3, True)

            async def inputs() -> list[bool]:
                return list((await modbus.read_discrete_inputs(0, count=8)).bits)

            seen = await until(inputs, lambda bits: bits[3])
            return seen, served.plant.counters()

    seen, counters = asyncio.run(run())
    assert seen == [False, False, False, True, False, False, False, False]
    assert counters == {"lids.black_bowl.fed": 1, "lids.black_bowl.started": 1}


def test_outputs_are_read_back_at_0x0200_and_as_words(plant_line: Line) -> None:
    async def run() -> tuple[list[bool], list[bool], list[int]]:
        async with serve_plant(plant_line) as served, client(served, IO2) as modbus:
            await modbus.write_coils(5, [True, False, True])
            image = (await modbus.read_coils(0x0200, count=8)).bits
            inputs = (await modbus.read_coils(0, count=8)).bits
            return image, inputs, (await modbus.read_holding_registers(0x0200)).registers

    image, inputs, words = asyncio.run(run())
    assert image == [False] * 5 + [True, False, True]
    assert inputs == [False] * 8
    assert words == [0b1010_0000]


def test_the_island_names_itself_and_its_size(plant_line: Line) -> None:
    async def run() -> list[int]:
        async with serve_plant(plant_line) as served, client(served, IO2) as modbus:
            size = (await modbus.read_holding_registers(0x1024, count=2)).registers
            item = (await modbus.read_holding_registers(0x2011, count=2)).registers
            return [*size, *item]

    assert asyncio.run(run()) == [8, 8, 750, 352]


def test_the_watchdog_switches_outputs_off_and_refuses_process_data_until_it_is_restarted(
    plant_line: Line,
) -> None:
    async def run() -> tuple[int, list[int], list[bool]]:
        async with serve_plant(plant_line) as served, client(served, IO2) as modbus:
            await modbus.write_register(0x1000, 2)
            await modbus.write_register(0x1003, 1)
            await modbus.write_coil(6, True)
            await asyncio.sleep(0.4)
            refused = (await modbus.read_discrete_inputs(0, count=8)).exception_code
            status = (await modbus.read_holding_registers(0x1006)).registers
            await modbus.write_register(0x1007, 1)
            return refused, status, (await modbus.read_coils(0x0200, count=8)).bits

    refused, status, outputs = asyncio.run(run())
    assert refused == 4
    assert status == [2]
    assert outputs == [False] * 8


def test_points_beyond_the_island_are_refused(plant_line: Line) -> None:
    async def run() -> list[int]:
        async with serve_plant(plant_line) as served, client(served, IO2) as modbus:
            replies = [
                await modbus.read_discrete_inputs(0, count=9),
                await modbus.write_coil(8, True),
                await modbus.read_holding_registers(0x3000),
            ]
            return [reply.exception_code for reply in replies]

    assert asyncio.run(run()) == [2, 2, 2]


def test_the_press_makes_the_part_lower_and_the_gauge_measures_it(plant_line: Line) -> None:
    """Indoor variant: 12.00 + 6.30 mm, 40 N on 400 N/mm."""

    async def run() -> tuple[list[int], float, float, Served]:
        async with serve_plant(plant_line) as served:
            served.plant.lay(served.plant.world.agenda.now, "belt.press", "housing", "board", "lid-black")
            async with client(served, PRESS) as modbus:
                await modbus.write_registers(0, order(0x10001, 1, 40.0))

                async def report() -> list[int]:
                    return list((await modbus.read_input_registers(0, count=25)).registers)

                words = await until(report, lambda words: words[4] != 1)
            served.plant.remove(served.plant.world.agenda.now, "belt.press")
            height = served.plant.items()[0]["height"]
            assert isinstance(height, float)
            return words, floats(words[8:10])[0], height, served

    words, peak, height, served = asyncio.run(run())
    assert words[:8] == [1, 1, 1, 1, 2, 1, 0, 1]
    assert abs(peak - 40.0) < 1.0
    assert abs(height - 0.0182) < 1e-9
    assert served.plant.runs() == {"press.plc": {0x10001: 1}}


def test_the_machine_runs_a_number_once_however_often_it_is_written(plant_line: Line) -> None:
    async def run() -> dict[str, dict[int, int]]:
        async with serve_plant(plant_line) as served, client(served, PRESS) as modbus:
            served.plant.lay(served.plant.world.agenda.now, "belt.press", "housing")
            for _ in range(3):
                await modbus.write_registers(0, order(7, 1, 40.0))

            async def state() -> int:
                return int((await modbus.read_input_registers(4)).registers[0])

            await until(state, lambda state: state == 2)
            await modbus.write_registers(0, order(7, 1, 40.0))
            assert await state() == 2
            return served.plant.runs()

    assert asyncio.run(run()) == {"press.plc": {7: 1}}


def test_a_machine_with_nothing_in_it_says_so(plant_line: Line) -> None:
    async def run() -> list[int]:
        async with serve_plant(plant_line) as served, client(served, PRESS) as modbus:
            await modbus.write_registers(0, order(1, 1, 40.0))

            async def report() -> list[int]:
                return list((await modbus.read_input_registers(0, count=8)).registers)

            return list(await until(report, lambda words: words[4] != 1))

    assert asyncio.run(run()) == [0, 1, 0, 1, 3, 1, 1, 0]


def test_the_gauge_measures_true_height_with_its_noise(plant_line: Line) -> None:
    async def run() -> tuple[list[int], float]:
        async with serve_plant(plant_line) as served, client(served, GAUGE) as modbus:
            served.plant.lay(0.0, "belt.gauge", "housing", "lid-black")
            await modbus.write_registers(0, [0, 77])
            busy = (await modbus.read_input_registers(0)).registers

            async def answer() -> list[int]:
                return list((await modbus.read_input_registers(0, count=6)).registers)

            words = await until(answer, lambda words: words[1] == 77)
            return busy + words, floats(words[2:4])[0]

    words, value = asyncio.run(run())
    assert words[0] == 2
    assert (words[1], words[2], words[6]) == (1, 77, 1)
    assert abs(value - 18.30) < 0.06


def test_a_gauge_with_nothing_under_it_reports_an_error(plant_line: Line) -> None:
    async def run() -> list[int]:
        async with serve_plant(plant_line) as served, client(served, GAUGE) as modbus:
            await modbus.write_registers(0, [0, 5])

            async def answer() -> list[int]:
                return list((await modbus.read_input_registers(0, count=2)).registers)

            return list(await until(answer, lambda words: words[1] == 5))

    assert asyncio.run(run())[0] & 4


def test_a_silent_device_answers_again_when_the_fault_is_over(plant_line: Line) -> None:
    async def run() -> list[int]:
        faults = [Fault.model_validate({"device": "gauge.head", "fault": "silent", "for": "300 ms"})]
        async with serve_plant(plant_line, faults=faults) as served:
            host, _, port = served.devices[GAUGE].removeprefix("modbus-tcp://").partition(":")
            modbus = AsyncModbusTcpClient(host, port=int(port), timeout=0.2, retries=5)
            async with modbus:
                return list((await modbus.read_input_registers(5)).registers)

    assert asyncio.run(run()) == [1]
