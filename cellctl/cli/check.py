"""`check`: lines and recipes read and compiled against each other, before anything moves."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.files import SUFFIXES, find_either, find_line, recipes_beside, written_as
from cellctl.cli.output import print_json, say, uses_colour

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cellctl.findings import Report
    from cellctl.line.model import Line
    from cellctl.recipe.executable import Executable
    from cellctl.recipe.load import Recipe

MOST_ASKED = 12  # recipes and variants on one line of which `check` asks whether they can jam
MOST_STATES = 20_000  # that it looks at for that; about 0.3 s

YOUNG = 50_000  # objects made before rubbish is looked for; a recipe makes some thousands

FILES = ("line", "recipe")  # that are checked; sub-recipes are with the recipes that include them
FORMATS = ("text", "json", "github", "sarif", "junit")


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--line", "line_name", help="The line that recipes are compiled for; else those beside them.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def check(paths: tuple[str, ...], line_name: str | None, form: str, as_json: bool) -> None:
    """Check lines and recipes: files, directories, or names.

    A line is checked with the recipes in the `products` beside its `lines`, but for those that only another line there
    can make; a recipe with the line of --line or with the lines in the `lines` beside its `products`.
    """
    with _collecting_seldom():
        checking = Checking(as_shown(find_line(line_name)) if line_name else None)
        for path in paths:
            checking.check(path)
        checking.check_stations()
        _print(checking, "json" if as_json else form)
    sys.exit(1 if checking.report.has_errors else 0)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Nearly all that is read is kept to the end: to look through it for rubbish takes a third of the time.

    When Python ends it looks once more; there, too, nothing is worth finding.
    """
    atexit.register(gc.freeze)
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@dataclass
class Checking:
    """One run over any number of files; each is read and reported once."""

    given_line: Path | None
    files: dict[str, None] = field(default_factory=dict)  # in the order of checking

    def __post_init__(self) -> None:
        from cellctl.findings import Report
        from cellctl.plugins import load_both

        self.report: Report = Report()
        self._kinds, self._drivers = load_both()
        self._lines: dict[Path, Line | None] = {}
        self._others: dict[
            Path, Line | None
        ] = {}  # read for recipes alone; what is wrong with them is not reported
        self._beside: dict[Path, list[Path]] = {}  # folder of recipes -> the lines beside it
        self._made: dict[str, tuple[Line, list[Executable]]] = {}  # line -> what can be made on it

    def check(self, name: str) -> None:
        """Check what people name: a file, a directory, a line or a recipe. Raises click.UsageError."""
        path = Path(name)
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and written_as(p) in FILES)
            if not files:
                raise click.UsageError(f"there are no line or recipe files in {name}")
            for each in files:
                self._check_file(as_shown(each))
            return
        self._check_file(as_shown(find_either(name)))

    def _check_file(self, path: Path) -> None:
        if written_as(path) == "subrecipe":
            say(f"{path}: a sub-recipe is checked with the recipes that include it")
            return
        if written_as(path) == "recipe":
            self._check_recipe(path, self._lines_for(path))
            return
        line = self.line(path)
        if line is None:
            return
        for recipe in map(as_shown, recipes_beside(path.resolve())):
            self._check_recipe(recipe, self._this_and_others(line, path), line)

    def _this_and_others(self, line: Line, path: Path) -> Iterator[Line]:
        """The line, then those beside it, each read only when it is asked for."""
        yield line
        for each in sorted(path.resolve().parent.glob("*")):
            other = self._quietly(as_shown(each)) if is_line(each) else None
            if other is not None and other.name != line.name:
                yield other

    def _lines_for(self, recipe: Path) -> list[Line]:
        """The lines that a recipe may be made on; when none of them can be read, that is reported instead."""
        if self.given_line:
            line = self.line(self.given_line)
            return [] if line is None else [line]
        if recipe.parent not in self._beside:
            self._beside[recipe.parent] = lines_beside(recipe)
        beside = self._beside[recipe.parent]
        readable = [line for path in beside if (line := self._quietly(path)) is not None]
        for path in () if readable else beside:
            self.line(path)
        return readable

    def line(self, path: Path) -> Line | None:
        """The line in a file, its findings reported."""
        if path not in self._lines:
            self.files[str(path)] = None
            self._lines[path] = self._load(path, self.report)
        return self._lines[path]

    def _quietly(self, path: Path) -> Line | None:
        from cellctl.findings import Report

        if path in self._lines:
            return self._lines[path]
        if path not in self._others:
            self._others[path] = self._load(path, Report())
        return self._others[path]

    def _load(self, path: Path, report: Report) -> Line | None:
        from cellctl.line.load import load_line

        return load_line(path, report, self._kinds, self._drivers)

    def _check_recipe(self, path: Path, lines: Iterable[Line], only: Line | None = None) -> None:
        """A recipe is well when all its variants can be made on one of these lines, the first that fits.

        Where that is not the `only` one that was asked about, nothing is said of the recipe.
        """
        from cellctl.findings import Report
        from cellctl.recipe.load import load_recipe

        if str(path) in self.files:
            return
        own = Report()
        recipe = load_recipe(path, own)
        best = best_attempt(recipe, lines) if recipe else None
        if best and best.is_well and only not in (None, best.line):
            return
        self.files[str(path)] = None
        self.report.take(own)
        if best is None:
            if recipe is not None:
                say(f"{path}: no line to compile it for; name one with --line")
            return
        if best.is_well:
            self._made.setdefault(best.line.name, (best.line, []))[1].extend(best.made)
        alike = {(f.code, f.span, f.message): f for f in reversed(best.report.findings)}
        for finding in reversed(alike.values()):  # what is wrong with several variants alike is told once
            self.report.add(finding)

    def check_stations(self) -> None:
        """Whether arms reach the stations of the lines; after the recipes, which tell of those that they use."""
        from cellctl.compile.reach import check_stations

        for path, line in self._lines.items():
            if line is not None:
                check_stations(line, path, self.report)

    def jams(self) -> Iterator[str]:
        """For each line, whether what can be made on it can jam; not asked of many recipes, which would take long."""
        for line, made in self._made.values():
            if len(made) > MOST_ASKED:
                yield f"{line.name}: whether parts of {len(made)} recipes and variants can jam was not asked"
                continue
            from cellctl.plan.deadlock import decide_jams
            from cellctl.plan.reachable import Budget

            yield f"{line.name}: {decide_jams(line, made, budget=Budget(MOST_STATES)).words()}"


@dataclass(frozen=True)
class Attempt:
    """All variants of a recipe, compiled for one line."""

    line: Line
    made: list[Executable]
    report: Report

    @property
    def is_well(self) -> bool:
        """Whether the line can make all of them."""
        return not self.report.has_errors


def best_attempt(recipe: Recipe, lines: Iterable[Line]) -> Attempt | None:
    """The recipe for the first line that can make it; else for that with the fewest findings; None without lines."""
    from cellctl.compile.compiler import compile_recipe
    from cellctl.findings import Report

    attempts: list[Attempt] = []
    for line in lines:
        report = Report()
        made = [compile_recipe(recipe, variant, line, report) for variant in recipe.variants]
        attempts.append(Attempt(line, [each for each in made if each], report))
        if attempts[-1].is_well:
            return attempts[-1]
    return min(attempts, key=lambda attempt: len(attempt.report.findings), default=None)


def as_shown(path: Path) -> Path:
    """As findings name a file: from the working directory where it lies below that, else in full."""
    whole, here = os.path.realpath(path), os.path.realpath(os.curdir)
    return Path(whole.removeprefix(os.path.join(here, "")))


def lines_beside(recipe: Path) -> list[Path]:
    """The lines in the `lines` beside the `products` that a recipe stands in."""
    folder = recipe.resolve().parent.parent / "lines"
    return [as_shown(path) for path in sorted(folder.glob("*")) if is_line(path)]


def is_line(path: Path) -> bool:
    """Whether it is a line file, by its name and its keys."""
    return path.suffix in SUFFIXES and written_as(path) == "line"


def _print(checking: Checking, form: str) -> None:
    report, files = checking.report, list(checking.files)
    if form == "json":
        print_json({**report.as_json(), "files": files})
    elif form == "text":
        click.echo(report.render(colour=uses_colour()), nl=False)
        errors = sum(finding.severity == "error" for finding in report.findings)
        warnings = len(report.findings) - errors
        counts = f"{_many(errors, 'error')}, {_many(warnings, 'warning')}" if report.findings else "all well"
        say(f"{_many(len(files), 'file')} checked: {counts}")
        for note in () if report.has_errors else checking.jams():
            say(note)
    else:
        click.echo(_in_form(checking, form), nl=False)


def _in_form(checking: Checking, form: str) -> str:
    from cellctl.cli import formats

    if form == "github":
        return formats.as_github(checking.report)
    if form == "junit":
        return formats.as_junit(checking.report, list(checking.files))
    from importlib.metadata import version

    return formats.as_sarif(checking.report, version("cellctl"))


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
