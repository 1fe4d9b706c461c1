"""The command that the supervisor starts for the simulated devices of a line; people use `cellctl up --simulated`."""

from __future__ import annotations

import sys

import click


@click.command("run-plant", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_plant(arguments: tuple[str, ...]) -> None:
    """Serve a line's simulated devices on loopback; arguments as those of `cellctl_sim.plant_process`."""
    from cellctl_sim.plant_process import main

    sys.exit(main(arguments))
