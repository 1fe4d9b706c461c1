"""Seeds as they are written on the command line: one, or the first and the last."""

from __future__ import annotations

import re

import click


def read_seeds(context: click.Context, parameter: click.Parameter, value: str | None) -> range | None:
    """`7`, or `0..99` with both ends. Raises click.BadParameter."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", value)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise click.BadParameter(f"{value!r}: write the first and the last seed, such as 0..99")
    return range(int(match[1]), int(match[2] or match[1]) + 1)
