"""What the real yaml-language-server makes of the shipped files and their schemas: as every editor with it does.

Its program is looked for on the path, else in the variable CELLCTL_YAML_LANGUAGE_SERVER; without it these are skipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

RECIPES = Path(__file__).parents[3] / "recipes"
LINE, RECIPE = RECIPES / "lines" / "puck.yaml", RECIPES / "products" / "sensor-puck.yaml"


def changed(path: Path, old: str, new: str) -> tuple[str, tuple[int, int]]:
    """The file's text with one change, and where in it the cursor ‸ in `new` stands, else where `new` begins."""
    text = path.read_text("utf-8")
    assert old in text, f"{path.name} has no {old!r} any more"
    text = text.replace(old, new if "‸" in new else f"‸{new}", 1)
    before = text.partition("‸")[0]
    return text.replace("‸", ""), (before.count("\n"), len(before) - before.rfind("\n") - 1)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*/*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_underlined_in_a_shipped_file(editor: Any, path: Path) -> None:
    assert editor.diagnostics(path, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (LINE, "kind: conveyor", "kind: conveyer", '"conveyor"'),
        (LINE, "use: altivar", "use: altivra", '"altivar"'),
        (LINE, "speed: 150 mm/s", "speed: 150", "a speed with its unit (mm/s, m/s, m/min), such as 150 mm/s"),
        (LINE, "speed: 150 mm/s", "speed: 150 mm", "a speed with its unit"),
        (LINE, "stopper: io1.do0", "stoper: io1.do0", "stoper is not allowed"),
        (LINE, "tcp://10.0.1.31:10000", "htp://10.0.1.31:10000", "an address: modbus-rtu-tcp://"),
        (RECIPE, "do: insert, take: board", "do: insrt, take: board", '"insert"'),
        (RECIPE, "take: board, into: belt.load", "take: board", 'Missing property "into"'),
        (RECIPE, "timeout: 6 s", "timeout: 6", "a duration with its unit"),
        (RECIPE, "{height: $height}", "{height: 18 mm}", "a value with its tolerance, such as 18.20 mm ± 0.15 mm"),
        (RECIPE, "{reject: {", "{rejected: {", "rejected is not allowed"),
    ],
)  # fmt: skip
def test_a_mistake_is_underlined_and_told_in_words(
    editor: Any, path: Path, old: str, new: str, said: str
) -> None:
    text, (row, _) = changed(path, old, new)
    found = editor.diagnostics(path, text)
    assert {line for line, _ in found} == {row}, found
    assert said in " ".join(message for _, message in found)


@pytest.mark.parametrize(
    ("path", "old", "new", "offered"),
    [
        (LINE, "speed: 150 mm/s", "‸", {"speed", "patience", "circuit"}),
        (LINE, "use: altivar,", "use: ‸,", {"altivar"}),
        (LINE, "robot: meca500", "robot: ‸", {"meca500", "ur5e"}),
        (LINE, "kind: feeder", "kind: ‸", {"arm", "conveyor", "feeder", "inspection", "machine"}),
        (LINE, "# restart: operator        #", "restart: ‸\n  #", {"operator", "automatic"}),
        (RECIPE, "reject: {retry: 1, then: scrap}", "r‸", {"reject", "failed"}),
        (RECIPE, "do: insert, take: board", "do: ‸, take: board", {"transfer", "insert", "run_held"}),
        (RECIPE, "scrap: #", "‸\nscrap: #", {"arrives"}),
    ],
)
def test_keys_and_words_are_offered_with_what_they_mean(
    editor: Any, path: Path, old: str, new: str, offered: set[str]
) -> None:
    found = editor.completions(path, *changed(path, old, new))
    assert offered <= found.keys()
    assert all(found[name] for name in offered - {"operator", "automatic"})


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (LINE, "speed: 150 mm/s", "sp‸eed: 150 mm/s", ("of the belt", "150 mm/s")),
        (LINE, "use: altivar", "use: al‸tivar", ("Schneider Altivar ATV320",)),
        (RECIPE, "do: insert", "do: in‸sert", ("Put a component into the part where it stands.",)),
        (RECIPE, "timeout: 6 s", "time‸out: 6 s", ("after which the module is asked to stop",)),
        (RECIPE, "reject: {", "rej‸ect: {", ("a feature is out of its limits",)),
    ],
)
def test_the_pointer_on_a_key_says_what_it_means(
    editor: Any, path: Path, old: str, new: str, said: tuple[str, ...]
) -> None:
    found = editor.hover(path, *changed(path, old, new))
    assert all(words in found for words in said), found
