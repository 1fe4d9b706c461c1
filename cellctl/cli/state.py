"""Which state directory a command means, and the client for the line in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

VARIABLE = "CELLCTL_STATE"
PLACE = Path(".cellctl")

F = TypeVar("F", bound=Callable[..., Any])


def state_option(command: F) -> F:
    """Give a command `--state DIR`."""
    return click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        help=f"The line's state directory; else ${VARIABLE}, else {PLACE}/LINE.",
    )(command)


def state_for(line: str, given: Path | None) -> Path:
    """The state directory for a line that is called `line`."""
    return (given or _from_environment() or PLACE / line).absolute()


def state_of_a_line(given: Path | None) -> Path:
    """The state directory that is meant where no line is named. Raises click.UsageError when that is not clear."""
    from cellctl.live.process_table import supervisor_of

    chosen = given or _from_environment()
    if chosen is not None:
        return chosen.absolute()
    found = sorted({path.parent for file in ("deployment.json", "keys") for path in PLACE.glob(f"*/{file}")})
    up = [path for path in found if supervisor_of(path)]
    candidates = up or found
    if len(candidates) == 1:
        return candidates[0].absolute()
    if not candidates:
        raise click.UsageError(
            f"no line has been started from this directory; start one with `cellctl up`, or name its "
            f"state directory with --state or ${VARIABLE}"
        )
    names = ", ".join(str(path) for path in candidates)
    raise click.UsageError(f"several lines were started from here: {names}. Choose one with --state")


def _from_environment() -> Path | None:
    text = os.environ.get(VARIABLE, "")
    return Path(text) if text else None
