"""The shipped puck line and its recipe, for crash search."""

from __future__ import annotations

from pathlib import Path

import pytest

from cellctl.line.model import Line
from cellctl.live.line_file import read_line
from cellctl_sim.crash_search import Recipe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"


@pytest.fixture(scope="session")
def puck_line() -> Line:
    line, report = read_line(ROOT / "recipes/lines/puck.yaml")
    assert line is not None, report.render()
    return line


@pytest.fixture(scope="session")
def puck_recipe() -> Recipe:
    return Recipe(RECIPE.read_text(), RECIPE.name, ("indoor", "outdoor", "tall"))
