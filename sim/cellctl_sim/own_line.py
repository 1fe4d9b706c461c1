"""A copy of the shipped puck line with a bus of its own, so that any number of lines can be up on one computer."""

from __future__ import annotations

import shutil
from pathlib import Path

from cellctl.cli.files import shipped
from cellctl.errors import DeploymentError
from cellctl.live.ports import free_ports

SHIPPED_BUS = "127.0.0.1:5700"
PORTS = 14  # of its bus, two for each process


def own_line(place: Path) -> Path:
    """Copy the shipped files to `place`; the path of the line file there, its bus on free ports.

    Raises DeploymentError when there are no shipped files, or no ports.
    """
    recipes = shipped()
    if recipes is None:
        raise DeploymentError("the shipped line files are not there")
    shutil.copytree(recipes, place)
    line = place / "lines" / "puck.yaml"
    line.write_text(line.read_text().replace(SHIPPED_BUS, f"127.0.0.1:{free_ports(PORTS)}"))
    return line
