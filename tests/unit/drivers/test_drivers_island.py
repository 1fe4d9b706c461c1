"""The I/O island and the bowl feeder behind it, against a scripted island."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from cellctl.device import Settlement
from cellctl.errors import DeviceError, DeviceFault, DeviceRefused, DeviceSilent, LimitExceeded
from cellctl.runtime import Table
from cellctl_drivers.bowl_feeder import BowlFeeder, BowlFeederOptions
from cellctl_drivers.maps import remote_io as island
from cellctl_drivers.remote_io import RemoteIO, RemoteIOOptions

ADDRESS = "modbus-tcp://bench:502"


class Island:
    """16 inputs, 16 outputs with read-back, and the watchdog's registers; time runs out only when it is told to."""

    def __init__(self, link: Any) -> None:
        self.link = link
        self.cells = link.cells
        for number in range(16):
            self.cells[Table.DISCRETE, number] = self.cells[Table.COILS, number] = 0
            self.cells[Table.COILS, 0x200 + number] = 0
        for address in (0x1000, 0x1001, 0x1002, 0x1003, 0x1006, 0x1007, 0x1008):
            self.cells[Table.HOLDING, address] = 0
        self.cells[Table.HOLDING, 0x1024] = self.cells[Table.HOLDING, 0x1025] = 16
        self.stuck: set[int] = set()
        link.on_write = self.written

    @property
    def status(self) -> int:
        value: int = self.cells[Table.HOLDING, 0x1006]
        return value

    def expire(self) -> None:
        self.cells[Table.HOLDING, 0x1006] = island.EXPIRED
        for number in range(16):
            self.cells[Table.COILS, 0x200 + number] = 0

    def input(self, number: int, value: bool) -> None:
        self.cells[Table.DISCRETE, number] = int(value)

    def output(self, number: int) -> bool:
        return bool(self.cells[Table.COILS, 0x200 + number])

    def written(self, table: Table, address: int, values: Sequence[int]) -> None:
        if table is Table.COILS:
            for number, value in enumerate(values, start=address):
                if number not in self.stuck and self.status != island.EXPIRED:
                    self.cells[Table.COILS, 0x200 + number] = value
        elif address in (0x1000, 0x1001) and self.status == island.ACTIVE:
            raise DeviceRefused("unit 1", ADDRESS, "it does not take this value while the watchdog runs", 3)
        elif (address, self.status) in ((0x1003, island.INACTIVE), (0x1007, island.EXPIRED)):
            self.cells[Table.HOLDING, 0x1006] = island.ACTIVE
        elif address == 0x1008 and values[0] in (0x55AA, 0xAA55):
            self.cells[Table.HOLDING, 0x1006] = island.INACTIVE


@pytest.fixture
def an_island(registers_link: Any, rack: Any) -> Island:
    rack.links[ADDRESS] = registers_link()
    return Island(rack.links[ADDRESS])


@pytest.fixture
def io1(rack: Any, an_island: Island) -> RemoteIO:
    driver: RemoteIO = rack.add(RemoteIO("io1", RemoteIOOptions(address=ADDRESS), rack))
    return driver


@pytest.fixture
def bowl(rack: Any, io1: RemoteIO) -> BowlFeeder:
    return BowlFeeder("bowl", BowlFeederOptions(io="io1", start="do3", present="io1.di2"), rack)


def test_opening_starts_the_watchdog_and_switches_nothing(
    leap: Any, io1: RemoteIO, an_island: Island
) -> None:
    leap(io1.open())
    assert an_island.cells[Table.HOLDING, 0x1000] == 20
    assert an_island.cells[Table.HOLDING, 0x1001] == 0xFFFF
    assert an_island.status == island.ACTIVE
    assert not any(table is Table.COILS for table, _, _ in an_island.link.writes)


def test_a_watchdog_with_another_time_is_stopped_and_started_anew(
    leap: Any, io1: RemoteIO, an_island: Island
) -> None:
    an_island.cells[Table.HOLDING, 0x1000], an_island.cells[Table.HOLDING, 0x1003] = 100, 7
    an_island.cells[Table.HOLDING, 0x1006] = island.ACTIVE
    leap(io1.open())
    assert an_island.cells[Table.HOLDING, 0x1000] == 20
    assert an_island.status == island.ACTIVE
    assert an_island.cells[Table.HOLDING, 0x1003] == 8  # it is triggered by a change


def test_an_island_that_is_too_small_is_refused(leap: Any, io1: RemoteIO, an_island: Island) -> None:
    an_island.cells[Table.HOLDING, 0x1025] = 4
    with pytest.raises(DeviceFault, match=r"has 4 inputs .*, but the line file says 8"):
        leap(io1.open())


def test_all_inputs_are_read_in_one_request(leap: Any, io1: RemoteIO, an_island: Island) -> None:
    async def run() -> tuple[bool, ...]:
        await io1.open()
        an_island.input(2, True)
        an_island.link.reads.clear()
        return await io1.inputs()

    assert leap(run()) == (False, False, True, False, False, False, False, False)
    assert an_island.link.reads == [(Table.DISCRETE, 0, 8)]


def test_an_output_is_read_back(leap: Any, io1: RemoteIO, an_island: Island) -> None:
    async def run() -> None:
        await io1.open()
        await io1.set_output(3, True).perform(1)
        await io1.set_output(3, True).perform(1)
        assert (await io1.outputs())[3]
        an_island.stuck.add(4)
        with pytest.raises(DeviceFault, match=r"DO4 image \(coils 516\) was switched on but is off"):
            await io1.set_output(4, True).perform(2)

    leap(run())
    assert an_island.output(3)


@pytest.mark.parametrize("number", [-1, 8])
def test_a_point_that_is_not_there_is_refused(leap: Any, io1: RemoteIO, number: int) -> None:
    with pytest.raises(LimitExceeded, match="output"):
        io1.set_output(number, True)
    with pytest.raises(LimitExceeded, match="input"):
        leap(io1.until_input(number, True, 0.01))


def test_until_input_waits_for_the_input(leap: Any, io1: RemoteIO, an_island: Island) -> None:
    async def run() -> float:
        await io1.open()
        loop = asyncio.get_running_loop()
        loop.call_later(3, an_island.input, 5, True)
        await io1.until_input(5, True, 0.02)
        return loop.time()

    assert 3 <= leap(run()) < 3.1


def test_a_wait_tells_how_long_each_look_took_also_the_one_that_failed(
    leap: Any, io1: RemoteIO, an_island: Island
) -> None:
    looks: list[float] = []

    async def run() -> None:
        await io1.open()
        asyncio.get_running_loop().call_later(0.1, setattr, an_island.link, "silent", True)
        with pytest.raises(DeviceSilent):
            await io1.until_input(5, True, 0.02, looks.append)

    leap(run())
    assert looks == [pytest.approx(0.001)] * 6  # of which the last one failed


def test_a_wait_on_a_silent_island_names_the_input_once(leap: Any, io1: RemoteIO, an_island: Island) -> None:
    async def run() -> None:
        await io1.open()
        asyncio.get_running_loop().call_later(1, setattr, an_island.link, "silent", True)
        with pytest.raises(DeviceSilent, match=r"io1 at .*reading DI5 \(discrete 5\)") as caught:
            await io1.until_input(5, True, 0.02)
        assert str(caught.value).count("DI5") == 1

    leap(run())


def test_a_watchdog_that_ran_out_is_a_fault_until_the_reset(
    leap: Any, io1: RemoteIO, an_island: Island, act: Any
) -> None:
    async def run() -> None:
        await io1.open()
        an_island.expire()
        assert "switched all outputs off" in await io1.fault()
        await io1.open()  # opening again does not clear it
        assert an_island.status == island.EXPIRED
        await io1.prepare(act)
        assert await io1.fault() == ""

    leap(run())
    assert act.names == ["restart_watchdog"]


def test_an_island_that_lost_its_power_gets_its_watchdog_back(
    leap: Any, io1: RemoteIO, an_island: Island
) -> None:
    async def run() -> None:
        await io1.open()
        an_island.link.silent = True
        with pytest.raises(DeviceSilent, match=r"io1 at .*DI0 \(discrete 0\), DI1"):
            await io1.inputs()
        await asyncio.sleep(1)
        for address in (0x1000, 0x1001, 0x1006):
            an_island.cells[Table.HOLDING, address] = 0
        an_island.link.silent = False
        await asyncio.sleep(1)

    leap(run())
    assert an_island.status == island.ACTIVE


# --- the bowl ---------------------------------------------------------------------------------------------------


async def _opened(bowl: BowlFeeder, io1: RemoteIO) -> None:
    await io1.open()
    await bowl.open()


def test_a_component_that_lies_there_already_starts_nothing(
    leap: Any, bowl: BowlFeeder, io1: RemoteIO, an_island: Island
) -> None:
    an_island.input(2, True)

    async def run() -> bool:
        await _opened(bowl, io1)
        return await bowl.present().perform(1)

    assert leap(run()) is True
    assert not any(table is Table.COILS for table, _, _ in an_island.link.writes)


def test_the_bowl_runs_until_a_component_is_there(
    leap: Any, bowl: BowlFeeder, io1: RemoteIO, an_island: Island
) -> None:
    async def run() -> tuple[bool, bool]:
        await _opened(bowl, io1)
        asyncio.get_running_loop().call_later(1.5, an_island.input, 2, True)
        task = asyncio.ensure_future(bowl.present().perform(1))
        await asyncio.sleep(1)
        running = an_island.output(3)
        return running, await task

    assert leap(run()) == (True, True)
    assert not an_island.output(3)


def test_an_empty_bowl_is_switched_off_after_its_time(
    leap: Any, bowl: BowlFeeder, io1: RemoteIO, an_island: Island
) -> None:
    async def run() -> tuple[bool, float]:
        await _opened(bowl, io1)
        return await bowl.present().perform(1), asyncio.get_running_loop().time()

    found, t = leap(run())
    assert found is False
    assert 10 <= t < 11
    assert not an_island.output(3)


@pytest.mark.parametrize(("seen", "settlement"), [(True, Settlement.DONE), (False, Settlement.NOT_STARTED)])
def test_the_eye_tells_whether_a_component_came(
    leap: Any, bowl: BowlFeeder, io1: RemoteIO, an_island: Island, seen: bool, settlement: Settlement
) -> None:
    async def run() -> Any:
        await _opened(bowl, io1)
        await io1.set_output(3, True).perform(1)  # it was running when the controller died
        an_island.input(2, seen)
        action = bowl.present()
        assert action.settle is not None
        return await action.settle(1)

    settled = leap(run())
    assert settled.settlement is settlement
    assert settled.value is (True if seen else None)
    assert not an_island.output(3)


def test_an_eye_that_cannot_be_read_settles_nothing(
    leap: Any, bowl: BowlFeeder, io1: RemoteIO, an_island: Island
) -> None:
    async def run() -> None:
        await _opened(bowl, io1)
        an_island.link.silent = True
        action = bowl.present()
        assert action.settle is not None
        with pytest.raises(DeviceSilent):
            await action.settle(1)

    leap(run())


def test_breaking_off_switches_the_bowl_off(
    leap: Any, bowl: BowlFeeder, io1: RemoteIO, an_island: Island
) -> None:
    async def run() -> None:
        await _opened(bowl, io1)
        task = asyncio.ensure_future(bowl.present().perform(1))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    leap(run())
    assert not an_island.output(3)


def test_an_input_as_start_is_refused(leap: Any, rack: Any, io1: RemoteIO) -> None:
    bowl = BowlFeeder("bowl", BowlFeederOptions(io="io1", start="di3", present="di2"), rack)
    with pytest.raises(DeviceError, match="has to be an output, such as do0"):
        leap(bowl.open())
