"""The plan of an order mix on a line: how long each step takes, from part to part, what sets the pace, what is idle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from cellctl.line.model import Line
from cellctl.plan.deadlock import Verdict, decide_jams
from cellctl.plan.flow_run import FlowRun, Wanted, flow_run
from cellctl.plan.gantt import Bar, Row
from cellctl.plan.steady import Pace, pace
from cellctl.plan.timing import USUAL, Duration, Talk

MOST_PARTS = 60  # that are run on paper; of more, the same mix of so many


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step over all parts, each from the arrival of its command to its end [s].

    `is_guess`: no driver says how long it takes.
    """

    step: str
    modules: tuple[str, ...]
    count: int
    takes: Duration
    is_guess: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan. `cycle` is from part to part [s], None for a single part; `parts` were run, of `ordered` ones."""

    parts: int
    ordered: int
    cycle: Duration | None
    makespan: Duration
    modules: dict[str, float]  # the share of time in which each is busy, 0 to 1
    steps: tuple[StepPlan, ...]
    paces: tuple[Pace, ...]
    verdict: Verdict
    run: FlowRun

    @property
    def bottleneck(self) -> str:
        """The busiest module."""
        return max(self.modules, key=lambda name: self.modules[name], default="")

    @property
    def per_hour(self) -> float | None:
        """Parts in an hour at this cycle."""
        return 3600.0 / self.cycle.likely if self.cycle else None


def plan(line: Line, wanted: Sequence[Wanted], optimal: bool = False, talk: Talk = USUAL) -> Plan:
    """The plan of these orders; with `optimal` the best order of each variant's work, too.

    Raises BadPlan, MotionError, NoStraightWay where something cannot be predicted or done.
    """
    verdict = decide_jams(line, [each.executable for each in wanted])
    mix = _fewer(wanted)
    runs = {which: flow_run(line, mix, verdict.known, which, talk) for which in ("least", "likely", "most")}
    run = runs["likely"]
    cycles = [each.cycle_time for each in runs.values()]
    return Plan(
        parts=sum(each.quantity for each in mix),
        ordered=sum(each.quantity for each in wanted),
        cycle=_between(*(x for x in cycles if x is not None)) if None not in cycles else None,
        makespan=_between(*(each.makespan for each in runs.values())),
        modules=run.busy(),
        steps=_steps(run, talk),
        paces=tuple(
            pace(line, run, each.executable, str(order), optimal, talk)
            for order, each in enumerate(mix, start=1)
        ),
        verdict=verdict,
        run=run,
    )


def timeline(run: FlowRun) -> tuple[Row, ...]:
    """A row for each module with all that it does, for `cellctl.plan.gantt`; parts differ in colour."""
    bars: dict[str, list[Bar]] = {}
    for done in run.done:
        parts = " ".join(done.command.parts)
        label = f"{done.command.step or done.command.skill} {parts}".strip()
        bars.setdefault(done.command.module, []).append(Bar(done.began, done.ended, label, parts or "feed"))
    return tuple(Row(name, tuple(own)) for name, own in bars.items())


def _fewer(wanted: Sequence[Wanted]) -> list[Wanted]:
    total = sum(each.quantity for each in wanted)
    share = min(1.0, MOST_PARTS / total)
    return [replace(each, quantity=ceil(share * each.quantity)) for each in wanted]


def _between(least: float, likely: float, most: float) -> Duration:
    """Shorter steps seldom make a longer run, but they may: another order of dispatch."""
    return Duration(min(least, likely), likely, max(likely, most))


def _steps(run: FlowRun, talk: Talk) -> tuple[StepPlan, ...]:
    names = dict.fromkeys(
        done.command.step or f"{done.command.skill} ({done.command.module})" for done in run.done
    )
    return tuple(_step(name, run, talk) for name in names)


def _step(name: str, run: FlowRun, talk: Talk) -> StepPlan:
    own = [d for d in run.done if name in (d.command.step, f"{d.command.skill} ({d.command.module})")]
    own = [d for d in own if bool(d.command.step) == (d.command.step == name)]
    takes = Duration.among(done.takes(talk) for done in own)
    modules = tuple(sorted({done.command.module for done in own}))
    return StepPlan(name, modules, len(own), takes, any(done.course.is_guess for done in own))
