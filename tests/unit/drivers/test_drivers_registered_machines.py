"""The reference gauge and the reference machine against scripted ones: every answer, every way to settle."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from cellctl.device import Settlement
from cellctl.errors import DeviceFault, LimitExceeded, UnknownName
from cellctl.runtime import Table
from cellctl_drivers.handshake_machine import HandshakeMachine, HandshakeMachineOptions
from cellctl_drivers.maps import handshake_machine as plc
from cellctl_drivers.register_gauge import RegisterGauge, RegisterGaugeOptions

ADDRESS = "modbus-tcp://bench:502"


def put(link: Any, table: Table, address: int, format: str, *values: Any) -> None:
    words = struct.pack(f">{format}", *values)
    for place in range(len(words) // 2):
        link.cells[table, address + place] = int.from_bytes(words[2 * place : 2 * place + 2], "big")


# --- the gauge --------------------------------------------------------------------------------------------------


class Head:
    """Measures for 0.3 s; `values` [mm] by feature."""

    def __init__(self, link: Any) -> None:
        self.link, self.values, self.error, self.answers = link, {0: 18.21, 3: -0.004}, False, True
        put(link, Table.HOLDING, 0, "HH", 0, 0)
        put(link, Table.INPUT, 0, "HHfHH", 1, 65534, 99.0, 0, 4)
        self.measured = 0
        link.on_write = self.written

    def written(self, table: Table, address: int, values: Sequence[int]) -> None:
        feature, request = values
        self.link.cells[Table.INPUT, 0] = 2
        if self.answers:
            asyncio.get_running_loop().call_later(0.3, self.answer, feature, request)

    def answer(self, feature: int, request: int) -> None:
        self.measured += 1
        put(self.link, Table.INPUT, 0, "HHfH", 5 if self.error else 1, request, self.values[feature], feature)


@pytest.fixture
def head(registers_link: Any, rack: Any) -> Head:
    rack.links[ADDRESS] = registers_link()
    return Head(rack.links[ADDRESS])


@pytest.fixture
def gauge(rack: Any, head: Head) -> RegisterGauge:
    return RegisterGauge(
        "gauge", RegisterGaugeOptions(address=ADDRESS, features={"height": 0, "flatness": 3}), rack
    )


async def measured(gauge: RegisterGauge, *features: str) -> list[float]:
    await gauge.open()
    return [await gauge.measure(feature).perform(1) for feature in features]


def test_a_value_comes_in_metres_and_for_the_feature_asked(
    leap: Any, gauge: RegisterGauge, head: Head
) -> None:
    values = leap(measured(gauge, "height", "flatness"))
    assert values == [pytest.approx(0.01821), pytest.approx(-4e-6)]
    assert [written for _, _, written in head.link.writes] == [(0, 65535), (3, 1)]  # never 0


def test_measuring_again_with_the_same_number_measures_anew(
    leap: Any, gauge: RegisterGauge, head: Head
) -> None:
    leap(measured(gauge, "height", "height"))
    assert head.measured == 2


def test_an_error_of_the_head_is_a_fault(leap: Any, gauge: RegisterGauge, head: Head) -> None:
    head.error = True
    with pytest.raises(DeviceFault, match=r"could not measure height: STATUS \(input 0\)"):
        leap(measured(gauge, "height"))


def test_a_head_that_never_answers_is_a_fault_with_the_request(
    leap: Any, gauge: RegisterGauge, head: Head
) -> None:
    head.answers = False
    with pytest.raises(
        DeviceFault, match=r"gauge at .*no value of height \(request 65535, ANSWERED \(input 1\)\)"
    ):
        leap(measured(gauge, "height"))


def test_an_unknown_feature_is_refused_with_the_nearest(gauge: RegisterGauge) -> None:
    with pytest.raises(UnknownName, match="did you mean height"):
        gauge.measure("hight")


# --- the machine ------------------------------------------------------------------------------------------------


class Plc:
    """Runs programs of 2 s; keeps what the map says it keeps."""

    def __init__(self, link: Any) -> None:
        self.link, self.takes, self.code = link, True, 0
        self.starts: list[int] = []
        for place in range(31):
            link.cells[Table.HOLDING, place] = 0
        for place in range(25):
            link.cells[Table.INPUT, place] = 0
        for register, value in ((plc.ACK, 41), (plc.DONE, 41), (plc.BOOTS, 3)):
            self.set(register, value)
        link.on_write = self.written

    def set(self, register: Any, value: int) -> None:
        put(self.link, register.table, register.address, "I" if register.words == 2 else "H", value)

    def get(self, register: Any) -> int:
        words = [self.link.cells[register.table, register.address + k] for k in range(register.words)]
        return int.from_bytes(b"".join(word.to_bytes(2, "big") for word in words), "big")

    def written(self, table: Table, address: int, values: Sequence[int]) -> None:
        number = self.get(plc.NUMBER)
        if self.takes and number != self.get(plc.ACK) and self.get(plc.STATE) not in (plc.RUNNING, plc.LOCAL):
            self.starts.append(number)
            self.set(plc.ACK, number)
            self.set(plc.STATE, plc.RUNNING)
            asyncio.get_running_loop().call_later(2.0, self.finish, number)

    def finish(self, number: int) -> None:
        if self.get(plc.STATE) == plc.RUNNING and self.get(plc.ACK) == number:
            put(self.link, Table.INPUT, plc.RESULT[0].address, "f", 41.5)
            self.set(plc.CODE, self.code)
            self.set(plc.RESULTS, 1)
            self.set(plc.STATE, plc.FAILED if self.code else plc.FINISHED)
            self.set(plc.DONE, number)

    def lose_power(self) -> None:
        for place in range(31):
            self.link.cells[Table.HOLDING, place] = 0
        self.set(plc.STATE, plc.IDLE)
        self.set(plc.BOOTS, self.get(plc.BOOTS) + 1)

    def operate_locally(self, over: bool = True) -> None:
        self.set(plc.LOCALS, self.get(plc.LOCALS) + 1)
        self.set(plc.STATE, plc.IDLE if over else plc.LOCAL)


@pytest.fixture
def a_plc(registers_link: Any, rack: Any) -> Plc:
    rack.links[ADDRESS] = registers_link()
    return Plc(rack.links[ADDRESS])


@pytest.fixture
def press(rack: Any, a_plc: Plc) -> HandshakeMachine:
    return HandshakeMachine("press", HandshakeMachineOptions(address=ADDRESS), rack)


async def started(press: HandshakeMachine, number: int = 42) -> asyncio.Future[Any]:
    """A program that runs for a second already."""
    await press.open()
    task = asyncio.ensure_future(press.run(1, [40.0], ["peak"]).perform(number))
    await asyncio.sleep(1)
    return task


async def died(press: HandshakeMachine, number: int = 42) -> None:
    """The controller dies while the program runs; the machine goes on."""
    task = await started(press, number)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def settled(press: HandshakeMachine, number: int = 42) -> Any:
    action = press.run(1, [40.0], ["peak"])
    assert action.settle is not None
    return await action.settle(number)


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
