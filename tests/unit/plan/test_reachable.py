"""The exact search on textbook systems, and against a search that is slow and obvious."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from cellctl.plan.errors import BadPlan
from cellctl.plan.merging import merged
from cellctl.plan.packing import Packing
from cellctl.plan.reachable import Budget, finishable, reach, safe
from cellctl.plan.resources import Move, Outcome, ResourceSystem, Stage

FIGURES = json.loads(Path(__file__).parents[2].joinpath("data", "ezpeleta_1995.json").read_text())


def along(kind: str, places: list[str], at: int) -> tuple[list[Stage], list[Move]]:
    """A route through places of which a part holds one after the other; its stages are numbered from `at`."""
    stages = [Stage(kind, place, {place: 1, kind: 1}) for place in places]
    numbers = range(at, at + len(places))
    moves = [Move("begin", (), {places[0]: 1, kind: 1}, (Outcome("done", (at,)),), places[0])]
    moves += [
        Move("go", (a,), {stages[b - at].place: 1}, (Outcome("done", (b,)),), stages[b - at].place)
        for a, b in pairwise(numbers)
    ]
    return stages, [*moves, Move("leave", (numbers[-1],), {}, (Outcome("done"),))]


def crossing(*routes: str, most: int = 9, **capacity: int) -> ResourceSystem:
    """A part of each kind goes along one route, a letter for each place."""
    stages: list[Stage] = []
    moves: list[Move] = []
    for number, route in enumerate(routes):
        more, between = along(f"k{number}", list(route), len(stages))
        stages += more
        moves += between
    places = {place: 1 for route in routes for place in route}
    kinds = {f"k{n}": most for n in range(len(routes))}
    return ResourceSystem(places | kinds | capacity, tuple(stages), tuple(moves))


def ezpeleta() -> ResourceSystem:
    """Type B may take either of two branches after its first place; they meet at its last."""
    a, b, c = (FIGURES["routes"][kind] for kind in "ABC")
    stages: list[Stage] = []
    moves: list[Move] = []
    for kind, route in (("A", a[0]), ("B", b[0]), ("C", c[0])):
        more, between = along(kind, route, len(stages))
        stages += more
        moves += between
    first = len(a[0])
    last, new = first + len(b[0]) - 1, len(stages)
    stages += [Stage("B", place, {place: 1, "B": 1}) for place in b[1][1:-1]]
    branch = [first, *range(new, len(stages)), last]
    moves += [Move("go", (x,), {stages[y].place: 1}, (Outcome("done", (y,)),)) for x, y in pairwise(branch)]
    return ResourceSystem(FIGURES["capacity"] | FIGURES["limits"], tuple(stages), tuple(moves))


def counted(system: ResourceSystem) -> tuple[int, int]:
    found = reach(Packing(system), Budget())
    assert found is not None
    return len(found), int(safe(found).sum())


def test_the_textbook_system_has_as_many_states_as_the_literature_says() -> None:
    assert counted(ezpeleta()) == (FIGURES["reachable"], FIGURES["maximally_permissive"])


def test_two_parts_in_opposite_directions_have_one_state_that_jams() -> None:
    system = crossing("ab", "ba")
    found = reach(Packing(system), Budget())
    assert found is not None
    dead = [n for n, is_kept in enumerate(safe(found)) if not is_kept]
    assert [found.packing.counts(found.states[n]) for n in dead] == [{0: 1, 2: 1}]


def test_a_line_that_runs_one_way_has_no_state_that_jams() -> None:
    everything, kept = counted(crossing("abc", "abc"))
    assert everything == kept > 8


def test_with_one_part_at_a_time_nothing_jams() -> None:
    system = crossing("ab", "ba")
    one = dict.fromkeys(("k0", "k1"), 1)
    shared = tuple(Stage(s.name, s.place, {**s.holds, "line": 1}) for s in system.stages)
    moves = tuple(
        Move(m.name, m.takes, {**m.room, "line": 1} if not m.takes else m.room, m.outcomes)
        for m in system.moves
    )
    everything, kept = counted(ResourceSystem({**system.capacity, **one, "line": 1}, shared, moves))
    assert everything == kept == 5


def test_a_search_that_comes_to_more_states_than_it_may_gives_up() -> None:
    assert reach(Packing(ezpeleta()), Budget(1000)) is None


def test_a_search_that_takes_too_long_gives_up() -> None:
    assert reach(Packing(ezpeleta()), Budget(is_over=lambda: True)) is None


def test_what_may_go_either_way_is_begun_only_where_both_ways_are_free() -> None:
    """A test at `a` sends the part on to `b` or back through `c`, and `c` is where another waits for `a`."""
    stages = (
        Stage("x", "a", {"a": 1}),
        Stage("good", "a", {"a": 1}),
        Stage("bad", "a", {"a": 1}),
        Stage("x", "c", {"c": 1}),
    )
    moves = (
        Move("begin", (), {"c": 1}, (Outcome("done", (3,)),), "c"),
        Move("in", (3,), {"a": 1}, (Outcome("done", (0,)),), "a"),
        Move("test", (0,), {}, (Outcome("done", (1,)), Outcome("reject", (2,)))),
        Move("out", (1,), {}, (Outcome("done"),)),
        Move("back", (2,), {"c": 1}, (Outcome("done", (3,)),), "c"),
    )
    found = reach(Packing(ResourceSystem({"a": 1, "c": 1}, stages, moves)), Budget())
    assert found is not None
    kept = [found.packing.counts(s) for s, is_kept in zip(found.states, safe(found), strict=True) if is_kept]
    assert {0: 1, 3: 1} not in kept  # the test may reject, and then neither can go on
    assert {0: 1} in kept
    assert finishable(found).sum() > len(kept)  # if all went well it could be finished


def test_a_part_that_comes_unasked_keeps_room_free_for_it() -> None:
    system = crossing("ab", "ba")
    unasked = tuple(
        Move(m.name, m.takes, m.room, m.outcomes, m.to, is_ours=bool(m.takes) or m.to != "b")
        for m in system.moves
    )
    found = reach(Packing(ResourceSystem(system.capacity, system.stages, unasked)), Budget())
    assert found is not None
    kept = [found.packing.counts(s) for s, is_kept in zip(found.states, safe(found), strict=True) if is_kept]
    assert {0: 1} not in kept  # a part at `a` that wants `b`, where one may come that wants `a`
    assert {2: 1} in kept


def test_stages_that_nothing_distinguishes_become_one() -> None:
    system = crossing("abc", "abc", "acb")
    same = tuple(Stage("k", s.place, {s.place: 1}) for s in system.stages)
    moves = tuple(
        Move(m.name, m.takes, {n: c for n, c in m.room.items() if n in "abc"}, m.outcomes, m.to)
        for m in system.moves
    )
    smaller, of_stage = merged(ResourceSystem({"a": 1, "b": 1, "c": 1}, same, moves))
    # both first stages at `a` differ, for one goes on to `b` and the other to `c`; both last ones leave
    assert [of_stage[n] for n in range(6)] == [of_stage[n] for n in (0, 1, 2, 0, 1, 2)]
    assert len(smaller.stages) == 6
    assert of_stage[6] != of_stage[0]


def slowly(system: ResourceSystem) -> tuple[int, int]:
    """Reachable and safe states by the definition, states as sorted tuples."""
    moves_at: dict[tuple[int, ...], list[list[tuple[int, ...]]]] = {}
    todo = [()]
    while todo:
        state = todo.pop()
        if state in moves_at:
            continue
        moves_at[state] = []
        held = Counter(n for s in state for n, c in system.stages[s].holds.items() for _ in range(c))
        for move in system.moves:
            if any(s not in state for s in move.takes):
                continue
            if any(held[n] + c > system.capacity[n] for n, c in move.room.items()):
                continue
            rest = list(state)
            for s in move.takes:
                rest.remove(s)
            after = [tuple(sorted([*rest, *o.stages])) for o in move.outcomes]
            moves_at[state].append(after)
            todo += after
    inside = set(moves_at)
    while True:
        good = {()}
        grown = True
        while grown:
            more = {
                s
                for s in inside - good
                for ends in moves_at[s]
                if all(e in inside for e in ends) and any(e in good and len(e) <= len(s) for e in ends)
            }
            grown = bool(more)
            good |= more
        if good & inside == inside:
            return len(moves_at), len(inside)
        inside &= good


@pytest.mark.parametrize("seed", range(12))
def test_random_systems_have_the_states_that_the_definition_gives(seed: int) -> None:
    rng = random.Random(seed)
    routes = ["".join(rng.sample("abcd", rng.randint(2, 4))) for _ in range(rng.randint(2, 3))]
    system = crossing(*routes, most=rng.randint(1, 2), a=rng.randint(1, 2))
    forked = []
    for move in system.moves:
        back = (Outcome("failed", move.takes),) if move.takes and rng.random() < 0.5 else ()
        gone = (Outcome("scrap"),) if move.takes and rng.random() < 0.3 else ()
        forked.append(Move(move.name, move.takes, move.room, (*move.outcomes, *back, *gone), move.to))
    system = ResourceSystem(system.capacity, system.stages, tuple(forked))
    assert counted(system) == slowly(system)
    assert counted(merged(system)[0])[0] <= counted(system)[0]


def test_a_stage_that_holds_nothing_is_refused() -> None:
    with pytest.raises(BadPlan, match="any number of parts may wait at no station; set `wip`"):
        ResourceSystem({}, (Stage("x", "", {}),), ())


def test_an_outcome_that_holds_more_than_there_was_room_for_is_refused() -> None:
    with pytest.raises(BadPlan, match="ends in done with 1 of a, but has room for 0"):
        ResourceSystem(
            {"a": 1}, (Stage("x", "a", {"a": 1}),), (Move("go", (), {}, (Outcome("done", (0,)),)),)
        )


def test_a_move_that_needs_more_than_there_is_is_never_made() -> None:
    stages = (Stage("x", "a", {"a": 1}),)
    moves = (
        Move("begin", (), {"a": 1}, (Outcome("done", (0,)),)),
        Move("on", (0,), {"a": 2}, (Outcome("done"),)),
    )
    assert counted(ResourceSystem({"a": 1}, stages, moves)) == (2, 1)


def test_stages_whose_moves_need_different_room_stay_two() -> None:
    stages = (Stage("x", "a", {"a": 1}), Stage("y", "a", {"a": 1}))
    moves = (
        Move("leave", (0,), {}, (Outcome("done"),)),
        Move("leave past b", (1,), {"b": 1}, (Outcome("done"),)),
    )
    assert merged(ResourceSystem({"a": 1, "b": 1}, stages, moves))[1] == (0, 1)
