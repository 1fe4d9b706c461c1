"""A plug-in that nobody installed: what its own `pyproject.toml` says is taken as if it were."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

from cellctl.device import DriverDeclaration
from cellctl.plugins import DRIVERS, KINDS, declarations, load_drivers, load_kinds
from cellctl.skill import KindDeclaration

Installed = tuple[dict[str, KindDeclaration], dict[str, DriverDeclaration]]


def loaded_with(plugin: Path) -> Installed:
    """The standard kinds and drivers with those of the plug-in, whose code can be imported from now on."""
    if str(plugin) not in sys.path:
        sys.path.insert(0, str(plugin))
    points = _entry_points(plugin)
    kinds = [EntryPoint(*point, KINDS) for point in points[KINDS].items()]
    drivers = [EntryPoint(*point, DRIVERS) for point in points[DRIVERS].items()]
    return (
        load_kinds() | declarations(KINDS, KindDeclaration, kinds),
        load_drivers() | declarations(DRIVERS, DriverDeclaration, drivers),
    )


def write_metadata(plugin: Path, place: Path) -> None:
    """Once `place` is on the path, the plug-in's entry points are found there: its simulators, too."""
    name = f"cellctl_{plugin.name}"
    found = place / f"{name}-0.1.0.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    sections = (
        "\n".join([f"[{group}]", *(f"{name} = {code}" for name, code in named.items())])
        for group, named in _entry_points(plugin).items()
    )
    (found / "entry_points.txt").write_text("\n\n".join(sections))


def _entry_points(plugin: Path) -> dict[str, dict[str, str]]:
    project = tomllib.loads((plugin / "pyproject.toml").read_text("utf-8"))["project"]
    points: dict[str, dict[str, str]] = project["entry-points"]
    return points
