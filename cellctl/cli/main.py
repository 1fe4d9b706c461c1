"""`cellctl`: the table of all commands."""

from __future__ import annotations

import click

from cellctl.cli.lazy import Entry, LazyGroup

_SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Write and check": {
        "check": ("check:check", "Check lines and recipes; findings with line and column."),
        "diff": ("diff:diff", "Compare two lines, recipes, revisions or variants."),
        "plan": ("plan:plan", "Predict durations, cycle time, bottleneck and jams of orders."),
        "schema": ("schema:schema", "Print the editor schema of recipes or lines."),
        "explain": ("explain:explain", "Explain the code of a finding or alarm."),
    },
    "Run a line": {
        "up": ("up:up", "Start a line's processes and keep them running."),
        "down": ("up:down", "Let a line finish what it has in hand, then end it."),
        "run-runner": ("run:run_runner", ""),
        "run-module": ("run:run_module", ""),
    },
    "Operate a line": {
        "start": ("operate:start", "Bring the line to Execute from wherever it stands."),
        "order": ("order:order", "Add, cancel and prioritise orders; drain the line."),
        "load": ("order:load", "Say that material was put into a feeder."),
        "hold": ("operate:hold", "Finish what is in hand, then wait."),
        "unhold": ("operate:unhold", "Go on after a hold."),
        "stop": ("operate:stop", "Finish what is in hand, then stop."),
        "abort": ("operate:abort", "Stop all motion now; not an emergency stop."),
        "clear": ("operate:clear", "After an abort: to Stopped."),
        "reset": ("operate:reset", "From Stopped or Complete to Idle."),
        "out": ("operate:out", "Take a module out of use."),
        "in": ("operate:back_in", "Bring a module back into use."),
        "mode": ("manual:mode", "Production, maintenance or manual for one module."),
        "jog": ("manual:jog", "Move a device of a module in manual mode by hand."),
        "recover": ("recover:recover", "The part map with both views; settle, decide, correct."),
    },
    "Look at a line": {
        "status": ("status:status", "Modules, parts, orders and alarms."),
        "trace": ("history:trace", "A part's whole life."),
        "report": ("history:report", "Counts, yield, cycle times, utilisation."),
    },
    "Set up": {
        "doctor": ("doctor:doctor", "Look for what is wrong with the set-up."),
        "keys": ("keys:keys", "Make, trust and list the keys of the bus."),
        "systemd": ("systemd:systemd", "Unit files that start a line with the computer."),
    },
}

TABLE = {
    name: Entry(f"cellctl.cli.{target}", text, section, hidden=not text)
    for section, commands in _SECTIONS.items()
    for name, (target, text) in commands.items()
}


@click.group(
    cls=LazyGroup,
    table=TABLE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="cellctl", message="%(prog)s %(version)s")
def main() -> None:
    """Control of modular production lines made of robot cells.

    Try `cellctl demo` first: a whole line on simulated devices.
    """


if __name__ == "__main__":
    main()
