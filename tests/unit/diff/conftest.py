"""Changed copies of the shipped line and recipe, and the command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cellctl.cli.main import main

RECIPES = Path(__file__).parents[3] / "recipes"


@dataclass(frozen=True)
class Bench:
    """A folder with the shipped files; `diff` compares as people do."""

    folder: Path

    def changed(self, file: str, *changes: tuple[str, str], name: str = "") -> str:
        """A copy of a file beside it, with each old text replaced by a new one; its path."""
        path = self.folder / file
        text = path.read_text("utf-8")
        for old, new in changes:
            assert text.count(old) >= 1, f"{file} has no {old!r} any more"
            text = text.replace(old, new, 1)
        copy = path.with_name(name or f"changed-{path.name}")
        copy.write_text(text, encoding="utf-8")
        return str(copy)

    def diff(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["diff", *arguments])

    def json(self, *arguments: str) -> dict[str, Any]:
        result = self.diff(*arguments, "--json")
        assert result.exit_code in (0, 1), result.output
        found: dict[str, Any] = json.loads(result.stdout)
        assert found["differs"] is (result.exit_code == 1)
        return found

    def changes(self, *arguments: str, section: str = "changes") -> list[tuple[str, ...]]:
        """The changes of the first variant: how, of, name, what, old, new."""
        found = self.json(*arguments)
        told = found["variants"][0] if "variants" in found else found
        keys = ("how", "of", "name", "what", "old", "new")
        return [tuple(change.get(key, "") for key in keys) for change in told[section]]


@pytest.fixture
def bench(cell: Path) -> Bench:
    return Bench(cell)


@pytest.fixture(scope="session")
def recipes() -> Path:
    return RECIPES
