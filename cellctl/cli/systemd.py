"""`systemd`: unit files that start a line with the computer and start it again when it fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from cellctl.cli.files import find_line
from cellctl.cli.output import say
from cellctl.cli.state import state_option

TARGET = """\
[Unit]
Description=Production lines of cellctl
Documentation=man:systemd.target(5)

[Install]
WantedBy=multi-user.target
"""

SERVICE = """\
[Unit]
Description=Line {name} (cellctl)
After=network-online.target time-sync.target
Wants=network-online.target
PartOf=cellctl.target
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
User={user}
ExecStart={python} -P -m cellctl up {line} --state {state}{options}
Restart=on-failure
RestartSec=5
# SIGTERM goes to the supervisor, which lets the line finish what is in hand (10 s) before it ends its processes.
KillMode=mixed
TimeoutStopSec=40
{state_directory}
UMask=0077
# A line is not ended to save memory, and its process is not swapped out by a backup.
OOMScoreAdjust=-900
CPUWeight=500
# Hardening: it needs its state directory, the network and nothing else.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices={private_devices}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=cellctl.target
"""

_OWN_STATE = "StateDirectory=cellctl/{name}\nStateDirectoryMode=0700"


@click.command()
@click.argument("line")
@click.option("--user", default="cellctl", show_default=True, help="The user that the line runs as.")
@click.option(
    "--write", type=click.Path(path_type=Path, file_okay=False), help="Write the units into this directory."
)
@click.option("--simulated", is_flag=True, help="On simulated devices.")
@click.option("--serial", is_flag=True, help="Let it open serial ports.")
@state_option
def systemd(
    line: str, user: str, write: Path | None, simulated: bool, serial: bool, state: Path | None
) -> None:
    """Unit files for LINE: a service for `cellctl up LINE`, and the target of all lines."""
    from cellctl.cli.up import load_or_exit

    path = find_line(line)
    name = load_or_exit(path).name
    place = state.absolute() if state else Path("/var/lib/cellctl") / name
    service = SERVICE.format(
        name=name,
        user=user,
        python=_quoted(sys.executable),
        line=_quoted(str(path)),
        state=_quoted(str(place)),
        state_directory=f"ReadWritePaths={_quoted(str(place))}" if state else _OWN_STATE.format(name=name),
        options=" --simulated" if simulated else "",
        private_devices="no" if serial else "yes",
    )
    units = {f"cellctl-{name}.service": service, "cellctl.target": TARGET}
    if write is None:
        for unit, text in units.items():
            click.echo(f"# {unit}\n{text}")
        return
    write.mkdir(parents=True, exist_ok=True)
    for unit, text in units.items():
        (write / unit).write_text(text)
        click.echo(write / unit)
    remote = "" if os.geteuid() == 0 else "sudo "
    say(f"then: {remote}systemctl daemon-reload && {remote}systemctl enable --now cellctl-{name}.service")


def _quoted(text: str) -> str:
    """As systemd.service(5) quotes arguments; `%` begins a specifier and `$` a variable there."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if set(escaped) & set(" \t'\"\\;") else escaped
