"""Which modules run in one process, and where the bus reaches it.

Modules that use one device share its link, so they run in one process. A process is named after its only module,
or after the first device that its modules share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_TCP = re.compile(r"tcp://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.*-]+):(?P<port>[0-9]{1,5})")
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Group:
    """Modules of one process, in the file's order."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusAddress:
    """Where a process binds its sockets: commands at `port`, events at the one after it."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> BusAddress:
        """Read `tcp://127.0.0.1:5700`. Raises ValueError, saying what is wrong."""
        match = _TCP.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a bus address")
        address = cls(match["host"], int(match["port"]))
        if not 1 <= address.port < LAST_PORT:
            raise ValueError(f"port {address.port} is not between 1 and {LAST_PORT - 1}")
        return address

    def after(self, ports: int) -> BusAddress:
        """The address so many ports further on."""
        return BusAddress(self.host, self.port + ports)

    @property
    def commands(self) -> str:
        return f"tcp://{self.host}:{self.port}"

    @property
    def events(self) -> str:
        return f"tcp://{self.host}:{self.port + 1}"


def group_by_devices(uses: Mapping[str, Sequence[str]]) -> tuple[Group, ...]:
    """The processes for modules that use these devices, in the order of their first modules."""
    groups: list[list[str]] = []
    for module, devices in uses.items():
        joined = [group for group in groups if any(set(devices) & set(uses[other]) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(name for group in joined for name in group), module])
    order = {module: place for place, module in enumerate(uses)}
    sorted_groups = sorted(sorted(group, key=order.__getitem__) for group in groups)
    sorted_groups.sort(key=lambda group: order[group[0]])
    return tuple(Group(_name(group, uses), tuple(group)) for group in sorted_groups)


def _name(modules: Sequence[str], uses: Mapping[str, Sequence[str]]) -> str:
    if len(modules) == 1:
        return modules[0]
    mentioned = [device for module in modules for device in dict.fromkeys(uses[module])]
    return next(device for device in mentioned if mentioned.count(device) > 1)
