"""The PLC of the reference machine, scripted; and a press that was at work when its controller died."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import Any

from cellctl.runtime import Table
from cellctl_drivers.handshake_machine import HandshakeMachine
from cellctl_drivers.maps import handshake_machine as plc


def put(link: Any, table: Table, address: int, format: str, *values: Any) -> None:
    words = struct.pack(f">{format}", *values)
    for place in range(len(words) // 2):
        link.cells[table, address + place] = int.from_bytes(words[2 * place : 2 * place + 2], "big")


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
