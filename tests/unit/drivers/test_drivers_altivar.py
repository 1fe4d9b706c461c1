"""The Altivar driver against a scripted drive: sequence, ramps, read-back, faults, watchdog, breaking off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from cellctl.errors import DeviceFault, DeviceSilent, LimitExceeded
from cellctl.runtime import Table
from cellctl_drivers.altivar import Altivar, AltivarOptions
from cellctl_drivers.maps import altivar as drive

ADDRESS = "modbus-tcp://bench:502"
FACTORY = {  # as delivered
    drive.HSP: 500, drive.LSP: 0, drive.ETA: 0x0250, drive.RFR: 0, drive.TTO: 100, drive.SLL: 1, drive.LFT: 0,
    drive.CHCF: 1, drive.FR1: 1, drive.CD1: 1, drive.CMD: 0, drive.LFR: 0, drive.ACC: 30, drive.DEC: 30,
}  # fmt: skip


class Drive:
    """CiA402 as in the table of the ATV manuals; the output frequency follows one step (`ramp` Hz) per look."""

    def __init__(self, link: Any, ramp: float = 5.0) -> None:
        self.link, self.ramp = link, ramp
        self.state, self.fault = 0x50, 0
        self.commands: list[int] = []
        link.cells = {(Table.HOLDING, r.address): value for r, value in FACTORY.items()}
        link.on_write, link.on_read = self.written, self.read

    def cell(self, register: Any) -> int:
        value: int = self.link.cells[Table.HOLDING, register.address]
        return value

    def set(self, register: Any, value: int) -> None:
        self.link.cells[Table.HOLDING, register.address] = value & 0xFFFF

    def trip(self, code: int) -> None:
        self.fault, self.state = code, 0x08
        self.set(drive.LFT, code)
        self.show()

    def written(self, table: Table, address: int, values: Sequence[int]) -> None:
        if address == drive.CMD.address:
            self.command(values[0])
        self.show()

    def command(self, word: int) -> None:
        self.commands.append(word)
        if self.state == 0x08:
            if word == 0x80 and self.commands[-2:] == [0, 0x80] and self.fault != 107:
                self.fault, self.state = 0, 0x50
        elif word == 6:
            self.state = 0x31
        elif word == 7 and self.state in (0x31, 0x37, 0x33):
            self.state = 0x33
        elif word == 15 and self.state in (0x33, 0x37):
            self.state = 0x37

    def read(self, table: Table, address: int, count: int) -> None:
        if address == drive.ETA.address:
            target = self.cell(drive.LFR) if self.state == 0x37 else 0
            now, step = self.cell(drive.RFR), round(self.ramp * 10)
            self.set(drive.RFR, max(target, now - step) if now > target else min(target, now + step))
        self.show()

    def show(self) -> None:
        reached = 0x0400 if self.state == 0x37 and self.cell(drive.RFR) == self.cell(drive.LFR) else 0
        self.set(drive.ETA, self.state | 0x0200 | reached)


@pytest.fixture
def a_drive(registers_link: Any, rack: Any) -> Drive:
    rack.links[ADDRESS] = registers_link()
    return Drive(rack.links[ADDRESS])


@pytest.fixture
def belt(rack: Any, a_drive: Drive) -> Altivar:
    return Altivar("belt.drive", AltivarOptions(address=ADDRESS, speed_per_hz="5 mm"), rack)  # type: ignore[arg-type]


def test_opening_sets_up_watchdog_and_channels_and_actuates_nothing(
    leap: Any, belt: Any, a_drive: Drive
) -> None:
    leap(belt.open())
    assert a_drive.cell(drive.TTO) == 20
    assert (a_drive.cell(drive.ACC), a_drive.cell(drive.DEC)) == (5, 5)
    assert (a_drive.cell(drive.CHCF), a_drive.cell(drive.CD1)) == (2, 10)
    assert a_drive.cell(drive.SLL) == 6
    assert a_drive.commands == []
    assert a_drive.cell(drive.LFR) == 0


def test_opening_again_writes_nothing(leap: Any, belt: Any, a_drive: Drive, rack: Any) -> None:
    async def twice() -> int:
        await belt.open()
        writes = len(a_drive.link.writes)
        await belt.open()
        return len(a_drive.link.writes) - writes

    assert leap(twice()) == 0


def test_a_register_that_does_not_hold_its_value_is_named(leap: Any, belt: Any, a_drive: Drive) -> None:
    a_drive.link.on_write = lambda table, address, values: a_drive.set(drive.TTO, 100)
    with pytest.raises(
        DeviceFault, match=rf"belt.drive at {ADDRESS}: TTO \(holding 6005\) was set to 2 s but reads 10 s"
    ):
        leap(belt.open())


def test_run_walks_the_states_and_ends_at_speed(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> None:
        await belt.open()
        await belt.run(0.15).perform(1)

    leap(run())
    assert a_drive.commands == [6, 7, 15]
    assert a_drive.cell(drive.LFR) == 300  # 0.15 m/s at 5 mm per period: 30.0 Hz
    assert a_drive.cell(drive.RFR) == 300


def test_run_again_does_no_harm(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> None:
        await belt.open()
        await belt.run(0.15).perform(1)
        await belt.run(0.15).perform(1)

    leap(run())
    assert a_drive.commands == [6, 7, 15, 15]


def test_a_drive_that_ramps_down_after_a_halt_is_told_to_run_again(
    leap: Any, belt: Any, a_drive: Drive
) -> None:
    async def run() -> None:
        await belt.open()
        await belt.run(0.15).perform(1)
        a_drive.commands.append(7)  # a halt: operation is disabled, but the drive says so only at standstill
        await belt.run(0.15).perform(2)

    leap(run())
    assert a_drive.commands == [6, 7, 15, 7, 15]


def test_stop_ends_at_standstill_without_power_on_the_motor(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> None:
        await belt.open()
        await belt.run(0.15).perform(1)
        await belt.stop().perform(2)
        await belt.stop().perform(2)

    leap(run())
    assert a_drive.cell(drive.RFR) == 0
    assert a_drive.state == 0x31


def test_too_fast_is_refused_before_anything_moves(belt: Any) -> None:
    with pytest.raises(LimitExceeded, match=r"belt speed 0.3 m/s is outside -0.25 m/s to 0.25 m/s"):
        belt.run(0.3)


def test_a_fault_is_told_in_words_with_its_remedy(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> str:
        await belt.open()
        a_drive.trip(9)
        with pytest.raises(DeviceFault, match=r"overcurrent \(LFT 9\)") as caught:
            await belt.run(0.1).perform(1)
        assert caught.value.code == 9
        words: str = await belt.fault()
        return words

    assert "check whether the belt is blocked" in leap(run())


def test_a_drive_that_was_started_anew_while_it_ran_says_so_until_it_is_reset(
    leap: Any, belt: Any, a_drive: Drive
) -> None:
    async def run() -> list[str]:
        await belt.open()
        await belt.run(0.1).perform(1)
        words = [await belt.fault()]
        a_drive.state = 0x40  # switch on disabled, as after power-on
        words.append(await belt.fault())
        await belt.reset().perform(2)
        return [*words, await belt.fault()]

    before, after, reset = leap(run())
    assert (before, reset) == ("", "")
    assert "it was switched off, or started anew" in after


def test_a_fault_while_ramping_ends_run(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> None:
        await belt.open()
        a_drive.ramp = 0.1
        asyncio.get_running_loop().call_later(0.3, a_drive.trip, 17)
        with pytest.raises(DeviceFault, match="motor overload"):
            await belt.run(0.15).perform(1)

    leap(run())


def test_a_speed_that_does_not_come_names_the_register(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> None:
        await belt.open()
        a_drive.ramp = 0.0
        with pytest.raises(DeviceFault, match=r"does not reach 30.0 Hz \(RFR 3202\): not within 3 s"):
            await belt.run(0.15).perform(1)

    leap(run())


def test_preparing_clears_a_fault_and_does_not_move(leap: Any, belt: Any, a_drive: Drive, act: Any) -> None:
    async def run() -> None:
        await belt.open()
        a_drive.trip(5)
        await belt.prepare(act)

    leap(run())
    assert a_drive.commands == [0, 0x80, 6]
    assert a_drive.state == 0x31
    assert act.names == ["reset"]


def test_a_fault_that_stays_is_told(leap: Any, belt: Any, a_drive: Drive, act: Any) -> None:
    async def run() -> None:
        await belt.open()
        a_drive.trip(107)
        with pytest.raises(DeviceFault, match="cannot be reset: SAFF: safety function"):
            await belt.prepare(act)

    leap(run())


def test_a_drive_in_local_control_says_so(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> str:
        await belt.open()
        a_drive.link.on_read = lambda *_: a_drive.set(drive.ETA, 0x0031)
        words: str = await belt.fault()
        return words

    assert "local control" in leap(run())


def test_breaking_off_a_run_stops_the_belt(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> None:
        await belt.open()
        a_drive.ramp = 0.5
        task = asyncio.ensure_future(belt.run(0.15).perform(1))
        await asyncio.sleep(0.4)
        assert a_drive.cell(drive.RFR) > 0
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    leap(run())
    assert a_drive.commands[-1] == 7
    assert a_drive.cell(drive.LFR) == 0
    assert a_drive.cell(drive.RFR) == 0


def test_halt_before_open_does_nothing(leap: Any, belt: Any, a_drive: Drive) -> None:
    leap(belt.halt())
    assert a_drive.commands == []


def test_the_watchdog_is_fed_while_nothing_is_asked(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> int:
        await belt.open()
        before = len(a_drive.link.reads)
        await asyncio.sleep(10)
        return len(a_drive.link.reads) - before

    assert 18 <= leap(run()) <= 21  # every half second at a watchdog of 2 s


def test_after_silence_everything_is_set_up_again_and_nothing_moves(
    leap: Any, belt: Any, a_drive: Drive
) -> None:
    async def run() -> None:
        await belt.open()
        a_drive.link.silent = True
        await asyncio.sleep(1)
        a_drive.link.cells |= {
            (Table.HOLDING, r.address): value for r, value in FACTORY.items()
        }  # it rebooted
        with pytest.raises(DeviceSilent, match=r"belt.drive at .*ETA") as caught:
            await belt.run(0.1).perform(1)
        assert str(caught.value).count("ETA") == 1
        a_drive.link.silent = False
        await asyncio.sleep(1)

    leap(run())
    assert a_drive.cell(drive.TTO) == 20
    assert a_drive.commands == []


def test_closing_lets_the_watchdog_run_out(leap: Any, belt: Any, a_drive: Drive) -> None:
    async def run() -> int:
        await belt.open()
        await belt.close()
        await asyncio.sleep(1)
        before = len(a_drive.link.reads)
        await asyncio.sleep(10)
        return len(a_drive.link.reads) - before

    assert leap(run()) == 0
