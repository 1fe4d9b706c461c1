"""Registers and bits of a simulated device: plain cells, and cells that act when they are read or written."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cellctl_sim.devices.protocols import ModbusException

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, BUSY, NO_SUCH_UNIT = 1, 2, 3, 4, 6, 0x0B


@dataclass(slots=True)
class Cell:
    """One register or bit. Without `show` it shows what was written last; without `limits` it cannot be written."""

    value: int = 0
    limits: tuple[int, int] | None = None  # least and greatest raw value that a client may write
    show: Callable[[float], int] | None = None


def parameter(value: int, lower: int = 0, upper: int = 0xFFFF) -> Cell:
    """A register that clients may write within limits."""
    return Cell(value, (lower, upper))


def shown(show: Callable[[float], int]) -> Cell:
    """A register that clients can only read."""
    return Cell(show=show)


def read_cells(t: float, cells: Mapping[int, Cell], address: int, count: int) -> tuple[int, ...]:
    """Adjacent cells as 16-bit words. Raises ModbusException(2) where there is none."""
    try:
        found = list(map(cells.__getitem__, range(address, address + count)))
    except KeyError:
        raise ModbusException(ILLEGAL_ADDRESS) from None
    return tuple([(cell.show(t) if cell.show else cell.value) & 0xFFFF for cell in found])


def check_write(cells: Mapping[int, Cell], address: int, values: Sequence[int]) -> None:
    """Raise ModbusException(2) for a cell that is not there or not writable, (3) for a value beyond its limits."""
    written = [(cells.get(address + index), value) for index, value in enumerate(values)]
    if any(cell is None or cell.limits is None for cell, _ in written):
        raise ModbusException(ILLEGAL_ADDRESS)
    for cell, value in written:
        assert cell is not None
        assert cell.limits is not None
        if not cell.limits[0] <= value <= cell.limits[1]:
            raise ModbusException(ILLEGAL_VALUE)


def write_cells(cells: Mapping[int, Cell], address: int, values: Sequence[int]) -> None:
    """Write adjacent cells, all or none. Raises as `check_write`."""
    check_write(cells, address, values)
    for index, value in enumerate(values):
        cells[address + index].value = value


def float_words(value: float) -> tuple[int, int]:
    """A float32 as two registers, high word first."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return high, low


def words_float(high: int, low: int) -> float:
    """The float32 in two registers, high word first."""
    value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    return value


def long_words(value: int) -> tuple[int, int]:
    """A 32-bit number as two registers, high word first."""
    return value >> 16 & 0xFFFF, value & 0xFFFF
