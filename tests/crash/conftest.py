"""The shipped recipe, for crash search; and bugs to be planted, importable by name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from cellctl_sim.crash_search import Recipe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"


def _load(name: str) -> None:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


_load("planted_bugs")
_load("bug_scenarios")


@pytest.fixture(scope="session")
def puck_recipe() -> Recipe:
    return Recipe(RECIPE.read_text(), RECIPE.name, ("indoor", "outdoor", "tall"))
