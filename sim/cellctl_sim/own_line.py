"""A copy of the shipped puck line with a bus of its own, so that any number of lines can be up on one computer."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path

from cellctl.cli.files import shipped
from cellctl.errors import DeploymentError

SHIPPED_BUS = "127.0.0.1:5700"
PORTS = 14  # of its bus, two for each process
FIRST, LAST = 20_000, 32_000  # below those that operating systems give out by themselves
# A port stays taken for a minute after its use, so a search often goes on to other places: those of processes with
# neighbouring numbers are so far apart that two do not find the same place free before either line is up.
APART = 16


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


def free_ports(count: int) -> int:
    """The first of so many adjacent ports that are free on loopback now; each process begins its search elsewhere."""
    places, begin = (LAST - FIRST) // count, os.getpid() * APART
    for place in range(begin, begin + places):
        first = FIRST + place % places * count
        if _are_free(range(first, first + count)):
            return first
    raise DeploymentError(f"no {count} adjacent ports are free")


def _are_free(ports: range) -> bool:
    with ExitStack() as held:
        try:
            for port in ports:
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
