"""Links in memory onto the Modbus devices of the simulated plant, with the manners of the live ones, without bytes.

A request takes its latency on the way to the device; what was sent arrives also when its sender is killed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from cellctl.errors import DeviceRefused, DeviceSilent
from cellctl.runtime import Table
from cellctl_sim.devices.protocols import ConnectionCut, ModbusDevice, ModbusException, NoAnswer
from cellctl_sim.futures import VirtualFuture
from cellctl_sim.life import Life
from cellctl_sim.links import Links
from cellctl_sim.loop import nanoseconds
from cellctl_sim.polling import POLL, Asked, Poll

T = TypeVar("T")

TIMEOUT = 0.5  # [s] that a request waits for its answer
PATIENCE = nanoseconds(TIMEOUT)  # [ns]
TRIES = 2

EXCEPTIONS = {
    1: "it does not know this function",
    2: "it has no such address",
    3: "it does not take this value",
    4: "it failed to do that",
    6: "it is busy",
    11: "the gateway gets no answer from it",
}


class SimRegisters:
    """A Modbus device; fulfils `cellctl.runtime.Registers`. One request at a time, but for the polls of `until`."""

    def __init__(self, links: Links, address: str, device: ModbusDevice, life: Life) -> None:
        self._links, self._loop = links, links.loop
        self.address, self._device, self._life = address, device, life
        self._turn = asyncio.Lock()
        self._lost = False  # the connection, at the last request

    async def attempted(self) -> None:
        """Wait for the first attempt to connect; here every request is one."""

    async def read(self, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """Read adjacent bits or registers. Raises DeviceSilent, DeviceRefused."""

        def at_device(t: float) -> tuple[int, ...]:
            return self._device.read(t, unit, table, address, count)

        return await self._request(at_device, unit, lambda: f"read of {count} {table} at {address}")

    async def write(self, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """Write adjacent bits or registers in one request. Raises DeviceSilent, DeviceRefused."""
        sent = tuple(values)
        what = f"write of {len(sent)} {table} at {address}"

        def at_device(t: float) -> None:
            self._links.trace.add(self._loop.now, self.address, f"unit {unit} {what}", repr(sent).encode())
            self._device.write(t, unit, table, address, sent)

        poll = POLL.get()
        if poll is not None:
            poll.polls_plainly()
        await self._request(at_device, unit, lambda: what)

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        """Read every `every` seconds until `holds(value)`; return that value."""
        return await self._links.poll(self._life, read, holds, every)

    def close(self) -> None:
        """Nothing to let go of: a request on its way arrives."""

    async def _request(self, at_device: Callable[[float], T], unit: int, what: Callable[[], str]) -> T:
        poll = POLL.get()
        if poll is not None:  # a poll takes no turn, else those that are not made would be missed by others
            return await self._try(at_device, unit, what, poll)
        await self._turn.acquire()
        try:
            return await self._try(at_device, unit, what, None)
        finally:
            self._turn.release()

    async def _try(
        self, at_device: Callable[[float], T], unit: int, what: Callable[[], str], poll: Poll | None
    ) -> T:
        why = ""
        for _ in range(1 if self._lost else TRIES):
            try:
                answer = await self._ask(at_device, unit, poll)
            except NoAnswer:
                self._lost, why = False, f"no answer in {TRIES} attempts of {TIMEOUT:g} s"
            except ConnectionCut:
                self._lost, why = True, "it is not connected"
            except ModbusException as refusal:
                self._lost = False
                reason = f"{EXCEPTIONS.get(refusal.code, 'it refuses')} (exception {refusal.code})"
                raise DeviceRefused(
                    f"unit {unit}", self.address, f"{what()}: {reason}", refusal.code
                ) from None
            else:
                self._lost = False
                return answer
        raise DeviceSilent(f"unit {unit}", self.address, f"{what()}: {why}")

    def _ask(self, at_device: Callable[[float], T], unit: int, poll: Poll | None) -> VirtualFuture[T]:
        answer: VirtualFuture[T] = self._loop.create_future()
        if self._life.ended:
            return answer  # which never comes
        now = self._loop.now
        sent = poll.sent() if poll is not None else now
        arrival = max(now, sent + nanoseconds(self._links.latency))
        asked = (self.address, unit)
        self._loop.at(arrival, self._arrive, at_device, answer, sent, asked, poll)
        return answer

    def _arrive(
        self,
        at_device: Callable[[float], T],
        answer: VirtualFuture[T],
        sent: int,
        asked: Asked,
        poll: Poll | None,
    ) -> None:
        """The request is at the device; the answer goes back, at the latest when the sender's patience ends."""
        t, given_up = self._loop.time(), sent + PATIENCE
        if poll is not None:
            poll.arrives(asked, t)
        try:
            value = at_device(t)
        except NoAnswer as silence:
            if poll is not None:
                poll.touch()
            self._loop.at(given_up, _fail, answer, silence)
        except (ModbusException, ConnectionCut) as error:
            _fail(answer, error)
        else:
            if poll is not None:
                poll.answered(asked, self._device, t, at_device, value)
            late = self._device.delay(t)
            back = self._loop.now + (nanoseconds(late) if late else 0)
            if back > given_up:
                self._loop.at(given_up, _fail, answer, NoAnswer())
            elif back > self._loop.now:
                self._loop.at(back, _give, answer, value)
            else:
                _give(answer, value)


def _give(answer: VirtualFuture[T], value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: VirtualFuture[T], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
