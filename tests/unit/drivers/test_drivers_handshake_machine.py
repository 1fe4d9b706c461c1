"""The reference machine against a scripted one: programs that run, and every answer."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from scripted_plc import Plc, started

from cellctl.errors import DeviceFault, LimitExceeded
from cellctl.runtime import Table
from cellctl_drivers.handshake_machine import HandshakeMachine
from cellctl_drivers.maps import handshake_machine as plc


def test_a_program_gets_its_values_and_gives_its_results(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        return await (await started(press))

    assert leap(run()) == {"code": 0, "peak": 41.5}
    [(table, address, words)] = a_plc.link.writes
    assert (table, address, len(words)) == (Table.HOLDING, 0, 20)
    assert words[:4] == (1, 1, *struct.unpack(">2H", struct.pack(">f", 40.0)))
    assert words[16:] == (3, 0, 0, 42)


def test_a_failed_program_gives_its_code(leap: Any, press: HandshakeMachine, a_plc: Plc) -> None:
    async def run() -> Any:
        a_plc.code = 7
        return await (await started(press))

    assert leap(run())["code"] == 7


def test_a_program_broken_off_under_our_eyes_is_a_fault(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> None:
        task = await started(press)
        a_plc.lose_power()
        with pytest.raises(DeviceFault, match="broke off action 42"):
            await task

    leap(run())


def test_a_machine_in_local_operation_is_not_written_to(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> None:
        a_plc.operate_locally(over=False)
        await press.open()
        assert "local operation" in await press.fault()
        with pytest.raises(DeviceFault, match="in local operation"):
            await press.run(1, [], []).perform(42)

    leap(run())
    assert a_plc.link.writes == []


def test_a_machine_that_does_not_take_the_number_is_a_fault(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> None:
        a_plc.takes = False
        await press.open()
        with pytest.raises(DeviceFault, match=r"does not take action 42 \(ACK \(input 0\)\)"):
            await press.run(1, [], []).perform(42)

    leap(run())


def test_missing_results_of_a_program_that_went_well_are_a_fault(leap: Any, press: HandshakeMachine) -> None:
    async def run() -> None:
        await press.open()
        with pytest.raises(DeviceFault, match="gave 1 results where 2 are declared: peak, depth"):
            await press.run(1, [], ["peak", "depth"]).perform(42)

    leap(run())


def test_more_values_than_the_map_holds_are_refused(press: HandshakeMachine) -> None:
    with pytest.raises(LimitExceeded, match="number of values 8"):
        press.run(1, [0.0] * 8, [])
    with pytest.raises(LimitExceeded, match="number of results 9"):
        press.run(1, [], ["x"] * 9)


def test_halt_writes_stop_and_preparing_takes_it_back(
    leap: Any, press: HandshakeMachine, a_plc: Plc, act: Any
) -> None:
    async def run() -> None:
        await press.halt()
        assert a_plc.link.writes == []
        await press.open()
        await press.halt()
        assert a_plc.get(plc.STOP) == 1
        await press.prepare(act)
        assert a_plc.get(plc.STOP) == 0

    leap(run())
