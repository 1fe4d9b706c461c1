"""Live Modbus links: TCP, and RTU frames over TCP. The only place that knows pymodbus.

One request at a time on one bus. Two attempts of half a second each; then the device counts as silent. A connection
that cannot be made, or is lost, is made again in the background; meanwhile every request fails at once.

RTU frames carry no transaction number, so a late answer could be taken for that of the next request: there the
connection is dropped after a request that was not answered, and everything on its way is lost with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TypeVar

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from cellctl.errors import DeviceError, DeviceRefused, DeviceSilent
from cellctl.runtime import Runtime, Table
from cellctl_drivers.links.address import host_and_port

T = TypeVar("T")

TIMEOUT = 0.5  # [s] for an answer, and for a connection
ATTEMPTS = 2
FIRST_DELAY, LONGEST_DELAY = 0.1, 2.0  # [s] between attempts to connect

EXCEPTIONS = {  # MODBUS Application Protocol V1.1b3, section 7
    1: "it does not know this function",
    2: "it has no such address",
    3: "it does not take this value",
    4: "it failed to do that",
    5: "it needs longer for that",
    6: "it is busy",
    8: "its memory has a parity error",
    10: "the gateway has no path to it",
    11: "the gateway gets no answer from it",
}
_BITS = (Table.COILS, Table.DISCRETE)


def open_tcp(address: str, runtime: Runtime) -> AbstractAsyncContextManager[ModbusLink]:
    """The link to `modbus-tcp://host:port` (502 when there is no port). Raises DeviceError for a bad address."""
    return _open(address, FramerType.SOCKET)


def open_rtu_over_tcp(address: str, runtime: Runtime) -> AbstractAsyncContextManager[ModbusLink]:
    """The link to a serial bus behind a transparent gateway, `modbus-rtu-tcp://host:port`. Raises DeviceError."""
    return _open(address, FramerType.RTU)


@asynccontextmanager
async def _open(address: str, framer: FramerType) -> AsyncIterator[ModbusLink]:
    logging.getLogger("pymodbus.logging").setLevel(
        logging.CRITICAL
    )  # it logs every frame of a failed request
    host, port = host_and_port(address, 502)
    link = ModbusLink(address, host, port, framer)
    connecting = asyncio.create_task(link.stay_connected(), name=f"connect {address}")
    try:
        await link.first_attempt.wait()
        yield link
    finally:
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await connecting
        link.close()


class ModbusLink:
    """One Modbus connection, with any number of units behind it. Fulfils `cellctl.runtime.Registers`."""

    def __init__(self, address: str, host: str, port: int, framer: FramerType) -> None:
        self.address = address
        self.first_attempt = asyncio.Event()
        self._drops_late = framer is FramerType.RTU
        self._bus = asyncio.Lock()
        self._lost, self._connected = asyncio.Event(), asyncio.Event()
        self._client = AsyncModbusTcpClient(
            host,
            port=port,
            framer=framer,
            timeout=TIMEOUT,
            retries=0,  # attempts are counted here
            reconnect_delay=0,  # and so are connections: pymodbus never makes the first one by itself
            trace_connect=self._connection_changed,
        )

    # --- requests -----------------------------------------------------------------------------------------------

    async def read(self, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """Read `count` adjacent bits or registers. Raises DeviceSilent, DeviceRefused."""
        client = self._client
        call = {
            Table.COILS: client.read_coils,
            Table.DISCRETE: client.read_discrete_inputs,
            Table.INPUT: client.read_input_registers,
            Table.HOLDING: client.read_holding_registers,
        }[table]
        what = _words("read", table, address, count)
        reply = await self._request(unit, what, lambda: call(address, count=count, device_id=unit))
        values = reply.bits[:count] if table in _BITS else reply.registers
        if len(values) != count:
            raise DeviceError(f"unit {unit}", self.address, f"{what}: it answered with {len(values)} values")
        return tuple(int(value) for value in values)

    async def write(self, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """Write adjacent bits or registers in one request: FC05 or FC06 for one, FC15 or FC16 for more.

        Raises DeviceSilent (whether it was written is not known then), DeviceRefused.
        """
        await self._request(
            unit, _words("write", table, address, len(values)), self._writer(unit, table, address, values)
        )

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        """Read every `every` seconds until `holds(value)`."""
        while not holds(value := await read()):
            await asyncio.sleep(every)
        return value

    def _writer(
        self, unit: int, table: Table, address: int, values: Sequence[int]
    ) -> Callable[[], Awaitable[ModbusPDU]]:
        client, numbers = self._client, [int(value) for value in values]
        match table, len(numbers):
            case Table.COILS, 1:
                return lambda: client.write_coil(address, bool(numbers[0]), device_id=unit)
            case Table.COILS, _:
                return lambda: client.write_coils(address, [bool(n) for n in numbers], device_id=unit)
            case Table.HOLDING, 1:
                return lambda: client.write_register(address, numbers[0], device_id=unit)
            case Table.HOLDING, _:
                return lambda: client.write_registers(address, numbers, device_id=unit)
            case _:
                raise DeviceError(f"unit {unit}", self.address, f"{table} registers cannot be written")

    async def _request(self, unit: int, what: str, call: Callable[[], Awaitable[ModbusPDU]]) -> ModbusPDU:
        async with self._bus:
            for _ in range(ATTEMPTS):
                if not self._client.connected:
                    raise DeviceSilent(f"unit {unit}", self.address, f"{what}: it is not connected")
                reply = await self._attempt(call)
                if reply is not None:
                    break
                await self._again()
            else:
                why = f"no answer in {ATTEMPTS} attempts of {TIMEOUT:g} s"
                raise DeviceSilent(f"unit {unit}", self.address, f"{what}: {why}")
        if reply.isError():
            code = int(reply.exception_code)
            why = EXCEPTIONS.get(code, "it refuses")
            raise DeviceRefused(f"unit {unit}", self.address, f"{what}: {why} (exception {code})", code)
        return reply

    async def _attempt(self, call: Callable[[], Awaitable[ModbusPDU]]) -> ModbusPDU | None:
        """The reply, an error reply too; None when there is none."""
        try:
            return await call()
        except asyncio.CancelledError:
            self._drop_if_unnumbered()
            raise
        except (TimeoutError, ModbusException, OSError):
            self._drop_if_unnumbered()
            return None

    # --- connection ---------------------------------------------------------------------------------------------

    async def stay_connected(self) -> None:
        """Connect, and again after each loss, with growing delays; for ever."""
        delay = FIRST_DELAY
        while True:
            self._lost.clear()
            if await self._client.connect():
                delay = FIRST_DELAY
                self._connected.set()
                self.first_attempt.set()
                await self._lost.wait()
            else:
                self.first_attempt.set()
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    async def _again(self) -> None:
        """Before the second attempt: wait for the connection if it is being made anew."""
        if not self._client.connected:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._connected.wait(), TIMEOUT)

    def _drop_if_unnumbered(self) -> None:
        if self._drops_late and self._client.connected:
            self._client.close()
            self._connection_changed(False)

    def _connection_changed(self, is_there: bool) -> None:
        if not is_there:
            self._connected.clear()
            self._lost.set()


def _words(doing: str, table: Table, address: int, count: int) -> str:
    where = f"{address}" if count == 1 else f"{address} to {address + count - 1}"
    kind = {Table.COILS: "coil", Table.DISCRETE: "discrete input"}.get(table, f"{table} register")
    return f"{doing} of {kind} {where}"
