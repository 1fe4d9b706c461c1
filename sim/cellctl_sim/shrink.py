"""From a failing scenario to the shortest that fails alike: few faults, usual latencies, few parts, round times.

    shrunk = shrink(scenario, findings, attempt)    # attempt(scenario) -> Trial
    shrunk.scenario.disturbances                    # none of which can be left out

The list is shortened by delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
IEEE Transactions on Software Engineering 28, 2002). What counts as the same failure is that the same checker speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from typing import TypeVar

from cellctl_sim.aimed_kills import EffectKill, StepKill
from cellctl_sim.checkers import Finding
from cellctl_sim.crash_search import Trial
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import Disturbance, ProcessFault
from cellctl_sim.scenario import LONGEST, USUAL, Latencies, Scenario

MOST_RUNS = 200  # after which what was reached by then is taken
DIGITS = (0, 1, 2, 3)  # of a second, tried in this order

T = TypeVar("T")
Attempt = Callable[[Scenario], Trial]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The shortest scenario that was found, the trial that shows it, and how many trials it took."""

    trial: Trial
    runs: int

    @property
    def scenario(self) -> Scenario:
        return self.trial.scenario


def signature(findings: Sequence[Finding]) -> frozenset[str]:
    """What a failure is known by: the checkers that spoke; for a world that broke, its kind of error too."""
    return frozenset(
        finding.text.partition("(")[0] if finding.checker == "the_world_goes_on" else finding.checker
        for finding in findings
    )


def shrink(failed: Trial, attempt: Attempt, most_runs: int = MOST_RUNS) -> Shrunk:
    """Shorten a trial that failed. Trials that `attempt` makes must depend on the scenario alone."""
    return _Search(failed, attempt, most_runs).shortest()


class _Search:
    def __init__(self, failed: Trial, attempt: Attempt, most_runs: int) -> None:
        self._best, self._attempt, self._left = failed, attempt, most_runs
        self._wanted = signature(failed.findings)
        self._most_runs = most_runs

    def shortest(self) -> Shrunk:
        self._name_the_struck()
        self._drop_disturbances()
        self._simplify()
        self._drop_parts()
        self._drop_disturbances()
        self._round()
        return Shrunk(self._best, self._most_runs - self._left)

    def _fails(self, scenario: Scenario) -> bool:
        """Try it, and take it for the best so far when it fails alike."""
        if self._left <= 0 or scenario == self._best.scenario:
            return False
        self._left -= 1
        trial = self._attempt(scenario)
        if not self._wanted & signature(trial.findings):
            return False
        self._best = trial
        return True

    def _name_the_struck(self) -> None:
        """Kills at effects and steps become kills at instants, which stay where they are when others go."""
        scenario = self._best.scenario
        if scenario.kills:
            faults = (*scenario.faults, *self._best.struck)
            self._fails(replace(scenario, kills=(), faults=faults))

    def _drop_disturbances(self) -> None:
        scenario = self._best.scenario
        shortest_failing(scenario.disturbances, lambda kept: self._fails(_with(self._best.scenario, kept)))

    def _simplify(self) -> None:
        """The usual settings and latencies, as far as it fails with them."""
        scenario = self._best.scenario
        if not self._fails(replace(scenario, latencies=USUAL)):
            self._simplify_latencies()
        self._fails(replace(self._best.scenario, longest=LONGEST))
        self._fails(replace(self._best.scenario, restart="automatic"))

    def _simplify_latencies(self) -> None:
        for name in self._latencies.disks:
            disks = {other: sync for other, sync in self._latencies.disks.items() if other != name}
            self._fails_with(replace(self._latencies, disks=disks))
        self._fails_with(replace(self._latencies, bus=USUAL.bus))
        self._fails_with(replace(self._latencies, device=USUAL.device))

    @property
    def _latencies(self) -> Latencies:
        return self._best.scenario.latencies

    def _fails_with(self, latencies: Latencies) -> bool:
        return self._fails(replace(self._best.scenario, latencies=latencies))

    def _drop_parts(self) -> None:
        """Fewer orders, then fewer parts of each: one, half, one less."""
        while any(self._fails(fewer) for fewer in _with_fewer_parts(self._best.scenario)):
            pass

    def _round(self) -> None:
        for index in range(len(self._best.scenario.disturbances)):
            for digits in DIGITS:
                scenario = self._best.scenario
                each = list(scenario.disturbances)
                each[index] = rounded(each[index], digits)
                if each[index] == scenario.disturbances[index] or self._fails(_with(scenario, each)):
                    break


def shortest_failing(items: Sequence[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """The items without those that are not needed for `fails`: none that is left can be left out alone (ddmin)."""
    kept, parts = list(items), 2
    if kept and fails([]):
        return []
    while len(kept) > 1:
        for rest in _without_a_part(kept, parts):
            if fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if parts >= len(kept):
                break
            parts = min(2 * parts, len(kept))
    return kept


def _without_a_part(items: Sequence[T], parts: int) -> Iterator[list[T]]:
    """The items without the first, the second, ... of so many parts of them."""
    bounds = [len(items) * i // parts for i in range(parts + 1)]
    for start, end in pairwise(bounds):
        yield [*items[:start], *items[end:]]


def _with(scenario: Scenario, disturbances: Sequence[Disturbance]) -> Scenario:
    faults = tuple(each for each in disturbances if isinstance(each, Fault | ProcessFault))
    kills = tuple(each for each in disturbances if isinstance(each, EffectKill | StepKill))
    return replace(scenario, faults=faults, kills=kills)


def _with_fewer_parts(scenario: Scenario) -> Iterator[Scenario]:
    orders = scenario.orders
    for index, order in enumerate(orders):
        if len(orders) > 1:
            yield replace(scenario, orders=(*orders[:index], *orders[index + 1 :]))
        for quantity in sorted({1, order.quantity // 2, order.quantity - 1}):
            if 0 < quantity < order.quantity:
                fewer = replace(order, quantity=quantity)
                yield replace(scenario, orders=(*orders[:index], fewer, *orders[index + 1 :]))


def rounded(disturbance: Disturbance, digits: int) -> Disturbance:
    """Its times to so many digits of a second, its value to one more significant digit; nothing becomes nothing."""
    match disturbance:
        case EffectKill():
            return disturbance.model_copy(
                update={"delay": round(disturbance.delay, digits), "away": _lasting(disturbance.away, digits)}
            )
        case StepKill():
            return disturbance.model_copy(update={"away": _lasting(disturbance.away, digits)})
        case _:
            at, lasts = round(disturbance.at, digits), _lasting(disturbance.lasts, digits)
            value = _round(disturbance.value, digits)
            return disturbance.model_copy(update={"at": at, "lasts": lasts, "value": value})


def _round(value: float | None, digits: int) -> float | None:
    return value if value is None or value == int(value) else float(f"{value:.{digits + 1}g}")


def _lasting(seconds: float, digits: int) -> float:
    return seconds if seconds == inf else round(seconds, digits) or seconds
