"""Under flow's rule no line ever jams: random lines of crossing routes, random outcomes, random order of answers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import cellctl.flow.binding as binding
from cellctl.device import Pose
from cellctl.flow.events import Answered, OrderTaken, RecipeTaken
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import FlowState, Turn
from cellctl.flow.turns import decide_by_turns
from cellctl.line.model import Line, Module, Process, Station, Tool
from cellctl.messages import Move
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Ends, KindDeclaration, Outcome, Skill, Works


class NoOptions(BaseModel):
    pass


def kind(name: str, skill: str, works: Works, *failures: str) -> KindDeclaration:
    outcomes = {outcome: Outcome(Ends.AT_ORIGIN, outcome) for outcome in ("done", *failures)}
    return KindDeclaration(name, name, "", (Skill(skill, skill, works, outcomes),), {}, NoOptions)


ARM = kind("arm", "transfer", Works.MOVES, "missed")
MACHINE = kind("machine", "run", Works.STAYS, "reject")
FEEDER = kind("feeder", "feed", Works.SUPPLIES)
HERE = {"": Pose(0, 0, 0)}


def crossing_line(stations: int, arms: int) -> Line:
    """Machines with one place each, arms that reach everything, one source, one sink, one bin."""
    modules = {"feeder": Module("feeder", FEEDER, NoOptions(), "f", {}, (
        Station("feeder.pick", "feeder", poses=HERE, source="blank"),))}  # fmt: skip
    for n in range(stations):
        nest = Station(f"m{n}.nest", f"m{n}", poses=HERE)
        modules[f"m{n}"] = Module(f"m{n}", MACHINE, NoOptions(), f"m{n}", {}, (nest,), at=f"m{n}.nest")
    for n in range(arms):
        own = (Station("a0.out", "a0", poses=HERE, sink=True), Station("a0.bin", "a0", poses=HERE, sink=True))
        tool = Tool(f"a{n}.hand", f"a{n}.gripper")
        modules[f"a{n}"] = Module(f"a{n}", ARM, NoOptions(), f"a{n}", {}, own if n == 0 else (), (tool,))
    process = Process("runner", (), "", "")
    return Line("crossing", "digest", modules, {}, {}, process)


def route_recipe(name: str, route: list[int], arms: int, rework: bool) -> Executable:
    movers = {"": tuple(f"a{n}" for n in range(arms))}
    steps, before = [], ()
    for index, station in enumerate(route):
        go = Step(f"go{index}", "transfer", Works.MOVES, movers, take="blank" if index == 0 else "",
                  to=(f"m{station}.nest",), needs=before, routes={"missed": Route(retry=50)})  # fmt: skip
        again = Route(retry=2, start="go1" if rework and index > 1 else "", then="scrap")
        run = Step(f"run{index}", "run", Works.STAYS, {"": (f"m{station}",)}, needs=(go.name,),
                   routes={"reject": again})  # fmt: skip
        steps += [go, run]
        before = (run.name,)
    leave = Step("leave", "transfer", Works.MOVES, movers, to=("a0.out",), needs=before,
                 routes={"missed": Route(retry=50)})  # fmt: skip
    scrap = Step("bin", "transfer", Works.MOVES, movers, to=("a0.bin",), routes={"missed": Route(retry=50)})
    return Executable(name, 1, "", "digest", (*steps, leave), (scrap,))


def any_turns(recipe: Executable, arms: int, rng: random.Random) -> dict[str, tuple[Turn, ...]]:
    """Some of the steps in whatever order, of which nobody says that it can be followed."""
    movers = [step.name for step in recipe.steps if step.skill == "transfer"]
    chosen = (rng.sample(movers, rng.randint(1, len(movers))) for _ in range(arms))
    return {f"a{n}": tuple(Turn(step, rng.randint(0, 3)) for step in steps) for n, steps in enumerate(chosen)}


def run_to_end(
    line: Line, recipes: list[Executable], quantity: int, seed: int, arms_in_turns: int = 0
) -> FlowState:
    """Play the line with random answers; raises AssertionError when nothing more can happen too early."""
    rng = random.Random(seed)
    state = FlowState()
    for number, recipe in enumerate(recipes):
        turns = any_turns(recipe, arms_in_turns, rng)
        taken = OrderTaken(f"o{number}", recipe.digest, quantity, turns=turns)
        state = fold([RecipeTaken(recipe.digest, recipe), taken], state)
    ready = frozenset(line.modules)
    for _ in range(20_000):
        state = fold(decide_by_turns(state, line, ready, 0.0), state)
        check_capacity(state, line)
        commands = sorted(state.commands().values(), key=lambda job: job.command)
        if not commands:
            assert all(order.is_complete for order in state.orders.values()), "the line jams"
            return state
        job = rng.choice(commands)
        bad = {"transfer": "missed", "run": "reject"}.get(job.skill, "")
        outcome = bad if bad and rng.random() < 0.15 else "done"
        moves = tuple(Move(i.id, i.target) for i in job.items if i.target) if outcome == "done" else ()
        state = apply(state, Answered(job.command, outcome, moves))
    raise AssertionError("the line does not come to an end")


def check_capacity(state: FlowState, line: Line) -> None:
    for name, station in line.stations.items():
        there = [item for item, place in state.places().items() if place == name]
        assert station.sink or len(there) <= station.capacity, f"{name} holds {there}"


routes = st.lists(st.integers(0, 3), min_size=1, max_size=5).map(
    lambda r: [s for i, s in enumerate(r) if i == 0 or s != r[i - 1]]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(routes, min_size=1, max_size=3), st.integers(1, 2), st.booleans(), st.integers(0, 10_000))
def test_parts_of_crossing_routes_are_all_finished(routes, arms, rework, seed):
    line = crossing_line(4, arms)
    recipes = [route_recipe(f"r{n}", route, arms, rework) for n, route in enumerate(routes)]
    run_to_end(line, recipes, 3, seed)


@settings(max_examples=25, deadline=None)
@given(st.lists(routes, min_size=1, max_size=2), st.integers(1, 2), st.booleans(), st.integers(0, 10_000))
def test_whatever_turns_the_arms_have_all_parts_are_finished(routes, arms, rework, seed):
    line = crossing_line(4, arms)
    recipes = [route_recipe(f"r{n}", route, arms, rework) for n, route in enumerate(routes)]
    run_to_end(line, recipes, 3, seed, arms_in_turns=arms)


def test_a_route_that_is_reworked_from_where_it_stands_comes_to_its_end():
    run_to_end(crossing_line(4, 1), [route_recipe("r0", [0, 1, 0, 1, 0], 1, True)], 3, 0)


def test_without_the_rule_crossing_routes_do_jam(monkeypatch):
    monkeypatch.setattr(binding, "is_safe_after", lambda state, line, event: True)
    line = crossing_line(2, 1)
    recipes = [route_recipe("there", [0, 1], 1, False), route_recipe("back", [1, 0], 1, False)]
    with pytest.raises(AssertionError, match="the line jams"):
        _ = [run_to_end(line, recipes, 3, seed) for seed in range(20)]
