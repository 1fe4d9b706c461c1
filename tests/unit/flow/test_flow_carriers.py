"""Carriers on a closed belt: parts ride on them, empty ones make way and come where one is wanted, and none collide."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import BaseModel

from cellctl.device import Pose
from cellctl.flow.decide import decide
from cellctl.flow.events import Answered, Corrected, Dispatched, FlowEvent, Moved, OrderTaken, RecipeTaken
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import FlowState, Job
from cellctl.line.model import Carrier, Line, Module, Process, Station, Tool, station_of
from cellctl.messages import Head, Item, Move
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Ends, Holds, KindDeclaration, Outcome, Skill, Works

DONE = {"done": Outcome(Ends.AT_TARGET, "done"), "jam": Outcome(Ends.ANYWHERE, "jam")}


class NoOptions(BaseModel):
    pass


def module(name: str, skill: Skill, *stations: Station, at: str = "", tool: bool = False) -> Module:
    tools = (Tool(f"{name}.gripper", f"{name}.hand"),) if tool else ()
    kind = KindDeclaration(name, name, "", (skill,), {}, NoOptions)
    return Module(name, kind, NoOptions(), name, {}, stations, tools, at)


def ring(stops: int, homes: list[int], wip: int = 0) -> Line:
    """A closed belt s0, s1, ... with a machine at each, a feeder, and an arm that reaches s0, the last stop, a bin."""
    reached = {"": Pose(0, 0, 0)}
    belt = [
        Station(f"loop.s{n}", "loop", at=0.2 + 0.4 * n, poses=reached if n in (0, stops - 1) else {})
        for n in range(stops)
    ]
    box = Station("arm.box", "arm", poses=reached, sink=True)
    pick = Station("bowl.pick", "bowl", poses=reached, source="cup")
    made = [
        module("loop", Skill("advance", "", Works.MOVES, DONE, holds=Holds.STATIONS), *belt),
        module("arm", Skill("transfer", "", Works.MOVES, DONE), box, tool=True),
        module("bowl", Skill("feed", "", Works.SUPPLIES, DONE), pick),
        *(module(f"m{n}", Skill("run", "", Works.STAYS, DONE), at=f"loop.s{n}") for n in range(stops)),
    ]
    carriers = tuple(Carrier(f"P{i}", 1, f"loop.s{n}") for i, n in enumerate(homes))
    processes = {m.name: Process(m.name, (m.name,), m.name, m.name) for m in made}
    named = {m.name: m for m in made}
    runner = Process("runner", (), "inproc://r", "inproc://r")
    return Line("ring", "digest", named, {}, processes, runner, carriers=carriers, work_in_process=wip)


def around(stops: int, worked: list[int]) -> Executable:
    """On at s0, worked on at some stops, perhaps with a whole turn between two, off at the last."""
    steps = [Step("on", "transfer", Works.MOVES, {"": ("arm",)}, take="cup", to=("loop.s0",))]
    for n in [*worked, stops - 1]:
        steps.append(
            Step(
                f"to{n}", "advance", Works.MOVES, {"": ("loop",)}, to=(f"loop.s{n}",), needs=(steps[-1].name,)
            )
        )
        if n in worked:
            steps.append(Step(f"run{n}", "run", Works.STAYS, {"": (f"m{n}",)}, needs=(steps[-1].name,)))
    steps.append(
        Step("off", "transfer", Works.MOVES, {"": ("arm",)}, to=("arm.box",), needs=(steps[-1].name,))
    )
    return Executable("cup", 1, "", "digest", tuple(steps), ())  # fmt: skip


def ordered(line: Line, executable: Executable, quantity: int) -> FlowState:
    start = FlowState(carriers={carrier.id: carrier.home for carrier in line.carriers})
    return fold([RecipeTaken("digest", executable), OrderTaken("o1", "digest", quantity)], start)


def answer(job: Job, outcome: str = "done") -> Answered:
    moves = (
        tuple(Move(item.id, item.target) for item in job.items if item.target) if outcome == "done" else ()
    )
    return Answered(job.command, outcome, moves)


def play(
    state: FlowState,
    line: Line,
    choose: Callable[[list[Job]], Job] = lambda jobs: jobs[0],
    outcome: Callable[[Job], str] = lambda job: "done",
) -> tuple[FlowState, list[FlowEvent]]:
    """Decide and answer until nothing more happens; what must hold is looked at after each event."""
    events: list[FlowEvent] = []
    for _ in range(2000):
        for event in decide(state, line, frozenset(line.modules), 0.0):
            state = apply(state, event)
            events.append(event)
            look(state, line)
        waiting = sorted(state.commands().values(), key=lambda job: job.command)
        if not waiting:
            return state, events
        job = choose(waiting)
        state = apply(state, answer(job, outcome(job)))
        look(state, line)
    raise AssertionError("the line does not come to an end")


def look(state: FlowState, line: Line) -> None:
    """No two carriers at one stop or on their way to it; no part on the bare belt; no two parts in a nest."""
    coming = [i.target for j in state.jobs.values() for i in j.items if i.id in state.carriers and i.target]
    standing = [p for c, p in state.carriers.items()]
    moving = [i.target for j in state.jobs.values() for i in j.items if state.carriers.get(i.id) == i.target]
    at = Counter([*standing, *coming]) - Counter(moving)
    assert max(at.values(), default=0) <= 1, f"two carriers at or for one stop: {at}"
    places = [part.place for part in state.parts.values()]
    assert not any(station_of(place).startswith("loop.") for place in places), places
    assert max(Counter(p for p in places if "#" in p).values(), default=0) <= 1


def test_three_parts_go_round_on_three_carriers_of_which_two_stand_in_the_way() -> None:
    line = ring(4, [0, 1, 2], wip=2)
    state, events = play(ordered(line, around(4, [1, 2]), 3), line)
    assert state.orders["o1"].good == 3
    assert state.components == {}
    moves = [event for event in events if isinstance(event, Dispatched) and not event.step]
    assert {event.skill for event in moves if event.items[0].id in state.carriers} == {"advance"}


def test_nobody_moves_an_empty_carrier_without_a_reason() -> None:
    line = ring(4, [0, 1, 2])
    assert decide(ordered(line, around(4, [1]), 0), line, frozenset(line.modules), 0.0) == ()


def test_a_part_waits_where_no_carrier_comes_rather_than_lie_on_the_belt() -> None:
    line = ring(3, [1])
    state = apply(ordered(line, around(3, []), 1), Corrected("P0", "?", "operator"))
    state, events = play(state, line)
    assert all(not event.step for event in events if isinstance(event, Dispatched))
    assert state.orders["o1"].begun == 0


def test_a_carrier_that_does_not_come_on_is_left_alone_until_a_person_says_where_it_is() -> None:
    line = ring(3, [1])
    executable = around(3, [])
    state, events = play(
        ordered(line, executable, 1), line, outcome=lambda job: "done" if job.skill == "feed" else "jam"
    )
    assert state.stuck == ("P0",)
    assert len([e for e in events if isinstance(e, Dispatched) and e.skill == "advance"]) == 1
    state, _ = play(apply(state, Corrected("P0", "loop.s2", "operator")), line)
    assert state.stuck == ()
    assert state.orders["o1"].good == 1


def test_a_part_whose_carrier_jams_on_its_way_to_make_room_waits_for_a_person() -> None:
    line = ring(4, [0, 2], wip=1)
    jams = lambda job: "jam" if job.items[0].id == "P0" and not job.step else "done"  # noqa: E731
    state, events = play(ordered(line, around(4, []), 1), line, outcome=jams)
    assert state.stuck == ("P0",)
    assert state.parts["p1"].place == "P0#0"
    sent = [event for event in events if isinstance(event, Dispatched) and event.items[0].id == "P0"]
    assert len(sent) == 1


def test_a_carrier_under_the_gripper_stays() -> None:
    line = ring(3, [0, 2])
    state, _ = ordered(line, around(3, []), 2), None
    loading = None
    for _ in range(10):
        for event in decide(state, line, frozenset(line.modules), 0.0):
            state = apply(state, event)
        loading = next((job for job in state.jobs.values() if job.step == "on"), None)
        if loading:
            break
        state = apply(state, answer(next(iter(state.commands().values()))))
    assert loading is not None
    assert loading.items[0].target == "P0#0"
    assert not any(item.id == "P0" for job in state.jobs.values() for item in job.items)


def test_nothing_is_put_on_a_carrier_that_is_leaving() -> None:
    line, whole = ring(3, [0]), around(3, [])
    on, off = whole.steps[0], replace(whole.steps[-1], needs=("on",))
    state = ordered(line, Executable("cup", 1, "", "digest", (on, off), ()), 1)
    leaving = Item("P0", "loop.s0", "loop.s1")
    state = apply(state, Dispatched(1, 1, "loop", "advance", items=(leaving,), modules={"": "loop"}))
    state = fold(decide(state, line, frozenset(line.modules), 0.0), state)
    feed = next(job for job in state.jobs.values() if job.skill == "feed")
    state = apply(state, answer(feed))
    assert decide(state, line, frozenset(line.modules), 0.0) == ()


def test_a_carrier_that_has_come_on_is_sent_farther_only_when_its_command_is_answered() -> None:
    line = ring(4, [1])
    state = ordered(line, around(4, []), 1)
    while not (job := next((j for j in state.jobs.values() if j.items[0].id == "P0"), None)):
        state = fold(decide(state, line, frozenset(line.modules), 0.0), state)
    state = apply(state, Moved(job.command, 0, Move("P0", "loop.s2"), Head(1, "digest")))
    assert state.carriers == {"P0": "loop.s2"}
    assert "P0" not in moved(decide(state, line, frozenset(line.modules), 0.0))
    state = apply(state, answer(job))
    assert "P0" in moved(decide(state, line, frozenset(line.modules), 0.0))


def moved(events: tuple[FlowEvent, ...]) -> set[str]:
    return {item.id for event in events if isinstance(event, Dispatched) for item in event.items}


def test_nothing_is_done_to_a_part_whose_carrier_is_on_its_way() -> None:
    line, both = ring(4, [0, 2], wip=1), around(4, [2])
    on, to2 = both.steps[:2]
    run0 = Step("run0", "run", Works.STAYS, {"": ("m0",)}, needs=("on",))
    executable = Executable("cup", 1, "", "digest", (on, run0, to2), ())
    without = frozenset(line.modules) - {"m0"}
    state = ordered(line, executable, 1)
    for _ in range(4):
        state = fold(decide(state, line, without, 0.0), state)
        job = next((j for j in state.commands().values() if j.items[0].id == "P0"), None)
        if job is not None:
            break
        state = apply(state, answer(next(iter(state.commands().values()))))
    assert job is not None
    assert (job.step, job.items[0].target) == ("", "loop.s1")
    assert "run0" not in {event.step for event in decide(state, line, frozenset(line.modules), 0.0)}  # type: ignore[union-attr]


@pytest.mark.parametrize(("stops", "homes", "worked"), [(4, [0, 1, 2], [1]), (6, [1, 4], [3, 2])])
def test_parts_that_are_scrapped_on_a_ring_go_round_again_and_never_jam(
    stops: int, homes: list[int], worked: list[int]
) -> None:
    """Also one that stands where its scrap route begins: who has just come onto the belt stands in its way."""
    line, usual = ring(stops, homes), around(stops, worked)
    bring = Step("bring", "advance", Works.MOVES, {"": ("loop",)}, to=(f"loop.s{stops - 1}",))
    aside = Step("aside", "transfer", Works.MOVES, {"": ("arm",)}, to=("arm.box",), needs=("bring",))
    risky = [replace(step, routes={"jam": Route(then="scrap")}) for step in usual.steps[1:]]
    executable = replace(usual, steps=(usual.steps[0], *risky), scrap=(bring, aside))
    ends = {step.name: ["done", "done", "jam"] for step in risky}
    for seed in range(20):
        dice = random.Random(seed)
        state, _ = play(
            ordered(line, executable, 6),
            line,
            choose=dice.choice,
            outcome=lambda job, dice=dice: dice.choice(ends.get(job.step, ["done"])),
        )
        assert state.orders["o1"].ended == 6, (seed, [(p.place, p.done) for p in state.parts.values()])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_with_a_gap_in_the_ring_carriers_never_jam_and_never_meet(data: st.DataObject) -> None:
    stops = data.draw(st.integers(3, 6))
    homes = data.draw(st.lists(st.integers(0, stops - 1), min_size=1, max_size=stops - 1, unique=True))
    worked = data.draw(st.lists(st.integers(1, stops - 2), max_size=3, unique=True))  # in any order
    line = ring(stops, homes, wip=data.draw(st.integers(0, 4)))
    dice = random.Random(data.draw(st.integers(0, 2**16)))
    quantity = data.draw(st.integers(1, 5))
    state, _ = play(ordered(line, around(stops, worked), quantity), line, choose=dice.choice)
    assert state.orders["o1"].good == quantity, [(p.place, p.done) for p in state.parts.values()]


@pytest.mark.parametrize("stops", [3, 5])
def test_without_a_gap_nothing_moves(stops: int) -> None:
    line = ring(stops, list(range(stops)))
    state, events = play(ordered(line, around(stops, [1]), 2), line)
    assert state.carriers == {f"P{n}": f"loop.s{n}" for n in range(stops)}
    assert not any(isinstance(event, Dispatched) and event.skill == "advance" for event in events)
