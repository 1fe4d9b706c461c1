"""How results reach people and programs: tables or JSON on stdout, messages on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def say(text: str) -> None:
    """A message to the person at the terminal."""
    click.echo(text, err=True)


def print_json(data: Any) -> None:
    """Data for programs."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())


def titled(recipe: str, variant: str) -> str:
    """`sensor-puck/indoor`, as orders are written; the name alone of a recipe that has no variants."""
    return f"{recipe}/{variant}" if variant else recipe


def uses_colour(stream: Any = None) -> bool:
    """Whether to colour what goes to `stream` (stdout by default)."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool((stream or sys.stdout).isatty())


def print_table(rows: Iterable[Sequence[object]], heads: Sequence[str]) -> None:
    """Columns of plain text, as wide as they need to be; nothing at all without rows."""
    cells = [[str(cell) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(len(row[column]) for row in [list(heads), *cells]) for column in range(len(heads))]
    for row in [list(heads), *cells]:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
