"""Whether parts can jam a line, decided from line and recipes, and told in words."""

from __future__ import annotations

from msgspec.structs import replace

from cellctl.flow.events import OrderTaken, PartBorn, RecipeTaken
from cellctl.flow.fold import fold
from cellctl.line.model import Line
from cellctl.plan.deadlock import Answer, decide_jams
from cellctl.plan.reachable import Budget
from cellctl.recipe.executable import Executable
from cellctl.runner.foresight import Foresight


def test_pucks_of_all_variants_cannot_jam_the_puck_line(puck_line: Line, pucks: list[Executable]) -> None:
    verdict = decide_jams(puck_line, pucks)
    assert verdict.answer is Answer.CANNOT
    assert verdict.words() == f"Parts cannot jam: each of {verdict.states} states can be finished."


def test_variants_that_differ_in_no_station_are_as_easy_as_one(
    puck_line: Line, pucks: list[Executable]
) -> None:
    indoor, outdoor, _ = pucks
    assert decide_jams(puck_line, [indoor, outdoor]).states == decide_jams(puck_line, [indoor]).states


def test_a_jam_is_told_by_its_shortest_way(puck_line: Line, back_and_forth: Executable) -> None:
    verdict = decide_jams(puck_line, [back_and_forth])
    assert verdict.answer is Answer.CAN
    assert verdict.words().splitlines()[:6] == [
        "Left to themselves parts can jam:",
        "1. p1 (twice-gauged): load to belt.load",
        "2. p1: to_gauge to belt.gauge",
        "3. p2 (twice-gauged): load to belt.load",
        "p1 stands at belt.gauge and waits for belt.load, where p2 stands",
        "p2 stands at belt.load and waits for belt.gauge, where p1 stands",
    ]
    assert f"The runner prevents it; it keeps to {verdict.kept} of {verdict.states} states" in verdict.words()


def test_one_part_at_a_time_cannot_jam(puck_line: Line, back_and_forth: Executable) -> None:
    assert decide_jams(puck_line, [back_and_forth], work_in_process=1).answer is Answer.CANNOT


def test_beyond_its_budget_the_search_says_that_nothing_is_decided(
    puck_line: Line, pucks: list[Executable]
) -> None:
    verdict = decide_jams(puck_line, pucks, budget=Budget(50))
    assert (verdict.answer, verdict.known) == (Answer.BOUNDED, None)
    assert "there are more than 50 states, or too little time. The banker's rule" in verdict.words()


def test_a_recipe_that_one_part_alone_cannot_finish_is_no_jam_of_several(
    puck_line: Line, back_and_forth: Executable
) -> None:
    nowhere = tuple(
        replace(step, modules={"": ("press",)}) if step.name == "back" else step
        for step in back_and_forth.steps
    )
    verdict = decide_jams(puck_line, [replace(back_and_forth, steps=nowhere)])
    assert verdict.answer is Answer.BOUNDED
    assert "twice-gauged: may come to a stage from which it cannot go on even alone" in verdict.why


# --- the runner ---------------------------------------------------------------------------------------------------


def test_the_runner_makes_its_table_anew_only_for_recipes_that_it_does_not_have(
    puck_line: Line, pucks: list[Executable], back_and_forth: Executable
) -> None:
    foresight = Foresight(puck_line)
    taken = [RecipeTaken(recipe.digest, recipe) for recipe in (*pucks, back_and_forth)]
    two = fold([*taken, *(OrderTaken(recipe.variant, recipe.digest, 1) for recipe in pucks[:2])])
    known = foresight.known(two)
    assert known is not None
    assert not known.unsafe
    assert foresight.known(fold([*taken, OrderTaken("o", pucks[0].digest, 1)])) is known
    more = foresight.known(fold([OrderTaken("b", back_and_forth.digest, 1)], two))
    assert more is not None
    assert more.unsafe


def test_the_runner_does_without_a_table_that_would_be_too_large(
    puck_line: Line, pucks: list[Executable]
) -> None:
    state = fold([RecipeTaken(pucks[0].digest, pucks[0]), OrderTaken("o", pucks[0].digest, 1)])
    assert Foresight(puck_line, states=10).known(state) is None


def test_an_order_that_makes_the_table_too_large_leaves_that_of_the_parts_on_the_line(
    puck_line: Line, pucks: list[Executable], back_and_forth: Executable
) -> None:
    foresight = Foresight(puck_line, states=100)
    recipes = (back_and_forth, *pucks)
    taken = [RecipeTaken(recipe.digest, recipe) for recipe in recipes]
    orders = [OrderTaken(recipe.recipe + recipe.variant, recipe.digest, 1) for recipe in recipes]
    begun = PartBorn("p1", back_and_forth.recipe)
    state = fold([*taken, *orders, begun])
    known = foresight.known(state)
    assert decide_jams(puck_line, recipes, budget=Budget(100)).known is None
    assert known is not None
    assert {stage.recipe for stage in known.of_stage} == {back_and_forth.digest}


def test_before_the_first_order_there_is_nothing_to_know(puck_line: Line) -> None:
    assert Foresight(puck_line).known(fold([])) is None
