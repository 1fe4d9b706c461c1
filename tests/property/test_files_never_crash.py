"""Whatever becomes of a line or recipe file, reading it gives findings or a result, and never an exception."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellctl.compile import codes as of_compile
from cellctl.compile.compiler import check_recipe
from cellctl.findings import Report
from cellctl.line import codes as of_line
from cellctl.line.load import load_line
from cellctl.plugins import load_drivers, load_kinds
from cellctl.reading.codes import CODES as OF_READING
from cellctl.recipe import codes as of_recipe
from cellctl.recipe.load import parse_recipe
from cellctl.yamlsource import parse
from cellctl.yamlsource.codes import CODES as OF_TEXT

RECIPES = Path(__file__).parents[2] / "recipes"
LINE = (RECIPES / "lines" / "puck.yaml").read_text("utf-8")
RECIPE = (RECIPES / "products" / "sensor-puck.yaml").read_text("utf-8")
KINDS, DRIVERS = load_kinds(), load_drivers()
KNOWN = {*OF_TEXT, *OF_READING, *of_line.CODES, *of_recipe.CODES, *of_compile.CODES}

WORDS = [
    "belt",
    "belt.load",
    "io1",
    "io1.di0",
    "do0",
    "$force",
    "$load.x",
    "40 N",
    "mm",
    "-1",
    "0",
    "null",
    "[]",
    "{}",
    "remove",
    "é",
    "#",
]
VALUES: list[Any] = [None, True, 0, -3, 1.5, "", "belt", "arm.bin", "io1.do1", "$force", "$press.peak", "7 mm", [], ["a", 3], {}, {"x": 1}]  # fmt: skip  # noqa: E501

few = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def plain(text: str) -> Any:
    node = parse(text, "as shipped", Report())
    assert node is not None
    return node.plain


def check(line_text: str, recipe_text: str, folder: Path) -> None:
    """Read both and compile what is left; every finding has a code that is explained, and a place in the file."""
    path, report = folder / "line.yaml", Report()
    path.write_text(line_text, encoding="utf-8")
    line = load_line(path, report, KINDS, DRIVERS)
    assert line is not None or report.has_errors
    recipe = parse_recipe(recipe_text, "recipe.yaml", report)
    if recipe is not None and line is not None:
        check_recipe(recipe, line, report)
    for finding in report.findings:
        assert finding.code in KNOWN
        rows = (line_text if finding.span.file == str(path) else recipe_text).split("\n")
        assert 1 <= finding.span.line <= len(rows) + 1
    report.render()


@st.composite
def spoilt_text(draw: st.DrawFn, text: str) -> str:
    """The text with a few stretches removed, doubled, or replaced by other words."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 1, 2, 5, 20, 80])))
        text = (
            text[:start]
            + draw(st.sampled_from([*WORDS, "", text[start:end] * 2, "\n", ": ", ", "]))
            + text[end:]
        )
    return text


@st.composite
def spoilt_data(draw: st.DrawFn, data: Any) -> str:
    """The data as text, with a few values and keys somewhere in it replaced, renamed or removed."""
    data = copy.deepcopy(data)
    for _ in range(draw(st.integers(1, 3))):
        here = data
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inside = isinstance(here[key], dict | list) and bool(here[key])
            if inside and draw(st.booleans()):
                here = here[key]
                continue
            what = draw(st.sampled_from(["value", "remove", "rename"]))
            if what == "remove":
                del here[key]
            elif what == "rename" and isinstance(here, dict):
                here[str(key)[:-1] or "x"] = here.pop(key)
            else:
                here[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
            break
    return json.dumps(data, ensure_ascii=False)


@few
@given(spoilt_text(LINE))
def test_a_line_file_with_spoilt_text(tmp_path_factory: Any, text: str) -> None:
    check(text, RECIPE, tmp_path_factory.mktemp("line"))


@few
@given(spoilt_data(plain(LINE)))
def test_a_line_file_with_spoilt_values(tmp_path_factory: Any, text: str) -> None:
    check(text, RECIPE, tmp_path_factory.mktemp("line"))


@few
@given(spoilt_text(RECIPE))
def test_a_recipe_file_with_spoilt_text(tmp_path_factory: Any, text: str) -> None:
    check(LINE, text, tmp_path_factory.mktemp("line"))


@few
@given(spoilt_data(plain(RECIPE)))
def test_a_recipe_file_with_spoilt_values(tmp_path_factory: Any, text: str) -> None:
    check(LINE, text, tmp_path_factory.mktemp("line"))
