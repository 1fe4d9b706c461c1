"""The steady cycle of a line, against a line that is played part by part, and against all orders."""

from __future__ import annotations

import math
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.errors import UnknownName
from cellctl.plan.errors import BadPlan, NoSchedule
from cellctl.plan.event_graph import matrix
from cellctl.plan.line_cycle import LineStep, LineTable, Turn, cycle_time
from cellctl.plan.line_order import best_line_cycle
from cellctl.plan.maxplus import eigenvalue


def puck_line(load=2.0, board=2.5, lid=2.5, advance=2.0, press=4.0, measure=1.5) -> list[LineStep]:
    """One arm, a belt with three stops, a press and a gauge beside it."""
    return [
        LineStep("load", load, ("arm",), takes=("belt.load",)),
        LineStep("board", board, ("arm",), after=("load",)),
        LineStep("lid", lid, ("arm",), after=("board",)),
        LineStep("to_press", advance, ("belt",), ("lid",), ("belt.press",), ("belt.load",)),
        LineStep("press", press, ("press",), after=("to_press",)),
        LineStep("to_gauge", advance, ("belt",), ("press",), ("belt.gauge",), ("belt.press",)),
        LineStep("measure", measure, ("gauge",), after=("to_gauge",)),
        LineStep("out", advance, ("belt",), ("measure",), (), ("belt.gauge",)),
    ]


def tended(first: float, second: float, move: float = 3.0) -> list[LineStep]:
    """One robot tends two machines in a row."""
    return [
        LineStep("in", move, ("robot",), takes=("A",)),
        LineStep("a", first, ("A",), after=("in",)),
        LineStep("over", move, ("robot",), ("a",), ("B",), ("A",)),
        LineStep("b", second, ("B",), after=("over",)),
        LineStep("out", move, ("robot",), ("b",), (), ("B",)),
    ]


def played(steps, order, parts=60) -> float:
    """Pace of a line that is played: each step of each part begins as soon as all that it waits for has ended."""
    ends: dict[tuple[str, int], float] = {}
    named = {step.name: step for step in steps}
    freed_by = {station: step.name for step in steps for station in step.frees}

    def before(name: str, part: int) -> list[tuple[str, int]]:
        step = named[name]
        needs = [(other, part) for other in step.after]
        needs += [(freed_by[station], part - 1) for station in step.takes]
        for module in step.modules:
            turns = order[module]
            k = next(k for k, turn in enumerate(turns) if turn.step == name)
            round_before = part + turns[k].behind - (k == 0)
            needs.append((turns[k - 1].step, round_before - turns[k - 1].behind))
        return needs

    def end(name: str, part: int) -> float:
        if part < 0:
            return 0.0
        if (name, part) not in ends:
            ends[name, part] = max(end(*one) for one in before(name, part)) + named[name].duration
        return ends[name, part]

    for part in range(parts):
        end(steps[-1].name, part)
    last = steps[-1].name
    return (end(last, parts - 1) - end(last, parts // 2 - 1)) / (parts - parts // 2)


durations = st.integers(1, 20).map(float)


@settings(max_examples=30, deadline=None)
@given(durations, durations, durations, durations)
def test_the_cycle_is_the_pace_of_the_line_when_it_is_played(load, lid, press, measure):
    steps = puck_line(load=load, lid=lid, press=press, measure=measure)
    belt = (Turn("out", 2), Turn("to_gauge", 1), Turn("to_press", 0))
    cycle = cycle_time(steps, order={"belt": belt})
    assert cycle.period == pytest.approx(played(steps, cycle.order), abs=1e-9)


def test_the_cycle_is_the_eigenvalue_of_the_event_graph_as_a_matrix():
    table = LineTable(tended(10, 12), {})
    graph = [*table.sequence(), *table.turns(table.complete({})), *table.single_stays()]
    assert cycle_time(tended(10, 12)).period == pytest.approx(eigenvalue(matrix(5, graph)))


def test_without_an_order_a_module_finishes_one_part_before_the_next():
    assert cycle_time(tended(10, 12)).period == 31.0  # all of it, one after the other


def test_the_best_order_overlaps_parts():
    cycle = best_line_cycle(tended(10, 12))
    assert cycle.period == cycle.bound == 18.0  # what B takes: bring 3, work 12, fetch 3
    assert cycle.utilisation == pytest.approx({"robot": 0.5, "A": 10 / 18, "B": 12 / 18})
    assert cycle.occupancy["B"] == 1.0
    assert {turn.step: turn.behind for turn in cycle.order["robot"]}["out"] == 1
    assert set(cycle.critical) == {"over, then b", "b, then out", "robot: out, then over"}


@settings(max_examples=10, deadline=None)
@given(durations, durations, st.integers(1, 6).map(float))
def test_no_order_of_the_robot_is_better_than_the_best(first, second, move):
    steps = tended(first, second, move)
    periods = []
    for (over, out), lags in product(permutations(["over", "out"]), product(range(3), repeat=2)):
        behind = dict(zip(("over", "out"), lags, strict=True))
        order = {"robot": (Turn("in"), Turn(over, behind[over]), Turn(out, behind[out]))}
        try:
            periods.append(cycle_time(steps, order=order).period)
        except NoSchedule:
            continue
    best = best_line_cycle(steps)
    assert best.period == pytest.approx(min(periods), rel=1e-6)
    assert best.bound == best.period


def test_the_station_before_the_bottleneck_waits_and_is_named():
    cycle = best_line_cycle(puck_line())
    assert cycle.period == 9.0  # load, board, lid, and the belt takes the housing away
    assert cycle.occupancy["belt.load"] == 1.0
    assert "belt.load: load waits for to_press" in cycle.critical
    assert cycle.starts["load"] == 0.0


def test_a_buffer_of_two_places_frees_the_arm():
    steps = puck_line(press=2.0)
    assert best_line_cycle(steps).period == 9.0
    assert best_line_cycle(steps, {"belt.load": 2}).period == 7.0  # now it is the arm itself


def test_a_station_to_which_a_part_returns_is_held_for_one_stay_at_a_time():
    there_and_back = [
        LineStep("in", 3.0, ("robot",), takes=("A",)),
        LineStep("a", 10.0, ("A",), after=("in",)),
        LineStep("over", 3.0, ("robot",), ("a",), ("B",), ("A",)),
        LineStep("b", 12.0, ("B",), after=("over",)),
        LineStep("back", 3.0, ("robot",), ("b",), ("A",), ("B",)),
        LineStep("again", 5.0, ("A",), after=("back",)),
        LineStep("out", 3.0, ("robot",), ("again",), (), ("A",)),
    ]
    cycle = best_line_cycle(there_and_back)
    assert cycle.period == 39.0  # the next part could enter A meanwhile, but then neither could go on
    assert cycle.order["A"] == (Turn("in"), Turn("back"))


def test_an_order_in_which_everything_waits_for_something_is_named():
    order = {"robot": (Turn("in", 0), Turn("over", 2), Turn("out", 2))}
    with pytest.raises(NoSchedule, match="robot: in, then over") as caught:
        cycle_time(tended(10, 12), order=order)
    assert any("A: in waits for over" in why for why in caught.value.circuit)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "no steps"),
        ([LineStep("a", 1.0, ("m",))] * 2, "two steps have one name"),
        ([LineStep("a", -1.0, ("m",))], "a duration of -1 s"),
        ([LineStep("a", math.inf, ("m",))], "a duration of inf s"),
        ([LineStep("a", 1.0, ("m",), after=("b",)), LineStep("b", 1.0, ("m",))], "b, which stands below it"),
        ([LineStep("a", 1.0, ("m",), takes=("s",))], "takes s, and no later step frees it"),
        ([LineStep("a", 1.0, ())], "nothing limits the pace"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(steps, words):
    for ask in (cycle_time, best_line_cycle):
        with pytest.raises(BadPlan, match=words):
            ask(steps)


def test_an_order_that_does_not_fit_the_table_is_refused():
    with pytest.raises(BadPlan, match="leaves out a step"):
        cycle_time(tended(1, 1), order={"robot": (Turn("in"), Turn("out"))})
    with pytest.raises(UnknownName, match="robot"):
        cycle_time(tended(1, 1), order={"robto": (Turn("in"),)})
    with pytest.raises(UnknownName, match="no step is called 'loda'"):
        cycle_time([LineStep("load", 1.0, ("m",)), LineStep("b", 1.0, ("m",), after=("loda",))])
