"""The hash of a line: the same for files that say the same, another one for each thing that they may say otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from cellctl.units import UNITS_OF, UnreadableQuantity, parse_quantity

Digest = Callable[..., str]
Path = tuple[str | int, ...]
FORCE = "takes: {force: {min: 10 N, max: 80 N}}"


@pytest.fixture
def digest(check_line: Callable[..., Any]) -> Digest:
    """The hash of the small line with some of its text replaced, or of a text; "" for one that is no line."""

    def found(*changes: tuple[str, str], **text: str) -> str:
        line = check_line(*changes, **text).line
        return line.digest if line is not None else ""

    return found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("speed: 150 mm/s", "speed: 0.15 m/s", id="unit"),
        pytest.param("time: 2 s", "time: 2000 ms", id="smaller unit"),
        pytest.param("length: 65 mm", "length: 6.50 cm", id="more digits"),
        pytest.param("{x: 200 mm, y: 0 mm, z: 30 mm}", "{z: 30 mm, y: 0 mm, x: 200 mm}", id="keys of a pose"),
        pytest.param("    kind: inspection\n", "", id="keys of a module"),
        pytest.param(
            "    robot: meca500\n", "    approach_speed: 30 %\n    robot: meca500\n", id="a default"
        ),
        pytest.param("runner: {bus: tcp://127.0.0.1:5700}\n", "", id="defaults"),
        pytest.param("  body: {mass: 9 g}\n", "", id="order of materials"),
        pytest.param("simulated", "", id="order of what only the simulator needs"),
    ],
)
def test_what_is_only_said_otherwise_is_the_same_line(
    digest: Digest, old: str, new: str, request: Any
) -> None:
    before: list[tuple[str, str]] = []
    after = [(old, new)]
    match request.node.callspec.id:
        case "keys of a module":
            after += [("    features: [height]\n", "    features: [height]\n    kind: inspection\n")]
        case "order of materials":
            after += [("  lid: {mass", "  body: {mass: 9 g}\n  lid: {mass")]
        case "order of what only the simulator needs":
            head = "modbus-tcp://10.0.0.5:502"
            before = [(head, f"{head}, simulated: {{noise: 1 um, bias: 2 um}}")]
            after = [(head, f"{head}, simulated: {{bias: 0.002 mm, noise: 1 um}}")]
    assert digest(*after) == digest(*before) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(FORCE, FORCE.replace("}}", "}, depth: {}}"), id="a value that is taken"),
        pytest.param("features: [height]", "features: {height: mm}", id="the unit of a feature"),
        pytest.param("plate: {x: 100 mm", "plate: {x: 101 mm", id="a frame, and so the poses in it"),
    ],
)
def test_what_is_said_of_other_things_is_another_line(digest: Digest, one: str, other: str) -> None:
    assert digest() != digest((one, other)) != ""


def test_the_order_of_a_programs_values_is_that_of_its_controller(digest: Digest) -> None:
    one, other = FORCE.replace("}}", "}, depth: {}}"), FORCE.replace("{force", "{depth: {}, force")
    assert digest((FORCE, one)) != digest((FORCE, other)) != ""


def test_every_value_in_the_file_is_part_of_the_hash(digest: Digest, small_text: str) -> None:
    written, before, tried = yaml.safe_load(small_text), digest(), 0
    for path in _scalars(written):
        changed = inside = deepcopy(written)
        for step in path[:-1]:
            inside = inside[step]
        inside[path[-1]] = _another(inside[path[-1]])
        after = digest(text=json.dumps(changed, ensure_ascii=False, indent=1))
        tried += after != ""
        assert after != before, path
    assert tried > 50


def _scalars(value: Any, path: Path = ()) -> Iterator[Path]:
    """The way to every value that is neither mapping nor list."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _scalars(each, (*path, key))
    else:
        yield path


def _another(value: Any) -> Any:
    """A value of the same kind: the next, or what the next character makes of a text."""
    if isinstance(value, bool | int):
        return not value if isinstance(value, bool) else value + 1
    try:
        found = parse_quantity(str(value))
    except UnreadableQuantity:
        return value[:-1] + chr(ord(value[-1]) + 1)
    unit = UNITS_OF[found.dimension][0]
    return f"{found.value / float(unit.factor) + 1:.3f} {unit.name}"
