"""`cellctl crashtest`: kill and disturb a line in virtual time, over and over, and shorten what goes wrong."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.lazy import INTERRUPTED
from cellctl.cli.output import json_option, print_json, say
from cellctl_sim.cli.seeds import read_seeds
from cellctl_sim.wanted import read_orders

if TYPE_CHECKING:
    from cellctl.line.model import Line
    from cellctl_sim.cli.crashtest_failures import WrittenUp
    from cellctl_sim.crashtest import Bench, Case, Log, Tally, Verdict
    from cellctl_sim.simulation import Order

FILE = click.Path(path_type=Path, dir_okay=False)
PLACE = click.Path(path_type=Path, file_okay=False)
OFTEN, SELDOM = 1.0, 15.0  # [s] between words of progress: on a terminal, and elsewhere
SHOWN = 4  # findings of one failure that are shown


@click.command(short_help="Kill a line's processes over and over in virtual time; shorten what goes wrong.")
@click.argument("line")
@click.option("--order", "orders", multiple=True, metavar="RECIPE/VARIANT:QUANTITY", help="Repeatable.")
@click.option(
    "--seeds",
    metavar="A..B",
    callback=read_seeds,
    help="Seeds; without, 0..99, or 0 where all is tried.",
)
@click.option(
    "--exhaustive", is_flag=True, help="Kill every process at every step of the undisturbed run instead."
)
@click.option(
    "--every", type=click.IntRange(1), default=1, show_default=True, help="Of the steps, with --exhaustive."
)
@click.option(
    "--processes", type=click.IntRange(1), help="How many try at once. [default: one for each core]"
)
@click.option("--resume", type=FILE, help="Note here what is done; leave out what stands there already.")
@click.option("--replay", type=FILE, help="Run this one scenario, and tell what happens around its faults.")
@click.option("--shrink", default=3, show_default=True, help="How many failures to shorten.")
@click.option(
    "--into", type=PLACE, default="crashtest", show_default=True, help="Where failures are written."
)
@json_option
def crashtest(
    line: str,
    orders: tuple[str, ...],
    seeds: range | None,
    exhaustive: bool,
    every: int,
    processes: int | None,
    resume: Path | None,
    replay: Path | None,
    shrink: int,
    into: Path,
    as_json: bool,
) -> None:
    """Search LINE for what kills, cut links and slow disks make it lose or do twice, in virtual time.

    Exits with 1 when anything is found, 130 when interrupted.
    """
    from cellctl.cli.files import find_line
    from cellctl.cli.up import load_or_exit
    from cellctl_sim.memory import collected_seldom

    path = find_line(line)
    loaded = load_or_exit(path)
    if replay is not None:
        sys.exit(run_again(loaded, path, replay, orders, as_json))
    if not orders:
        raise click.UsageError("say what is to be made: --order RECIPE/VARIANT:QUANTITY")
    bench = ready(loaded, read_orders(orders, path, loaded))
    log = open_log(resume, bench, orders, exhaustive)
    search = Search(bench, cases_of(bench, seeds, exhaustive, every), processes or os.cpu_count() or 1, log)
    with collected_seldom():
        found = search.run(lambda verdict: None if as_json else show(verdict))
    written = [] if search.interrupted else shorten(bench, found.failures[:shrink], path, line, into)
    report(search, written, line, orders, as_json)
    sys.exit(INTERRUPTED if search.interrupted else 1 if found.failures else 0)


# --- before -------------------------------------------------------------------------------------------------------


def ready(line: Line, orders: Sequence[Order]) -> Bench:
    """The line and its pace. Exits with 1 when something is found although nothing disturbs it."""
    from cellctl_sim.crash_search import measure
    from cellctl_sim.crashtest import Bench

    say("SIMULATED in virtual time; no device is connected")
    pace, trial = measure(line, orders)
    if trial.findings:
        found = "\n".join(f"    {finding}" for finding in trial.findings)
        say(f"cellctl: nothing was disturbed yet, and already this is found; mend it first\n{found}")
        sys.exit(1)
    say(f"undisturbed: {pace.span:.1f} s, {pace.steps} steps, {pace.effects} effects")
    return Bench(line, tuple(orders), pace)


def cases_of(bench: Bench, seeds: range | None, exhaustive: bool, every: int) -> list[Case]:
    """What is to be tried."""
    from cellctl_sim.crashtest import swarm, sweep

    if exhaustive:
        return sweep(seeds or range(1), bench.line, bench.orders, every)
    return swarm(seeds or range(100))


def open_log(path: Path | None, bench: Bench, orders: Sequence[str], exhaustive: bool) -> Log | None:
    """The file of verdicts. Raises NotTheSameSearch."""
    from importlib.metadata import version

    from cellctl_sim.crashtest import Heading, Log

    if path is None:
        return None
    log = Log(path, Heading(bench.line.digest, list(orders), exhaustive, version("cellctl")))
    log.open()
    return log


# --- the search ---------------------------------------------------------------------------------------------------


@dataclass
class Search:
    """Tries the cases that no earlier search did; Ctrl-C ends it with what is known."""

    bench: Bench
    cases: list[Case]
    processes: int
    log: Log | None
    interrupted: bool = False

    def run(self, show: Callable[[Verdict], object]) -> Tally:
        """Everything that was found."""
        from cellctl_sim.crashtest import Tally, try_all

        known = self.log.verdicts if self.log else {}
        self.tally = tally = Tally(len(self.cases))
        progress = Progress(tally)
        for case in self.cases:
            if case in known:
                self._note(known[case], show, is_new=False)
        rest = [case for case in self.cases if case not in known]
        try:
            with closing(try_all(self.bench, rest, self.processes)) as verdicts:
                for verdict in verdicts:
                    if self.log:
                        self.log.add(verdict)
                    self._note(verdict, show)
                    progress.tell()
        except KeyboardInterrupt:
            self.interrupted = True
            say("interrupted; this is what is known by now")
        return tally

    def _note(self, verdict: Verdict, show: Callable[[Verdict], object], is_new: bool = True) -> None:
        self.tally.count(verdict, is_new)
        if verdict.findings:
            show(verdict)


class Progress:
    """Says on stderr how far a search has come, now and then."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._next = tally, time.monotonic() + OFTEN
        self._pause = OFTEN if sys.stderr.isatty() else SELDOM

    def tell(self) -> None:
        """Perhaps."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._pause
        tally = self._tally
        rest = (tally.cases - tally.tried) / tally.rate if tally.rate else 0.0
        say(
            f"{tally.tried} of {tally.cases} tried, {len(tally.failures)} failed,"
            f" {tally.rate:.1f}/s, {rest / 60:.1f} min to go"
        )


# --- after --------------------------------------------------------------------------------------------------------


def show(verdict: Verdict) -> None:
    """A failure, as it is found."""
    click.echo(f"FOUND      {verdict.case.name}")
    for checker, text in verdict.findings[:SHOWN]:
        click.echo(f"           {checker}: {' '.join(text.split())}")
    if len(verdict.findings) > SHOWN:
        click.echo(f"           ... {len(verdict.findings) - SHOWN} more")


def shorten(bench: Bench, failures: Sequence[Verdict], path: Path, line: str, place: Path) -> list[WrittenUp]:
    """Shorten failures and write them down."""
    from cellctl_sim.cli.crashtest_failures import write_up

    written = []
    for failure in failures:
        say(f"looking for the shortest scenario that fails like {failure.case.name} ...")
        written.append(write_up(bench, failure, path, line, place))
    return written


def report(
    search: Search, written: Sequence[WrittenUp], line: str, orders: Sequence[str], as_json: bool
) -> None:
    """What came of it, for programs or people."""
    from cellctl_sim.scenario import flow

    tally = search.tally
    if as_json:
        about = {"line": line, "orders": list(orders), "processes": search.processes}
        failures = [
            {
                "case": verdict.case.name,
                "findings": [f"{checker}: {text}" for checker, text in verdict.findings],
            }
            for verdict in tally.failures
        ]
        shortened = [each.data() for each in written]
        found = {"interrupted": search.interrupted, "failures": failures, "shortened": shortened}
        print_json({**about, **tally.data(), **found, "simulated": True})
        return
    for each in written:
        click.echo(f"SHORTENED  {each.verdict.case.name}, in {each.runs} runs")
        for disturbance in each.trial.scenario.disturbances:
            click.echo(f"           {flow(disturbance)}")
        click.echo(f"           {each.command}\n           {each.trace}")
    click.echo(
        f"scenarios  {tally.tried} of {tally.cases} tried, {len(tally.failures)} failed;"
        f" {tally.virtual / 3600:.1f} h of line time in {tally.wall:.0f} s, {tally.rate:.1f}/s,"
        f" {tally.rate_per_core:.1f} for each second of a core"
    )
    for checker, times in tally.by_checker().items():
        click.echo(f"           {times} times {checker}")


def run_again(line: Line, path: Path, replay: Path, orders: Sequence[str], as_json: bool) -> int:
    """Run one scenario from its file, and tell of it; the exit code."""
    from cellctl_sim.cli.crashtest_failures import texts, told_trial
    from cellctl_sim.scenario import flow, read

    written = read(replay)
    wanted = orders or written.orders
    if not wanted:
        raise click.UsageError(f"{replay} names no orders; say --order RECIPE/VARIANT:QUANTITY")
    say("SIMULATED in virtual time; no device is connected")
    trial, tale = told_trial(line, written.scenario(read_orders(wanted, path, line)))
    found = texts(trial)
    if as_json:
        faults = [flow(each) for each in trial.scenario.disturbances]
        trace = trial.result.trace if trial.result else ""
        about = {"orders": list(wanted), "faults": faults, "findings": found, "trace_sha256": trace}
        print_json({**about, "tale": tale, "simulated": True})
    else:
        click.echo("\n".join([*tale, "", *(found or ["nothing is found"])]))
    return 1 if found else 0
