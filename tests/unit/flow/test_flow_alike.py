"""When the runner need not decide again: in a state that differs in nothing that a decision depends on."""

from __future__ import annotations

import pytest

from cellctl.flow.claims import reserved
from cellctl.flow.decide import are_alike, decide
from cellctl.flow.events import (
    Dispatched,
    Drained,
    JournalSeen,
    ModuleOut,
    Moved,
    OrderCancelled,
    OrderPrioritised,
)
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import FlowState
from cellctl.messages import Head, Move


@pytest.fixture
def under_way(small_line, cup_recipe, ordered) -> FlowState:
    """Two parts are ordered, and what may begin has begun."""
    state = ordered(cup_recipe, 2)
    return fold(decide(state, small_line, frozenset(small_line.modules), 0.0), state)


def test_nothing_follows_from_a_state_in_which_everything_is_decided(small_line, under_way):
    assert decide(under_way, small_line, frozenset(small_line.modules), 9.0) == ()


def test_how_far_a_journal_was_seen_changes_no_decision(under_way):
    seen = apply(under_way, JournalSeen("arm", Head(7, "ab")))
    assert seen != under_way
    assert are_alike(seen, under_way)


@pytest.mark.parametrize(
    "event",
    [
        ModuleOut("press", "ann"),
        Drained(True, "ann"),
        OrderCancelled("o1", "ann"),
        OrderPrioritised("o1", 3, "ann"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_whatever_else_happens_has_to_be_decided_on(under_way, event):
    assert not are_alike(apply(under_way, event), under_way)


def test_a_move_has_to_be_decided_on(under_way):
    command = min(under_way.commands().values(), key=lambda job: job.command)
    moved = Moved(command.command, 0, Move(command.items[0].id, command.items[0].target), Head())
    assert not are_alike(apply(under_way, moved), under_way)


def test_a_job_keeps_its_target_free_until_the_item_is_there(small_line, under_way):
    (job,) = (job for job in under_way.jobs.values() if job.skill == "feed")
    assert reserved(under_way, small_line, job) == ["feeder.pick"]
    fed = apply(under_way, Moved(job.command, 0, Move(job.items[0].id, "feeder.pick"), Head()))
    assert reserved(fed, small_line, job) == []
    assert fed.place_of(job.items[0].id) == "feeder.pick"
    assert fed.place_of("nobody") is None


def test_when_no_module_takes_commands_parts_still_end(small_line, cup_recipe, ordered, play):
    state, events = play(ordered(cup_recipe, 1), small_line)
    last = max(i for i, event in enumerate(events) if isinstance(event, Dispatched))
    before = fold(events[: last + 2], ordered(cup_recipe, 1))
    assert [type(event).__name__ for event in decide(before, small_line, frozenset(), 0.0)] == ["PartEnded"]
    assert state.parts == {}
