"""The commands that the supervisor (or systemd) starts for each process of a line; people use `cellctl up`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The line's state directory.",
)


@click.command("run-runner", hidden=True)
@STATE
def run_runner(state: Path) -> None:
    """The runner of a deployed line."""
    from cellctl.live.entry import run_runner_process

    sys.exit(run_runner_process(state))


@click.command("run-module", hidden=True)
@click.argument("process")
@STATE
def run_module(process: str, state: Path) -> None:
    """The modules of one process of a deployed line."""
    from cellctl.live.entry import run_module_process

    sys.exit(run_module_process(process, state))
