"""`cellctl demo`: the puck line with real processes and real sockets, on simulated devices."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from cellctl.cli.output import json_option, print_json, say

BANNER = """\
*******************************************************************
***  SIMULATED: no machine is connected and nothing real moves.  ***
*******************************************************************"""


@click.command()
@json_option
@click.option("--parts", default=12, show_default=True, type=click.IntRange(3, 1000), help="How many parts.")
@click.option("--seed", default=1, show_default=True, help="Of the simulated plant's random numbers.")
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="Keep journals and logs here."
)
def demo(as_json: bool, parts: int, seed: int, state: Path | None) -> None:
    """Watch the puck line make three variants on simulated devices.

    Real processes and sockets, two faults, a report. A housing, a board and a lid become a sensor puck: loaded by an
    arm, pressed, gauged. The gripper misses once and tries again; the gauge rejects one part, which goes to the bin.
    Kill any of its processes meanwhile, with `kill -9`: the order still ends right.
    """
    import asyncio
    import shutil
    import tempfile

    from cellctl_sim.cli.demo_line import run_demo
    from cellctl_sim.cli.demo_view import make_view

    say(BANNER)
    place = (state or Path(tempfile.mkdtemp(prefix="cellctl-demo-"))).absolute()
    code = 1
    try:
        result, code = asyncio.run(run_demo(place, parts, seed, make_view()))
    finally:
        if state is None and code != 1:
            shutil.rmtree(place, ignore_errors=True)
        elif code == 1:
            say(f"journals and logs are in {place}")
    if result is not None:
        print_json(result) if as_json else print_result(result)
    sys.exit(code)


def print_result(result: dict[str, Any]) -> None:
    """The report for people."""
    from cellctl.cli.history import print_report

    print_report(result)
    for fault in result["injected"]:
        click.echo(f"injected: {fault}")
    if killed := result["killed"]:
        names = ", ".join(
            f"{name}{f' ({count} times)' if count > 1 else ''}" for name, count in killed.items()
        )
        click.echo(f"killed and started again: {names}")
    click.echo("every part is accounted for" if result["accounted"] else f"NOT WELL: {result['missing']}")
