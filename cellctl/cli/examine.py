"""The examinations of `cellctl doctor`. Each yields what it found, well or not; none of them changes anything."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cellctl.errors import BusError
from cellctl.line.model import Line
from cellctl.live import curve
from cellctl.live.bring_up import addresses_of, check_free
from cellctl.live.bus import is_local
from cellctl.live.process_table import supervisor_of

GROUPS = ("cellctl.kinds", "cellctl.drivers", "cellctl.links", "cellctl.simulators", "cellctl.commands")
LEAST_SPACE = 1_000_000_000  # bytes
SLOW_SYNC = 0.02  # [s]
LEAST_FILES = 1024
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"}
KNOCK = 1.0  # [s]


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that was looked at."""

    severity: Literal["error", "warning", "well"]
    what: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """As plain data."""
        return asdict(self)


def computer() -> Iterator[Symptom]:
    """The interpreter, the operating system, its clock and its limits."""
    yield Symptom("well", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    if sys.platform != "linux":
        yield Symptom(
            "warning",
            f"{platform.system()}: processes of a line may outlive a supervisor that is killed",
            "use Linux for real lines",
        )
    if time.gmtime().tm_year < 2024:
        what = f"the clock says {time.strftime('%Y-%m-%d')}: the times in all records would be wrong"
        yield Symptom(
            "error", what, "set the clock, and let it be kept by a time service (chrony, timesyncd)"
        )
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < LEAST_FILES:
        yield Symptom("warning", f"only {soft} open files are allowed", f"ulimit -n {LEAST_FILES}")
    yield from _dependencies()


def _dependencies() -> Iterator[Symptom]:
    for requirement in requires("cellctl") or ():
        name, pinned, wanted = requirement.partition("==")
        if "extra" in requirement or not pinned:
            continue
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        if found != wanted.strip():
            what = f"{name} is {found}; cellctl was tested with {wanted} only"
            yield Symptom("error", what, f"install {name}=={wanted}")


def plug_ins() -> Iterator[Symptom]:
    """Everything that is found by entry points, loaded once."""
    loaded = 0
    for group in GROUPS:
        for point in entry_points(group=group):
            try:
                point.load()
                loaded += 1
            except Exception as error:  # a plug-in may raise anything while it is imported
                owner = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
                what = f"{group}: {point.name!r} of {owner} cannot be loaded: {type(error).__name__}: {error}"
                yield Symptom("error", what, f"install {owner} again, or remove it")
    yield Symptom("well", f"{loaded} kinds, drivers, links, simulators and commands can be loaded")


def line_file(path: Path) -> tuple[Line | None, list[Symptom]]:
    """The line in a file."""
    from cellctl.live.line_file import read_line

    line, report = read_line(path)
    if line is None:
        return None, [Symptom("error", f"{path} has errors", f"cellctl check {path}")]
    for finding in report.findings:
        return line, [Symptom("warning", f"{finding.span}: {finding.message}", f"cellctl check {path}")]
    processes = len(line.processes) + 1
    return line, [Symptom("well", f"line {line.name}: {len(line.modules)} modules in {processes} processes")]


def state_directory(state: Path) -> Iterator[Symptom]:
    """Where journals and logs are kept: rights, space, file system, speed."""
    place = next(path for path in (state, *state.parents) if path.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        is_read_only = os.statvfs(place).f_flag & os.ST_RDONLY
        remedy = (
            "choose one that is, with --state" if is_read_only else "chown it to the user that runs the line"
        )
        what = f"{place} {'is not mounted for writing' if is_read_only else 'cannot be written'}"
        yield Symptom("error", what, remedy)
        return
    if state.exists() and state.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Symptom("error", f"others can change the records in {state}", f"chmod go-w {state}")
    kind = _file_system(place)
    if kind in NETWORK_FILE_SYSTEMS:
        what = f"{place} is on a network file system ({kind}), which cannot keep a journal"
        yield Symptom("error", what, "choose a directory on a disk of this computer with --state")
    free = shutil.disk_usage(place).free
    if free < LEAST_SPACE:
        yield Symptom("error", f"only {free / 1e6:.0f} MB are free for {state}", "free some space")
    try:
        seconds = _sync_time(place)
    except OSError as error:
        yield Symptom(
            "error", f"{place} takes no records: {error.strerror}", "free some space, or mend the disk"
        )
        return
    severity: Literal["warning", "well"] = "warning" if seconds > SLOW_SYNC else "well"
    remedy = "use a disk with a write cache that survives power loss" if seconds > SLOW_SYNC else ""
    yield Symptom(
        severity,
        f"{state}: {free / 1e9:.0f} GB free, a record is durable after {seconds * 1e3:.1f} ms",
        remedy,
    )


def _file_system(place: Path) -> str:
    try:
        mounts = [row.split()[1:3] for row in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    fitting = [(len(point), kind) for point, kind in mounts if place.resolve().is_relative_to(point)]
    return max(fitting, default=(0, ""))[1]


def _sync_time(place: Path) -> float:
    """The median of a few synced writes [s]."""
    path, times = place / f".doctor-{os.getpid()}", []
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for _ in range(9):
            begun = time.perf_counter()
            os.write(handle, b"cellctl" * 32)
            os.fsync(handle)
            times.append(time.perf_counter() - begun)
    finally:
        os.close(handle)
        path.unlink()
    return sorted(times)[len(times) // 2]


def bus(line: Line, state: Path) -> Iterator[Symptom]:
    """Addresses and keys."""
    addresses = addresses_of(line)
    if pid := supervisor_of(state):
        yield Symptom("well", f"{line.name} is up (process {pid})")
    else:
        try:
            check_free(addresses)
            yield Symptom("well", f"the bus addresses of {line.name} are free")
        except BusError as error:
            yield Symptom("error", str(error), "end the program that listens there, or change the line file")
    keys = state / "keys"
    beyond = [a.commands for a in addresses.values() if not is_local(a.commands)]
    if beyond and not keys.is_dir():
        what = f"the bus reaches beyond this computer ({beyond[0]}), and there are no keys"
        yield Symptom("error", what, f"cellctl keys make --line {line.name}")
    if keys.is_dir():
        yield from _keys(keys, addresses)


def _keys(keys: Path, names: Iterable[str]) -> Iterator[Symptom]:
    try:
        trusted = set(curve.trusted(keys).values())
        for name in sorted({*names, *(secret.stem for secret in keys.glob("*.secret"))}):
            curve.load_keys(keys, name)
    except BusError as error:
        yield Symptom("error", str(error), "as it says")
        return
    missing = sorted(set(names) - trusted)
    if missing:
        what = f"no key of {', '.join(missing)} is trusted in {keys}"
        yield Symptom("error", what, "cellctl keys make, or keys trust NAME.public")


def devices(line: Line, state: Path) -> Iterator[Symptom]:
    """Whether somebody listens at each device's address. Nothing is sent."""
    if supervisor_of(state):
        yield Symptom(
            "warning", "the line is up: its devices are not knocked at", "cellctl status shows them"
        )
        return
    addresses = {device.address: name for name, device in line.devices.items() if device.address}
    for address, name in addresses.items():
        parts = urlsplit(address)
        if parts.hostname is None or parts.port is None:
            continue
        try:
            socket.create_connection((parts.hostname, parts.port), KNOCK).close()
            yield Symptom("well", f"{name} at {address} can be reached")
        except OSError as error:
            what = f"{name} at {address} cannot be reached: {error.strerror or error}"
            yield Symptom("error", what, "check power, cable, network and the address in the line file")
