"""The hash of an executable recipe: the same however a file is written, another for whatever a machine would notice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cellctl.compile.compiler import check_recipe
from cellctl.compile.recipe_facts import compare_recipes
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.messages import Limits
from cellctl.plugins import load_drivers, load_kinds
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.recipe.load import parse_recipe
from cellctl.skill import Works
from cellctl.yamlsource import parse

PRESS = Step(
    "press",
    "run",
    Works.STAYS,
    {"": ("press",)},
    at=("belt.press",),
    parameters={"program": "close", "force": 40.0, "expect.height": Limits(0.0182, 0.018, 0.0184, "length")},
    needs=("load",),
    routes={"failed": Route()},
    timeout=6.0,
)
RECIPE = Executable("puck", 3, "indoor", "0" * 64, (PRESS,), (replace(PRESS, name="bin"),))


@pytest.fixture(scope="module")
def line(recipes: Path) -> Line:
    found = load_line(recipes / "lines" / "puck.yaml", Report(), load_kinds(), load_drivers())
    assert found is not None
    return found


def hashes(text: str, line: Line, file: str = "sensor-puck.yaml") -> dict[str, str]:
    """The hash of each variant."""
    report = Report()
    recipe = parse_recipe(text, file, report)
    assert recipe is not None, report.render()
    made = check_recipe(recipe, line, report)
    assert made.keys() == recipe.variants.keys(), report.render()
    return {name: executable.digest for name, executable in made.items()}


def plain(text: str) -> Any:
    root = parse(text, "x.yaml", Report())
    assert root is not None
    return root.plain


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_layout_comments_file_names_and_the_order_of_keys_change_no_hash(
    recipes: Path, line: Line, random: Any
) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            keys = random.sample(list(value), len(value))
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(each) for each in value] if isinstance(value, list) else value

    text = (recipes / "products" / "sensor-puck.yaml").read_text("utf-8")
    rewritten = "# another file\n" + json.dumps(shuffled(plain(text)), indent=random.choice([None, 1]))
    assert hashes(rewritten, line, "elsewhere/renamed.yaml") == hashes(text, line)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("40 N", "0.04 kN"),
        ("40 N", "4e1 N"),
        ("40 N", "+40.000 N"),
        ("6 s", "6000 ms"),
        ("6 s", "0.1 min"),
        ("18.20 mm ± 0.15 mm", "1.82 cm +0.15/-0.15 mm"),
        ("18.20 mm ± 0.15 mm", "18200 um +/- 150 um"),
        ("to: belt.press", "to: [belt.press]"),
        ("{step: board,", '{"step": "board", needs: load,'),
        ("then: scrap}", "then: bin}"),
    ],
)
def test_another_way_to_write_the_same_changes_no_hash(recipes: Path, line: Line, old: str, new: str) -> None:
    text = (recipes / "products" / "sensor-puck.yaml").read_text("utf-8")
    assert old in text
    same = hashes(text.replace(old, new), line) == hashes(text, line)
    assert same is (new != "then: bin}"), "a route by another name is another route"


def test_the_hash_is_the_same_in_every_release() -> None:
    """If this changes, parts of one recipe get two hashes, and an order repeated after an update is refused."""
    assert RECIPE.digest == "05aee3c1f0756d6ef2297ea33749e26a63a573cac8c558e2db8c802fe3bf205c"


def test_a_field_that_a_later_release_adds_with_a_default_changes_no_hash() -> None:
    class Wider(Executable, frozen=True):
        lot_size: int = 0
        marks: tuple[str, ...] = ()

    fields = {name: getattr(RECIPE, name) for name in RECIPE.__struct_fields__}
    assert Wider(**fields).digest == RECIPE.digest
    assert Wider(**fields, lot_size=1).digest != RECIPE.digest


OTHERS: dict[str, Any] = {
    "name": "squeeze",
    "skill": "measure",
    "works": Works.MOVES,
    "modules": {"": ("gauge",)},
    "phases": (("holder", "hold"),),
    "take": "board",
    "to": ("belt.exit",),
    "at": ("belt.gauge",),
    "parameters": {"program": "close", "force": 41.0},
    "references": {"depth": "load.height"},
    "needs": (),
    "routes": {"failed": Route(retry=1, start="press", then="scrap")},
    "timeout": None,
    "parts": 2,
}


@pytest.mark.parametrize("field", Step.__struct_fields__)
def test_every_field_of_a_step_is_in_the_hash_and_in_what_diff_tells(field: str, line: Line) -> None:
    assert field in OTHERS, f"say here what another {field!r} may be"
    changed = replace(RECIPE, steps=(replace(PRESS, **{field: OTHERS[field]}),))
    assert changed.digest != RECIPE.digest
    assert compare_recipes(RECIPE, changed, line, line).changes != ()


@pytest.mark.parametrize("change", [{"retry": 1}, {"start": "load"}, {"then": "next"}])
def test_every_field_of_a_route_is_in_the_hash(change: dict[str, Any]) -> None:
    assert Route.__struct_fields__ == ("retry", "start", "then")
    route = replace(Route(), **change)
    changed = replace(RECIPE, steps=(replace(PRESS, routes={"failed": route}),))
    assert changed.digest != RECIPE.digest


def test_recipes_with_one_hash_have_no_differences(line: Line) -> None:
    found = compare_recipes(RECIPE, replace(RECIPE), line, line)
    assert (found.changes, found.set_up) == ((), ())
