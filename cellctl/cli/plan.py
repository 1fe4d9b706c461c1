"""`cellctl plan`: how long an order mix takes on a line, from part to part, and what sets the pace. Nothing moves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.output import json_option, print_json, print_table, say

if TYPE_CHECKING:
    from cellctl.line.model import Line
    from cellctl.plan.cycle import Plan
    from cellctl.plan.flow_run import Wanted
    from cellctl.plan.line_cycle import LineCycle
    from cellctl.plan.steady import Pace
    from cellctl.plan.timing import Duration


@click.command()
@click.argument("line")
@click.option(
    "--order", "orders", multiple=True, required=True, metavar="RECIPE/VARIANT:QUANTITY", help="Repeatable."
)
@click.option("--optimal", is_flag=True, help="Also search the best order of each variant's work.")
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw what each module does when, here."
)
@json_option
def plan(line: str, orders: tuple[str, ...], optimal: bool, svg: Path | None, as_json: bool) -> None:
    """Predict durations, cycle time, utilisation, bottleneck and jams for orders on LINE.

    Exits with 1 when the orders are not all made. Everything is taken to go well: no misses, jams or retries.
    """
    from cellctl.cli.files import find_line
    from cellctl.cli.solver_output import on_stderr
    from cellctl.cli.up import load_or_exit
    from cellctl.plan.cycle import plan as plan_of

    path = find_line(line)
    loaded = load_or_exit(path)
    wanted = [_wanted(text, path, loaded) for text in orders]
    with on_stderr():
        found = plan_of(loaded, wanted, optimal)
    if svg is not None:
        _draw(found, loaded.name, svg)
    if as_json:
        print_json(as_plain(found))
    else:
        print_plan(found)
    sys.exit(1 if found.run.waiting else 0)


def _wanted(text: str, path: Path, line: Line) -> Wanted:
    """Raises RecipeRefused, click.UsageError."""
    from cellctl.cli.orders import read_order
    from cellctl.compile.compiler import compile_recipe
    from cellctl.compile.order import RecipeRefused
    from cellctl.findings import Report
    from cellctl.plan.flow_run import Wanted
    from cellctl.recipe.load import load_recipe

    order, report = read_order(text, path), Report()
    recipe = load_recipe(order.recipe, report)
    executable = compile_recipe(recipe, order.variant, line, report) if recipe else None
    if executable is None:
        raise RecipeRefused(str(order.recipe), order.variant, line.name, report)
    return Wanted(executable, order.quantity)


def _draw(found: Plan, name: str, path: Path) -> None:
    from cellctl.plan.cycle import timeline
    from cellctl.plan.gantt import gantt

    path.write_text(gantt(timeline(found.run), f"{name}: {found.parts} parts"), "utf-8")
    say(f"drawn: {path}")


# --- as data -------------------------------------------------------------------------------------------------------


def as_plain(found: Plan) -> dict[str, Any]:
    """The plan as plain data; times in seconds."""
    return {
        "parts": found.parts,
        "ordered": found.ordered,
        "cycle_s": _triple(found.cycle) if found.cycle else None,
        "parts_per_hour": found.per_hour,
        "makespan_s": _triple(found.makespan),
        "modules": {name: round(share, 4) for name, share in found.modules.items()},
        "busiest_module": found.bottleneck,
        "steps": [
            {
                "step": step.step,
                "modules": step.modules,
                "count": step.count,
                **_triple(step.takes),
                "guess": step.is_guess,
            }
            for step in found.steps
        ],
        "pace": [_pace(pace) for pace in found.paces],
        "jams": {
            "answer": found.verdict.answer,
            "states": found.verdict.states,
            "words": found.verdict.words(),
        },
        "waiting": found.run.waiting,
    }


def _triple(duration: Duration) -> dict[str, float]:
    return {name: round(getattr(duration, name), 6) for name in ("least", "likely", "most")}


def _pace(pace: Pace) -> dict[str, Any]:
    return {
        "variant": pace.variant,
        "cycle": _cycle(pace.cycle) if pace.cycle else None,
        "optimal": _cycle(pace.best) | _followed(pace) if pace.best else None,
        "unknown": pace.unknown,
    }


def _cycle(cycle: LineCycle) -> dict[str, Any]:
    return {
        "period_s": round(cycle.period, 6),
        "bound_s": round(cycle.bound, 6),
        "gap": round(cycle.period / cycle.bound - 1.0, 6),
        "critical": cycle.critical,
    }


def _followed(pace: Pace) -> dict[str, Any]:
    """The order as a runner follows it, and what it then comes to."""
    turns = {
        name: [{"step": turn.step, "behind": turn.behind} for turn in own] for name, own in pace.turns.items()
    }
    return {"turns": turns, "followed_s": round(pace.followed, 6) if pace.followed else None}


# --- for people ----------------------------------------------------------------------------------------------------


def print_plan(found: Plan) -> None:
    """The plan as text."""
    for text in _head(found):
        click.echo(text)
    click.echo()
    print_table(_steps(found), ("step", "on", "times", "likely s", "least s", "most s", ""))
    for pace in found.paces:
        click.echo()
        for text in _words(pace):
            click.echo(text)
    click.echo()
    click.echo(found.verdict.words())
    for text in found.run.waiting:
        click.echo(f"waiting    {text}")
    if found.run.waiting:
        click.echo("NOT COMPLETE: not every order can be made")


def _head(found: Plan) -> Iterator[str]:
    if found.cycle and found.per_hour:
        between = f"{found.cycle.least:.2f} to {found.cycle.most:.2f}"
        yield f"cycle      {found.cycle.likely:.2f} s from part to part ({between}), {found.per_hour:.0f} an hour"
    of = "" if found.parts == found.ordered else f" of {found.ordered} ordered"
    yield f"makespan   {found.makespan.likely:.1f} s for {found.parts} parts{of}"
    busy = sorted(found.modules.items(), key=lambda entry: -entry[1])
    yield f"busy       {', '.join(f'{name} {share:.0%}' for name, share in busy)}"
    yield f"busiest    {found.bottleneck}"


def _steps(found: Plan) -> Iterator[tuple[object, ...]]:
    for step in found.steps:
        times = (f"{getattr(step.takes, name):.3f}" for name in ("likely", "least", "most"))
        yield step.step, ", ".join(step.modules), step.count, *times, "a guess" if step.is_guess else ""


def _words(pace: Pace) -> Iterator[str]:
    if pace.cycle is None:
        yield f"{pace.variant} alone: what sets its pace is not known: {pace.unknown}"
        return
    yield f"{pace.variant} alone, over and over: {pace.cycle.period:.2f} s from part to part, set by this circle:"
    yield from (f"  {why}" for why in pace.cycle.critical if _is_between_steps(why))
    if pace.best:
        gap = pace.best.period / pace.best.bound - 1.0
        yield f"  best order of work: {pace.best.period:.2f} s, {gap:.1%} above what no order can beat"
        if pace.followed:
            turns = [f"{name} ({', '.join(turn.step for turn in own)})" for name, own in pace.turns.items()]
            yield f"  a line that follows it: {pace.followed:.2f} s; in turns: {', '.join(turns) or 'none'}"


def _is_between_steps(why: str) -> bool:
    """Whether a wait is more than that of one step's piece for the piece before."""
    first, _, then = why.partition(", then ")
    return first.partition(":")[0] != then.partition(":")[0]
