"""A catalogue of mistakes in the shipped files: each is found by its code at its line, with at most two findings more.

A row of a catalogue is `CODE  old => new`, where `old` stands once in the file; the finding is expected in the line of
`new`, or, after `@`, in the only line that holds some text (`@ !recipe`: of the other file). `\\n`, `\\t` and `\\u` are
escapes. A comment names the files that the rows below it change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cellctl.compile.compiler import check_recipe
from cellctl.compile.reach import check_stations
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.recipe.load import load_recipe

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
MOST_MORE = 2  # findings besides the one that is expected

_FILES = re.compile(r"# (\S+) (?:with|on) (\S+)")
_ROW = re.compile(r"(CC-\w+)  (.*?) => (.*?)(?:  @ (.*))?")


@dataclass(frozen=True)
class Mutation:
    """One mistake: what is replaced by what in a file, and what is found in which line of it, or of the other file."""

    file: str
    other: str
    code: str
    old: str
    new: str
    where: str

    def __str__(self) -> str:
        return f"{Path(self.file).parent.name}/{Path(self.file).stem}: {self.old} => {self.new}"


def catalogue() -> Iterator[Mutation]:
    for path in sorted(HERE.glob("*.txt")):
        file = other = ""
        for row in path.read_text("utf-8").split("\n"):
            if files := _FILES.fullmatch(row):
                file, other = files[1], files[2]
            elif row and not row.startswith("#"):
                match = _ROW.fullmatch(row)
                assert match, f"{path.name}: not a row: {row}"
                code, old, new, where = match.groups()
                yield Mutation(file, other, code, _plain(old), _plain(new), _plain(where or ""))


def _plain(text: str) -> str:
    return re.sub(r"\\(n|t|u[0-9a-f]{4})", lambda m: m[0].encode().decode("unicode_escape"), text)


MUTATIONS = list(catalogue())


@cache
def _text(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


@pytest.fixture(scope="session")
def lines(with_example_plugin: Any) -> dict[str, Line]:
    """The shipped lines as they are; a mutated recipe is compiled for its line."""
    found = {}
    for name in {m.file if is_line(m.file) else m.other for m in MUTATIONS}:
        line = load_line(ROOT / name, Report(), *with_example_plugin)
        assert line is not None
        found[name] = line
    return found


def is_line(file: str) -> bool:
    return "/lines/" in file or file.endswith("/line.yaml")


def mutated(mutation: Mutation) -> str:
    text = _text(mutation.file)
    assert text.count(mutation.old) == 1, (
        f"{mutation.old!r} stands {text.count(mutation.old)} times in {mutation.file}"
    )
    return text.replace(mutation.old, mutation.new)


def place(mutation: Mutation, text: str) -> tuple[str, int]:
    """Where the finding is expected: the file, and the line in it."""
    file, where = mutation.file, mutation.where
    if where.startswith("!recipe "):
        file, where, text = mutation.other, where.removeprefix("!recipe "), _text(mutation.other)
    if not where:
        before = _text(mutation.file).partition(mutation.old)[0]
        return file, before.count("\n") + 1
    if where == "999":
        return file, text.count("\n") + 1
    numbers = [number for number, line in enumerate(text.split("\n"), start=1) if where in line]
    assert len(numbers) == 1, f"{where!r} stands in the lines {numbers}"
    return file, numbers[0]


def found_in(mutation: Mutation, text: str, folder: Path, lines: dict[str, Line], installed: Any) -> Report:
    """What is found in the mutated file, and in the recipe when it is the line that is mutated."""
    report, path = Report(), folder / Path(mutation.file).name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    if is_line(mutation.file):
        line = load_line(path, report, *installed)
        recipe = load_recipe(ROOT / mutation.other, report)
    else:
        for beside in (ROOT / mutation.file).parent.glob("*.yaml"):
            if beside.read_text("utf-8").find("\nsubrecipe:") >= 0:
                (folder / beside.name).write_bytes(beside.read_bytes())
        line = lines[mutation.other]
        recipe = load_recipe(path, report)
    if line is not None and recipe is not None:
        check_recipe(recipe, line, report)
    if line is not None and is_line(mutation.file):
        check_stations(line, path, report)
    return report


def test_the_catalogue_holds_two_hundred_mistakes_each_once() -> None:
    assert len(set(MUTATIONS)) == len(MUTATIONS) >= 200


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_finds(mutation: Mutation, tmp_path: Path, lines: dict[str, Line], with_example_plugin: Any) -> None:
    text = mutated(mutation)
    file, number = place(mutation, text)
    report = found_in(mutation, text, tmp_path, lines, with_example_plugin)
    found = [(finding.code, Path(finding.span.file).name, finding.span.line) for finding in report.findings]
    assert (mutation.code, Path(file).name, number) in found, report.render() or "nothing was found"
    assert len(found) <= 1 + MOST_MORE, report.render()
