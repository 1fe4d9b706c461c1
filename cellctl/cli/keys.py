"""`keys`: the CURVE keys of the bus, needed as soon as a line's processes are on more than one computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.output import json_option, print_json, print_table, say
from cellctl.cli.state import state_for, state_of_a_line, state_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def directory_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--keys DIR`."""
    return click.option(
        "--keys",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        help="The keys directory; else `keys` in the line's state directory.",
    )(command)


@click.group()
def keys() -> None:
    """Make, trust and list the keys of the bus.

    Each process has a key pair; each keys directory says whom it trusts. With keys everything on the bus is
    encrypted, and nobody without a trusted key can command anything.
    """


@keys.command("make")
@click.argument("names", nargs=-1)
@click.option("--line", help="For all processes of this line and for the operators' commands.")
@directory_option
@state_option
def make(names: tuple[str, ...], line: str | None, directory: Path | None, state: Path | None) -> None:
    """Make key pairs for NAMES, and trust them here. A key that exists is never replaced."""
    from cellctl.live import curve

    if not names and not line:
        raise click.UsageError("name the processes, or give --line LINE for all of a line")
    wanted, place = list(names), directory
    if line:
        of_line, default = _processes(line, state)
        wanted += of_line
        place = place or default
    place = place or state_of_a_line(state) / "keys"
    for name in dict.fromkeys(wanted):
        if (place / f"{name}.secret").exists():
            say(f"{name} has a key already")
            continue
        curve.make_keys(place, name)
        curve.trust(place, place / f"{name}.public")
        click.echo(place / f"{name}.public")
    say(f"keys are in {place}; never copy a .secret file, give only .public files to other computers")


@keys.command("trust")
@click.argument("public", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@directory_option
@state_option
def trust(public: Path, directory: Path | None, state: Path | None) -> None:
    """Trust the owner of the key in the file PUBLIC (NAME.public)."""
    from cellctl.live import curve

    name = curve.trust(directory or state_of_a_line(state) / "keys", public)
    say(f"{name} is trusted from its next connection on")


@keys.command("list")
@json_option
@directory_option
@state_option
def list_keys(as_json: bool, directory: Path | None, state: Path | None) -> None:
    """Whom this line trusts, and whose secret keys are here."""
    from cellctl.live import curve

    place = directory or state_of_a_line(state) / "keys"
    rows = [
        {"name": name, "public": key.decode(), "secret_here": (place / f"{name}.secret").exists()}
        for key, name in curve.trusted(place).items()
    ]
    if as_json:
        print_json(rows)
        return
    heads = ("name", "public key", "secret")
    print_table(((r["name"], r["public"], "here" if r["secret_here"] else "") for r in rows), heads)
    if not rows:
        say(f"no trusted keys in {place}; make some with `cellctl keys make --line LINE`")


def _processes(name: str, state: Path | None) -> tuple[list[str], Path]:
    from cellctl.cli.files import find_line
    from cellctl.cli.up import load_or_exit
    from cellctl.live.bring_up import addresses_of
    from cellctl.live.client import KEY

    line = load_or_exit(find_line(name))
    return [*addresses_of(line), KEY], state_for(line.name, state) / "keys"
