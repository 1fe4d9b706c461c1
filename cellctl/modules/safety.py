"""Safety inputs are reported here, never implemented here: guards and emergency stops belong to safety hardware.

An input is on while it is safe (closed circuit). When it goes off, its member modules abort and one alarm says which
input was first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cellctl.errors import DeviceError
from cellctl.line.model import SafetyInput
from cellctl.modules.alarms import Alarms
from cellctl.modules.equipment import Input
from cellctl.runtime import Runtime

POLL = 0.05  # [s]
RETRY = 1.0  # [s] after the device did not answer


async def watch_safety(
    runtime: Runtime,
    safety: SafetyInput,
    point: Input,
    alarms: Alarms,
    aborts: Mapping[str, Callable[[], None]],
) -> None:
    """Watch one safety input for ever; `aborts` are the hosted modules by name."""
    while True:
        try:
            await point.until(False, POLL)
            alarms.raise_alarm("M020", safety.name)
            for module in safety.modules:
                if module in aborts:
                    aborts[module]()
            await point.until(True, POLL)
            alarms.clear("M020", safety.name)
        except DeviceError:
            await runtime.sleep(RETRY)  # the device raises its own alarm
