"""`cellctl sim`: a line in virtual time, by the same runner, module and driver code as the real one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.output import json_option, print_json, say

if TYPE_CHECKING:
    from cellctl_sim.plant.faults import Fault
    from cellctl_sim.process_faults import ProcessFault
    from cellctl_sim.simulation import Order, Result

TEXT = click.Path(path_type=Path, dir_okay=False)


def read_duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """`8 h`, `90 s`, or a number of seconds. Raises click.BadParameter."""
    from cellctl.errors import UnitError
    from cellctl.units import Dimension, parse_quantity

    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return parse_quantity(value, Dimension.DURATION).value
    except UnitError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("line")
@click.option(
    "--order", "orders", multiple=True, required=True, metavar="RECIPE/VARIANT:QUANTITY", help="Repeatable."
)
@click.option(
    "--seed", default=0, show_default=True, help="The same seed gives the same run, to the last event."
)
@click.option("--until", callback=read_duration, help="Stop at this virtual time, such as `8 h`.")
@click.option("--faults", type=TEXT, help="YAML file with a list of faults.")
@click.option("--trace", type=TEXT, help="Write the runner's journal here, one JSON object a line.")
@json_option
def sim(
    line: str,
    orders: tuple[str, ...],
    seed: int,
    until: float | None,
    faults: Path | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Run LINE in virtual time until every order is complete. Exits with 1 when that does not come about."""
    from cellctl.cli.files import find_line
    from cellctl.cli.up import load_or_exit
    from cellctl.compile.order import OrderText, compile_order
    from cellctl_sim.simulation import LONGEST, simulate

    path = find_line(line)
    wanted = [_order(text, path, number) for number, text in enumerate(orders, start=1)]
    loaded = load_or_exit(path)
    for each in wanted:  # the runner would refuse it too, but only within the simulation
        compile_order(OrderText(each.text, each.source, each.variant, each.included), loaded)
    say("SIMULATED in virtual time; no device is connected")
    result = simulate(loaded, wanted, seed, until or LONGEST, _read_faults(faults))
    if trace is not None:
        _write_trace(result, trace)
    shown = summary(result, seed)
    if as_json:
        print_json(shown)
    else:
        print_summary(shown)
    sys.exit(0 if result.complete and not result.incidents else 1)


def _order(text: str, line: Path, number: int) -> Order:
    from cellctl.cli.orders import read_order
    from cellctl_sim.simulation import Order

    wanted = read_order(text, line)
    return Order(id=f"{number}-{wanted.label}", **wanted.body)


def summary(result: Result, seed: int) -> dict[str, Any]:
    """What the simulation came to, as plain data."""
    import msgspec

    report: dict[str, Any] = msgspec.to_builtins(result.report)
    return report | {
        "alarms": result.status.get("alarms", []),
        "complete": result.complete,
        "seed": seed,
        "trace": result.trace,
        "virtual_s": round(result.ended, 6),
        "wall_s": round(result.wall, 3),
        "counters": result.counters,
        "incidents": [{"at": at, "what": what} for at, what in result.incidents],
        "waiting": [] if result.complete else _waiting(result),
        "simulated": True,
    }


def _waiting(result: Result) -> list[str]:
    return [f"{part['part']} at {part['place']}: {part['waits']}" for part in result.status.get("parts", [])]


def print_summary(found: dict[str, Any]) -> None:
    """The same for people."""
    from cellctl.cli.history import print_report

    print_report(found)
    times = found["virtual_s"] / found["wall_s"] if found["wall_s"] else 0.0
    click.echo(
        f"virtual    {found['virtual_s']:.1f} s in {found['wall_s']:.2f} s, {times:.0f} times real time"
    )
    click.echo(f"seed       {found['seed']}, trace {found['trace'][:16]}")
    for incident in found["incidents"]:
        click.echo(f"INCIDENT   {incident['at']:.3f} s: {incident['what']}")
    for text in found["waiting"]:
        click.echo(f"waiting    {text}")
    if not found["complete"]:
        click.echo("NOT COMPLETE: not every order was made")


def _read_faults(path: Path | None) -> list[Fault | ProcessFault]:
    """The faults in a YAML file. Exits with 1, saying what is wrong, when it cannot be used."""
    if path is None:
        return []
    from pydantic import ValidationError

    from cellctl.findings import Report
    from cellctl.yamlsource import load
    from cellctl_sim.process_faults import read_faults

    report = Report()
    root = load(path, report)
    if root is None or report.has_errors:
        click.echo(report.render(), err=True, nl=False)
        sys.exit(1)
    found = root.plain
    if not isinstance(found, list) or not all(isinstance(fault, dict) for fault in found):
        raise click.UsageError(
            f"{path}: a list of faults is wanted, such as - {{at: 12 s, device: ..., fault: ...}}"
        )
    try:
        return read_faults([fault for fault in found if isinstance(fault, dict)])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise click.UsageError(f"{path}: {where}: {first['msg']}") from None


def _write_trace(result: Result, path: Path) -> None:
    import msgspec

    with path.open("wb") as file:
        for event in result.events:
            file.write(msgspec.json.encode(event) + b"\n")
