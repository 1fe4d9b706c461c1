"""PackML commands to the line or to one module, and modules out of use and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cellctl.cli.output import json_option, print_json, say
from cellctl.cli.state import state_of_a_line, state_option


def ask(state: Path | None, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    """One request to the runner of the line that is meant. Raises CellctlError, click.UsageError."""
    from cellctl.live.client import Client

    with Client(state_of_a_line(state)) as client:
        return client.call(verb, body)


def _packml(name: str, text: str) -> click.Command:
    @click.command(name, help=f"{text} Without MODULE: the whole line.")
    @click.argument("module", required=False)
    @json_option
    @state_option
    def command(module: str | None, as_json: bool, state: Path | None) -> None:
        body = {"command": name} | ({"module": module} if module else {})
        reply = ask(state, "command", body)
        if as_json:
            print_json(reply)
        elif module:
            say(f"{module} is {reply['state']}")
        else:
            say(f"the line is {reply['state']}")

    return command


hold = _packml("hold", "Finish what is in hand, then wait; ended by `unhold`.")
unhold = _packml("unhold", "Go on after a hold.")
stop = _packml("stop", "Finish what is in hand, then stop.")
abort = _packml("abort", "Stop all motion now, as well as software can. This is no emergency stop.")
clear = _packml("clear", "After an abort and when its cause is gone: to Stopped.")
reset = _packml("reset", "From Stopped or Complete to Idle: devices are activated and homed.")


@click.command()
@click.argument("module", required=False)
@json_option
@state_option
def start(module: str | None, as_json: bool, state: Path | None) -> None:
    """Bring the line to Execute from wherever it stands: clear, reset, start or unhold, one after another.

    With MODULE: only the PackML command `start` to that module, which must be idle (`cellctl reset MODULE` first).
    """
    reply = (
        ask(state, "command", {"command": "start", "module": module}) if module else ask(state, "start", {})
    )
    if as_json:
        print_json(reply)
    elif module:
        say(f"{module} is {reply['state']}")
    elif reply.get("modules"):
        say(f"the line executes; {', '.join(reply['modules'])} stood since a restart and comes along")
    elif reply["state"] == "execute":
        say(
            "the line executes already; a module that is stopped is brought back by `cellctl reset MODULE` and "
            "`cellctl start MODULE`"
        )
    else:
        say(f"the line is {reply['state']}, on its way to execute; `cellctl status --watch` shows it")


@click.command()
@click.argument("module")
@state_option
def out(module: str, state: Path | None) -> None:
    """Take MODULE out of use; another does its work where one can."""
    ask(state, "out", {"module": module})
    say(f"{module} is out of use until `cellctl in {module}`")


@click.command("in")
@click.argument("module")
@state_option
def back_in(module: str, state: Path | None) -> None:
    """Bring MODULE back into use."""
    ask(state, "in", {"module": module})
    say(f"{module} is in use")
