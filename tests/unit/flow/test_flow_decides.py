"""What flow decides on a small line."""

from __future__ import annotations

from msgspec.structs import replace

from cellctl.flow.binding import bind, next_steps
from cellctl.flow.decide import decide
from cellctl.flow.events import (
    Answered,
    Corrected,
    Decided,
    Dispatched,
    Drained,
    LotLoaded,
    ModuleOut,
    Moved,
    OrderCancelled,
    OrderTaken,
    PartBorn,
    PartEnded,
    RecipeTaken,
    Snapshot,
)
from cellctl.flow.fold import apply, fold
from cellctl.flow.routes import depending_on
from cellctl.flow.safety import is_safe
from cellctl.flow.state import Asking, Component
from cellctl.messages import LOST, Move
from cellctl.recipe.executable import Route


def all_of(line):
    return frozenset(line.modules)


def test_a_part_goes_through_its_steps_in_order_and_ends_good(small_line, cup_recipe, ordered, play):
    state, events = play(ordered(cup_recipe, 1), small_line)
    steps = [e.step for e in events if isinstance(e, Dispatched) and e.step]
    assert steps == ["load", "to_press", "press", "to_gauge", "measure", "out"]
    assert [e.verdict for e in events if isinstance(e, PartEnded)] == ["good"]
    assert state.parts == {}
    assert state.orders["o1"].is_complete


def test_the_feeder_is_asked_before_the_arm_and_only_for_what_is_needed(
    small_line, cup_recipe, ordered, play
):
    _, events = play(ordered(cup_recipe, 3), small_line)
    feeds = [e for e in events if isinstance(e, Dispatched) and e.skill == "feed"]
    assert len(feeds) == 3
    assert isinstance(events[0], Dispatched)
    assert events[0].skill == "feed"


def test_several_parts_are_in_flight_at_once(small_line, cup_recipe, ordered):
    state, most = ordered(cup_recipe, 5), 0
    for _ in range(200):
        state = fold(decide(state, small_line, all_of(small_line), 0.0), state)
        most = max(most, len(state.parts))
        waiting = sorted(state.commands().values(), key=lambda job: job.command)
        if not waiting:
            break
        job = waiting[-1]
        moves = tuple(Move(i.id, i.target) for i in job.items if i.target)
        state = apply(state, Answered(job.command, "done", moves))
    assert most == 3
    assert state.orders["o1"].good == 5


def test_the_limit_of_work_in_process_is_kept(small_line, cup_recipe, ordered, with_line, play):
    line = with_line(small_line, 1)
    _, events = play(ordered(cup_recipe, 3), line)
    open_parts = 0
    for event in events:
        open_parts += isinstance(event, PartBorn) - isinstance(event, PartEnded)
        assert open_parts <= 1


def test_a_missed_grip_is_tried_again_and_then_a_person_is_asked(small_line, cup_recipe, ordered, play):
    state, events = play(
        ordered(cup_recipe, 1), small_line, lambda job: "missed" if job.step == "load" else "done"
    )
    loads = [e for e in events if isinstance(e, Dispatched) and e.step == "load"]
    assert [load.attempt for load in loads] == [1, 2, 3]
    assert state.parts["p1"].asking.outcome == "missed"
    after = apply(state, Decided("p1", "retry", "me"))
    again, _ = play(after, small_line)
    assert again.orders["o1"].good == 1


def test_a_reject_is_measured_again_once_and_then_scrapped(small_line, cup_recipe, ordered, play):
    state, events = play(
        ordered(cup_recipe, 1), small_line, lambda j: "reject" if j.step == "measure" else "done"
    )
    steps = [e.step for e in events if isinstance(e, Dispatched) and e.step]
    assert steps[-3:] == ["measure", "measure", "bin"]
    assert state.orders["o1"].scrapped == 1


def test_a_part_that_was_never_made_is_scrapped_without_a_movement(small_line, cup_recipe, ordered, play):
    state, _ = play(ordered(cup_recipe, 1), small_line, lambda j: "missed" if j.step == "load" else "done")
    state, events = play(apply(state, Decided("p1", "scrap", "me")), small_line)
    assert [type(e) for e in events] == [PartEnded]


def test_nothing_is_sent_to_a_module_that_is_not_ready_or_taken_out(small_line, cup_recipe, ordered):
    state = ordered(cup_recipe, 1)
    assert decide(state, small_line, frozenset(), 0.0) == ()
    state = apply(state, ModuleOut("feeder", "me"))
    assert decide(state, small_line, all_of(small_line), 0.0) == ()


def test_a_place_change_inside_a_command_frees_the_stop_behind_early(small_line, cup_recipe, ordered, play):
    state, _ = play(ordered(cup_recipe, 1), small_line, most=2000)
    state = ordered(cup_recipe, 2)
    ready = all_of(small_line)
    while True:
        state = fold(decide(state, small_line, ready, 0.0), state)
        advancing = [j for j in state.commands().values() if j.step == "to_press"]
        if advancing:
            break
        job = min(state.commands().values(), key=lambda j: j.command)
        moves = tuple(Move(i.id, i.target) for i in job.items if i.target)
        state = apply(state, Answered(job.command, "done", moves))
    before = {j.step for j in state.jobs.values()}
    assert "load" not in before
    state = apply(state, Moved(advancing[0].command, 0, Move("p1", "belt")))
    while not any(j.step == "load" for j in state.jobs.values()):
        more = decide(state, small_line, ready, 0.0)
        state = fold(more, state)
        feeding = [j for j in state.commands().values() if j.skill == "feed"]
        if not more and not feeding:
            break
        for job in feeding:
            state = apply(state, Answered(job.command, "done", (Move(job.items[0].id, job.items[0].target),)))
    assert any(j.step == "load" for j in state.jobs.values())


def test_a_repeated_answer_changes_nothing(small_line, cup_recipe, ordered):
    state = fold(decide(ordered(cup_recipe, 1), small_line, all_of(small_line), 0.0), ordered(cup_recipe, 1))
    job = next(iter(state.commands().values()))
    event = Answered(job.command, "done", (Move(job.items[0].id, job.items[0].target),))
    once = apply(state, event)
    assert apply(once, event) == once


def test_a_component_carries_its_lot_into_the_part(small_line, cup_recipe, ordered, play):
    state = apply(ordered(cup_recipe, 2), LotLoaded("feeder.pick", "housing", "L7", 1, "me"))
    ready = all_of(small_line)
    for _ in range(3):
        state = fold(decide(state, small_line, ready, 0.0), state)
        for job in list(state.commands().values()):
            moves = tuple(Move(i.id, i.target) for i in job.items if i.target)
            state = apply(state, Answered(job.command, "done", moves))
            if state.parts.get("p1") and state.parts["p1"].lots:
                assert list(state.parts["p1"].lots.values()) == ["L7"]
                return
    raise AssertionError("no component joined")


def test_a_cancelled_order_begins_no_more_parts_and_finishes_those_on_the_line(
    small_line, cup_recipe, ordered, play
):
    state = fold(decide(ordered(cup_recipe, 5), small_line, all_of(small_line), 0.0), ordered(cup_recipe, 5))
    for job in list(state.commands().values()):
        state = apply(state, Answered(job.command, "done", tuple(Move(i.id, i.target) for i in job.items)))
    state = fold(decide(state, small_line, all_of(small_line), 0.0), state)
    assert len(state.parts) == 1
    state, _ = play(apply(state, OrderCancelled("o1", "me")), small_line)
    assert state.orders["o1"].good == 1
    assert state.orders["o1"].is_complete


def test_draining_begins_no_parts(small_line, cup_recipe, ordered):
    state = apply(ordered(cup_recipe, 2), Drained(True, "me"))
    assert decide(state, small_line, all_of(small_line), 0.0) == ()


def test_a_correction_puts_an_item_where_a_person_says(small_line, cup_recipe, ordered, play):
    state, _ = play(ordered(cup_recipe, 1), small_line, lambda j: "jam" if j.step == "to_press" else "done")
    assert state.parts["p1"].asking.outcome == "jam"
    state = apply(state, Corrected("p1", LOST, "me"))
    state = apply(state, Decided("p1", "remove", "me"))
    state, events = play(state, small_line)
    assert events == [PartEnded("p1", "removed")]


def test_the_belt_passes_no_stop_where_a_part_stands(small_line, cup_recipe, ordered, play):
    steps = tuple(s for s in cup_recipe.steps if s.name not in ("to_press", "press"))
    steps = tuple(replace(s, needs=("load",)) if s.name == "to_gauge" else s for s in steps)
    skipping = replace(cup_recipe, recipe="skip", steps=steps)
    state, _ = play(ordered(cup_recipe, 1), small_line, lambda j: "failed" if j.step == "press" else "done")
    assert state.parts["p1"].place == "belt.press"
    state = fold([*_taken(skipping)], state)
    state, _ = play(state, small_line)
    waiting = next(p for p in state.parts.values() if p.order == "o2")
    assert waiting.place == "belt.load"
    step = next(next_steps(state, waiting))
    why = bind(state, small_line, all_of(small_line), (waiting,), step, 0.0)
    assert isinstance(why, str)


def _taken(executable):
    from cellctl.flow.events import OrderTaken, RecipeTaken

    return [RecipeTaken(executable.digest, executable), OrderTaken("o2", executable.digest, 1)]


def test_every_state_on_the_way_is_safe(small_line, cup_recipe, ordered, play):
    _, events = play(ordered(cup_recipe, 4), small_line)
    state = ordered(cup_recipe, 4)
    for event in events:
        state = apply(state, event)
        assert is_safe(state, small_line)


def test_a_route_to_one_of_several_scrap_steps_does_only_that_one_and_those_that_need_it(
    small_line, cup_recipe, ordered, play
):
    other = replace(cup_recipe.scrap[0], name="other_bin")
    after = replace(cup_recipe.scrap[0], name="after_other", needs=("other_bin",), to=("belt.exit",))
    measure = cup_recipe.step("measure")
    measure = replace(measure, routes={"reject": Route(then="other_bin")})
    steps = tuple(measure if step.name == "measure" else step for step in cup_recipe.steps)
    recipe = replace(cup_recipe, steps=steps, scrap=(cup_recipe.scrap[0], other))
    state, events = play(
        ordered(recipe, 1), small_line, lambda j: "reject" if j.step == "measure" else "done"
    )
    assert [e.step for e in events if isinstance(e, Dispatched)][-1] == "other_bin"
    assert "bin" not in [e.step for e in events if isinstance(e, Dispatched)]
    assert state.orders["o1"].scrapped == 1
    assert depending_on(replace(recipe, scrap=(other, after)), "other_bin", scrapping=True) == {
        "other_bin",
        "after_other",
    }


def test_of_many_finished_orders_only_the_last_are_remembered(cup_recipe, monkeypatch):
    monkeypatch.setattr("cellctl.flow.fold.REMEMBERED", 2)
    other = replace(cup_recipe, recipe="other")
    state = fold([RecipeTaken(other.digest, other), RecipeTaken(cup_recipe.digest, cup_recipe)])
    for number in range(9):
        name, part = f"o{number}", f"p{number}"
        recipe = other if number < 2 else cup_recipe
        state = fold(
            [OrderTaken(name, recipe.digest, 1), PartBorn(part, name), PartEnded(part, "good")], state
        )
    assert 2 <= len(state.orders) <= 4
    assert "o8" in state.orders
    assert set(state.recipes) == {cup_recipe.digest}


def test_a_lost_component_or_one_left_in_a_gripper_is_no_supply(small_line, cup_recipe, ordered):
    def dispatched(state):
        return [e for e in decide(state, small_line, all_of(small_line), 0.0) if isinstance(e, Dispatched)]

    for place in (LOST, "arm.gripper"):
        state = ordered(cup_recipe, 1)
        lying = apply(
            state, Snapshot(replace(state, components={"c1": Component("c1", "housing", "feeder.pick")}))
        )
        assert [e.skill for e in dispatched(lying)] == ["transfer"]
        left = apply(lying, Corrected("c1", place, "anna"))
        assert [e.skill for e in dispatched(left)] == ["feed"]


def test_a_refused_step_asks_a_person_with_the_modules_words(small_line, cup_recipe, ordered):
    state = ordered(cup_recipe, 1)
    for _ in range(2):
        state = fold(decide(state, small_line, all_of(small_line), 5.0), state)
        job = next(iter(state.commands().values()))
        assert job.at == 5.0
        refused = Answered(job.command, "refused", detail="arm: too heavy")
        moves = tuple(Move(i.id, i.target) for i in job.items)
        state = apply(state, Answered(job.command, "done", moves) if job.skill == "feed" else refused)
    assert state.parts["p1"].asking == Asking("load", "refused", "arm: too heavy")
    assert decide(state, small_line, all_of(small_line), 0.0) == ()


def test_a_retry_that_begins_with_a_move_to_where_the_part_stands_goes_on_after_that_move(
    small_line, cup_recipe, ordered, play
):
    press = replace(cup_recipe.step("press"), routes={"failed": Route(retry=1, start="to_press")})
    recipe = replace(cup_recipe, steps=tuple(press if s.name == "press" else s for s in cup_recipe.steps))
    outcomes = iter(["failed"])
    state, events = play(
        ordered(recipe, 1), small_line, lambda j: next(outcomes, "done") if j.step == "press" else "done"
    )
    steps = [e.step for e in events if isinstance(e, Dispatched) and e.step]
    assert steps == ["load", "to_press", "press", "press", "to_gauge", "measure", "out"]
    assert state.orders["o1"].good == 1


def test_nothing_is_fed_for_a_component_that_has_joined_before_its_step_is_answered(
    small_line, cup_recipe, ordered
):
    state = ordered(cup_recipe, 1)
    for _ in range(2):
        state = fold(decide(state, small_line, all_of(small_line), 0.0), state)
        job = next(iter(state.commands().values()))
        target = job.items[0].target
        if job.skill == "feed":
            state = apply(state, Answered(job.command, "done", (Move(job.items[0].id, target),)))
    state = apply(state, Moved(job.command, 0, Move(job.items[0].id, target)))
    assert state.parts["p1"].place == "belt.load"
    assert decide(state, small_line, all_of(small_line), 0.0) == ()
