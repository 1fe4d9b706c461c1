"""The example plug-in, found by the entry points that its own pyproject.toml names, without being installed."""

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

Installed = tuple[dict[str, KindDeclaration], dict[str, DriverDeclaration]]


@pytest.fixture(scope="session")
def with_example_plugin() -> Installed:
    """The kinds and drivers as they are when the example is installed beside the standard ones."""
    if str(EXAMPLE) not in sys.path:
        sys.path.insert(0, str(EXAMPLE))
    points = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    kinds = declarations(
        KINDS, KindDeclaration, [EntryPoint(*point, KINDS) for point in points[KINDS].items()]
    )
    drivers = declarations(
        DRIVERS, DriverDeclaration, [EntryPoint(*point, DRIVERS) for point in points[DRIVERS].items()]
    )
    return load_kinds() | kinds, load_drivers() | drivers


@pytest.fixture
def example_on_path(
    with_example_plugin: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installed:
    """The same, and its entry points are found as those of an installed package are: its simulators, too."""
    found = tmp_path / "cellctl_example-0.1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: cellctl-example\nVersion: 0.1.0\n")
    points = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    sections = (
        "\n".join([f"[{group}]", *(f"{name} = {code}" for name, code in named.items())])
        for group, named in points.items()
    )
    (found / "entry_points.txt").write_text("\n\n".join(sections))
    monkeypatch.syspath_prepend(str(tmp_path))
    return with_example_plugin
