"""Free ports of this computer for addresses that nobody has to know beforehand."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

from cellctl.errors import DeploymentError

FIRST, LAST = 20_000, 32_000  # below those that operating systems give out by themselves
# A port stays taken for a minute after its use, so a search often goes on to other places: those of processes with
# neighbouring numbers are so far apart that two do not find the same place free before either line is up.
APART = 16


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
