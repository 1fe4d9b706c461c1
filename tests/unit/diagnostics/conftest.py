"""Examples of mistakes, laid over a small line and a small recipe that are right, and checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from plugged_in import Installed

from cellctl.compile.compiler import check_recipe
from cellctl.compile.reach import check_stations
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.recipe.load import load_recipe
from cellctl.yamlsource import load

HERE = Path(__file__).parent
LINE, RECIPE = "small-line.yaml", "small-recipe.yaml"
RECIPE_KEYS = {"recipe", "arrives", "parameters", "variants", "steps", "scrap"}
MARK = "# <--"


# --- an example as files ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Files:
    """Texts by file name, and the place to blame as (file, row of the example's part, from 1)."""

    texts: dict[str, str]
    blamed: tuple[str, str]  # file, and the text of the line


def files_of(example: str, default: str, sign: str) -> Files:
    """The files of an example with the lines of one sign, `-` or `+`, and the first line that has it."""
    parts: dict[str, list[str]] = {}
    marked = list[tuple[str, str]]()
    name = default
    for row in example.splitlines():
        if row.startswith("@@ "):
            name = row[3:]
        elif row[:1] in (" ", sign):
            parts.setdefault(name, []).append(row[1:])
            if row[0] == sign or MARK in row:
                marked.append((name, row[1:]))
    blamed = next((each for each in marked if MARK in each[1]), marked[0] if marked else ("", ""))
    return Files({file: "\n".join(rows) + "\n" for file, rows in parts.items()}, blamed)


# --- a part laid over a whole file --------------------------------------------------------------------------------


@dataclass
class Row:
    """One line, and the lines that are indented below it."""

    text: str
    below: list[Row] = field(default_factory=list)

    @property
    def key(self) -> str:
        return re.split(r":(?: |$)", self.text.strip())[0]


def rows_of(text: str) -> list[Row]:
    """The lines of a text as a tree."""
    root = Row("")
    above: list[tuple[int, Row]] = [(-1, root)]
    for line in filter(str.strip, text.split("\n")):
        depth = len(line) - len(line.lstrip(" "))
        while above[-1][0] >= depth:
            above.pop()
        row = Row(line)
        above[-1][1].below.append(row)
        above.append((depth, row))
    return root.below


def laid_over(whole: list[Row], part: list[Row]) -> list[Row]:
    """The whole with each key of the part in its place; a key with lines below it is gone into, a list replaced."""
    found = list(whole)
    for row in part:
        place = next((i for i, each in enumerate(found) if each.key == row.key), None)
        if place is None:
            found.append(row)
        elif row.below and found[place].below and not row.below[0].key.startswith("-"):
            found[place] = Row(found[place].text, laid_over(found[place].below, row.below))
        else:
            found[place] = row
    return found


def written(rows: list[Row]) -> list[str]:
    return [line for row in rows for line in (row.text, *written(row.below))]


# --- checked -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """What was found, and where the line to blame stands: (file, line)."""

    report: Report
    blamed: tuple[str, int]

    @property
    def found(self) -> set[tuple[str, str, int]]:
        """(code, file, line) of each finding."""
        return {(f.code, Path(f.span.file).name, f.span.line) for f in self.report.findings}


def default_file(code: str, example: str) -> str:
    if code.startswith("CC-Y"):
        return "text.yaml"
    keys = {row.key for sign in "-+" for row in rows_of(files_of(example, "", sign).texts.get("", ""))}
    return RECIPE if keys & RECIPE_KEYS else LINE


@pytest.fixture(scope="session")
def small_line(installed: Installed) -> Line:
    """The small line as it is."""
    line = load_line(HERE / LINE, Report(), *installed)
    assert line is not None
    return line


@pytest.fixture
def with_force() -> str:
    """The small recipe with the force as a parameter, which single parts may set."""
    text = (HERE / RECIPE).read_text("utf-8").replace("force: 40 N", "force: $force")
    return text.replace("steps:", "parameters: {force: {default: 40 N}}\nsteps:")


@pytest.fixture
def check_example(tmp_path: Path, installed: Installed) -> Callable[[str, str, str], Checked]:
    """Check an example of a code with its lines of one sign."""

    def check(code: str, example: str, sign: str) -> Checked:
        files = files_of(example, default_file(code, example), sign)
        texts = dict(files.texts)
        for name in (LINE, RECIPE) if "text.yaml" not in texts else ():
            base = (HERE / name).read_text("utf-8")
            texts[name] = "\n".join(written(laid_over(rows_of(base), rows_of(texts.get(name, ""))))) + "\n"
        for name, text in texts.items():
            (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        report = Report()
        if "text.yaml" in texts:
            load(tmp_path / "text.yaml", report)
        else:
            line = load_line(tmp_path / LINE, report, *installed)
            recipe = load_recipe(tmp_path / RECIPE, report) if RECIPE in files.texts else None
            if line is not None and recipe is not None:
                check_recipe(recipe, line, report)
            if line is not None:
                check_stations(line, tmp_path / LINE, report)
        file, text = files.blamed
        number = texts[file].split("\n").index(text) + 1 if file else 0
        return Checked(report, (file, number))

    return check
