"""The shipped kinds and drivers with those of the example plug-in, which some of the cells need."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from cellctl.device import DriverDeclaration
from cellctl.plugins import DRIVERS, KINDS, declarations, load_drivers, load_kinds
from cellctl.skill import KindDeclaration

EXAMPLE = Path(__file__).parents[1] / "example_plugin"


@pytest.fixture(scope="session")
def with_example_plugin() -> tuple[dict[str, KindDeclaration], dict[str, DriverDeclaration]]:
    """The kinds and drivers as they are when the example is installed beside the standard ones."""
    if str(EXAMPLE) not in sys.path:
        sys.path.insert(0, str(EXAMPLE))
    points = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    kinds = [EntryPoint(*point, KINDS) for point in points[KINDS].items()]
    drivers = [EntryPoint(*point, DRIVERS) for point in points[DRIVERS].items()]
    return (
        load_kinds() | declarations(KINDS, KindDeclaration, kinds),
        load_drivers() | declarations(DRIVERS, DriverDeclaration, drivers),
    )
