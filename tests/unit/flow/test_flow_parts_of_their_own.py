"""Orders whose parts are made by recipes of their own: which part gets which, and what is wanted for those to come."""

from __future__ import annotations

from cellctl.flow.events import OrderTaken, PartBorn, PartEnded, RecipeTaken
from cellctl.flow.fold import REMEMBERED, fold
from cellctl.flow.state import FlowState, Order
from cellctl.recipe.executable import Executable


def born(*recipes: str, begun: int) -> FlowState:
    taken = OrderTaken(
        "o1", "usual", len(recipes), recipes=recipes, parts=tuple({"force": name} for name in recipes)
    )
    return fold([taken, *(PartBorn(f"p{number}", "o1") for number in range(1, begun + 1))])


def test_each_part_is_made_by_its_own_recipe_in_the_order_in_which_they_were_given() -> None:
    state = born("soft", "hard", "soft", begun=3)
    assert [part.recipe for part in state.parts.values()] == ["soft", "hard", "soft"]
    assert [part.given for part in state.parts.values()] == [
        {"force": "soft"},
        {"force": "hard"},
        {"force": "soft"},
    ]


def test_what_is_to_come_is_counted_by_recipe() -> None:
    assert born("soft", "hard", "soft", begun=0).orders["o1"].to_come == {"soft": 2, "hard": 1}
    assert born("soft", "hard", "soft", begun=1).orders["o1"].to_come == {"hard": 1, "soft": 1}
    assert born("soft", "hard", "soft", begun=3).orders["o1"].to_come == {}
    assert Order("o2", "usual", 5, begun=2).to_come == {"usual": 3}
    assert Order("o2", "usual", 5, recipes=("a",) * 5, cancelled=True).to_come == {}


def test_only_parts_alike_are_begun_together() -> None:
    recipes = ("soft", "soft", "hard", "soft")
    assert [Order("o1", "usual", 4, begun=n, recipes=recipes).alike for n in range(5)] == [2, 1, 1, 1, 0]
    assert Order("o1", "usual", 6, begun=2).alike == 4


def test_recipes_of_single_parts_are_remembered_as_long_as_their_order() -> None:
    executable = Executable("thing", 1, "", "line", ())
    taken = [RecipeTaken(name, executable) for name in ("usual", "soft")]
    state = fold([*taken, OrderTaken("kept", "usual", 1, recipes=("soft",))])
    for number in range(2 * REMEMBERED + 2):
        name, part = f"o{number}", f"p{number + 1}"
        state = fold([OrderTaken(name, "usual", 1), PartBorn(part, name), PartEnded(part, "good")], state)
    assert state.recipes.keys() == {"usual", "soft"}
