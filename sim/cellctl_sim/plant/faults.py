"""Faults as data: `{at: 12 s, device: belt.drive, fault: silent, for: 3 s}`.

Between device and client, at every address:

    silent    requests are lost              mute     requests are carried out, their answers lost
    late      answers come `value` s later   refuse   every request gets exception `value` (6, busy)
    corrupt   answers arrive garbled         cut      connections are closed at once, and refused while it lasts

At the device; which kinds it has, its class says:

    restart     any        boots: silent for its boot time, then as after power-on
    trip        drive      goes into fault `value` (LFT)
    stuck       I/O        input `point` shows `value` whatever its sensor feels
    offset      gauge      measures `value` m too much, for `for` or for the next `count` measurements
    drift       gauge      measures `value` m more too much with each second, until `for` is over
    stall       machine    the program in hand takes as much longer as `for` says
    power_loss  machine    as restart, dark for `for`
    forget      machine    as power_loss; what the controller had written is gone, too
    local       machine    somebody works it at its panel for `for`
    error       arm        stops with error `value` (1041)
    collision   arm        the same with 1040, as if it had hit something
    miss        gripper    the next `count` closings miss
    drop        gripper    loses what it holds
    jam, empty  feeder     nothing comes for `for` (jam: at least until it is started anew); `refill` ends `empty`
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cellctl.units import Dimension, parse_quantity


def _seconds(value: object) -> object:
    return parse_quantity(value, Dimension.DURATION).value if isinstance(value, str) else value


def _si(value: object) -> object:
    return parse_quantity(value).value if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(_seconds)]  # "12 s", or a number of seconds
Amount = Annotated[float | None, BeforeValidator(_si)]  # "2 mm", or a number in SI units


class Manner(StrEnum):
    """Faults between device and client."""

    SILENT = "silent"
    MUTE = "mute"
    LATE = "late"
    REFUSE = "refuse"
    CORRUPT = "corrupt"
    CUT = "cut"


class Fault(BaseModel):
    """One fault. `at` counts from when it is given; `for` is how long it lasts, for good where nothing is said."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    device: str
    fault: str
    at: Seconds = Field(default=0.0, ge=0)
    lasts: Seconds = Field(default=inf, gt=0, alias="for")
    value: Amount = None
    point: str = ""
    count: int = Field(default=1, ge=1)
