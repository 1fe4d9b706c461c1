"""Every code has an example: what is wrong in it is found at its line, and what puts it right is well."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cellctl
import cellctl.compile.following as following
from cellctl.cli.explain import all_codes, all_examples, explain
from cellctl.cli.orders import read_parts
from cellctl.compile.order import OrderText, RecipeRefused, compile_order
from cellctl.findings import Report
from cellctl.line.model import Line
from cellctl.recipe.codes import BAD_PARTS
from cellctl.yamlsource import load
from cellctl.yamlsource.codes import UNREADABLE

Check = Callable[[str, str, str], Any]
EXAMPLES = all_examples()
COMMAND = "-$ "


def test_every_code_of_every_table_is_explained_and_has_an_example() -> None:
    package = Path(cellctl.__file__).parent
    names = [f"cellctl.{path.parent.name}.codes" for path in package.glob("*/codes.py")]
    codes = {code for name in names for code in importlib.import_module(name).CODES}
    assert codes <= all_codes().keys()
    assert codes == EXAMPLES.keys()


@pytest.mark.parametrize("code", sorted(code for code in EXAMPLES if not EXAMPLES[code].startswith(COMMAND)))
def test_what_is_wrong_is_found_at_its_line_and_what_is_right_is_well(
    check_example: Check, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if code == "CC-C023":  # a short recipe stands for one with thousands of paths
        monkeypatch.setattr(following, "MOST", 15)
    wrong = check_example(code, EXAMPLES[code], "-")
    assert {(code, *wrong.blamed)} == wrong.found, wrong.report.render()
    right = check_example(code, EXAMPLES[code], "+")
    assert right.report.findings == (), right.report.render()


def test_a_file_that_is_named_wrongly_is_said_to_be_missing() -> None:
    report = Report()
    assert load(Path(EXAMPLES[UNREADABLE].split()[3]), report) is None
    assert [finding.code for finding in report.findings] == [UNREADABLE]


def test_an_order_gives_values_for_as_many_parts_as_it_orders(small_line: Line, with_force: str) -> None:
    wrong, right = (shlex.split(row[2:])[3:] for row in EXAMPLES[BAD_PARTS].splitlines())
    assert len(_ordered(right, small_line, with_force)) == 2
    with pytest.raises(RecipeRefused) as refused:
        _ordered(wrong, small_line, with_force)
    assert [finding.code for finding in refused.value.report.findings] == [BAD_PARTS]


def _ordered(words: list[str], line: Line, text: str) -> tuple[Any, ...]:
    """What is made of the words behind `cellctl order add`."""
    quantity = int(words[0].rpartition(":")[2])
    given = read_parts(tuple(words[2::2]), None)
    assert given is not None
    order = OrderText(text, "thing.yaml", parts=given.text, parts_source=given.source)
    return compile_order(order, line, quantity)[1]


@pytest.mark.parametrize("code", sorted(EXAMPLES))
def test_explaining_a_code_shows_its_example_on_a_screenful(code: str) -> None:
    shown = CliRunner().invoke(explain, [code]).output
    first = next(row for row in EXAMPLES[code].splitlines() if row.startswith("-"))
    assert first[:40] in shown or not first[:40].isprintable()
    assert len(shown.splitlines()) < 60
    assert max(map(len, shown.splitlines())) < 400
