"""`diff`: two lines, recipes, revisions or variants in physical terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.check import lines_beside
from cellctl.cli.files import find_line
from cellctl.cli.output import json_option, print_json, say, uses_colour
from cellctl.cli.sides import Made, Side, compiled, load_the_line, read_side, recorded
from cellctl.cli.state import state_of_a_line, state_option

if TYPE_CHECKING:
    from cellctl.compile.difference import Change
    from cellctl.compile.recipe_facts import RecipeDifference
    from cellctl.line.model import Line
    from cellctl.recipe.executable import Executable

SHORT = 12  # characters of a hash, as in `cellctl trace`


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--line", "line_name", help="The line for which recipes are compiled; else those beside them.")
@json_option
@state_option
def diff(a: str, b: str, line_name: str | None, as_json: bool, state: Path | None) -> None:
    """What is different between A and B, in physical terms.

    Each is a line or a recipe: a file, or a name. A recipe stands for all its variants, RECIPE/VARIANT for one; the
    hash that `cellctl trace` prints of a part stands for the recipe by which it was made. How a file is laid out, its
    comments and in which unit something is written, make no difference.

    Exit codes as of diff(1): 0 alike, 1 different, 2 they cannot be compared.
    """
    sides = (read_side(a, line_name), read_side(b, line_name))
    if sides[0].is_line is not sides[1].is_line:
        line, recipe = (each.text for each in sorted(sides, key=lambda side: not side.is_line))
        raise click.UsageError(f"{line} is a line and {recipe} a recipe; compare two lines or two recipes")
    found = _lines(*sides) if sides[0].is_line else _recipes(*sides, line_name, state)
    if as_json:
        print_json(found.as_json())
    else:
        found.print()
    raise click.exceptions.Exit(1 if found.differs else 0)


# --- lines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LinesCompared:
    a: Line
    b: Line
    changes: tuple[Change, ...]

    @property
    def differs(self) -> bool:
        return bool(self.changes)

    def as_json(self) -> dict[str, Any]:
        heads = {n: {"line": line.name, "hash": line.digest} for n, line in (("a", self.a), ("b", self.b))}
        return {"differs": self.differs, **heads, "changes": [change.as_json() for change in self.changes]}

    def print(self) -> None:
        for sign, line in (("-", self.a), ("+", self.b)):
            click.echo(_coloured(sign, f"line {line.name}  {line.digest[:SHORT]}"))
        _print(self.changes)
        if not self.differs:
            _say_alike(self.a.digest == self.b.digest)


def _lines(a: Side, b: Side) -> LinesCompared:
    from cellctl.compile.line_facts import compare_lines

    assert a.file is not None
    assert b.file is not None
    lines = load_the_line(a.file), load_the_line(b.file)
    return LinesCompared(*lines, compare_lines(*lines))


# --- recipes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """One variant on both sides, or on one where the other does not have it."""

    a: Executable | None
    b: Executable | None
    found: RecipeDifference | None

    @property
    def differs(self) -> bool:
        return self.found is None or bool(self.found.changes)

    def as_json(self) -> dict[str, Any]:
        heads = {name: _head(each) for name, each in (("a", self.a), ("b", self.b)) if each}
        if self.found is None:
            return {"differs": True, **heads}
        changes, set_up = ([c.as_json() for c in each] for each in (self.found.changes, self.found.set_up))
        return {"differs": self.differs, **heads, "changes": changes, "set_up": set_up}

    def print(self) -> None:
        for sign, executable in (("-", self.a), ("+", self.b)):
            if executable is not None:
                click.echo(_coloured(sign, f"{_title(executable)}  {executable.digest[:SHORT]}"))
        if self.found is None:
            say("there is no such variant on the other side")
            return
        _print(self.found.changes)
        if self.found.set_up:
            click.echo("change over")
            _print(self.found.set_up)
        if not self.differs and self.a is not None and self.b is not None:
            _say_alike(self.a.digest == self.b.digest)


@dataclass(frozen=True)
class RecipesCompared:
    pairs: tuple[Pair, ...]

    @property
    def differs(self) -> bool:
        return any(pair.differs for pair in self.pairs)

    def as_json(self) -> dict[str, Any]:
        return {"differs": self.differs, "variants": [pair.as_json() for pair in self.pairs]}

    def print(self) -> None:
        for n, pair in enumerate(self.pairs):
            click.echo("\n" * bool(n), nl=False)
            pair.print()


def _recipes(a: Side, b: Side, line_name: str | None, state: Path | None) -> RecipesCompared:
    lines = [find_line(line_name)] if line_name else _lines_for(a, b)
    made = [recorded(side, state_of_a_line(state)) if side.hash else compiled(side, lines) for side in (a, b)]
    return RecipesCompared(tuple(_paired(a, b, *made)))


def _lines_for(*sides: Side) -> list[Path]:
    """The lines beside the recipes of both sides, each once."""
    beside = (line for side in sides if side.file for line in lines_beside(side.file))
    return list(dict.fromkeys(line.resolve() for line in beside))


def _paired(a: Side, b: Side, made_a: Made, made_b: Made) -> Iterator[Pair]:
    """One variant with one, where each side means only one; else those of one name."""
    of_a, of_b = made_a.executables, made_b.executables
    lone = [side for side in (a, b) if side.variant is None and not side.hash]
    if len(lone) == 1 or (len(of_a) == len(of_b) == 1):
        if max(len(of_a), len(of_b)) > 1:
            names = of_a if lone[0] is a else of_b
            raise click.UsageError(f"{lone[0].text}: name one of its variants, too: {', '.join(names)}")
        yield _pair(next(iter(of_a.values())), next(iter(of_b.values())), made_a.line, made_b.line)
        return
    for name in dict.fromkeys([*of_a, *of_b]):
        yield _pair(of_a.get(name), of_b.get(name), made_a.line, made_b.line)


def _pair(a: Executable | None, b: Executable | None, line_a: Line, line_b: Line) -> Pair:
    from cellctl.compile.recipe_facts import compare_recipes

    found = compare_recipes(a, b, line_a, line_b) if a is not None and b is not None else None
    return Pair(a, b, found)


def _head(executable: Executable) -> dict[str, str | int]:
    return {
        "recipe": executable.recipe,
        "revision": executable.revision,
        "variant": executable.variant,
        "hash": executable.digest,
    }


def _title(executable: Executable) -> str:
    variant = f"/{executable.variant}" if executable.variant else ""
    return f"{executable.recipe}{variant}, revision {executable.revision}"


# --- words ----------------------------------------------------------------------------------------------------------

_SIGNS = {"added": "+", "removed": "-"}


def _print(changes: Iterable[Change]) -> None:
    for (of, name), group in groupby(changes, key=lambda change: (change.of, change.name)):
        for n, change in enumerate(group):
            sign = _SIGNS.get(change.how, "~")
            if sign != "~":
                text = change.new or change.old
                click.echo(_coloured(sign, f"{of} {name}{f': {text}' if text else ''}"))
                continue
            if not n:
                click.echo(_coloured(sign, f"{of} {name}".rstrip()))
            click.echo(f"    {_said(change)}")


def _said(change: Change) -> str:
    what = change.what or change.how.value
    by = f" ({change.by})" if change.by else ""
    return f"{what}: {change.old or 'nothing'} -> {change.new or 'nothing'}{by}"


def _say_alike(is_same: bool) -> None:
    say("nothing is different" if is_same else "written differently, but nothing physical is different")


_COLOURS = {"-": "red", "+": "green", "~": "yellow"}


def _coloured(sign: str, text: str) -> str:
    line = f"{sign} {text}"
    return click.style(line, fg=_COLOURS[sign]) if uses_colour() else line
