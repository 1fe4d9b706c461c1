"""The reference machine against a scripted one: every way to settle what its controller does not know."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted_plc import Plc, died, settled

from cellctl.device import Settlement
from cellctl.errors import DeviceFault
from cellctl.runtime import Table
from cellctl_drivers.handshake_machine import HandshakeMachine
from cellctl_drivers.maps import handshake_machine as plc


def test_a_running_number_is_waited_for_and_not_started_again(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        await died(press)
        assert (await settled(press)).settlement is Settlement.RUNNING
        return await press.run(1, [40.0], ["peak"]).perform(42)

    assert leap(run()) == {"code": 0, "peak": 41.5}
    assert a_plc.starts == [42]


def test_a_done_number_is_not_started_again(leap: Any, press: HandshakeMachine, a_plc: Plc) -> None:
    async def run() -> Any:
        await died(press)
        await asyncio.sleep(5)
        found = await settled(press)
        assert found.settlement is Settlement.DONE
        assert found.value == {"code": 0, "peak": 41.5}
        return await press.run(1, [40.0], ["peak"]).perform(42)

    assert leap(run()) == {"code": 0, "peak": 41.5}
    assert a_plc.starts == [42]


def test_a_number_that_the_machine_knew_before_it_was_begun_is_a_fault_and_then_in_doubt(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        await press.open()
        with pytest.raises(DeviceFault, match="another journal"):
            await press.run(1, [40.0], ["peak"]).perform(41)
        return await settled(press, 41)

    assert leap(run()).settlement is Settlement.UNKNOWN
    assert a_plc.starts == []


def test_a_number_whose_write_arrives_after_it_was_settled_is_waited_for(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        await press.open()
        assert (await settled(press)).settlement is Settlement.NOT_STARTED
        a_plc.set(plc.NUMBER, 42)
        a_plc.written(Table.HOLDING, 0, ())
        return await press.run(1, [40.0], ["peak"]).perform(42)

    assert leap(run()) == {"code": 0, "peak": 41.5}
    assert a_plc.starts == [42]


def test_a_number_that_was_never_taken_was_not_started(leap: Any, press: HandshakeMachine) -> None:
    async def run() -> Any:
        await press.open()
        return await settled(press)

    assert leap(run()).settlement is Settlement.NOT_STARTED


def test_a_power_loss_after_the_end_does_not_matter(leap: Any, press: HandshakeMachine, a_plc: Plc) -> None:
    async def run() -> Any:
        await died(press)
        await asyncio.sleep(5)
        a_plc.lose_power()
        return await settled(press)

    assert leap(run()).settlement is Settlement.DONE


@pytest.mark.parametrize("keeps_holding", [False, True])
def test_a_power_loss_in_the_middle_is_in_doubt(
    leap: Any, press: HandshakeMachine, a_plc: Plc, keeps_holding: bool
) -> None:
    async def run() -> Any:
        await died(press)
        holding = dict(a_plc.link.cells)
        a_plc.lose_power()
        if keeps_holding:
            a_plc.link.cells |= {place: v for place, v in holding.items() if place[0] is Table.HOLDING}
        return await settled(press)

    found = leap(run())
    assert found.settlement is Settlement.UNKNOWN
    assert "42" in found.why


@pytest.mark.parametrize("after", [0.0, 5.0], ids=["in the middle", "after the end"])
@pytest.mark.parametrize("over", [True, False], ids=["over", "going on"])
def test_local_operation_since_the_start_is_in_doubt(
    leap: Any, press: HandshakeMachine, a_plc: Plc, after: float, over: bool
) -> None:
    async def run() -> Any:
        await died(press)
        await asyncio.sleep(after)
        a_plc.operate_locally(over)
        return await settled(press)

    found = leap(run())
    assert found.settlement is Settlement.UNKNOWN
    assert "local" in found.why


def test_a_machine_that_started_anew_is_not_trusted_to_run_it(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        await died(press)
        a_plc.set(plc.BOOTS, 4)
        return await settled(press)

    found = leap(run())
    assert found.settlement is Settlement.UNKNOWN
    assert "started anew" in found.why


def test_local_operation_of_a_machine_that_forgot_the_notes_is_in_doubt(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        await died(press)
        await asyncio.sleep(5)
        a_plc.lose_power()
        a_plc.operate_locally(over=False)
        return await settled(press)

    assert leap(run()).settlement is Settlement.UNKNOWN


def test_local_operation_does_not_make_doubtful_what_was_never_started(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        a_plc.operate_locally(over=False)
        await press.open()
        return await settled(press)

    assert leap(run()).settlement is Settlement.NOT_STARTED


def test_local_operation_before_the_start_does_not_matter(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        a_plc.operate_locally()
        await died(press)
        await asyncio.sleep(5)
        return await settled(press)

    assert leap(run()).settlement is Settlement.DONE


def test_a_machine_that_stands_in_the_middle_is_in_doubt(
    leap: Any, press: HandshakeMachine, a_plc: Plc
) -> None:
    async def run() -> Any:
        await died(press)
        a_plc.set(plc.STATE, plc.FAILED)
        return await settled(press)

    assert leap(run()).settlement is Settlement.UNKNOWN
