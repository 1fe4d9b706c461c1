"""What people write for single parts of an order, and what of an order goes to the runner."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cellctl.cli.main import main
from cellctl.cli.orders import read_order, read_parts
from cellctl.findings import Report
from cellctl.yamlsource import parse

LINE = Path(__file__).parents[2] / "recipes" / "lines" / "puck.yaml"
SUB = "subrecipe: lane\nsteps:\n  - {step: out, do: advance, to: belt.exit}\n"
RECIPE = """\
recipe: thing
steps:
  - {step: load, do: transfer, take: housing, to: belt.load}
  - {include: {recipe: lane}}
"""


@pytest.mark.parametrize(
    ("texts", "plain"),
    [
        (("force=55N",), [{"force": "55N"}]),
        (("force=55 N, lid=lid-sealed", ""), [{"force": "55 N", "lid": "lid-sealed"}, {}]),
        (("height=18.2 mm +0.2/-0.1 mm",), [{"height": "18.2 mm +0.2/-0.1 mm"}]),
        (("height=24 mm ± 0.2 mm", "times=3"), [{"height": "24 mm ± 0.2 mm"}, {"times": 3}]),
        (("offset=-1.5 mm",), [{"offset": "-1.5 mm"}]),
    ],
)
def test_each_part_option_is_a_mapping_of_values(texts: tuple[str, ...], plain: list[object]) -> None:
    given = read_parts(texts, None)
    assert given is not None
    root = parse(given.text, given.source, Report())
    assert root is not None
    assert (root.plain, given.count) == (plain, len(plain))


@pytest.mark.parametrize(
    "text", ["force", "=5 N", "force=", "force=[1]", "a b=3", "x=y: z", "x=*a", "x=1\n- {}", "x=a # b"]
)
def test_what_is_no_value_of_a_part_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="--parts FILE"):
        read_parts((text,), None)


def test_a_recipe_or_values_that_are_no_text_are_named(tmp_path: Path) -> None:
    file = tmp_path / "batch.yaml"
    file.write_bytes(b"- {force: \xff}\n")
    with pytest.raises(click.UsageError, match=r"batch\.yaml is not text in UTF-8"):
        read_parts((), file)
    with pytest.raises(click.UsageError, match=r"batch\.yaml is not text in UTF-8"):
        _ = read_order(str(file), LINE).body


def test_values_come_from_a_file_or_from_options_and_not_from_both(tmp_path: Path) -> None:
    file = tmp_path / "batch.yaml"
    file.write_text("- {force: 40 N}\n- {}\n", encoding="utf-8")
    given = read_parts((), file)
    assert given is not None
    assert (given.text, given.source, given.count) == (file.read_text("utf-8"), str(file), 2)
    with pytest.raises(click.UsageError, match="either"):
        read_parts(("force=4 N",), file)
    assert read_parts((), None) is None


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder, name, text in (
        ("lines", "puck.yaml", LINE.read_text("utf-8")),
        ("products", "thing.yaml", RECIPE),
        ("products", "lane.yaml", SUB),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_order_carries_the_texts_of_its_sub_recipes(cell: Path) -> None:
    body = read_order("thing:3", cell / "lines" / "puck.yaml").body
    assert (body["text"], body["included"], body["quantity"]) == (RECIPE, {"lane": SUB}, 3)


def test_a_line_is_checked_with_recipes_and_the_sub_recipes_in_them(cell: Path) -> None:
    result = CliRunner().invoke(main, ["check", "."])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 files checked: all well" in result.stderr
    lane = cell / "products" / "lane.yaml"
    lane.write_text(SUB.replace("belt.exit", "belt.exut"), encoding="utf-8")
    result = CliRunner().invoke(main, ["check", "."])
    assert result.exit_code == 1
    assert f"products{os.sep}lane.yaml:3:" in result.stdout
    assert "included here" in result.stdout


def test_a_recipe_with_a_sub_recipe_is_simulated(cell: Path) -> None:
    result = CliRunner().invoke(main, ["sim", "puck", "--order", "thing:2"])
    assert result.exit_code == 0, result.output
