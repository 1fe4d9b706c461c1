"""Shortening a failure: the fewest faults that still fail, the usual latencies, the fewest parts, round times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cellctl_sim.aimed_kills import EffectKill
from cellctl_sim.checkers import Finding
from cellctl_sim.crash_search import Trial
from cellctl_sim.process_faults import ProcessFault
from cellctl_sim.scenario import USUAL, Latencies, Scenario
from cellctl_sim.shrink import shortest_failing, shrink
from cellctl_sim.simulation import Order

Fails = Callable[[Scenario], bool]


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30), max_size=4))
def test_what_is_left_is_exactly_what_is_needed(items: set[int], needed: set[int]) -> None:
    items |= needed
    assert shortest_failing(sorted(items), lambda kept: needed <= set(kept)) == sorted(needed)


@given(st.lists(st.sets(st.integers(0, 11), min_size=1, max_size=4), min_size=1, max_size=3))
def test_none_of_what_is_left_can_be_left_out_alone(reasons: list[set[int]]) -> None:
    def fails(kept: list[int]) -> bool:
        return any(reason <= set(kept) for reason in reasons)

    kept = shortest_failing(range(12), fails)
    assert fails(kept)
    assert not any(fails([other for other in kept if other != one]) for one in kept)


def kill(process: str, at: float, lasts: float = 0.7333) -> ProcessFault:
    return ProcessFault.model_validate({"process": process, "fault": "kill", "at": at, "for": lasts})


def order(number: int, quantity: int) -> Order:
    return Order(f"o{number}", "", "puck.yaml", "", quantity)


def attempting(
    fails: Fails, checker: str = "lost", struck: tuple[ProcessFault, ...] = ()
) -> Callable[..., Trial]:
    """A line that fails in scenarios of this kind, and otherwise in another way wherever something is disturbed."""

    def attempt(scenario: Scenario) -> Trial:
        if fails(scenario):
            return Trial(scenario, [Finding(checker, "p1")], None, list(struck if scenario.kills else ()))
        other = [Finding("another", "p2")] if scenario.disturbances else []
        return Trial(scenario, other)

    return attempt


def processes(scenario: Scenario) -> list[str]:
    return [fault.process for fault in scenario.faults if isinstance(fault, ProcessFault)]


NAMES = ("belt", "arm", "press", "gauge", "io2")
LONG = Scenario(
    7,
    "operator",
    (order(1, 3), order(2, 2)),
    Latencies(0.01, 0.02, {"belt": 0.1, "arm": 0.05}),
    tuple(kill(name, 10.0 + 1.23456 * i) for i, name in enumerate(NAMES)),
    (),
    60,
)


def test_two_faults_that_only_fail_together_stay_and_all_else_goes() -> None:
    attempt = attempting(lambda scenario: {"arm", "gauge"} <= set(processes(scenario)))
    shortest = shrink(attempt(LONG), attempt).scenario
    assert processes(shortest) == ["arm", "gauge"]
    assert shortest.latencies == USUAL
    assert (shortest.restart, shortest.longest) == ("automatic", 20_000)
    assert [order.quantity for order in shortest.orders] == [1]


def test_what_the_failure_needs_of_latencies_and_parts_stays() -> None:
    def fails(scenario: Scenario) -> bool:
        return (
            "arm" in processes(scenario)
            and scenario.latencies.disks.get("arm") == 0.05
            and max(order.quantity for order in scenario.orders) >= 2
        )

    attempt = attempting(fails)
    shortest = shrink(attempt(LONG), attempt).scenario
    assert shortest.latencies == replace(USUAL, disks={"arm": 0.05})
    assert [order.quantity for order in shortest.orders] == [2]


def test_times_are_as_round_as_the_failure_allows() -> None:
    def fails(scenario: Scenario) -> bool:
        return any(
            fault.process == "arm" and 11.2 < fault.at < 11.3
            for fault in scenario.faults
            if isinstance(fault, ProcessFault)
        )

    attempt = attempting(fails)
    (fault,) = shrink(attempt(LONG), attempt).scenario.faults
    assert (fault.at, fault.lasts) == (11.23, 0.73)


def test_another_failure_is_not_taken_for_this_one() -> None:
    attempt = attempting(lambda scenario: len(scenario.disturbances) == 5)
    shortest = shrink(attempt(LONG), attempt)
    assert len(shortest.scenario.disturbances) == 5
    assert [finding.checker for finding in shortest.trial.findings] == ["lost"]


def test_a_kill_aimed_at_an_effect_becomes_one_at_an_instant() -> None:
    aimed = EffectKill.model_validate({"effect": 12, "for": 1.0})
    struck = kill("arm", 12.0, 1.0)
    attempt = attempting(lambda s: bool(s.kills) or struck in s.faults, struck=(struck,))
    scenario = Scenario(1, "automatic", (order(1, 1),), USUAL, (), (aimed,))
    shortest = shrink(attempt(scenario), attempt).scenario
    assert (shortest.faults, shortest.kills) == ((struck,), ())


def test_no_more_trials_are_made_than_allowed() -> None:
    tried: list[Scenario] = []
    judge = attempting(lambda scenario: len(scenario.disturbances) >= 2)

    def attempt(scenario: Scenario) -> Trial:
        tried.append(scenario)
        return judge(scenario)

    shrunk = shrink(judge(LONG), attempt, most_runs=5)
    assert shrunk.runs == len(tried) == 5
