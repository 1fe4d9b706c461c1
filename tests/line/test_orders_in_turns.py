"""An order that is followed: one arm tends four machines, and what it does next sets the pace."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from cellctl.cli.main import main
from cellctl.cli.orders import read_order, turns_to_follow
from cellctl.compile.order import compile_order_text
from cellctl.flow.events import Dispatched, OrderTaken, PartEnded
from cellctl.flow.state import Turn
from cellctl.line.model import Line
from cellctl.live.line_file import read_line
from cellctl.plan.cycle import plan
from cellctl.plan.flow_run import Wanted
from cellctl.plan.steady import Pace
from cellctl_sim.checkers import check
from cellctl_sim.crash_search import evidence_of
from cellctl_sim.loop import UnhandledError
from cellctl_sim.process_faults import Disturbance, read_disturbances
from cellctl_sim.simulation import Order, Result, simulate

HERE = Path(__file__).parent / "tended"
TEXT = (HERE / "recipe.yaml").read_text("utf-8")
ONE_PERCENT = 0.01
PARTS = 16
RUN_IN = 6  # parts until the line is in its steady state


@pytest.fixture(scope="module")
def line() -> Line:
    found, report = read_line(HERE / "line.yaml")
    assert found is not None, report.render()
    return found


@pytest.fixture(scope="module")
def pace(line: Line) -> Pace:
    executable = compile_order_text(TEXT, "recipe.yaml", "plain", line)
    (found,) = plan(line, [Wanted(executable, 12)], optimal=True).paces
    assert found.best
    return found


def run(line: Line, turns: Any, faults: Sequence[Disturbance] = (), parts: int = PARTS) -> Result:
    order = Order("1", TEXT, "recipe.yaml", "plain", parts, turns=msgspec.to_builtins(turns))
    return simulate(line, [order], until=2000, faults=faults)


@pytest.fixture(scope="module")
def followed(line: Line, pace: Pace) -> Result:
    """The order as it is made in the turns that were planned."""
    return run(line, pace.turns)


def steady(result: Result, first: int = RUN_IN, last: int = PARTS - 4) -> float:
    """From part to part, without the run-in and the run-out [s]."""
    ended = [event.at for event in result.events if isinstance(event, PartEnded)]
    return (ended[last] - ended[first]) / (last - first)


def assert_accounted_for(line: Line, result: Result, parts: int = PARTS) -> None:
    assert result.complete, result.status
    assert result.report.parts_made + result.report.parts_scrapped == parts
    places = [item["place"] for item in result.items]
    assert places.count("arm.done") == result.report.parts_made
    assert places.count("arm.reject") == result.report.parts_scrapped
    assert check(evidence_of(line, result)) == []


def arm_steps(result: Result) -> list[tuple[str, int]]:
    """What the arm did, in order: the step, and the part's number."""
    return [
        (event.step, int(event.parts[0][1:]) - 1)
        for event in result.events
        if isinstance(event, Dispatched) and event.module == "arm"
    ]


def test_a_followed_order_comes_to_the_period_that_was_planned(
    line: Line, pace: Pace, followed: Result
) -> None:
    assert pace.best
    assert pace.best.period == pytest.approx(pace.best.bound, rel=1e-6)
    assert steady(followed) == pytest.approx(pace.best.period, rel=ONE_PERCENT)
    assert_accounted_for(line, followed)


def test_the_same_order_as_it_comes_is_a_tenth_slower(line: Line, pace: Pace) -> None:
    assert pace.best
    assert steady(run(line, {})) > 1.08 * pace.best.period


def test_the_arm_serves_in_its_turns_from_the_first_part_to_the_last(pace: Pace, followed: Result) -> None:
    turns = pace.turns["arm"]
    due = [(turn.step, round_ - turn.behind) for round_ in range(PARTS + 5) for turn in turns]
    assert arm_steps(followed) == [each for each in due if 0 <= each[1] < PARTS]


REJECTS = [
    {"at": "60 s", "device": "arm.gripper", "fault": "miss", "count": 1},
    {"at": "100 s", "device": "gauge.head", "fault": "offset", "value": "2 mm", "count": 1},
    {"at": "200 s", "device": "gauge.head", "fault": "offset", "value": "2 mm", "count": 2},
]


def test_misses_and_rejects_leave_the_turns_and_the_others_go_on_in_them(line: Line, pace: Pace) -> None:
    parts = PARTS + 4
    result = run(line, pace.turns, read_disturbances(REJECTS), parts)
    assert (result.report.parts_scrapped, result.report.retries > 1) == (1, True)
    assert_accounted_for(line, result, parts)
    assert pace.best
    in_step_again = steady(result, parts - 9, parts - 4)
    assert in_step_again == pytest.approx(pace.best.period, rel=ONE_PERCENT)


@pytest.mark.parametrize(("process", "at"), [("runner", 151.0), ("arm", 162.3), ("drill", 170.0)])
def test_killed_processes_go_on_in_turns(line: Line, pace: Pace, process: str, at: float) -> None:
    kills = read_disturbances([{"at": at, "process": process, "fault": "kill", "for": "1.5 s"}])
    result = run(line, pace.turns, kills)
    assert_accounted_for(line, result)
    assert pace.best
    assert steady(result, 9, 12) == pytest.approx(pace.best.period, rel=ONE_PERCENT)


def swarm(line: Line, pace: Pace, seed: int) -> None:
    """Kills of any process, a miss and rejects at random times: all parts are accounted for."""
    rng = random.Random(seed)
    kills = [
        {
            "at": rng.uniform(1, 250),
            "process": rng.choice(["runner", *line.processes]),
            "fault": "kill",
            "for": f"{rng.uniform(0.1, 5):.2f} s",
        }
        for _ in range(rng.randint(1, 4))
    ]
    rejects = {**REJECTS[1], "at": rng.uniform(20, 200), "count": rng.randint(1, 3)}
    faults = read_disturbances([*kills, rejects, {**REJECTS[0], "at": rng.uniform(1, 200)}])
    assert_accounted_for(line, run(line, pace.turns, faults, 6), 6)


@pytest.mark.parametrize("seed", range(3))
def test_kills_misses_and_rejects_together_lose_no_part(line: Line, pace: Pace, seed: int) -> None:
    swarm(line, pace, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 60))
def test_a_long_search_finds_no_kill_that_loses_a_part(line: Line, pace: Pace, seed: int) -> None:
    swarm(line, pace, seed)


def test_the_turns_stand_in_the_journal(line: Line, pace: Pace) -> None:
    result = run(line, pace.turns, parts=1)
    (taken,) = (event for event in result.events if isinstance(event, OrderTaken))
    assert taken.turns == pace.turns
    assert result.status["orders"][0]["in_turns"]


def test_cellctl_sim_follows_where_it_is_asked_to(pace: Pace) -> None:
    asked = ["sim", str(HERE / "line.yaml"), "--order", f"{HERE / 'recipe.yaml'}/plain:5", "--json"]
    makespans = []
    for more in ([], ["--follow"]):
        result = CliRunner().invoke(main, [*asked, *more])
        assert result.exit_code == 0, result.output
        makespans.append(json.loads(result.stdout)["makespan_s"])
    assert makespans[1] < makespans[0]


def test_an_order_that_cannot_be_followed_says_why_and_what_instead() -> None:
    asked = ("sim", "pallets", "--order", "ring/usual:2", "--follow")
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 1
    assert "moves a carrier" in result.stderr
    assert "order it without --follow" in result.stderr


def test_cellctl_order_hands_the_turns_to_the_runner(pace: Pace) -> None:
    wanted = read_order(f"{HERE / 'recipe.yaml'}/plain:5", HERE / "line.yaml")
    handed = turns_to_follow(wanted, HERE / "line.yaml")
    assert msgspec.convert(handed, dict[str, tuple[Turn, ...]]) == pace.turns


def test_two_followed_orders_are_made_one_after_the_other(line: Line, pace: Pace) -> None:
    turns = msgspec.to_builtins(pace.turns)
    orders = [Order(name, TEXT, "recipe.yaml", "plain", 5, turns=turns) for name in ("first", "second")]
    result = simulate(line, orders, until=1000)
    assert result.complete
    loaded = [number for step, number in arm_steps(result) if step == "load"]
    assert all(a < b for a, b in pairwise(loaded))


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ({"arn": [{"step": "load", "behind": 0}]}, "no module is called .*arn"),
        ({"arm": [{"step": "lode", "behind": 0}]}, "no step is called .*lode"),
        ({"arm": [{"step": "load", "behind": -1}]}, "load -1 parts behind"),
        ({"arm": [{"step": "load", "behind": "x"}]}, "turns is .* it should be for each module"),
    ],
)
def test_turns_that_are_not_of_this_line_and_recipe_are_refused(line: Line, turns: Any, words: str) -> None:
    with pytest.raises(UnhandledError, match=words):
        run(line, turns, parts=1)
