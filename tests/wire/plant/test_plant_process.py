"""The plant as a process of its own: its table of addresses, its control socket, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

PUCK = Path(__file__).parents[3] / "recipes" / "lines" / "puck.yaml"
IO2 = "modbus-tcp://10.0.1.21:502"


class Running:
    """A plant process and a connection to its control socket."""

    def __init__(self, process: subprocess.Popen[str], table: dict[str, Any]) -> None:
        self.process, self.table = process, table
        host, _, port = table["control"].removeprefix("tcp://").partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=5)
        self._lines = self._socket.makefile("rwb")

    def ask(self, **what: Any) -> dict[str, Any]:
        return self.say(json.dumps(what).encode())

    def say(self, line: bytes) -> dict[str, Any]:
        self._lines.write(line + b"\n")
        self._lines.flush()
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def port(self, address: str) -> int:
        return int(self.table["devices"][address].rpartition(":")[2])

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@pytest.fixture(scope="module")
def plant_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    table = tmp_path_factory.mktemp("plant") / "plant.json"
    fault = json.dumps({"device": "gauge.head", "fault": "offset", "value": "1 mm"})
    command = [sys.executable, "-m", "cellctl_sim.plant_process", str(PUCK), "--table", str(table)]
    process = subprocess.Popen([*command, "--seed", "3", "--fault", fault], text=True)
    ends = time.monotonic() + 30
    while not table.exists():
        assert process.poll() is None, "the plant ended"
        assert time.monotonic() < ends
        time.sleep(0.02)
    running = Running(process, json.loads(table.read_text()))
    yield running
    running.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_every_address_of_the_line_has_a_port_of_its_own(plant_process: Running) -> None:
    devices = plant_process.table["devices"]
    assert len(devices) == len(set(devices.values())) == 6
    assert all("//127.0.0.1:" in address for address in devices.values())
    assert plant_process.table["pid"] == plant_process.process.pid


def test_actuations_are_counted_and_can_be_asked_for(plant_process: Running) -> None:
    with ModbusTcpClient("127.0.0.1", port=plant_process.port(IO2)) as client:
        client.write_coil(1, True)
        ends = time.monotonic() + 10
        while not client.read_discrete_inputs(1).bits[0]:
            assert time.monotonic() < ends
    assert plant_process.ask(do="counters")["counters"]["housings.tall_bowl.fed"] == 1


def test_the_world_goes_on_although_nobody_asks_the_devices(plant_process: Running) -> None:
    with ModbusTcpClient("127.0.0.1", port=plant_process.port(IO2)) as client:
        client.write_coil(2, True)
    before = plant_process.ask(do="clock")["now"]
    time.sleep(1.2)
    assert plant_process.ask(do="clock")["now"] - before == pytest.approx(1.2, abs=0.4)
    assert [
        item["place"] for item in plant_process.ask(do="items")["items"] if item["place"] == "boards.pick"
    ]


def test_hands_can_lay_and_remove(plant_process: Running) -> None:
    assert "now" in plant_process.ask(do="lay", place="belt.gauge", materials=["housing", "lid-black"])
    assert plant_process.ask(do="remove", place="belt.gauge") == {"removed": True}
    assert plant_process.ask(do="remove", place="belt.gauge") == {"removed": False}


def test_a_fault_over_the_socket_happens(plant_process: Running) -> None:
    answer = plant_process.ask(do="fault", device="io1", fault="silent", **{"for": "300 ms"})
    assert "now" in answer
    port = plant_process.port("modbus-tcp://10.0.1.20:502")
    began = time.monotonic()
    with ModbusTcpClient("127.0.0.1", port=port, timeout=0.1, retries=20) as client:
        assert not client.read_discrete_inputs(0).isError()
    assert time.monotonic() - began > 0.1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"nonsense", "Expecting value"),
        (b"[1]", "mapping"),
        (b'{"do": "countrs"}', "counters"),
        (b'{"do": "fault", "device": "io1"}', "fault"),
        (b'{"do": "fault", "device": "io9", "fault": "silent"}', "io1"),
        (b'{"do": "fault", "device": "io1", "fault": "tired"}', "stuck"),
        (b'{"do": "fault", "device": "io1", "fault": "silent", "for": "3 mm"}', "duration"),
        (b'{"do": "lay", "place": "belt.gauge"}', "materials"),
        (b'{"do": "remove", "place": "nowhere"}', "place"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(
    plant_process: Running, line: bytes, says: str
) -> None:
    assert says in plant_process.say(line)["error"]


def test_a_line_that_cannot_be_used_ends_it_with_1(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("line: bad\n")
    done = subprocess.run(
        [sys.executable, "-m", "cellctl_sim.plant_process", str(bad)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "bad.yaml" in done.stderr
    assert "Traceback" not in done.stderr
