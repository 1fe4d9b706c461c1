"""A copy of the shipped line for whoever wants one up: on ports that nobody has."""

from __future__ import annotations

import socket
from pathlib import Path

from cellctl.live.bring_up import addresses_of, check_free
from cellctl.live.line_file import read_line
from cellctl_sim.own_line import PORTS, free_ports, own_line


def test_ports_that_somebody_has_are_passed_over() -> None:
    first = free_ports(PORTS)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + PORTS - 1))
        taken.listen()
        other = free_ports(PORTS)
    assert not set(range(first, first + PORTS)) & set(range(other, other + PORTS))


def test_every_process_of_the_copy_can_listen_where_its_file_says(tmp_path: Path) -> None:
    line, report = read_line(own_line(tmp_path / "cell"))
    assert line is not None, report.render()
    addresses = addresses_of(line)
    ports = {int(a.rpartition(":")[2]) for each in addresses.values() for a in (each.commands, each.events)}
    assert max(ports) - min(ports) < PORTS
    check_free(addresses)
