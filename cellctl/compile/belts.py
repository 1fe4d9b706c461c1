"""Which way belts run: what a belt itself cannot do with a part that stands on it."""

from __future__ import annotations

from cellctl.kinds import ConveyorOptions
from cellctl.line.model import Line, Station
from cellctl.units import Dimension, Quantity, show


def why_not_carried(line: Line, module: str, origin: str, target: str) -> str:
    """Why this module cannot bring a part from one of its stops to the other; "" where it can, or is no belt.

    A belt runs towards its greater positions, and comes back to the others only where it has a `circuit`.
    """
    start, end = line.stations.get(origin), line.stations.get(target)
    options = line.modules[module].options
    if not isinstance(options, ConveyorOptions) or not start or not end:
        return ""
    if start.module != module or end.module != module or start.at is None or end.at is None:
        return ""
    if start is end:
        return f"it stands at {start.name} already"
    if options.circuit is not None or start.at < end.at:
        return ""
    return f"{module} runs from {_placed(end)} to {_placed(start)}, not back"


def _placed(station: Station) -> str:
    return f"{station.name} ({show(Quantity(station.at or 0.0, Dimension.LENGTH))})"
