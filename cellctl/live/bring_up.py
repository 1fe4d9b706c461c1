"""Brings a line up under a supervisor: simulated devices first, then the deployment, then its processes."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from cellctl.errors import BusError, DeploymentError, PeerSilent
from cellctl.line.model import Line
from cellctl.line.processes import BusAddress
from cellctl.live import curve
from cellctl.live import deployment as deployments
from cellctl.live.bus import is_local
from cellctl.live.child import Launch, command_line, last_words
from cellctl.live.client import Session, connect
from cellctl.live.deployment import Addresses, Deployment
from cellctl.live.ports import free_ports
from cellctl.live.supervisor import Supervisor

PLANT_FILE = "plant.json"  # written by the simulated plant when all its devices listen
PLANT_START = 20.0  # [s] that it may take
HOLD_TIME = 10.0  # [s] that commands in hand have to end before the processes do

AT_REST = ("held", "stopped", "aborted", "idle", "complete")


class PlantTable(msgspec.Struct, frozen=True):
    """Where the simulated devices listen: address in the line file -> real address; and the control socket."""

    devices: dict[str, str]
    control: str


def addresses_of(line: Line) -> dict[str, Addresses]:
    """Where each process of the line is reached, by its file; the runner's among them."""
    table = {p.name: Addresses(p.commands, p.events) for p in line.processes.values()}
    return {"runner": Addresses(line.runner.commands, line.runner.events)} | table


def free_addresses(names: Iterable[str]) -> dict[str, Addresses]:
    """Free loopback ports for these processes."""
    wanted = list(names)
    first = free_ports(2 * len(wanted))
    places = {name: first + 2 * index for index, name in enumerate(wanted)}
    return {
        name: Addresses(f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port + 1}")
        for name, port in places.items()
    }


def check_free(processes: Mapping[str, Addresses]) -> None:
    """Raise BusError, naming process and address, when somebody listens at one of them already."""
    for name, addresses in processes.items():
        for address in (addresses.commands, addresses.events):
            if address.startswith("tcp://") and not _is_free(BusAddress.parse(address)):
                raise BusError(
                    f"{name} cannot listen at {address}: the address is in use. Is the line up already, perhaps with "
                    "another --state? Stop that (cellctl down), or give `runner: bus:` another port in the line file"
                )


def check_keys(keys: str, processes: Iterable[str]) -> None:
    """Raise BusError, naming the file and what to do, when a process would have no key or not be trusted.

    `keys` is "" for a bus without keys.
    """
    if not keys:
        return
    for name in processes:
        curve.load_keys(Path(keys), name)
        curve.public_key_of(Path(keys), name)


async def bring_up(
    supervisor: Supervisor,
    line: Line,
    path: Path,
    *,
    processes: Mapping[str, Addresses],
    keys: str = "",
    plant_arguments: Iterable[str] = (),
) -> Deployment:
    """Start everything; the deployment. The processes may not have found each other yet: see `until_ready`.

    Raises BusError, DeploymentError.
    """
    check_keys(keys, processes)
    check_free(processes)
    plant = await _start_plant(supervisor, path, plant_arguments) if supervisor.simulated else None
    deployment = Deployment(
        line=str(path),
        digest=line.digest,
        state=str(supervisor.state),
        simulated=supervisor.simulated,
        devices=plant.devices if plant else {},
        processes=dict(processes),
        keys=keys,
    )
    deployments.save(deployment)
    for name, addresses in processes.items():
        await supervisor.start(launch_of(name, supervisor.state), addresses)
    return deployment


def launch_of(process: str, state: Path) -> Launch:
    """How one process of a deployed line is started."""
    arguments = ("run-runner",) if process == "runner" else ("run-module", process)
    return Launch(process, command_line((*arguments, "--state", str(state))))


async def _start_plant(supervisor: Supervisor, path: Path, arguments: Iterable[str]) -> PlantTable:
    table = supervisor.state / PLANT_FILE
    table.unlink(missing_ok=True)
    command = command_line(("run-plant", str(path), "--table", str(table), *arguments))
    await supervisor.start(Launch("plant", command, is_plant=True))
    ends = time.monotonic() + PLANT_START
    while not table.exists():
        if supervisor.broken.done():
            raise DeploymentError(supervisor.broken.result())
        if time.monotonic() > ends:
            words = last_words(supervisor.state / "log" / "plant.log")
            raise DeploymentError(f"the simulated devices did not start within {PLANT_START:g} s: {words}")
        await asyncio.sleep(0.02)
    found = msgspec.json.decode(table.read_bytes(), type=PlantTable)
    supervisor.control = found.control
    return found


async def until_ready(session: Session, patience: float) -> None:
    """Wait until the runner and every module answer. Raises PeerSilent, or DeploymentError naming who does not."""
    ends = time.monotonic() + patience
    while True:
        try:
            await session.reach(ends - time.monotonic())
            status = await session.call("status")
        except PeerSilent:
            if time.monotonic() > ends:
                raise
            continue  # it died meanwhile, and is started again
        missing = [m["module"] for m in status["modules"] if m["state"] == "unknown"]
        if not missing:
            return
        if time.monotonic() > ends:
            raise DeploymentError(
                f"no answer within {patience:g} s from {', '.join(missing)}; read their logs"
            )
        await asyncio.sleep(0.1)


async def hold(deployment: Deployment, patience: float = HOLD_TIME) -> str:
    """Let the line finish what it has in hand and begin nothing new; the state it came to, or is in after `patience`.

    A line on its way to somewhere else gets half of that to arrive; then it is stopped. Raises PeerSilent, Refused.
    """
    began = time.monotonic()
    async with connect(deployment) as session:
        told: set[str] = set()
        while True:
            state = str((await session.call("status", patience=2.0))["state"])
            passed = time.monotonic() - began
            if state in AT_REST or passed > patience:
                return state
            wanted = "hold" if state in ("execute", "suspended") else "stop" if passed > patience / 2 else ""
            if wanted and wanted not in told and state not in ("holding", "stopping", "aborting"):
                told.add(wanted)
                await session.call("command", {"command": wanted}, patience=2.0)
            await asyncio.sleep(0.1)


def _is_free(address: BusAddress) -> bool:
    host = address.host.strip("[]")
    if not is_local(address.commands):
        return True  # an interface of this computer or not: binding tells
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, address.port))
        except OSError:
            return False
    return True
