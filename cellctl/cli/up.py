"""`up` and `down`: a line's processes, under a supervisor in the foreground or detached."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.durations import read_time
from cellctl.cli.files import find_line
from cellctl.cli.output import say
from cellctl.cli.state import state_for, state_of_a_line, state_option

if TYPE_CHECKING:
    from cellctl.line.model import Line

KEYS = "keys"  # directory in the state directory, used when it is there

SIMULATED = "SIMULATED devices: nothing real moves"


@click.command()
@click.argument("line")
@click.option("--simulated", is_flag=True, help="On simulated devices instead of the real ones.")
@click.option(
    "--keep",
    is_flag=True,
    help="With --simulated: go on with the records of an earlier run, not set them aside.",
)
@click.option("--detach", is_flag=True, help="Return when the line is up; it runs on by itself.")
@click.option("--keys", type=click.Path(path_type=Path, file_okay=False), help="Directory of the bus's keys.")
@click.option(
    "--hung-after",
    metavar="TIME",
    callback=read_time,
    default="30 s",
    show_default=True,
    help="End a process without a sign of life for so long, and start it again; 0 s: never.",
)
@state_option
def up(
    line: str,
    simulated: bool,
    keep: bool,
    detach: bool,
    keys: Path | None,
    hung_after: float,
    state: Path | None,
) -> None:
    """Start a line's processes and keep them running until Ctrl-C or `cellctl down`."""
    if keep and not simulated:
        raise click.UsageError("--keep goes with --simulated only: records of real parts are always kept")
    path = find_line(line)
    loaded = load_or_exit(path)
    place = state_for(loaded.name, state)
    if detach:
        from cellctl.cli.detach import start_detached

        options = (
            *(["--simulated"] if simulated else []),
            *(["--keep"] if keep else []),
            *(["--keys", str(keys.absolute())] if keys else []),  # it runs from elsewhere
            *("--hung-after", f"{hung_after:g} s"),
        )
        start_detached(("up", str(path), "--state", str(place), *options), place)
        say(f"{loaded.name} is up{f' ({SIMULATED})' if simulated else ''}. State: {place}")
        return
    import asyncio

    from cellctl.live.attend import attend

    keys_directory = _keys(loaded, place, keys)
    if simulated:
        say(f"*** {SIMULATED} ***")
    work = attend(
        loaded,
        path,
        place,
        say,
        simulated=simulated,
        keys=keys_directory,
        fresh=simulated and not keep,
        hung_after=hung_after,
    )
    sys.exit(asyncio.run(work))


@click.command()
@state_option
@click.option("--patience", default=30.0, show_default=True, help="Seconds to wait for its end.")
def down(state: Path | None, patience: float) -> None:
    """Let a line finish what it has in hand, then end its processes."""
    import os
    import signal
    import time

    from cellctl.live.process_table import supervisor_of

    place = state_of_a_line(state)
    supervisor = supervisor_of(place)
    if not supervisor:
        say(f"no line is up in {place}")
        return
    os.kill(supervisor, signal.SIGTERM)
    ends = time.monotonic() + patience
    while supervisor_of(place):
        if time.monotonic() > ends:
            say(
                f"process {supervisor} has not ended within {patience:g} s; once more `cellctl down` ends it at once"
            )
            sys.exit(1)
        time.sleep(0.05)
    say("the line is down")


def load_or_exit(path: Path) -> Line:
    """The line in a file; prints what is wrong with it and exits with 1 when it cannot be used."""
    from cellctl.cli.output import uses_colour
    from cellctl.live.line_file import read_line

    line, report = read_line(path)
    if line is None:
        click.echo(report.render(colour=uses_colour(sys.stderr)), err=True, nl=False)
        sys.exit(1)
    return line


def _keys(line: Line, state: Path, given: Path | None) -> str:
    """The keys directory: the given one, else the state directory's when it is there or the bus needs one."""
    from cellctl.live.bring_up import addresses_of
    from cellctl.live.bus import is_local

    if given is not None:
        return str(given.absolute())
    all_local = all(is_local(a.commands) and is_local(a.events) for a in addresses_of(line).values())
    own = state / KEYS
    return str(own) if own.is_dir() or not all_local else ""
