"""Parts that modules find: taken once, where there is room, for an order that wants them; and gone when they left."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cellctl.flow.arrivals import NoRoom, NotNow, Unwanted, arrival, bereft, withdrawal
from cellctl.flow.decide import decide
from cellctl.flow.events import Answered, PartBorn, PartEnded, PartWithdrawn
from cellctl.flow.fold import apply, fold
from cellctl.messages import Announced, Move, Withdrawn


def all_of(line):
    return frozenset(line.modules)


FOUND = Announced("belt", 1, "belt.load")


@pytest.fixture(name="found")
def a_recipe_for_what_is_found(cup_recipe):
    steps = tuple(replace(s, take="") for s in cup_recipe.steps[1:])
    return replace(cup_recipe, announced=True, steps=(replace(steps[0], needs=()), *steps[1:]))


def test_an_announced_part_is_taken_once_by_an_order_that_wants_it(small_line, found, ordered, play):
    state = ordered(found, 1)
    assert decide(state, small_line, all_of(small_line), 0.0) == ()
    state = apply(state, arrival(state, small_line, FOUND, 0.0))
    assert arrival(state, small_line, FOUND, 0.0) is None
    assert isinstance(arrival(state, small_line, Announced("belt", 2, "belt.load"), 0.0), Unwanted)
    state, _ = play(state, small_line)
    assert state.orders["o1"].good == 1


@pytest.mark.parametrize("place", ["belt.load", "belt.load#1", "nosuch.place", "press.nest"])
def test_an_announced_part_is_not_taken_where_it_cannot_be(place, small_line, found, ordered):
    state = ordered(found, 2)
    state = apply(state, arrival(state, small_line, FOUND, 0.0))
    refused = arrival(state, small_line, Announced("belt", 2, place), 0.0)
    assert isinstance(refused, NoRoom)
    assert place in refused.why


def test_while_the_line_is_drained_announced_parts_wait(small_line, found, ordered):
    state = replace(ordered(found, 1), draining=True)
    assert isinstance(arrival(state, small_line, FOUND, 0.0), NotNow)


def test_a_part_that_left_before_it_was_begun_leaves_its_order_as_it_was(small_line, found, ordered):
    state = ordered(found, 1)
    state = apply(state, arrival(state, small_line, FOUND, 0.0))
    state = apply(state, withdrawal(state, Withdrawn("belt", 1), 0.0))
    assert withdrawal(state, Withdrawn("belt", 1), 0.0) is None
    events = decide(state, small_line, all_of(small_line), 0.0)
    assert events == (PartEnded("p1", "withdrawn"),)
    state = fold(events, state)
    assert (state.parts, state.orders["o1"].open) == ({}, 1)


def test_a_part_that_leaves_although_a_command_is_in_hand_for_it_ends_with_that_command(
    small_line, found, ordered
):
    state = ordered(found, 1)
    state = apply(state, arrival(state, small_line, FOUND, 0.0))
    [sent] = decide(state, small_line, all_of(small_line), 0.0)
    left = fold([sent, PartWithdrawn("belt", 1)], state)
    assert bereft(left) == (sent.number,)
    assert decide(left, small_line, all_of(small_line), 0.0) == ()
    for outcome in ("cancelled", "jam"):
        [ended] = decide(apply(left, Answered(sent.number, outcome)), small_line, all_of(small_line), 0.0)
        assert ended == PartEnded("p1", "withdrawn")
    item = sent.items[0]
    picked = apply(left, Answered(sent.number, "done", (Move(item.id, item.target),)))
    later = fold(
        [sent, Answered(sent.number, "done", (Move(item.id, item.target),)), PartWithdrawn("belt", 1)], state
    )
    assert not later.parts["p1"].has_left
    assert bereft(picked) == ()
    assert not any(isinstance(e, PartEnded) for e in decide(picked, small_line, all_of(small_line), 0.0))


def test_what_left_before_it_was_taken_on_never_is(small_line, found, ordered):
    state = ordered(found, 1)
    state = apply(state, withdrawal(state, Withdrawn("belt", 1), 0.0))
    assert arrival(state, small_line, FOUND, 0.0) is None
    assert isinstance(arrival(state, small_line, Announced("belt", 2, "belt.load"), 0.0), PartBorn)
