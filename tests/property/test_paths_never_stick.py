"""A recipe in which no path is found to stick never sticks: random recipes and lines, random outcomes and answers."""

from __future__ import annotations

import random

import msgspec
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from cellctl.compile.branches import answers, told
from cellctl.compile.following import follow
from cellctl.compile.found import Followed, Found, Trouble
from cellctl.device import Pose
from cellctl.flow.decide import decide
from cellctl.flow.events import Answered, OrderTaken, RecipeTaken
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import FlowState, Job
from cellctl.line.model import Line, Module, Process, Station, Tool
from cellctl.messages import Move
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Ends, KindDeclaration, Outcome, Skill, Works

STATIONS = 4


class NoOptions(BaseModel):
    pass


def kind(name: str, *skills: Skill) -> KindDeclaration:
    return KindDeclaration(name, name, "", skills, {}, NoOptions)


def skill(name: str, works: Works, **failures: Ends) -> Skill:
    outcomes = {"done": Outcome(Ends.AT_TARGET, "")} | {n: Outcome(e, "") for n, e in failures.items()}
    return Skill(name, name, works, outcomes)


ARM = kind(
    "arm",
    skill("transfer", Works.MOVES, missed=Ends.AT_ORIGIN, failed=Ends.ANYWHERE),
    skill("insert", Works.JOINS, missed=Ends.AT_ORIGIN),
)
MACHINE = kind("machine", skill("run", Works.STAYS, reject=Ends.AT_ORIGIN))
FEEDER = kind("feeder", skill("feed", Works.SUPPLIES))
FAILS = {"transfer": ("missed", "failed"), "insert": ("missed",), "run": ("reject",)}


def line_of(reached: list[set[int]]) -> Line:
    """One-place machines, sources of blanks and lids, a sink and a bin, and arms that reach some of the machines."""
    everybody = {"": Pose(0, 0, 0)}
    feeder = [Station(f"feeder.{name}", "feeder", poses=everybody, source=name) for name in ("blank", "lid")]
    modules = {"feeder": Module("feeder", FEEDER, NoOptions(), "f", {}, tuple(feeder))}
    for n in range(STATIONS):
        poses = {f"a{arm}": Pose(0, 0, 0) for arm, own in enumerate(reached) if n in own}
        nest = Station(f"m{n}.nest", f"m{n}", poses=poses)
        modules[f"m{n}"] = Module(f"m{n}", MACHINE, NoOptions(), f"m{n}", {}, (nest,), at=f"m{n}.nest")
    ends = tuple(Station(f"a0.{name}", "a0", poses=everybody, sink=True) for name in ("out", "bin"))
    for n in range(len(reached)):
        tool = (Tool(f"a{n}.hand", f"a{n}.gripper"),)
        modules[f"a{n}"] = Module(f"a{n}", ARM, NoOptions(), f"a{n}", {}, ends if n == 0 else (), tool)
    return Line("some", "digest", modules, {}, {}, Process("runner", (), "", ""))


@st.composite
def recipes(draw: st.DrawFn, arms: int) -> Executable:
    """A part goes from machine to machine, is worked on or joined by a lid, and every failure has some route."""
    movers = {"": tuple(f"a{n}" for n in range(arms))}
    steps: list[Step] = []
    route = draw(st.lists(st.integers(0, STATIONS - 1), min_size=1, max_size=4, unique=draw(st.booleans())))
    for index, place in enumerate(route):
        nest, above = (f"m{place}.nest",), tuple(step.name for step in steps[-1:])
        take = "" if index else "blank"
        steps.append(Step(f"go{index}", "transfer", Works.MOVES, movers, take=take, to=nest, needs=above))
        work = draw(st.sampled_from(["run", "insert", "none"]))
        if work == "run":
            steps.append(
                Step(
                    f"run{index}",
                    "run",
                    Works.STAYS,
                    {"": (f"m{place}",)},
                    needs=(f"go{index}",),
                )
            )
        if work == "insert":
            needs = (f"go{index}",)
            steps.append(Step(f"lid{index}", "insert", Works.JOINS, movers, take="lid", to=nest, needs=needs))
    steps.append(Step("leave", "transfer", Works.MOVES, movers, to=("a0.out",), needs=(steps[-1].name,)))
    scrap = (Step("bin", "transfer", Works.MOVES, movers, to=("a0.bin",)),)
    routed = [routed_step(draw, step, [s.name for s in steps[: n + 1]]) for n, step in enumerate(steps)]
    return Executable("random", 1, "", "digest", tuple(routed), scrap)


def routed_step(draw: st.DrawFn, step: Step, before: list[str]) -> Step:
    routes = {}
    for outcome in FAILS[step.skill]:
        starts = [name for name in before if name.startswith("go") and name != "go0"]
        then = draw(st.sampled_from([*["ask", "scrap"] * 4, "next", *starts, *before[-1:]]))
        routes[outcome] = Route(draw(st.integers(0, 2)), draw(st.sampled_from(["", "", "", *starts])), then)
    return msgspec.structs.replace(step, routes=routes)


def plays(line: Line, executable: Executable, seed: int) -> FlowState:
    """Play the line with random outcomes and answers as far as it goes."""
    rng, ready = random.Random(seed), frozenset(line.modules)
    taken = OrderTaken("o", executable.digest, 1)
    state = fold([RecipeTaken(executable.digest, executable), taken])
    for _ in range(3000):
        if any(part.asking is not None for part in state.parts.values()):
            state = spoken(state, line, ready, rng)
        state = fold(decide(state, line, ready, 0.0), state)
        jobs = sorted(state.commands().values(), key=lambda job: job.command)
        if jobs:
            state = apply(state, ending(line, rng.choice(jobs), rng))
        elif not any(part.asking is not None for part in state.parts.values()):
            return state
    return state


def spoken(state: FlowState, line: Line, ready: frozenset[str], rng: random.Random) -> FlowState:
    """What a person says who tries answers until something goes on, and else takes the part away."""
    choices = list(answers(state, line))
    rng.shuffle(choices)
    for choice in choices:
        after = told(state, choice)
        if after.jobs or decide(after, line, ready, 0.0):
            return after
    return told(state, "remove")


def ending(line: Line, job: Job, rng: random.Random, name: str = "") -> Answered:
    """The answer of this outcome, or else of a random one; where the outcome leaves it open, the item moved or not."""
    outcomes = line.modules[job.module].kind.skill(job.skill).outcomes
    if not name:
        name = rng.choice(list(outcomes)) if job.step and rng.random() < 0.4 else "done"
    anywhere = outcomes[name].ends is Ends.ANYWHERE and rng.random() < 0.5
    there = outcomes[name].ends is Ends.AT_TARGET or anywhere
    moves = tuple(Move(item.id, item.target) for item in job.items if item.target) if there else ()
    return Answered(job.command, name, moves)


def replays(line: Line, executable: Executable, found: Found, seed: int) -> FlowState:
    """Play the line with the outcomes of a path that was found; what is repeated in between ends well."""
    rng, ready = random.Random(seed), frozenset(line.modules)
    script = [(leg.step, leg.outcome) for leg in found.path for _ in range(leg.times)]
    taken = OrderTaken("o", executable.digest, 1)
    state = fold([RecipeTaken(executable.digest, executable), taken])
    while True:
        state = fold(decide(state, line, ready, 0.0), state)
        jobs = sorted(state.commands().values(), key=lambda job: job.command)
        if not jobs:
            return state
        name = script.pop(0)[1] if script and script[0][0] == jobs[0].step else "done"
        state = apply(state, ending(line, jobs[0], rng, name))


def is_stuck(state: FlowState) -> bool:
    return not state.commands() and not all(order.is_complete for order in state.orders.values())


def sticks(followed: Followed) -> bool:
    return any(found.trouble in (Trouble.STUCK, Trouble.NEXT) for found in followed.found)


everywhere = st.just(set(range(STATIONS)))
reaches = st.lists(everywhere | st.sets(st.integers(0, STATIONS - 1), min_size=3), min_size=1, max_size=2)


@settings(max_examples=150, deadline=None)
@given(st.data(), reaches, st.integers(0, 10_000))
def test_a_recipe_with_no_path_that_sticks_never_does(data, reached, seed):
    line = line_of(reached)
    executable = data.draw(recipes(len(reached)))
    followed = follow(executable, line)
    event("some path sticks" if sticks(followed) else "no path sticks")
    assert followed.is_whole
    if not sticks(followed):
        for number in range(3):
            assert not is_stuck(plays(line, executable, seed + number))


@settings(max_examples=100, deadline=None)
@given(st.data(), reaches)
def test_a_part_sticks_on_each_path_that_was_found_to(data, reached):
    line = line_of(reached)
    executable = data.draw(recipes(len(reached)))
    stuck = [f for f in follow(executable, line).found if f.trouble is Trouble.STUCK]
    for found in stuck:
        if not any(leg.answer for leg in found.path):
            assert any(is_stuck(replays(line, executable, found, seed)) for seed in range(100)), found
