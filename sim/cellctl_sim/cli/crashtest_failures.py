"""What `cellctl crashtest` leaves of a failure: the shortest scenario, the command that replays it, and its tale."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellctl.line.model import Line
    from cellctl_sim.crash_search import Trial
    from cellctl_sim.crashtest import Bench, Verdict
    from cellctl_sim.scenario import Scenario
    from cellctl_sim.simulation import Order


@dataclass(frozen=True, slots=True)
class WrittenUp:
    """A failure that was shortened, and the files that tell of it."""

    verdict: Verdict
    trial: Trial
    runs: int  # that it took to shorten it
    scenario: Path
    trace: Path
    command: str

    def data(self) -> dict[str, Any]:
        """For programs."""
        from cellctl_sim.scenario import flow

        return {
            "case": self.verdict.case.name,
            "findings": texts(self.trial),
            "faults": [flow(each) for each in self.trial.scenario.disturbances],
            "shrunk_in_runs": self.runs,
            "scenario": str(self.scenario),
            "trace": str(self.trace),
            "replay": self.command,
        }


def write_up(bench: Bench, verdict: Verdict, line_path: Path, line: str, place: Path) -> WrittenUp:
    """Shorten a failure, and write scenario and tale into the directory `place`."""
    from cellctl_sim.scenario import write
    from cellctl_sim.shrink import shrink

    shrunk = shrink(bench.attempt(bench.scenario(verdict.case)), bench.attempt)
    place.mkdir(parents=True, exist_ok=True)
    scenario = place / f"{verdict.case.file_name}.yaml"
    trace = scenario.with_suffix(".trace.txt")
    command = f"cellctl crashtest {shlex.quote(line)} --replay {shlex.quote(str(scenario))}"
    told = [f"# {text}" for text in (command, *texts(shrunk.trial))]
    orders = [written_order(order, line_path) for order in shrunk.scenario.orders]
    scenario.write_text("\n".join([*told, write(shrunk.scenario, orders)]), "utf-8")
    trial, tale = told_trial(bench.line, shrunk.scenario)
    trace.write_text("\n".join([*told, *tale, ""]), "utf-8")
    return WrittenUp(verdict, trial, shrunk.runs, scenario, trace, command)


def told_trial(line: Line, scenario: Scenario) -> tuple[Trial, list[str]]:
    """Run a scenario with its happenings kept: the trial, and what happened around its faults."""
    from cellctl_sim.crash_search import run
    from cellctl_sim.failure_trace import tell
    from cellctl_sim.universe import Universe

    worlds: list[Universe] = []

    def stage(universe: Universe) -> None:
        universe.trace.keep = True
        worlds.append(universe)

    trial = run(line, scenario, stage=stage)
    universe = worlds[0]
    return trial, tell(line, scenario, universe.trace.happenings, universe.records, trial.struck)


def texts(trial: Trial) -> list[str]:
    """What was found, each on one line."""
    return [" ".join(str(finding).split()) for finding in trial.findings]


def written_order(order: Order, line: Path) -> str:
    """An order of `read_orders` as it is written on the command line, by its recipe's name where that leads there."""
    from click import UsageError

    from cellctl.cli.files import find_recipe
    from cellctl_sim.scenario import order_text

    path = (line.parent / order.source).resolve()
    try:
        name = path.stem if find_recipe(path.stem, line).resolve() == path else str(path)
    except UsageError:
        name = str(path)
    return order_text(name, order)
