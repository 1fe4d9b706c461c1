"""WAGO 750-352: process image, output read-back and watchdog.

Source: manual of the 750-880 (its register table names the 750-352 too), chapter MODBUS functions, configuration and
status registers; what the watchdog's registers do: WAGO-I/O-SYSTEM 750, ETHERNET TCP/IP, pp. 163 and 164.
"""

from __future__ import annotations

from functools import cache

from cellctl.runtime import Table
from cellctl_drivers.registers import Register, Type

MOST_POINTS = 256  # inputs 0x0000 to 0x00FF; the outputs' read-back lies at 0x0200 to 0x02FF

_TABLE = "750-880 manual, configuration and status registers"
_WATCHDOG = "WAGO-I/O-SYSTEM 750 ETHERNET TCP/IP p. 163-164"


@cache
def digital_input(number: int) -> Register:
    """Input `number` of the island, read with FC02."""
    return Register(f"DI{number}", Table.DISCRETE, number, Type.BIT, source=_TABLE)


@cache
def digital_output(number: int) -> Register:
    """Output `number` of the island, written with FC05 or FC15."""
    return Register(f"DO{number}", Table.COILS, number, Type.BIT, source=_TABLE)


@cache
def output_image(number: int) -> Register:
    """What output `number` is set to, read back with FC01."""
    return Register(f"DO{number} image", Table.COILS, 0x0200 + number, Type.BIT, source=_TABLE)


def _holding(
    name: str, address: int, doc: str, scale: float = 1.0, unit: str = "", source: str = _WATCHDOG
) -> Register:
    return Register(name, Table.HOLDING, address, Type.U16, scale, unit, doc, source)


WATCHDOG_TIME = _holding("WD_TIME", 0x1000, "time without a request until outputs go off", 0.1, "s", _TABLE)
WATCHDOG_MASK = _holding("WDFCM_1_16", 0x1001, "which function codes trigger: bit 0 is FC1")
WATCHDOG_TRIGGER = _holding("WD_TRIGGER", 0x1003, "a change to another value than 0 starts it")
WATCHDOG_STATUS = _holding("WD_RUNNING", 0x1006, "0 not active, 1 active, 2 expired")
WATCHDOG_RESTART = _holding("WD_RESTART", 0x1007, "1 starts it again after it expired")
WATCHDOG_STOP = _holding("WD_AC_STOP_SIMPLE", 0x1008, "0x55AA or 0xAA55 stops it and clears its fault")
OUTPUT_BITS = _holding("CNF_DO", 0x1024, "bits of digital outputs in the process image", source=_TABLE)
INPUT_BITS = _holding("CNF_DI", 0x1025, "bits of digital inputs in the process image", source=_TABLE)

REGISTERS = (
    WATCHDOG_TIME,
    WATCHDOG_MASK,
    WATCHDOG_TRIGGER,
    WATCHDOG_STATUS,
    WATCHDOG_RESTART,
    WATCHDOG_STOP,
    OUTPUT_BITS,
    INPUT_BITS,
)

INACTIVE, ACTIVE, EXPIRED = 0, 1, 2
EVERY_FUNCTION = 0xFFFF
STOP = 0x55AA
