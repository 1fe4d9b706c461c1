"""`status`: modules, parts, orders and alarms, once or all the time."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.output import json_option, print_json, say, uses_colour
from cellctl.cli.state import state_of_a_line, state_option

if TYPE_CHECKING:
    from cellctl.live.client import Client

EVERY = 0.25  # [s]; a page that changes more often cannot be read


@click.command()
@click.option("--watch", is_flag=True, help="Show it all the time, until Ctrl-C.")
@json_option
@state_option
def status(watch: bool, as_json: bool, state: Path | None) -> None:
    """Modules, parts, orders and alarms of a line that is up.

    With --watch and --json: one JSON object a line, whenever something changed.
    """
    from cellctl.live.client import Client

    place = state_of_a_line(state)
    with Client(place) as client:
        if not watch:
            _show(client.call("status"), client.simulated, as_json)
        elif as_json or not sys.stdout.isatty():
            _print_changes(client, as_json)
        else:
            _watch(client)


def _show(found: dict[str, Any], simulated: bool, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    from rich.console import Console

    from cellctl.cli.display import page

    console = Console(no_color=not uses_colour(), highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print(page(found, simulated=simulated))


def _watch(client: Client) -> None:
    from rich.console import Console
    from rich.live import Live

    from cellctl.cli.display import page
    from cellctl.errors import PeerSilent

    console = Console(no_color=not uses_colour(), highlight=False)
    before: dict[str, Any] = {}
    with Live(console=console, auto_refresh=False, screen=True, vertical_overflow="crop") as live:
        while True:
            try:
                found = client.call("status", patience=2.0)
            except PeerSilent as error:
                live.update(f"{error}\n\nwaiting for it ... Ctrl-C ends this display", refresh=True)
                before = {}
                continue
            if (now := without_clock(found)) != before:
                before = now
                live.update(page(found, simulated=client.simulated), refresh=True)
            time.sleep(EVERY)


def _print_changes(client: Client, as_json: bool) -> None:
    """For a pipe or a file: the page again whenever something on it changed."""
    import msgspec

    from cellctl.errors import PeerSilent

    before: dict[str, Any] = {}
    while True:
        try:
            found = client.call("status", patience=2.0)
        except PeerSilent as error:
            say(str(error))
            time.sleep(1.0)
            continue
        if (now := without_clock(found)) != before:
            before = now
            if as_json:
                click.echo(msgspec.json.encode(found).decode())
            else:
                _show(found, client.simulated, as_json=False)
        time.sleep(EVERY)


def without_clock(found: dict[str, Any]) -> dict[str, Any]:
    """A status without its time, to see whether anything changed."""
    return {key: value for key, value in found.items() if key != "utc"}
