"""`cellctl sim`: a line in virtual time, by the same runner, module and driver code as the real one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.durations import read_duration
from cellctl.cli.lazy import INTERRUPTED
from cellctl.cli.output import json_option, print_json, say
from cellctl_sim.cli.crashtest import OFTEN, SELDOM
from cellctl_sim.cli.seeds import read_seeds
from cellctl_sim.wanted import read_orders

if TYPE_CHECKING:
    from cellctl.line.model import Line
    from cellctl_sim.process_faults import Disturbance
    from cellctl_sim.simulation import Result
    from cellctl_sim.study import Experiment

FILE = click.Path(path_type=Path, dir_okay=False)
Body = dict[str, Any]


def writable(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A file that is written after the run; where that cannot be, it is said before. Raises click.BadParameter."""
    if value is not None and not value.absolute().parent.is_dir():
        raise click.BadParameter(
            f"there is no directory {value.absolute().parent} to write {value.name} into"
        )
    return value


@click.command()
@click.argument("line")
@click.option(
    "--order", "orders", multiple=True, required=True, metavar="RECIPE/VARIANT:QUANTITY", help="Repeatable."
)
@click.option(
    "--seed", type=click.IntRange(0), help="The same gives the same run, to the last event. [default: 0]"
)
@click.option(
    "--seeds", metavar="A..B", callback=read_seeds, help="A run with each; means with confidence intervals."
)
@click.option(
    "--processes", type=click.IntRange(1), help="How many run at once. [default: one for each core]"
)
@click.option(
    "--until", metavar="TIME", callback=read_duration, help="Stop at this virtual time, such as `8 h`."
)
@click.option("--faults", type=FILE, help="YAML file with a list of faults.")
@click.option(
    "--trace", type=FILE, callback=writable, help="Write the runner's journal here, one JSON object a line."
)
@click.option("--svg", type=FILE, callback=writable, help="Draw here what each module did when.")
@click.option("--compare", type=FILE, help="Say what changed since this: the JSON of another simulation.")
@click.option(
    "--follow", is_flag=True, help="In the best order of work, as `cellctl plan --optimal` finds it."
)
@json_option
def sim(
    line: str,
    orders: tuple[str, ...],
    seed: int | None,
    seeds: range | None,
    processes: int | None,
    until: float | None,
    faults: Path | None,
    trace: Path | None,
    svg: Path | None,
    compare: Path | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Run LINE in virtual time until every order is complete. Exits with 1 when that does not come about."""
    if seeds is not None and (seed is not None or trace or svg):
        raise click.UsageError("--seed, --trace and --svg are for a single run; leave them out with --seeds")
    from cellctl.cli.files import find_line
    from cellctl.cli.up import load_or_exit
    from cellctl_sim.memory import collected_seldom
    from cellctl_sim.simulation import LONGEST
    from cellctl_sim.study import Experiment

    path = find_line(line)
    loaded = load_or_exit(path)
    before = _read_before(compare)
    wanted = read_orders(orders, path, loaded, follow)
    experiment = Experiment(loaded, tuple(wanted), until or LONGEST, tuple(_read_faults(faults)))
    say("SIMULATED in virtual time; no device is connected")
    about = _about(loaded, [f"{text} --follow" if follow else text for text in orders], until, faults)
    with collected_seldom():
        if seeds is not None:
            found, interrupted = study(experiment, seeds, processes or os.cpu_count() or 1)
        else:
            found, interrupted = once(experiment, seed or 0, trace, svg), False
    show(about | found, before, as_json)
    sys.exit(INTERRUPTED if interrupted else 0 if is_well(found) else 1)


def is_well(found: Body) -> bool:
    """Whether every order of every run was made, and the plant saw nothing that must not be."""
    runs = found.get("runs", [found])
    return bool(runs) and all(run["complete"] and not run["incidents"] for run in runs)


def _about(line: Line, orders: Sequence[str], until: float | None, faults: Path | None) -> Body:
    """What was simulated, so that a comparison can say what was not the same."""
    text = faults.read_text("utf-8") if faults else ""
    return {
        "line": line.name,
        "line_sha256": line.digest,
        "orders": list(orders),
        "until_s": until,
        "faults": text,
    }


# --- one run, many runs -------------------------------------------------------------------------------------------


def once(experiment: Experiment, seed: int, trace: Path | None, svg: Path | None) -> Body:
    """One run; its journal and picture are written where they are wanted."""
    from cellctl_sim.simulation import simulate
    from cellctl_sim.summary import summary

    result = simulate(experiment.line, experiment.orders, seed, experiment.until, experiment.faults)
    if trace is not None:
        _write_trace(result, trace)
    if svg is not None:
        from cellctl_sim.picture import draw

        svg.write_text(draw(experiment.line, result, experiment.faults), "utf-8")
        say(f"drawn: {svg}")
    return summary(result, seed, experiment.line)


def study(experiment: Experiment, seeds: Sequence[int], processes: int) -> tuple[Body, bool]:
    """A run with each seed; whether it was interrupted, with what was known by then."""
    from cellctl_sim.study import estimates, run_all

    runs: list[Body] = []
    began = time.monotonic()
    progress = Progress(len(seeds))
    interrupted = False
    try:
        with closing(run_all(experiment, seeds, processes)) as ready:
            for run in ready:
                runs.append(run)
                progress.tell(len(runs))
    except KeyboardInterrupt:
        interrupted = True
        say("interrupted; this is what is known by now")
    return {
        "seeds": [seeds[0], seeds[-1]],
        "complete": bool(runs) and all(run["complete"] for run in runs),
        "estimates": {name: found.data() for name, found in estimates(runs).items()},
        "runs": runs,
        "wall_s": round(time.monotonic() - began, 3),
        "simulated": True,
    }, interrupted


class Progress:
    """Says on stderr how many runs are done, now and then."""

    def __init__(self, count: int) -> None:
        self._count, self._began = count, time.monotonic()
        self._pause = OFTEN if sys.stderr.isatty() else SELDOM
        self._next = self._began + self._pause

    def tell(self, done: int) -> None:
        """Perhaps."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._pause
        rest = (now - self._began) / done * (self._count - done)
        say(f"{done} of {self._count} runs done, {rest:.0f} s to go")


# --- files --------------------------------------------------------------------------------------------------------


def _read_before(path: Path | None) -> Body | None:
    from cellctl_sim.comparison import read_simulation

    return None if path is None else read_simulation(path)


def _read_faults(path: Path | None) -> list[Disturbance]:
    """The faults in a YAML file. Exits with 1, saying what is wrong, when it cannot be used."""
    if path is None:
        return []
    from pydantic import ValidationError

    from cellctl.findings import Report
    from cellctl.yamlsource import load
    from cellctl_sim.process_faults import read_disturbances

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
        return read_disturbances([fault for fault in found if isinstance(fault, dict)])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise click.UsageError(f"{path}: {where}: {first['msg']}") from None


def _write_trace(result: Result, path: Path) -> None:
    import msgspec

    with path.open("wb") as file:
        for event in result.events:
            file.write(msgspec.json.encode(event) + b"\n")


def show(found: Body, before: Body | None, as_json: bool) -> None:
    """What came of it, for programs or people."""
    from cellctl_sim.cli.sim_words import print_comparison, print_run, print_study
    from cellctl_sim.comparison import compare

    compared = compare(before, found) if before and found.get("runs", True) else None
    if as_json:
        print_json(found | ({"comparison": compared.data()} if compared else {}))
        return
    if "runs" in found:
        print_study(found)
    else:
        print_run(found)
    if compared:
        print_comparison(compared)
