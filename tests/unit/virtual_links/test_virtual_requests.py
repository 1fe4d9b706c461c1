"""In-memory links: what a request costs, and how a device's trouble reaches its driver."""

from __future__ import annotations

import pytest
from links_bench import (
    ADDRESS,
    TALKER,
    Island,
    run,
    with_registers,
    world,
)

from cellctl.errors import (
    DeviceError,
    DeviceRefused,
    DeviceSilent,
    PlugInError,
    UnknownName,
)
from cellctl.runtime import Registers, Table
from cellctl_sim.devices.protocols import ConnectionCut, NoAnswer
from cellctl_sim.runtime import SimRuntime


def test_a_request_takes_its_latency_and_two_requests_take_turns() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async with runtime.tasks() as group:

            async def ask(name: str) -> None:
                await link.read(1, Table.DISCRETE, 0, 8)
                runtime.log.info(name)

            group.start(ask("first"))
            group.start(ask("second"))

    assert run(world(), with_registers(work)) == ["0.001000 first", "0.002000 second"]


def test_an_error_reply_names_address_unit_register_and_code() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        with pytest.raises(
            DeviceRefused, match=r"unit 3 .*read of 4 discrete at 6: it has no such address"
        ) as e:
            await link.read(3, Table.DISCRETE, 6, 4)
        assert (e.value.address, e.value.code) == (ADDRESS, 2)
        runtime.log.info("refused")

    assert run(world(), with_registers(work)) == ["0.001000 refused"]


@pytest.mark.parametrize(
    ("trouble", "noticed"), [(NoAnswer, "1.000000"), (ConnectionCut, "0.002000")], ids=["silent", "cut"]
)
def test_a_device_that_does_not_answer_is_silent(trouble: type[Exception], noticed: str) -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        with pytest.raises(DeviceSilent, match=r"unit 1 .*read of 8 discrete at 0"):
            await link.read(1, Table.DISCRETE, 0, 8)
        runtime.log.info("silent")

    assert run(world(Island(trouble=lambda t: trouble())), with_registers(work)) == [f"{noticed} silent"]


def test_one_lost_answer_is_made_good_by_the_second_try() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        await link.write(1, Table.COILS, 0, [1])
        runtime.log.info("written")

    island = Island(trouble=lambda t: NoAnswer() if t < 0.1 else None)
    assert run(world(island), with_registers(work)) == ["0.501000 written"]
    assert island.outputs[0] == 1


def test_an_answer_that_comes_after_the_timeout_is_no_answer() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        with pytest.raises(DeviceSilent):
            await link.write(1, Table.COILS, 0, [1])
        runtime.log.info("silent")

    island = Island(late=0.6)
    assert run(world(island), with_registers(work)) == ["1.000000 silent"]
    assert island.outputs[0] == 1  # it was carried out all the same


def test_a_write_on_its_way_arrives_although_its_sender_is_killed() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        await link.write(1, Table.COILS, 0, [1])
        runtime.log.info("never said")
        await link.write(1, Table.COILS, 1, [1])

    island = Island()
    universe = world(island)
    universe.at(0.0005, lambda: universe.kill("node0"))
    assert run(universe, with_registers(work)) == []
    assert island.outputs == [1, 0, 0, 0, 0, 0, 0, 0]


def test_a_dead_process_writes_nothing_more() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        try:
            await runtime.sleep(5.0)
        finally:
            await link.write(1, Table.COILS, 0, [1])

    island = Island()
    universe = world(island)
    universe.at(1.0, lambda: universe.kill("node0"))
    run(universe, with_registers(work))
    assert island.outputs == [0] * 8


def test_an_address_that_is_not_there_and_a_link_of_the_wrong_kind_are_named() -> None:
    async def main(runtime: SimRuntime) -> None:
        with pytest.raises(UnknownName, match=r"10\.0\.0\.1:503.*did you mean modbus-tcp://10\.0\.0\.1:502"):
            async with runtime.open_link("modbus-tcp://10.0.0.1:503", Registers):
                pass
        with pytest.raises(PlugInError, match=r"tcp://10.0.0.2:10000 .* Registers"):
            async with runtime.open_link(TALKER, Registers):
                pass
        runtime.log.info("both refused")

    assert run(world(), main) == ["0.000000 both refused"]


def test_errors_of_links_are_device_errors() -> None:
    assert issubclass(DeviceSilent, DeviceError)
    assert issubclass(DeviceRefused, DeviceError)
