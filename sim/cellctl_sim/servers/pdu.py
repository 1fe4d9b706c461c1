"""Modbus requests and answers without their framing (MODBUS Application Protocol V1.1b3), put to a simulated device."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from cellctl.runtime import Table
from cellctl_sim.devices.cells import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE
from cellctl_sim.devices.protocols import ModbusDevice, ModbusException

MOST_BITS_READ, MOST_BITS_WRITTEN = 2000, 1968
MOST_READ, MOST_WRITTEN, MOST_WRITTEN_WITH_READ = 125, 123, 121
LONGEST = 253  # bytes of a request or answer
ON, OFF = 0xFF00, 0x0000
DEVICE_IDENTIFICATION = 14  # the MEI type of FC 43

Act = Callable[[ModbusDevice, float, int, bytes], bytes]


def answer(device: ModbusDevice, t: float, unit: int, request: bytes) -> bytes:
    """The answer to a request, an exception reply where the device refuses. Raises NoAnswer, ConnectionCut."""
    function = request[0]
    try:
        act = FUNCTIONS.get(function)
        if act is None:
            raise ModbusException(ILLEGAL_FUNCTION)
        return bytes((function,)) + act(device, t, unit, request[1:])
    except ModbusException as refusal:
        return bytes((function | 0x80, refusal.code))


def _words(body: bytes, count: int) -> tuple[int, ...]:
    """Exactly `count` 16-bit words. Raises ModbusException(3) for a body of another length."""
    if len(body) != 2 * count:
        raise ModbusException(ILLEGAL_VALUE)
    return struct.unpack(f">{count}H", body)


def _demand(count: int, most: int, address: int) -> None:
    if not 1 <= count <= most:
        raise ModbusException(ILLEGAL_VALUE)
    if address + count > 0x10000:
        raise ModbusException(ILLEGAL_ADDRESS)


def _pack_bits(bits: Sequence[int]) -> bytes:
    packed = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= (bit & 1) << index % 8
    return bytes((len(packed),)) + packed


def _pack_words(words: Sequence[int]) -> bytes:
    return bytes((2 * len(words),)) + struct.pack(f">{len(words)}H", *words)


def _reads(table: Table, most: int) -> Act:
    """FC 1 to 4."""
    pack = _pack_bits if most == MOST_BITS_READ else _pack_words

    def act(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
        address, count = _words(body, 2)
        _demand(count, most, address)
        return pack(device.read(t, unit, table, address, count))

    return act


def _write_coil(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
    address, value = _words(body, 2)
    if value not in (ON, OFF):
        raise ModbusException(ILLEGAL_VALUE)
    device.write(t, unit, Table.COILS, address, [int(value == ON)])
    return body


def _write_register(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
    address, value = _words(body, 2)
    device.write(t, unit, Table.HOLDING, address, [value])
    return body


def _write_coils(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
    address, count = _words(body[:4], 2)
    _demand(count, MOST_BITS_WRITTEN, address)
    packed = body[5:]
    if len(body) < 5 or body[4] != len(packed) or len(packed) != (count + 7) // 8:
        raise ModbusException(ILLEGAL_VALUE)
    device.write(t, unit, Table.COILS, address, [packed[i // 8] >> i % 8 & 1 for i in range(count)])
    return body[:4]


def _write_registers(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
    address, count = _words(body[:4], 2)
    _demand(count, MOST_WRITTEN, address)
    if len(body) < 5 or body[4] != 2 * count:
        raise ModbusException(ILLEGAL_VALUE)
    device.write(t, unit, Table.HOLDING, address, _words(body[5:], count))
    return body[:4]


def _mask_register(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
    address, keep, put = _words(body, 3)
    (value,) = device.read(t, unit, Table.HOLDING, address, 1)
    device.write(t, unit, Table.HOLDING, address, [(value & keep | put & ~keep) & 0xFFFF])
    return body


def _read_and_write(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
    """FC 23: the write comes first."""
    first, count, address, written = _words(body[:8], 4)
    _demand(count, MOST_READ, first)
    _demand(written, MOST_WRITTEN_WITH_READ, address)
    if len(body) < 9 or body[8] != 2 * written:
        raise ModbusException(ILLEGAL_VALUE)
    device.write(t, unit, Table.HOLDING, address, _words(body[9:], written))
    return _pack_words(device.read(t, unit, Table.HOLDING, first, count))


def _identify(device: ModbusDevice, t: float, unit: int, body: bytes) -> bytes:
    """FC 43/14: basic identification as a stream (codes 1 to 3) or one object (code 4)."""
    objects = device.identity(unit)
    if not objects or len(body) != 3 or body[0] != DEVICE_IDENTIFICATION:
        raise ModbusException(ILLEGAL_FUNCTION)
    code, wanted = body[1], body[2]
    if not 1 <= code <= 4:
        raise ModbusException(ILLEGAL_VALUE)
    if code == 4 and wanted not in objects:
        raise ModbusException(ILLEGAL_ADDRESS)
    chosen = {wanted: objects[wanted]} if code == 4 else objects
    listed = b"".join(bytes((key, len(text))) + text.encode("ascii") for key, text in chosen.items())
    return bytes((DEVICE_IDENTIFICATION, code, 0x81, 0, 0, len(chosen))) + listed


FUNCTIONS: dict[int, Act] = {
    1: _reads(Table.COILS, MOST_BITS_READ),
    2: _reads(Table.DISCRETE, MOST_BITS_READ),
    3: _reads(Table.HOLDING, MOST_READ),
    4: _reads(Table.INPUT, MOST_READ),
    5: _write_coil,
    6: _write_register,
    15: _write_coils,
    16: _write_registers,
    22: _mask_register,
    23: _read_and_write,
    43: _identify,
}
