"""The JSON schemas of line and recipe files: well formed, kept up to date, right about good files and bad ones."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cellctl.cli.line_schema import line_schema
from cellctl.cli.main import main
from cellctl.cli.recipe_schema import recipe_schema
from cellctl.device import DriverDeclaration
from cellctl.findings import Report
from cellctl.plugins import DRIVERS, KINDS, declarations, load_drivers, load_kinds
from cellctl.skill import KindDeclaration
from cellctl.units import EXAMPLES, UNITS
from cellctl.yamlsource import parse

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "recipes").glob("*/*.yaml"))
CELLS = sorted((ROOT / "tests" / "cells").glob("*/*.yaml"))
EXAMPLE = ROOT / "tests" / "example_plugin"


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """Both schemas with what comes with cellctl, whatever else is installed."""
    kinds = {name: kind for name, kind in load_kinds().items() if kind.code.startswith("cellctl.")}
    drivers = {
        n: driver for n, driver in load_drivers().items() if driver.code.startswith("cellctl_drivers.")
    }
    links = [p.name for p in entry_points(group="cellctl.links") if p.value.startswith("cellctl_drivers.")]
    return {"line": line_schema(kinds, drivers, links), "recipe": recipe_schema(kinds)}


@pytest.fixture(scope="module")
def schemas_with_example(schemas: dict[str, Any]) -> dict[str, Any]:
    """The same where the example plug-in is installed, too."""
    if str(EXAMPLE) not in sys.path:
        sys.path.insert(0, str(EXAMPLE))
    points = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    kinds = declarations(KINDS, KindDeclaration, [EntryPoint(*p, KINDS) for p in points[KINDS].items()])
    drivers = declarations(
        DRIVERS, DriverDeclaration, [EntryPoint(*p, DRIVERS) for p in points[DRIVERS].items()]
    )
    links = [point.name for point in entry_points(group="cellctl.links")]
    kinds, drivers = load_kinds() | kinds, load_drivers() | drivers
    return {"line": line_schema(kinds, drivers, links), "recipe": recipe_schema(kinds)}


def plain(text: str) -> Any:
    """What a file says."""
    report = Report()
    root = parse(text, "file.yaml", report)
    assert root is not None, report.render()
    return root.plain


def faults(schema: Any, text: str) -> list[Any]:
    return list(jsonschema.Draft202012Validator(schema).iter_errors(plain(text)))


def kind_of(path: Path) -> str:
    return "line" if re.search("^line:", path.read_text("utf-8"), re.MULTILINE) else "recipe"


@pytest.mark.parametrize("which", ["line", "recipe"])
def test_a_schema_is_one_of_draft_2020_12_and_has_a_name_of_its_own(
    which: str, schemas: dict[str, Any]
) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas[which])
    assert schemas[which]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schemas[which]["$id"] == f"urn:cellctl:schema:{which}"


@pytest.mark.parametrize("which", ["line", "recipe"])
def test_the_schemas_that_are_shipped_are_what_the_models_say(which: str, schemas: dict[str, Any]) -> None:
    kept = json.loads((ROOT / "recipes" / "schema" / f"{which}.schema.json").read_text("utf-8"))
    assert kept == json.loads(json.dumps(schemas[which])), (
        "write them anew with `cellctl schema --write recipes/schema`"
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_is_valid(path: Path, schemas: dict[str, Any]) -> None:
    assert faults(schemas[kind_of(path)], path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", CELLS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_file_of_the_cells_is_valid(path: Path, schemas_with_example: dict[str, Any]) -> None:
    assert faults(schemas_with_example[kind_of(path)], path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_names_the_schema_that_is_shipped_with_it(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found, f"{path.name} does not begin with the line that editors look for"
    assert (path.parent / found[1]).resolve() == ROOT / "recipes" / "schema" / f"{kind_of(path)}.schema.json"


LINE_MISTAKES = {
    "an unknown kind": ("kind: conveyor", "kind: conveyer"),
    "an unknown driver": ("use: altivar", "use: altivra"),
    "a driver that cannot do it": ("use: register_gauge", "use: handshake_machine"),
    "a number without its unit": ("speed: 150 mm/s", "speed: 150"),
    "a length where a speed is wanted": ("speed: 150 mm/s", "speed: 150 mm"),
    "a misspelt key of a station": ("stopper: io1.do0", "stoper: io1.do0"),
    "a key of another kind": ("speed: 150 mm/s", "features: [height]"),
    "a missing key": ("    at: belt.press\n    programs:", "    at: belt.press\n    program:"),
    "an unknown robot": ("robot: meca500", "robot: meca50"),
    "an unknown link": ("modbus-tcp://10.0.1.11:502", "http://10.0.1.11"),
    "an output as an eye": ("eye: io1.di0", "eye: io1.do0"),
    "a process that is nowhere": ("at: belt.gauge\n", "at: belt.gauge\n    bus: here\n"),
    "an unknown choice": ("# restart: operator", "restart: never"),
    "a role that the kind does not have": ("devices:\n      plc:", "devices:\n      clp:"),
    "a capacity of nothing": ("bin: {sink: true,", "bin: {sink: true, capacity: 0,"),
    "a name that is none": ("  lid-black: {mass", "  7lid: {mass"),
}


@pytest.mark.parametrize("mistake", LINE_MISTAKES)
def test_a_line_with_a_mistake_is_not_valid(mistake: str, schemas: dict[str, Any]) -> None:
    old, new = LINE_MISTAKES[mistake]
    assert faults(schemas["line"], replaced(ROOT / "recipes/lines/puck.yaml", old, new))


RECIPE_MISTAKES = {
    "an unknown skill": ("do: insert, take: board", "do: insrt, take: board"),
    "a key that the skill's steps do not have": ("take: board, into:", "take: board, at: belt.load, into:"),
    "a missing key": ("take: board, into: belt.load", "take: board"),
    "a number without its unit": ("timeout: 6 s", "timeout: 6"),
    "a force as a timeout": ("timeout: 6 s", "timeout: 6 N"),
    "limits without a tolerance": ("{height: $height}", "{height: 18.20 mm}"),
    "an outcome that the skill does not have": ("{reject: {", "{rejected: {"),
    "a misspelt key of a route": ("{retry: 1,", "{retries: 1,"),
    "a parameter of two kinds": ("{material: housing}", "{material: housing, text: housing}"),
    "a revision in words": ("revision: 3", "revision: three"),
    "a change that is none": ("settle: {", "board: removed\n      settle: {"),
    "an unknown key": ("description:", "descripton:"),
}


@pytest.mark.parametrize("mistake", RECIPE_MISTAKES)
def test_a_recipe_with_a_mistake_is_not_valid(mistake: str, schemas: dict[str, Any]) -> None:
    old, new = RECIPE_MISTAKES[mistake]
    assert faults(schemas["recipe"], replaced(ROOT / "recipes/products/sensor-puck.yaml", old, new))


def replaced(path: Path, old: str, new: str) -> str:
    text = path.read_text("utf-8")
    assert old in text, f"{path.name} has no {old!r} any more"
    return text.replace(old, new, 1)


RECIPE_THINGS = {
    "a parameter for a timeout": ("timeout: 6 s", "timeout: $force"),
    "a parameter for a skill": ("do: insert, take: board", "do: $lid, take: board"),
    "an earlier result": ("force: $force}", "force: $press.peak}"),
    "a step that a variant removes": ("settle: {", "board: remove\n      settle: {"),
    "a block": ("scrap:", "  - {step: more, repeat: 2, steps: [{step: a, do: run, program: close}]}\nscrap:"),
    "an included sub-recipe": ("scrap:", "  - {include: {recipe: fasten, with: {torque: 1 Nm}}}\nscrap:"),
}


@pytest.mark.parametrize("thing", RECIPE_THINGS)
def test_whatever_a_recipe_may_say_is_valid(thing: str, schemas: dict[str, Any]) -> None:
    old, new = RECIPE_THINGS[thing]
    assert faults(schemas["recipe"], replaced(ROOT / "recipes/products/sensor-puck.yaml", old, new)) == []


def test_a_sub_recipe_is_valid_by_the_schema_of_recipes(schemas: dict[str, Any]) -> None:
    good = "subrecipe: tighten\nsteps:\n  - {step: a, do: run, program: fasten}\n"
    assert faults(schemas["recipe"], good) == []
    assert faults(schemas["recipe"], f"{good}variants: {{}}\n")


def test_every_pattern_of_a_schema_can_be_read_by_editors_and_says_in_words_what_is_wanted(
    schemas: dict[str, Any],
) -> None:
    for which in schemas.values():
        for schema in inside(which):
            if isinstance(schema.get("pattern"), str):
                assert "(?P" not in schema["pattern"], "ECMA 262 has no such group"
                assert "(?<" not in schema["pattern"]
                assert schema["patternErrorMessage"]


def test_every_key_that_people_write_is_described(schemas: dict[str, Any]) -> None:
    lacking = [
        f"{which}: {key}"
        for which, whole in schemas.items()
        for schema in inside(whole)
        for key, value in schema.get("properties", {}).items()
        if isinstance(value, dict) and not {"description", "const", "$ref", "enum"} & value.keys()
    ]
    assert lacking == []


def test_examples_of_quantities_have_units_and_fit_their_own_pattern(schemas: dict[str, Any]) -> None:
    seen = set()
    for schema in (schema for whole in schemas.values() for schema in inside(whole)):
        for example in schema.get("examples", []) if isinstance(schema.get("pattern"), str) else []:
            assert re.search(schema["pattern"], example), example
            seen.add(example)
    assert {"150 mm/s", "0.8 s", "18.20 mm ± 0.15 mm"} <= seen
    assert all(example.split(" ")[1] in UNITS for example in EXAMPLES.values())


def inside(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all in it that a value is held against."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            yield from inside(value) if key != "if" else ()
    elif isinstance(schema, list):
        for value in schema:
            yield from inside(value)


# --- the command ----------------------------------------------------------------------------------------------------


def test_both_schemas_can_be_written_beside_files_of_ones_own(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["schema", "--write", str(tmp_path / "schema")])
    assert ran.exit_code == 0
    for which in ("line", "recipe"):
        written = (tmp_path / "schema" / f"{which}.schema.json").read_text("utf-8")
        assert written == CliRunner().invoke(main, ["schema", which]).stdout


def test_a_schema_that_is_not_named_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["schema"]).exit_code == 2
