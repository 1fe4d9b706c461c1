"""A line with its orders, to be run in virtual time from a test or a script; and what a run came to, to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.files import find_line
from cellctl.errors import CellctlError
from cellctl.line.model import Line
from cellctl.live.line_file import read_line
from cellctl.units import Dimension, parse_quantity
from cellctl_sim.checkers import Finding, check
from cellctl_sim.crash_search import evidence_of
from cellctl_sim.process_faults import Disturbance, read_disturbances
from cellctl_sim.simulation import LONGEST, Order, Result, simulate
from cellctl_sim.summary import Body, alarms, summary
from cellctl_sim.wanted import read_orders

if TYPE_CHECKING:
    from cellctl_sim.study import Estimate

Faults = Iterable[Mapping[str, object] | Disturbance]


class LineRefused(CellctlError):
    """A line file with errors; the message shows them."""

    def __init__(self, path: Path, findings: str) -> None:
        self.path = path
        super().__init__(f"{path} has errors\n\n{findings}".rstrip())


class NotFound(CellctlError):
    """A line, recipe or order that is not what it is called."""


def load(name: str, root: Path) -> SimulatedLine:
    """The line of this name or path, as seen from the directory `root`. Raises NotFound, LineRefused."""
    with chdir(root):
        try:
            path = find_line(name)
        except click.UsageError as error:
            raise NotFound(error.format_message()) from None
    line, report = read_line(path)
    if line is None:
        raise LineRefused(path, report.render())
    return SimulatedLine(line, path, root)


@dataclass(slots=True)
class SimulatedLine:
    """A line and what is ordered on it; every `run` begins with an empty line."""

    line: Line
    path: Path
    root: Path
    orders: list[Order] = field(default_factory=list)

    def order(self, what: str, quantity: int = 1) -> SimulatedLine:
        """Order so many parts of a `recipe/variant`; itself, so that orders can be chained.

        Raises NotFound for a recipe that is not there, RecipeRefused for one that the line cannot make.
        """
        with chdir(self.root):
            try:
                (order,) = read_orders([f"{what}:{quantity}"], self.path, self.line)
            except click.UsageError as error:
                raise NotFound(error.format_message()) from None
        name = order.id.partition("-")[2]
        self.orders.append(replace(order, id=f"{len(self.orders) + 1}-{name}"))
        return self

    def run(self, until: str | float = LONGEST, seed: int = 0, faults: Faults = ()) -> Run:
        """Run until every order is complete, at most until a virtual time: seconds, or `"8 h"`.

        Faults are written as in the file of `cellctl sim --faults`: `{"at": "12 s", "device": "belt.drive", ...}`.

        Raises UnitError, pydantic.ValidationError for a fault, and what `simulate` raises.
        """
        given = _faults(faults)
        return Run(self.line, simulate(self.line, self.orders, seed, _seconds(until), given), seed, given)

    def study(
        self,
        seeds: Iterable[int],
        until: str | float = LONGEST,
        faults: Faults = (),
        processes: int = 1,
    ) -> dict[str, Estimate]:
        """Means over a run with each seed, with confidence intervals: throughput_per_hour, makespan_s, yield_ratio."""
        from cellctl_sim.study import Experiment, estimates, run_all

        experiment = Experiment(self.line, tuple(self.orders), _seconds(until), tuple(_faults(faults)))
        return estimates(list(run_all(experiment, list(seeds), processes)))


def _seconds(until: str | float) -> float:
    return parse_quantity(until, Dimension.DURATION).value if isinstance(until, str) else until


def _faults(faults: Faults) -> list[Disturbance]:
    return [read_disturbances([fault])[0] if isinstance(fault, Mapping) else fault for fault in faults]


@dataclass(frozen=True)
class Run:
    """What one run came to. Times in seconds, shares 0 to 1; everything else is in `result`."""

    line: Line
    result: Result
    seed: int
    faults: Sequence[Disturbance] = ()

    @cached_property
    def data(self) -> Body:
        """The same keys as `cellctl sim --json` has."""
        return summary(self.result, self.seed, self.line)

    @property
    def is_complete(self) -> bool:
        """Whether every order is."""
        return self.result.complete

    @property
    def parts_made(self) -> int:
        return self.result.report.parts_made

    @property
    def parts_scrapped(self) -> int:
        return self.result.report.parts_scrapped

    @property
    def parts_in_flight(self) -> int:
        """Begun, and neither good nor scrap at the end."""
        return self.result.report.parts_in_flight

    @property
    def makespan(self) -> float:
        """From the first command to the last answer [s]."""
        return self.result.report.makespan_s

    @property
    def cycle_time(self) -> float | None:
        """Between good parts, mean over the run [s]; None with fewer than two."""
        return self.result.report.cycle_time_s

    @property
    def throughput_per_hour(self) -> float | None:
        """Good parts over the makespan."""
        found: float | None = self.data["throughput_per_hour"]
        return found

    @property
    def utilisation(self) -> dict[str, float]:
        """Module -> share of the makespan in which it did something."""
        return self.result.report.modules

    @property
    def alarms(self) -> list[str]:
        """Codes of the alarms that were raised, in order; `data["alarms"]` has their words."""
        return [alarm["code"] for alarm in alarms(self.result)]

    @property
    def trace_sha256(self) -> str:
        """The hash of every effect: the same as long as nothing at all behaves differently."""
        return self.result.trace

    @cached_property
    def findings(self) -> list[Finding]:
        """What the checkers of `cellctl crashtest` find: parts lost or made twice, stations too full, and so on."""
        return check(evidence_of(self.line, self.result))

    def assert_well(self) -> None:
        """Every order is complete, and no checker finds anything. Raises AssertionError that says what is wrong."""
        __tracebackhide__ = True
        wrong = [] if self.is_complete else ["not every order was made", *self.data["waiting"]]
        wrong += [str(finding) for finding in self.findings]
        if wrong:
            raise AssertionError("\n".join([f"{self.line.name}, seed {self.seed}:", *wrong]))

    def draw(self, path: Path) -> None:
        """Write the Gantt picture of the run as an SVG file."""
        from cellctl_sim.picture import draw

        path.write_text(draw(self.line, self.result, self.faults), "utf-8")
