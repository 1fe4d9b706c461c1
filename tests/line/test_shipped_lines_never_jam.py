"""Exhaustive search over flow: whatever order the answers come in and whatever they say, the puck line never jams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cellctl.flow.binding as binding
from cellctl.flow.decide import decide
from cellctl.flow.events import Answered, FlowEvent, Moved, OrderTaken, RecipeTaken
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import FlowState, Job
from cellctl.line.model import Line
from cellctl.messages import Move
from cellctl.recipe.executable import Executable
from cellctl.skill import Ends


def ordered(*orders: tuple[Executable, int]) -> FlowState:
    """So many parts of each recipe are wanted."""
    state = FlowState()
    for number, (recipe, quantity) in enumerate(orders):
        events = [RecipeTaken(recipe.digest, recipe), OrderTaken(f"o{number}", recipe.digest, quantity)]
        state = fold(events, state)
    return state


def answers(line: Line, job: Job) -> Iterator[FlowEvent]:
    """Everything that a module could say of a command, what needs a person left out."""
    if job.skill == "advance" and not job.seen:
        yield Moved(job.command, 0, Move(job.items[0].id, job.module))  # it left the stop behind
    skill = line.modules[job.module].kind.skill(job.skill)
    assert skill is not None
    for outcome, meaning in skill.outcomes.items():
        if outcome == "done" or meaning.ends is Ends.AT_ORIGIN:
            done = outcome == "done"
            moves = tuple(Move(i.id, i.target) for i in job.items if i.target and done)
            moves = moves[:1] * job.seen + moves  # what was told before stands in the answer too
            yield Answered(job.command, outcome, moves)


def shape(state: FlowState) -> tuple[object, ...]:
    """What matters of a state; names and numbers that only count up are left out."""
    names = {part: index for index, part in enumerate(sorted(state.parts))}
    parts = tuple(
        (p.recipe, p.place, p.done, p.scrapping, p.asking is not None, tuple(sorted(p.failures.items())))
        for _, p in sorted(state.parts.items())
    )
    components = tuple(sorted((c.material, c.place) for c in state.components.values()))
    jobs = tuple(
        sorted(
            (j.step, j.module, j.items[0].target, j.seen, tuple(names[p] for p in j.parts))
            for j in state.jobs.values()
        )
    )
    orders = tuple((o.begun, o.ended) for o in state.orders.values())
    return parts, components, jobs, orders, state.empty


def explore(line: Line, state: FlowState, most: int) -> int:
    """Visit every reachable state; returns how many there are. Raises AssertionError at a jam."""
    ready = frozenset(line.modules)
    first = fold(decide(state, line, ready, 0.0), state)
    seen, todo = {shape(first)}, [first]
    while todo:
        here = todo.pop()
        commands = here.commands()
        if not commands:
            waits_for_person = any(part.asking for part in here.parts.values()) or here.empty
            assert waits_for_person or all(o.is_complete for o in here.orders.values()), (
                f"a jam: {shape(here)}"
            )
        for job in commands.values():
            for answer in answers(line, job):
                after = apply(here, answer)
                after = fold(decide(after, line, ready, 0.0), after)
                if (found := shape(after)) not in seen:
                    seen.add(found)
                    todo.append(after)
        assert len(seen) <= most, "more states than expected"
    return len(seen)


def test_two_parts_of_different_variants_never_jam_whatever_the_modules_answer(
    puck_line: Line, pucks: list[Executable]
) -> None:
    indoor, _, tall = pucks
    assert explore(puck_line, ordered((indoor, 1), (tall, 1)), 400_000) > 100


def test_parts_that_go_back_to_an_earlier_stop_never_jam(puck_line: Line, back_and_forth: Executable) -> None:
    assert explore(puck_line, ordered((back_and_forth, 3)), 400_000) > 100


def test_without_the_rule_parts_that_go_back_do_jam(
    puck_line: Line, back_and_forth: Executable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "is_safe_after", lambda state, line, event: True)
    with pytest.raises(AssertionError, match="a jam"):
        explore(puck_line, ordered((back_and_forth, 3)), 400_000)


@pytest.mark.slow
def test_three_parts_of_all_variants_never_jam(puck_line: Line, pucks: list[Executable]) -> None:
    assert explore(puck_line, ordered(*((recipe, 1) for recipe in pucks)), 4_000_000) > 10_000
