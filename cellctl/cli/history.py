"""`trace` and `report`: what the runner's journal says, beside the running line or after it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.durations import read_since
from cellctl.cli.output import json_option, print_json, print_table, say, titled
from cellctl.cli.state import state_of_a_line, state_option

if TYPE_CHECKING:
    from cellctl.line.model import Line


@click.command()
@click.argument("part")
@json_option
@state_option
def trace(part: str, as_json: bool, state: Path | None) -> None:
    """The whole life of PART: each command with its times, results and places, lots, decisions."""
    import msgspec

    from cellctl.live.records import events_of
    from cellctl.runner.trace import trace as life_of

    life = msgspec.to_builtins(life_of(events_of(state_of_a_line(state), part), part))
    if as_json:
        print_json(life)
    else:
        print_life(life)


def print_life(life: dict[str, Any]) -> None:
    """A part's life as text."""
    click.echo(
        f"{life['part']}: {titled(life['recipe'], life['variant'])}, revision {life['revision']}, of {life['order']}"
    )
    ended = f"{life['verdict']} at {shown_time(life['ended'])}" if life["ended"] else "on the line"
    click.echo(f"begun {shown_time(life['born'])}, {ended}; recipe {life['recipe_digest'][:12]}")
    for component, lot in life["lots"].items():
        click.echo(f"{component} {f'from lot {lot}' if lot else 'of an unknown lot'}")
    click.echo()
    print_table((_visit(life["born"], visit) for visit in life["visits"]), _HEADS)
    for decision in life["decisions"]:
        what = decision.get("choice") or f"is at {decision.get('place') or 'no place: it left the line'}"
        click.echo(
            f"{shown_time(decision['at'])} {decision['who']} decided: {what} {decision.get('note', '')}".rstrip()
        )


_HEADS = ("at", "took", "step", "module", "try", "outcome", "to", "results")


def _visit(born: float, visit: dict[str, Any]) -> tuple[str, ...]:
    dimensions = visit["dimensions"]
    results = ", ".join(
        f"{name} {shown_figure(value, dimensions.get(name, ''))}" for name, value in visit["results"].items()
    )
    return (
        f"{visit['started'] - born:8.3f} s" if visit["started"] else "",
        f"{visit['ended'] - visit['started']:.3f} s" if visit["ended"] else "",
        visit["step"],
        visit["module"],
        f"{visit['visit']}.{visit['attempt']}",
        ": ".join(text for text in (visit["outcome"] or "not answered yet", visit["detail"]) if text),
        " > ".join(visit["places"]),
        results,
    )


@click.command()
@click.option(
    "--since",
    metavar="TIME",
    callback=read_since,
    help="Count from then on: `8 h` ago, or `2026-03-01 06:00`.",
)
@json_option
@state_option
def report(since: float, as_json: bool, state: Path | None) -> None:
    """Counts, yield, cycle times and utilisation since the journal began; each step's time beside the predicted one."""
    import msgspec

    from cellctl.live.records import events_since, runner_events
    from cellctl.runner.report import report as report_of

    of = state_of_a_line(state)
    events = events_since(of, since) if since else runner_events(of)
    found = msgspec.to_builtins(report_of(events, _line_in(of), since))
    if since and not as_json:
        click.echo(f"since {shown_time(since)}")
    if as_json:
        print_json(found)
    else:
        print_report(found)


def _line_in(state: Path) -> Line | None:
    """The line as it was started; None, and a word why, where its file is gone or another one by now."""
    from cellctl.errors import CellctlError
    from cellctl.live.deployment import load
    from cellctl.live.line_file import read_line

    try:
        deployment = load(state)
        line, _ = read_line(Path(deployment.line))
    except (CellctlError, OSError) as error:
        say(f"without predicted times: {error}")
        return None
    if line is None or line.digest != deployment.digest:
        say(f"without predicted times: {deployment.line} is not what it was when the line was started")
        return None
    return line


def print_report(found: dict[str, Any]) -> None:
    """The report as text."""
    made, scrapped = found["parts_made"], found["parts_scrapped"]
    good = "" if found["yield_ratio"] is None else f", yield {found['yield_ratio']:.1%}"
    retries = "1 retry" if found["retries"] == 1 else f"{found['retries']} retries"
    click.echo(f"parts      {made} made, {scrapped} scrapped{good}, {retries}")
    if found["parts_removed"] or found["parts_in_flight"]:
        click.echo(
            f"           {found['parts_removed']} removed, {found['parts_in_flight']} still on the line"
        )
    for variant, counts in found["by_variant"].items():
        ends = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        click.echo(f"           {variant or 'no variant'}: {ends}")
    if found["cycle_time_s"] is not None:
        click.echo(f"cycle      {found['cycle_time_s']:.2f} s from part to part")
    click.echo(f"makespan   {found['makespan_s']:.1f} s")
    modules = sorted(found["modules"].items(), key=lambda entry: -entry[1])
    if modules:
        click.echo(f"busy       {', '.join(f'{name} {share:.0%}' for name, share in modules)}")
    if found["busiest_module"]:
        click.echo(f"busiest    {found['busiest_module']}")
    click.echo()
    is_predicted = any(step.get("predicted_s") is not None for step in found["steps"])
    columns = _COLUMNS if is_predicted else _COLUMNS[:-1]
    steps = ((s["step"], s["count"], *(_seconds(s[key]) for key, _ in columns)) for s in found["steps"])
    print_table(steps, ("step", "times", *(head for _, head in columns)))
    for alarm in found["alarms"]:
        click.echo(f"alarm      {alarm['code']} {alarm['text']}")


_COLUMNS = (("mean_s", "mean s"), ("min_s", "least s"), ("max_s", "most s"), ("predicted_s", "predicted s"))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def shown_time(at: float | None) -> str:
    """A time of the records, in the local time of who reads it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else ""


def shown_figure(value: object, dimension: str) -> str:
    """A result in the unit in which people write its dimension, to six digits; "SI" where the records say none."""
    from cellctl.units import Dimension, Quantity, show

    if not isinstance(value, float):
        return str(value)
    return show(Quantity(float(f"{value:.6g}"), Dimension(dimension))) if dimension else f"{value:.6g} (SI)"
