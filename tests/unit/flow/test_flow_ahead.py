"""What a part may still come to, and that the rule against jams counts all of it, and each place once."""

from __future__ import annotations

from pydantic import BaseModel

from cellctl.device import Pose
from cellctl.flow.ahead import what_lies_ahead
from cellctl.flow.events import Dispatched
from cellctl.flow.fold import apply
from cellctl.flow.safety import is_safe
from cellctl.flow.stage import Stage
from cellctl.flow.state import FlowState, Part
from cellctl.line.model import Line, Module, Process, Station, Tool
from cellctl.messages import Item
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Ends, Holds, KindDeclaration, Outcome, Skill, Works


class NoOptions(BaseModel):
    pass


def module(
    name: str, skill: str, works: Works, *stations: Station, tool: bool = False, at: str = ""
) -> Module:
    done = {"done": Outcome(Ends.AT_TARGET, "done")}
    kind = KindDeclaration(
        name, name, "", (Skill(skill, "", works, done, holds=Holds.MODULE),), {}, NoOptions
    )
    tools = (Tool(f"{name}.hand", f"{name}.gripper"),) if tool else ()
    return Module(name, kind, NoOptions(), name, {}, stations, tools, at)


def nest(name: str, *arms: str, capacity: int = 1) -> Station:
    return Station(name, name.split(".")[0], capacity, poses={arm: Pose(0, 0, 0) for arm in arms})


def line_of(*modules: Module) -> Line:
    return Line("l", "digest", {m.name: m for m in modules}, {}, {}, Process("runner", (), "", ""))


TABLES = line_of(
    module("left", "transfer", Works.MOVES, tool=True),
    module("right", "transfer", Works.MOVES, tool=True),
    module("a", "run", Works.STAYS, nest("a.nest", "left", capacity=2), at="a.nest"),
    module("b", "run", Works.STAYS, nest("b.nest", "left", "right"), at="b.nest"),
    module("c", "run", Works.STAYS, nest("c.nest", "left", "right"), at="c.nest"),
    module("d", "run", Works.STAYS, nest("d.nest", "right"), at="d.nest"),
    module("printer", "make", Works.MAKES, nest("printer.plate", "left", capacity=2), at="printer.plate"),
)
ARMS = {"": ("left", "right")}


def go(name: str, *to: str, needs: tuple[str, ...] = (), **routes: Route) -> Step:
    targets = tuple(f"{table}.nest" for table in to)
    return Step(name, "transfer", Works.MOVES, ARMS, to=targets, needs=needs, routes=routes)


def run(name: str, at: str, *needs: str, **routes: Route) -> Step:
    return Step(name, "run", Works.STAYS, {"": (at,)}, needs=needs, routes=routes)


def recipe(*steps: Step, scrap: tuple[Step, ...] = ()) -> Executable:
    return Executable("r", 1, "", "digest", steps, scrap)


def ahead(executable: Executable, place: str, *done: str) -> set[tuple[str, str]]:
    found = what_lies_ahead(TABLES, executable, Stage("digest", place, frozenset(done)))
    return {(each.step, each.place) for each in found}


def test_a_step_comes_after_the_one_before_it_from_each_of_its_targets() -> None:
    steps = go("there", "b", "c"), go("on", "d", needs=("there",))
    assert ahead(recipe(*steps), "a.nest") == {("there", "a.nest"), ("on", "b.nest"), ("on", "c.nest")}


def test_what_is_done_comes_again_where_a_later_step_goes_back_to_it() -> None:
    back = Route(retry=1, start="there", then="ask")
    steps = go("there", "b"), go("on", "c", needs=("there",)), run("press", "c", "on", reject=back)
    onward = {("on", "b.nest"), ("press", "c.nest"), ("there", "c.nest")}
    assert ahead(recipe(*steps), "b.nest", "there") == onward
    assert ahead(recipe(*steps), "a.nest") == onward | {("there", "a.nest")}


def test_a_move_that_a_retry_repeats_is_passed_over_where_the_part_stands_there() -> None:
    back = Route(retry=1, start="there", then="ask")
    steps = go("there", "b", "c"), go("on", "c", needs=("there",)), run("press", "c", "on", reject=back)
    assert ("there", "c.nest") not in ahead(recipe(*steps), "a.nest")


def test_steps_that_do_not_need_each_other_come_in_any_order() -> None:
    steps = go("to_b", "b"), go("to_c", "c"), go("out", "d", needs=("to_b", "to_c"))
    found = ahead(recipe(*steps), "a.nest")
    assert {("to_b", "c.nest"), ("to_c", "b.nest"), ("out", "b.nest"), ("out", "c.nest")} <= found


def test_a_part_may_be_scrapped_from_wherever_it_stands() -> None:
    steps = go("there", "b", "c"), run("press", "b", "there")
    found = ahead(recipe(*steps, scrap=(go("aside", "d"),)), "a.nest")
    assert {place for step, place in found if step == "aside"} == {"a.nest", "b.nest", "c.nest"}


def test_of_the_scrap_steps_only_those_are_done_that_need_the_first_of_them() -> None:
    scrap = (
        go("aside", "b"),
        go("low", "c", needs=("aside",)),
        go("other", "c"),
        go("high", "d", needs=("other",)),
    )
    reject = Route(then="other")
    found = ahead(recipe(run("press", "b", reject=reject), scrap=scrap), "b.nest")
    assert ("other", "b.nest") in found
    assert {("high", "c.nest"), ("low", "c.nest"), ("other", "c.nest")} & found == {("high", "c.nest")}


def test_a_target_that_no_arm_reaches_from_there_is_no_way_out() -> None:
    """From `a` only the arm on the left brings it on, to `b`: that `d` is free does not help."""
    forks = recipe(go("there", "b", "d"), go("back", "a", needs=("there",)))
    crossing = recipe(go("over", "a"))
    one, two = Part("p1", "o", forks.digest, "a.nest#0"), Part("p2", "o", crossing.digest, "b.nest")
    assert is_safe(with_parts([forks, crossing], one, two), TABLES)
    full = Part("p3", "o", forks.digest, "a.nest#1")
    assert not is_safe(with_parts([forks, crossing], one, two, full), TABLES)


def test_parts_that_are_made_together_keep_one_place_each() -> None:
    """Each has to go to another place of the plate, and there are two."""
    turn = Step("turn", "transfer", Works.MOVES, ARMS, to=("printer.plate",), needs=("make",))
    for count, is_well in ((1, True), (2, False)):
        made = recipe(Step("make", "make", Works.MAKES, {"": ("printer",)}, parts=count), turn)
        names = [f"p{n}" for n in range(count)]
        items = tuple(Item(name, "", f"printer.plate#{n}") for n, name in enumerate(names))
        job = Dispatched(1, 1, "printer", "make", "make", tuple(names), items, {"": "printer"})
        state = with_parts([made], *(Part(name, "o", made.digest) for name in names))
        assert is_safe(apply(state, job), TABLES) is is_well


def with_parts(recipes: list[Executable], *parts: Part) -> FlowState:
    by_digest = {executable.digest: executable for executable in recipes}
    return FlowState(recipes=by_digest, parts={part.id: part for part in parts})
