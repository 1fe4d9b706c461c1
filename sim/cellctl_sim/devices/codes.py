"""What became of a program of the reference machine (drivers/README.md, reference machine: INPUT 6)."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """INPUT 6: what became of the program."""

    WELL = 0
    NOTHING_THERE = 1
    MISPLACED = 2
    UNKNOWN_PROGRAM = 3
    BAD_VALUES = 4
    STOPPED = 9
