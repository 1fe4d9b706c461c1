"""Steering gives only legal commands, and they lead where the line wants to be."""

from __future__ import annotations

import pytest

from cellctl.packml import ACTING, State, after, commands_in, completed
from cellctl.runner.steering import has_arrived, instruction


@pytest.mark.parametrize("line", list(State))
@pytest.mark.parametrize("module", list(State))
@pytest.mark.parametrize("by_itself", [True, False])
def test_an_instruction_is_always_legal_where_the_module_is(line, module, by_itself):
    command = instruction(line, module, by_itself=by_itself)
    assert command is None or command in commands_in(module)


def lead(line: State, module: State, *, by_itself: bool) -> State:
    """Follow the instructions until there are none."""
    for _ in range(20):
        if module in ACTING:
            module = completed(module)
            continue
        command = instruction(line, module, by_itself=by_itself)
        if command is None:
            return module
        module = after(module, command)
    raise AssertionError("the instructions go in a circle")


@pytest.mark.parametrize("module", [s for s in State if s not in (State.HELD, State.HOLDING)])
def test_while_the_line_executes_every_module_but_a_held_one_is_brought_to_execute(module):
    assert lead(State.EXECUTE, module, by_itself=True) is State.EXECUTE


def test_a_module_that_holds_itself_is_left_alone_while_the_line_executes():
    assert lead(State.EXECUTE, State.HELD, by_itself=True) is State.HELD


def test_an_aborted_module_waits_for_a_person_where_the_line_does_not_recover_by_itself():
    assert lead(State.EXECUTE, State.ABORTED, by_itself=False) is State.ABORTED


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (State.RESETTING, State.IDLE),
        (State.STARTING, State.EXECUTE),
        (State.STOPPING, State.STOPPED),
        (State.UNHOLDING, State.EXECUTE),
        (State.HOLDING, State.HELD),
    ],
)
def test_an_acting_state_of_the_line_is_over_when_all_modules_are_there(line, wanted):
    assert has_arrived(line, [wanted, wanted])
    assert not has_arrived(line, [wanted, State.CLEARING])


def test_a_wait_state_is_never_over():
    assert not has_arrived(State.EXECUTE, [State.EXECUTE])
