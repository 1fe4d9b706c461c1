"""Registers as data: what a register means, how its words are read and written, and which requests that takes.

A `Register` is one row of a device's map. `read` merges rows that lie side by side into one request.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from cellctl.errors import LimitExceeded
from cellctl.runtime import Registers, Table

MOST_REGISTERS = 125  # in one read, MODBUS Application Protocol V1.1b3, 6.3
MOST_BITS = 2000  # 6.1


class Type(StrEnum):
    """How many words a value takes and how they are read; the word with the high bits comes first."""

    BIT = "bit"
    U16 = "u16"
    S16 = "s16"
    U32 = "u32"
    F32 = "f32"


_FORMAT = {Type.BIT: ">H", Type.U16: ">H", Type.S16: ">h", Type.U32: ">I", Type.F32: ">f"}
_WORDS = {type: struct.calcsize(form) // 2 for type, form in _FORMAT.items()}
_PLAIN = (Type.U16, Type.BIT)  # the word is the number
_RANGE = {
    Type.BIT: (0, 1),
    Type.U16: (0, 0xFFFF),
    Type.S16: (-0x8000, 0x7FFF),
    Type.U32: (0, 0xFFFF_FFFF),
}


@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """One row of a map: `value [unit] = raw * scale`. `address` is the 0-based one on the wire."""

    name: str
    table: Table
    address: int
    type: Type = Type.U16
    scale: float = 1.0
    unit: str = ""
    doc: str = ""
    source: str = ""
    words: int = field(init=False)  # how many registers (or bits) it takes
    end: int = field(init=False)  # the address behind it

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", _WORDS[self.type])
        object.__setattr__(self, "end", self.address + self.words)

    def __str__(self) -> str:
        return f"{self.name} ({self.table} {self.address})"


@dataclass(frozen=True, slots=True)
class Block:
    """Adjacent values of one type, such as the parameters of a program."""

    name: str
    table: Table
    address: int
    length: int
    type: Type = Type.F32
    doc: str = ""
    source: str = ""

    def __getitem__(self, index: int) -> Register:
        """The register at `index`. Raises IndexError."""
        if not 0 <= index < self.length:
            raise IndexError(f"{self.name} has {self.length} values, not {index + 1}")
        address = self.address + index * _WORDS[self.type]
        return Register(
            f"{self.name}{index}", self.table, address, self.type, doc=self.doc, source=self.source
        )

    def first(self, count: int) -> tuple[Register, ...]:
        """The first `count` registers of the block."""
        return tuple(self[index] for index in range(count))


@dataclass(frozen=True, slots=True)
class Span:
    """One read request."""

    table: Table
    address: int
    count: int
    registers: tuple[Register, ...]


def decode(register: Register, words: Sequence[int]) -> float:
    """The value of a register in its unit. `words` as they came, high word first."""
    return float(_raw(register, words)) * register.scale


def _raw(register: Register, words: Sequence[int]) -> float:
    if register.type in _PLAIN:
        return words[0]
    if register.type is Type.U32:
        return words[0] << 16 | words[1]
    (raw,) = struct.unpack(_FORMAT[register.type], struct.pack(f">{register.words}H", *words))
    number: float = raw
    return number


def encode(register: Register, value: float) -> tuple[int, ...]:
    """The words that stand for `value`, rounded to the register's step.

    Raises LimitExceeded when the register cannot hold it.
    """
    if register.type is Type.F32:
        return struct.unpack(">2H", struct.pack(">f", value / register.scale))
    raw = round(value / register.scale)
    lower, upper = _RANGE[register.type]
    if not lower <= raw <= upper:
        scale = register.scale
        raise LimitExceeded(str(register), "value", value, lower * scale, upper * scale, register.unit)
    return (raw & 0xFFFF,) if register.words == 1 else (raw >> 16, raw & 0xFFFF)


def spans(registers: Iterable[Register], gap: int = 0, most: int = MOST_REGISTERS) -> tuple[Span, ...]:
    """The fewest requests that read all `registers`, in order of their addresses.

    Up to `gap` unwanted addresses are read along; keep it 0 where a device refuses unknown addresses. A request
    asks for at most `most` registers (bits: 2000, the protocol's own limit).
    """
    return _spans(tuple(registers), gap, most)


@lru_cache(maxsize=1024)  # drivers ask for the same registers again and again
def _spans(registers: tuple[Register, ...], gap: int, most: int) -> tuple[Span, ...]:
    found: list[Span] = []
    for register in sorted(registers, key=lambda r: (r.table, r.address, r.words)):
        limit = MOST_BITS if register.table in (Table.COILS, Table.DISCRETE) else most
        last = found[-1] if found else None
        if last and last.table is register.table and register.address <= last.address + last.count + gap:
            count = max(last.count, register.end - last.address)
            if count <= limit:
                found[-1] = Span(last.table, last.address, count, (*last.registers, register))
                continue
        found.append(Span(register.table, register.address, register.words, (register,)))
    return tuple(found)


class Readings:
    """What was read: values by register."""

    def __init__(self, answers: Sequence[tuple[Span, Sequence[int]]]) -> None:
        """The words that came for each request."""
        self._answers = answers

    def __getitem__(self, register: Register) -> float:
        """The value in the register's unit."""
        return decode(register, self._words(register))

    def raw(self, register: Register) -> int:
        """The bare number of a register that holds bits, a code or a count."""
        return int(_raw(register, self._words(register)))

    def _words(self, register: Register) -> Sequence[int]:
        """Raises KeyError for a register that was not read."""
        for span, words in self._answers:
            start = register.address - span.address
            if span.table is register.table and 0 <= start < span.count:
                return words[start : start + register.words]
        raise KeyError(str(register))


async def read_registers(
    link: Registers, unit: int, registers: Iterable[Register], gap: int = 0, most: int = MOST_REGISTERS
) -> Readings:
    """Read all `registers` in as few requests as `spans` allows. Raises DeviceSilent, DeviceRefused."""
    return Readings(
        [
            (span, await link.read(unit, span.table, span.address, span.count))
            for span in spans(registers, gap, most)
        ]
    )


async def write_registers(link: Registers, unit: int, values: Mapping[Register, float]) -> None:
    """Write adjacent registers in one request, lowest address first.

    Raises LimitExceeded, DeviceSilent, DeviceRefused; ValueError when the registers are not side by side.
    """
    ordered = sorted(values, key=lambda r: r.address)
    for one, other in pairwise(ordered):
        if one.end != other.address or one.table is not other.table:
            raise ValueError(f"{one} and {other} cannot be written in one request")
    words = [word for register in ordered for word in encode(register, values[register])]
    await link.write(unit, ordered[0].table, ordered[0].address, words)
