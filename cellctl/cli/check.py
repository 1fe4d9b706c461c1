"""`check`: lines and recipes read and compiled against each other, before anything moves."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.files import SUFFIXES, find_line, find_recipe, recipes_beside, written_as
from cellctl.cli.output import print_json, say, uses_colour

if TYPE_CHECKING:
    from cellctl.findings import Report
    from cellctl.line.model import Line

FORMATS = ("text", "json", "github", "sarif", "junit")


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--line", "line_name", help="The line that recipes are compiled for; else those beside them.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def check(paths: tuple[str, ...], line_name: str | None, form: str, as_json: bool) -> None:
    """Check lines and recipes: files, directories, or names.

    A line is checked with all recipes in the `products` beside its `lines`, a recipe with the line of --line or with
    the lines in the `lines` beside its `products`.
    """
    checking = Checking(as_shown(find_line(line_name)) if line_name else None)
    for path in paths:
        checking.check(path)
    form = "json" if as_json else form
    _print(checking, form)
    sys.exit(1 if checking.report.has_errors else 0)


@dataclass
class Checking:
    """One run over any number of files; each is read and reported once."""

    given_line: Path | None
    files: dict[str, None] = field(default_factory=dict)  # in the order of checking

    def __post_init__(self) -> None:
        from cellctl.findings import Report
        from cellctl.plugins import load_drivers, load_kinds

        self.report: Report = Report()
        self._kinds, self._drivers = load_kinds(), load_drivers()
        self._lines: dict[Path, Line | None] = {}

    def check(self, name: str) -> None:
        """Check what people name: a file, a directory, a line or a recipe. Raises click.UsageError."""
        path = Path(name)
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and written_as(p))
            if not files:
                raise click.UsageError(f"there are no line or recipe files in {name}")
            for each in files:
                self._check_file(as_shown(each))
            return
        self._check_file(as_shown(_find(name)))

    def _check_file(self, path: Path) -> None:
        if written_as(path) == "recipe":
            self._check_recipe(path, self._lines_for(path))
            return
        line = self.line(path)
        if line is None:
            return
        for recipe in map(as_shown, recipes_beside(path.resolve())):
            others = [other for each in lines_beside(recipe) if (other := self._quietly(each)) is not None]
            self._check_recipe(recipe, [line, *(other for other in others if other.name != line.name)])

    def _lines_for(self, recipe: Path) -> list[Line]:
        """The lines that a recipe may be made on; when none of them can be read, that is reported instead."""
        if self.given_line:
            line = self.line(self.given_line)
            return [] if line is None else [line]
        beside = lines_beside(recipe)
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

        return self._lines[path] if path in self._lines else self._load(path, Report())

    def _load(self, path: Path, report: Report) -> Line | None:
        from cellctl.line.load import load_line

        return load_line(path, report, self._kinds, self._drivers)

    def _check_recipe(self, path: Path, lines: list[Line]) -> None:
        """A recipe is well when all its variants can be made on one of these lines, the first that fits."""
        from cellctl.compile.compiler import compile_recipe
        from cellctl.findings import Report
        from cellctl.recipe.load import load_recipe

        if str(path) in self.files:
            return
        self.files[str(path)] = None
        recipe = load_recipe(path, self.report)
        if recipe is None:
            return
        reports = []
        for line in lines:
            report = Report()
            for variant in recipe.variants:
                compile_recipe(recipe, variant, line, report)
            reports.append(report)
            if not report.has_errors:
                break
        if not reports:
            say(f"{path}: no line to compile it for; name one with --line")
            return
        best = min(reports, key=lambda report: len(report.findings) if report.has_errors else -1)
        self.report.add_source(str(path), path.read_text("utf-8"))
        for finding in dict.fromkeys(best.findings):
            self.report.add(finding)


def as_shown(path: Path) -> Path:
    """As findings name a file: from the working directory where it lies below that, else in full."""
    whole, here = path.resolve(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else whole


def lines_beside(recipe: Path) -> list[Path]:
    """The lines in the `lines` beside the `products` that a recipe stands in."""
    folder = recipe.resolve().parent.parent / "lines"
    return [as_shown(p) for p in sorted(folder.glob("*")) if p.suffix in SUFFIXES and written_as(p) == "line"]


def _find(name: str) -> Path:
    try:
        return find_line(name)
    except click.UsageError as no_line:
        try:
            return find_recipe(name, Path.cwd() / "lines" / "x")
        except click.UsageError:
            raise no_line from None


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
