"""The two sides of `cellctl diff`: a line, a recipe with or without a variant, or the hash that a part records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cellctl.cli.files import find_line, find_recipe, written_as

if TYPE_CHECKING:
    from cellctl.findings import Report
    from cellctl.line.model import Line
    from cellctl.recipe.executable import Executable

HASH = re.compile(r"[0-9a-f]{8,64}")
TROUBLE = 2  # as with diff(1): the two cannot be compared


@dataclass(frozen=True)
class Side:
    """What one argument means: the `file` of a line or recipe, and the variant if one is named; or a hash."""

    text: str
    file: Path | None = None
    variant: str | None = None
    hash: str = ""
    is_line: bool = False


@dataclass(frozen=True)
class Made:
    """A side that is compiled: its executables by variant, and the line that they are for."""

    line: Line
    executables: Mapping[str, Executable] = field(default_factory=dict)


def read_side(text: str, line_name: str | None) -> Side:
    """What people mean by `text`. Raises click.UsageError."""
    path, near = Path(text), _near(line_name)
    if path.is_file():
        return _of_file(text, path, None)
    if HASH.fullmatch(text):
        return Side(text, hash=text)
    name, slash, variant = text.rpartition("/")
    if slash and not path.suffix:
        return _of_file(text, _recipe(name, near), variant)
    try:
        return _of_file(text, _recipe(text, near), None)
    except click.UsageError as no_recipe:
        try:
            return _of_file(text, find_line(text), None)
        except click.UsageError as no_line:
            raise click.UsageError(f"{no_recipe.message}\n{no_line.message}") from None


def _of_file(text: str, path: Path, variant: str | None) -> Side:
    kind = written_as(path)
    if not kind:
        raise click.UsageError(f"{path} is neither a line nor a recipe: it has no key `line:` or `recipe:`")
    if kind == "line" and variant is not None:
        raise click.UsageError(f"{path} is a line, which has no variants")
    return Side(text, path.resolve(), variant, is_line=kind == "line")


def _near(line_name: str | None) -> list[Path]:
    """Lines beside whose `lines` the `products` stand in which recipes are looked for by name."""
    here = [Path.cwd() / "lines" / "x", Path.cwd() / "recipes" / "lines" / "x"]
    return [find_line(line_name)] if line_name else here


def _recipe(name: str, near: Iterable[Path]) -> Path:
    failure = click.UsageError(f"there is no recipe {name!r}")
    for line in near:
        try:
            return find_recipe(name, line)
        except click.UsageError as error:
            failure = error
    raise failure


# --- reading and compiling ------------------------------------------------------------------------------------------


def load_the_line(path: Path) -> Line:
    """The line in a file; ends the command with its findings where there are errors."""
    from cellctl.findings import Report
    from cellctl.line.load import load_line
    from cellctl.plugins import load_drivers, load_kinds

    report = Report()
    line = load_line(path, report, load_kinds(), load_drivers())
    return line if line is not None else _cannot(path, report)


def compiled(side: Side, lines: Iterable[Path]) -> Made:
    """The variants that the side means, compiled for the first line on which all of them can be made."""
    from cellctl.compile.compiler import compile_recipe
    from cellctl.findings import Report
    from cellctl.recipe.load import load_recipe

    assert side.file is not None
    report = Report()
    recipe = load_recipe(side.file, report)
    if recipe is None:
        return _cannot(side.file, report)
    wanted = list(recipe.variants) if side.variant is None else [side.variant]
    failed: list[Report] = []
    for path in lines:
        line, report = load_the_line(path), Report()
        made = {name: compile_recipe(recipe, name, line, report) for name in wanted}
        whole = {name: executable for name, executable in made.items() if executable is not None}
        if len(whole) == len(made):
            return Made(line, whole)
        failed.append(report)
    if not failed:
        raise click.UsageError(f"{side.text}: no line to compile it for; name one with --line")
    return _cannot(side.file, failed[0])


def recorded(side: Side, state: Path) -> Made:
    """The executable that the runner of the line in `state` took under this hash. Raises click.UsageError."""
    from cellctl.live.deployment import load

    taken = _taken(state)
    found = [executable for digest, executable in taken.items() if digest.startswith(side.hash)]
    if len(found) != 1:
        who = f"{len(found)} recipes that were ordered have" if found else "no recipe that was ordered has"
        raise click.UsageError(f"{who} a hash that begins with {side.hash} in {state}")
    return Made(load_the_line(Path(load(state).line)), {found[0].variant: found[0]})


def _taken(state: Path) -> dict[str, Executable]:
    """Every recipe that was ever ordered there, by its hash."""
    from cellctl.flow.events import RecipeTaken, Snapshot
    from cellctl.live.records import runner_events

    found: dict[str, Executable] = {}
    for event in runner_events(state):
        if isinstance(event, RecipeTaken):
            found[event.digest] = event.executable
        elif isinstance(event, Snapshot):
            found |= event.state.recipes
    return found


def _cannot(path: Path, report: Report) -> NoReturn:
    from cellctl.cli.output import uses_colour

    report.add_source(str(path), path.read_text("utf-8", errors="replace"))
    click.echo(report.render(colour=uses_colour()), nl=False, err=True)
    click.echo(f"cellctl: {path} has errors, so it cannot be compared", err=True)
    raise click.exceptions.Exit(TROUBLE)
