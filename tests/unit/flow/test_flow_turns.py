"""An order with turns: what an arm does next, when it waits for its turn, and when it does not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cellctl.flow.decide import decide
from cellctl.flow.events import (
    Answered,
    Dispatched,
    Drained,
    FlowEvent,
    OrderCancelled,
    OrderPrioritised,
    OrderTaken,
    RecipeTaken,
)
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import Component, FlowState, Job, Turn
from cellctl.flow.turns import decide_by_turns, is_in_step, next_turn
from cellctl.line.model import Line
from cellctl.messages import Move
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Works

TURNS = {"arm": (Turn("load"), Turn("out", 1), Turn("over"))}  # the next part comes before the last one goes
ARM = {"": ("arm",)}


@pytest.fixture
def carried() -> Executable:
    """The arm loads, carries over, and takes away."""
    steps = (
        Step("load", "transfer", Works.MOVES, ARM, take="housing", to=("belt.load",)),
        Step("over", "transfer", Works.MOVES, ARM, to=("belt.gauge",), needs=("load",),
             routes={"missed": Route(retry=5)}),
        Step("out", "transfer", Works.MOVES, ARM, to=("arm.bin",), needs=("over",)),
    )  # fmt: skip
    scrap = (Step("bin", "transfer", Works.MOVES, ARM, to=("arm.bin",)),)
    return Executable("carried", 1, "", "digest", steps, scrap)


def taken(recipe: Executable, quantity: int = 5, turns: dict[str, tuple[Turn, ...]] = TURNS) -> FlowState:
    return fold([RecipeTaken("digest", recipe), OrderTaken("o1", "digest", quantity, turns=turns)])


def sent(events: tuple[FlowEvent, ...]) -> list[tuple[str, tuple[str, ...]]]:
    return [(e.step, e.parts) for e in events if isinstance(e, Dispatched) and e.step]


def play(state: FlowState, line: Line, step: str, outcome: str = "done", feeds: int = 9) -> FlowState:
    """The state after the first command of a step, which ends so; only so many feeds have ended by then."""
    for _ in range(50):
        state = fold(decide_by_turns(state, line, frozenset(line.modules), 0.0), state)
        for job in state.commands().values():
            feeds -= not job.step
            if job.step or feeds >= 0:
                state = apply(state, answer(job, outcome if job.step == step else "done"))
            if job.step == step:
                return state
    raise AssertionError(f"{step} never comes")


def answer(job: Job, outcome: str) -> Answered:
    moves = tuple(Move(item.id, item.target) for item in job.items if outcome == "done")
    return Answered(job.command, outcome, moves)


def decided(state: FlowState, line: Line, without: str = "") -> list[tuple[str, tuple[str, ...]]]:
    return sent(decide_by_turns(state, line, frozenset(line.modules) - {without}, 0.0))


@pytest.fixture
def over(small_line: Line, carried: Executable) -> FlowState:
    """The first part stands at the gauge; a second housing lies ready."""
    state = play(taken(carried), small_line, "over")
    return fold([answer(job, "done") for job in state.commands().values()], state)


@pytest.fixture
def feeding(small_line: Line, carried: Executable) -> FlowState:
    """The same, while the second housing is still being fed."""
    return play(taken(carried), small_line, "over", feeds=1)


def test_a_module_does_what_is_next_in_turn_and_not_what_came_first(
    over: FlowState, small_line: Line
) -> None:
    assert sent(decide(over, small_line, frozenset(small_line.modules), 0.0)) == [("out", ("p1",))]
    assert decided(over, small_line) == [("load", ("p2",))]


def test_it_waits_for_a_turn_that_comes_by_itself(feeding: FlowState, small_line: Line) -> None:
    assert feeding.commands()
    assert decided(feeding, small_line) == []
    fed = fold([answer(job, "done") for job in feeding.commands().values()], feeding)
    assert decided(fed, small_line) == [("load", ("p2",))]


def test_it_does_not_wait_for_a_module_that_takes_no_commands(feeding: FlowState, small_line: Line) -> None:
    assert decided(feeding, small_line, without="feeder") == [("out", ("p1",))]


def test_it_does_not_wait_for_what_has_run_out(feeding: FlowState, small_line: Line) -> None:
    ran_out = fold([answer(job, "empty") for job in feeding.commands().values()], feeding)
    assert decided(ran_out, small_line) == [("out", ("p1",))]


def test_parts_that_are_not_begun_any_more_have_no_turns(over: FlowState, small_line: Line) -> None:
    for event in (Drained(True, "me"), OrderCancelled("o1", "me")):
        state = apply(over, event)
        assert next_turn(state, state.orders["o1"], "arm") == ("out", 0)
        assert decided(state, small_line) == [("out", ("p1",))]


def test_a_part_that_did_something_twice_has_no_turns_and_goes_when_it_can(
    small_line: Line, carried: Executable
) -> None:
    missed = play(taken(carried), small_line, "over", "missed")
    assert is_in_step(missed.parts["p1"])
    again = play(missed, small_line, "over")
    assert not is_in_step(again.parts["p1"])
    assert next_turn(again, again.orders["o1"], "arm") == ("load", 1)
    assert decided(again, small_line) == [("out", ("p1",))]


def test_less_urgent_orders_begin_only_where_the_turns_leave_room(
    small_line: Line, carried: Executable
) -> None:
    ready = frozenset(small_line.modules)
    feeding = fold(decide_by_turns(taken(carried), small_line, ready, 0.0), taken(carried))
    steps = (replace(carried.steps[0], take="lid"),)
    other = [RecipeTaken("other", replace(carried, steps=steps)), OrderTaken("o2", "other", 1)]
    lying = {**feeding.components, "c9": Component("c9", "lid", "feeder.pick")}
    state = fold(other, replace(feeding, components=lying))
    assert sent(decide(state, small_line, ready, 0.0)) == [("load", ("p1",))]
    assert decided(state, small_line) == []
    assert decided(apply(state, OrderPrioritised("o2", 1, "me")), small_line) == [("load", ("p1",))]


def test_the_last_turns_are_served_and_then_there_are_none(small_line: Line, carried: Executable) -> None:
    state = taken(carried, 1)
    for step in ("load", "over", "out"):
        assert next_turn(state, state.orders["o1"], "arm") == (step, 0)
        state = play(state, small_line, step)
    assert next_turn(state, state.orders["o1"], "arm") is None


def test_a_module_without_turns_has_no_next_one(over: FlowState) -> None:
    assert next_turn(over, over.orders["o1"], "belt") is None
