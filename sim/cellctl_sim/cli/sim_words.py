"""What `cellctl sim` says to people: of one run, of many, and of two simulations beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.history import print_report
from cellctl.cli.output import print_table

if TYPE_CHECKING:
    from cellctl_sim.comparison import Comparison, Difference

SHOWN = 8  # alarms of one run

SHARES = ("yield_ratio", "modules.")
NAMED = {
    "throughput_per_hour": "parts an hour",
    "makespan_s": "makespan s",
    "yield_ratio": "yield",
    "parts_made": "parts made",
    "parts_scrapped": "parts scrapped",
    "parts_in_flight": "parts in flight",
    "cycle_time_s": "cycle s",
}


def print_run(found: dict[str, Any]) -> None:
    """One run as text."""
    raised = found["alarms"]
    print_report(found | {"alarms": []})
    for alarm in raised[:SHOWN]:
        click.echo(f"alarm      {alarm['at_s']:.3f} s: {alarm['code']} {alarm['text']}")
    if len(raised) > SHOWN:
        click.echo(f"           ... {len(raised) - SHOWN} more")
    if found["throughput_per_hour"] is not None:
        click.echo(f"throughput {found['throughput_per_hour']:.1f} good parts an hour")
    times = found["virtual_s"] / found["wall_s"] if found["wall_s"] else 0.0
    click.echo(
        f"virtual    {found['virtual_s']:.1f} s in {found['wall_s']:.2f} s, {times:.0f} times real time"
    )
    click.echo(f"seed       {found['seed']}, trace {found['trace_sha256'][:16]}")
    for incident in found["incidents"]:
        click.echo(f"INCIDENT   {incident['at']:.3f} s: {incident['what']}")
    for text in found["waiting"]:
        click.echo(f"waiting    {text}")
    if not found["complete"]:
        click.echo("NOT COMPLETE: not every order was made")


def print_study(found: dict[str, Any]) -> None:
    """Many runs as text."""
    runs = found["runs"]
    click.echo(f"runs       {len(runs)}, seeds {found['seeds'][0]} to {found['seeds'][1]}")
    rows = [
        (
            NAMED[name],
            _figure(name, each["mean"]),
            _plus_minus(name, each["half_width_95"]),
            _plus_minus(name, each["half_width_99"]),
        )
        for name, each in found["estimates"].items()
    ]
    print_table(rows, ("figure", "mean", "95 %", "99 %"))
    for run in runs:
        for incident in run["incidents"]:
            click.echo(f"INCIDENT   seed {run['seed']}, {incident['at']:.3f} s: {incident['what']}")
    late = [str(run["seed"]) for run in runs if not run["complete"]]
    if late:
        click.echo(
            f"NOT COMPLETE: not every order was made with seed{'s'[: len(late) - 1]} {', '.join(late)}"
        )
    click.echo(f"took       {found['wall_s']:.1f} s")


def print_comparison(compared: Comparison) -> None:
    """Two simulations beside each other, as text."""
    click.echo()
    for what in compared.other:
        click.echo(f"not the same: {what.replace('_', ' ')}")
    if compared.same_trace:
        click.echo("nothing changed: the same trace with every seed that both have")
    changed = [each for each in compared.figures if each.change or each.half_width]
    rows = [
        (
            NAMED.get(each.figure, each.figure.removeprefix("modules.") + " busy"),
            _figure(each.figure, each.before),
            _figure(each.figure, each.after),
            _figure(each.figure, each.change, "+"),
            _plus_minus(each.figure, each.half_width),
            _verdict(each),
        )
        for each in changed
    ]
    print_table(rows, ("figure", "before", "after", "change", "95 %", ""))


def _verdict(each: Difference) -> str:
    match each.is_clear:
        case True:
            return "changed"
        case False:
            return "may be chance"
        case None:
            return "one run: may be chance"


def _figure(name: str, value: float, sign: str = "") -> str:
    if name.startswith(SHARES):
        return f"{value:{sign}.2%}"
    return f"{value:{sign}.6g}" if abs(value) >= 0.0005 else f"{0.0:{sign}.6g}"


def _plus_minus(name: str, width: float | None) -> str:
    return "" if width is None else f"± {_figure(name, width)}"
