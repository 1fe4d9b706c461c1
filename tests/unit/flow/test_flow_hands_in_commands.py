"""An item that a person puts right inside an unfinished command stays there, and its part asks a person."""

from __future__ import annotations

import pytest

from cellctl.flow.decide import decide
from cellctl.flow.events import Answered, Corrected, Moved
from cellctl.flow.fold import apply, fold
from cellctl.messages import Move


@pytest.fixture
def loading(small_line, cup_recipe, ordered):
    """A housing on its way to the belt: the state, and the job that brings it there."""
    state, ready = ordered(cup_recipe, 1), frozenset(small_line.modules)
    while True:
        state = fold(decide(state, small_line, ready, 0.0), state)
        job = next(iter(state.commands().values()))
        if job.step == "load":
            return state, job
        moves = tuple(Move(i.id, i.target) for i in job.items if i.target)
        state = apply(state, Answered(job.command, "done", moves))


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_the_part_asks_a_person_whatever_the_command_ended_with(loading, outcome):
    state, job = loading
    item = job.items[0]
    state = apply(state, Moved(job.command, 0, Move(item.id, "arm.gripper")))
    state = apply(state, Corrected(item.id, "feeder.pick", "me"))
    moves = (Move(item.id, "arm.gripper"), Move(item.id, item.target))
    state = apply(state, Answered(job.command, outcome, moves))
    assert state.places()[item.id] == "feeder.pick"
    assert state.parts["p1"].asking.outcome == "corrected"
    assert state.parts["p1"].done == ()
    assert state.jobs == {}


def test_a_command_that_was_cancelled_before_anything_happened_is_given_again(loading, small_line):
    state, job = loading
    state = apply(state, Corrected(job.items[0].id, "", "me"))
    state = apply(state, Answered(job.command, "cancelled"))
    assert state.parts["p1"].asking is None
    following = decide(state, small_line, frozenset(small_line.modules), 0.0)
    assert [event.skill for event in following] == ["feed"]


def test_a_component_taken_away_while_it_is_fed_is_gone(small_line, cup_recipe, ordered):
    state = ordered(cup_recipe, 1)
    state = fold(decide(state, small_line, frozenset(small_line.modules), 0.0), state)
    job = next(job for job in state.commands().values() if job.skill == "feed")
    item = job.items[0]
    state = apply(state, Corrected(item.id, "", "me"))
    state = apply(state, Answered(job.command, "done", (Move(item.id, item.target),)))
    assert item.id not in state.places()
    assert state.jobs == {}
