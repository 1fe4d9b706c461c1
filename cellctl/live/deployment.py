"""What the processes of one running line agree on, written by `cellctl up` as `deployment.json` in the line's state
directory: which line file, where each process and device is reached, which keys. Nothing here is written by people.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from cellctl.errors import DeploymentError, UnknownName

FILE = "deployment.json"
FORMAT = 1


class Addresses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a process is reached on the bus: `commands` is its ROUTER, `events` its XPUB."""

    commands: str
    events: str


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line as it is running, or about to. Paths are absolute."""

    line: str  # path of the line file
    digest: str  # of the line when it was started; a process that reads another one refuses to run
    state: str  # directory of journals, logs and this file
    simulated: bool = False
    devices: dict[str, str] = {}  # address in the line file -> address to use instead
    processes: dict[str, Addresses] = {}  # the runner's among them, as "runner"
    keys: str = ""  # directory of CURVE keys; "" where the bus has none
    format: int = FORMAT

    def address_of(self, device: str) -> str:
        """Where the device with this address in the line file is really reached."""
        return self.devices.get(device, device)

    def process(self, name: str) -> Addresses:
        """Raises UnknownName."""
        if name not in self.processes:
            raise UnknownName("process", name, self.processes)
        return self.processes[name]

    def store(self, name: str) -> Path:
        """The file of the record store of this name."""
        return Path(self.state) / f"{name}.sqlite"


def save(deployment: Deployment) -> Path:
    """Write the deployment into its state directory, whole or not at all, readable by the owner only; its path.

    Raises DeploymentError.
    """
    target = Path(deployment.state) / FILE
    new = target.with_suffix(".new")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(deployment), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise DeploymentError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def load(state: Path) -> Deployment:
    """The deployment kept in a state directory. Raises DeploymentError when there is none or it cannot be used."""
    path = state / FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Deployment)
    except FileNotFoundError:
        raise DeploymentError(
            f"no line has been started with the state directory {state}; see `cellctl up`"
        ) from None
    except OSError as error:
        raise DeploymentError(f"cannot read {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DeploymentError(
            f"{path} is not a deployment ({error}); move it away, then `cellctl up` writes a new one"
        ) from error
    if found.format > FORMAT:
        raise DeploymentError(
            f"{path} was written by a newer cellctl (format {found.format}); this one reads {FORMAT}"
        )
    return found


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
