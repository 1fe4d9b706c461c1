"""`schema`: JSON schemas of the two files, for editors; with the keys of every kind and driver that is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cellctl.cli.output import say

KINDS_OF_FILE = ("line", "recipe")


@click.command()
@click.argument("which", type=click.Choice(KINDS_OF_FILE), required=False)
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write it to this directory as WHICH.schema.json; without WHICH, both.",
)
def schema(which: str | None, folder: Path | None) -> None:
    """Print the JSON schema of WHICH file, for an editor; or write it to a file.

    Editors with the YAML language server find it by the first line of a line or recipe file, such as
    # yaml-language-server: $schema=../schema/line.schema.json
    """
    if folder is None:
        if which is None:
            raise click.UsageError("name one, line or recipe; or say with --write where both go")
        click.echo(schema_text(which), nl=False)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for each in (which,) if which else KINDS_OF_FILE:
        path = folder / f"{each}.schema.json"
        path.write_text(schema_text(each), encoding="utf-8")
        say(f"{path} is written; it fits the kinds and drivers that are installed now")


def schema_text(which: str) -> str:
    """The schema of "line" or "recipe" files, with whatever is installed, as it is printed and written."""
    from importlib.metadata import entry_points

    import msgspec

    from cellctl.plugins import load_drivers, load_kinds

    made: dict[str, Any]
    if which == "line":
        from cellctl.cli.line_schema import line_schema

        links = [point.name for point in entry_points(group="cellctl.links")]
        made = line_schema(load_kinds(), load_drivers(), links)
    else:
        from cellctl.cli.recipe_schema import recipe_schema

        made = recipe_schema(load_kinds())
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
