"""How Modbus requests stand on a TCP stream: with the MBAP header (Modbus TCP), or as RTU frames with their CRC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

LONGEST_PDU = 253


class Garbage(Exception):
    """What came is no Modbus frame; a stream cannot be trusted after that."""


@dataclass(frozen=True, slots=True)
class Framed:
    """One request taken off the stream: how many bytes it took, and what has to come back around its answer."""

    size: int
    unit: int
    pdu: bytes
    tag: bytes = b""  # the transaction number of Modbus TCP


class Framing(Protocol):
    """One way of framing. `take` returns None where more bytes are needed. Raises Garbage.

    `has_gateway` is whether somebody answers for units that are not there; on a bus nobody does.
    """

    has_gateway: bool

    def take(self, data: bytes | bytearray) -> Framed | None: ...

    def wrap(self, request: Framed, pdu: bytes) -> bytes: ...

    def garble(self, request: Framed) -> bytes: ...


class Mbap:
    """MODBUS Messaging on TCP/IP V1.0b, 3.1.3: transaction, protocol 0, length, unit."""

    has_gateway = True

    def take(self, data: bytes | bytearray) -> Framed | None:
        """The first request of `data`."""
        if len(data) >= 4 and data[2:4] != b"\0\0":
            raise Garbage(f"protocol {data[2:4].hex()} is not Modbus")
        if len(data) >= 6:
            length = int.from_bytes(data[4:6], "big")
            if not 2 <= length <= LONGEST_PDU + 1:
                raise Garbage(f"a frame of {length} bytes cannot be")
            if len(data) >= 6 + length:
                return Framed(6 + length, data[6], bytes(data[7 : 6 + length]), bytes(data[:2]))
        return None

    def wrap(self, request: Framed, pdu: bytes) -> bytes:
        """The answer's frame."""
        return request.tag + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((request.unit,)) + pdu

    def garble(self, request: Framed) -> bytes:
        """An answer that was changed on its way: another function than was asked for, and cut short."""
        return self.wrap(request, bytes((request.pdu[0] ^ 0x55 | 0x01, 0x99)))


class Rtu:
    """MODBUS over Serial Line V1.02, 2.5.1: unit, request, CRC; the length follows from the function."""

    has_gateway = False

    def take(self, data: bytes | bytearray) -> Framed | None:
        """The first request of `data`."""
        size = self._size(data)
        if size is None or len(data) < size:
            return None
        if crc(data[: size - 2]) != bytes(data[size - 2 : size]):
            raise Garbage("the CRC is wrong")
        return Framed(size, data[0], bytes(data[1 : size - 2]))

    def wrap(self, request: Framed, pdu: bytes) -> bytes:
        """The answer's frame."""
        body = bytes((request.unit,)) + pdu
        return body + crc(body)

    def garble(self, request: Framed) -> bytes:
        """An answer with a wrong CRC."""
        body = bytes((request.unit, request.pdu[0], 2, 0x99, 0x99))
        return body + bytes(byte ^ 0xFF for byte in crc(body))

    def _size(self, data: bytes | bytearray) -> int | None:
        if len(data) < 2:
            return None
        match data[1]:
            case 1 | 2 | 3 | 4 | 5 | 6:
                return 8
            case 22:
                return 10
            case 43:
                return 7
            case 15 | 16:
                return 9 + data[6] if len(data) > 6 else None
            case 23:
                return 13 + data[10] if len(data) > 10 else None
            case other:
                raise Garbage(f"function {other} has no known length")


def crc(data: bytes | bytearray) -> bytes:
    """CRC-16 of Modbus, low byte first (MODBUS over Serial Line V1.02, 6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")
