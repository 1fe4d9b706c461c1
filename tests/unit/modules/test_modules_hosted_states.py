"""A hosted module under random instructions, commands, kills and restarts: its states follow the standard, and its
command is done exactly once."""

from contextlib import suppress
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.errors import Refused
from cellctl.journal import Entered
from cellctl.packml import ACTING, State, StateCommand, after, completed

INSTRUCTIONS = [*StateCommand, "kill", "wait", "go on"]


def is_a_path(states: list[State]) -> bool:
    """Whether each state can be reached from the one before it by commands, acting states in between left out."""
    for before, now in pairwise(states):
        reached, todo = {before}, [before]
        while todo:
            state = todo.pop()
            following = [completed(state)]
            for command in StateCommand:
                with suppress(Refused):
                    following.append(after(state, command))
            new = [s for s in following if s not in reached]
            reached |= set(new)
            todo += [s for s in new if s in ACTING]  # other states would have been journaled
        if now not in reached:
            return False
    return True


@pytest.fixture(name="cases")
def the_cases(bench: ModuleType) -> dict[str, tuple]:
    return {
        "press": (bench.a_press, bench.PRESS, ("ran",)),
        "arm": (bench.an_arm, bench.TRANSFER, ("gripped", "let go")),
        "belt": (bench.a_belt, bench.ADVANCE, ("passed 0",)),
    }


@pytest.mark.parametrize("case", ["press", "arm", "belt"])
def test_random_instructions_and_kills_lose_nothing_and_repeat_nothing(
    cases: dict, bench: ModuleType, case: str
) -> None:
    make, command, counted = cases[case]

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(INSTRUCTIONS), st.floats(0.001, 0.4)), max_size=12))
    def search(plan: list[tuple[object, float]]) -> None:
        built, client = make(), bench.Client([command])
        with bench.Run(built, client) as run:
            for what, pause in plan:
                if what == "kill":
                    run.universe.restart("cell")
                elif isinstance(what, StateCommand) and client.peer is not None:
                    client.instruct(what)
                run.pause(pause)
            life = [r for r in run.records() if isinstance(r, Entered)]
            helped(run, client)
        assert client.answers[1].outcome == "done"
        assert [built.world.count[name] for name in counted] == [1] * len(counted)
        assert not client.questions
        if not any(what == "kill" for what, _ in plan):
            assert is_a_path([State.STOPPED, *(record.state for record in life)])

    def helped(run: object, client: object) -> None:
        """A person brings the module on from wherever it was left."""
        for _ in range(200):
            if client.done_at:
                return
            state = client.view.state if client.view else None
            if state is State.HELD:
                client.instruct(StateCommand.UNHOLD)
            elif state is State.COMPLETE:
                client.instruct(StateCommand.RESET)
            run.pause(0.3)
        raise AssertionError(f"never done; the module is {client.view}")

    search()
