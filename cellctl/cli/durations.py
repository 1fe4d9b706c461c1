"""Times as people write them on the command line: durations with their unit, and dates."""

from __future__ import annotations

import time
from datetime import datetime

import click


def read_duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """`8 h`, `8h`, `90 s` in seconds, more than none. Raises click.BadParameter, also for a bare number."""
    seconds = read_time(context, parameter, value)
    if seconds is not None and not seconds > 0.0:
        raise click.BadParameter(f"{value!r}: more than that is wanted, such as 8 h")
    return seconds


def read_time(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """The same, and `0 s`. Raises click.BadParameter."""
    from cellctl.errors import UnitError
    from cellctl.units import Dimension, parse_quantity

    if value is None:
        return None
    try:
        seconds = parse_quantity(value, Dimension.DURATION).value
    except UnitError as error:
        raise click.BadParameter(str(error)) from None
    if not 0.0 <= seconds < float("inf"):
        raise click.BadParameter(f"{value!r}: no time before now is wanted; write one such as 30 s")
    return seconds


def read_since(context: click.Context, parameter: click.Parameter, value: str | None) -> float:
    """`8 h` ago, or a date in local time such as `2026-03-01 06:00`, as UTC [s]; 0 where nothing is said.

    Raises click.BadParameter, also for a time to come.
    """
    if value is None:
        return 0.0
    try:
        at = datetime.fromisoformat(value).timestamp()
    except ValueError:
        at = time.time() - (read_duration(context, parameter, value) or 0.0)
    if at > time.time():
        raise click.BadParameter(f"{value!r} is yet to come")
    return at
