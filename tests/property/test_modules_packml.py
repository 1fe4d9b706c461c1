"""PackML: the shipped table against the one written here from TR88.00.02, and against its own rules."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cellctl.errors import Refused
from cellctl.packml import (
    ACTING,
    CODE,
    COMMAND_CODE,
    Edition,
    State,
    StateCommand,
    after,
    commands_in,
    completed,
)

# The legal commands per state, with the defaults of TR88.00.02-2022.
LEGAL_2022 = """
stopped: reset abort
idle: start stop abort
execute: complete hold suspend stop abort
held: unhold complete stop abort
suspended: unsuspend hold complete stop abort
complete: reset stop abort
aborted: clear
resetting starting completing holding unholding suspending unsuspending: stop abort
stopping clearing: abort
aborting:
"""

# Further transitions that OPC 30050 (edition 2015) has, and those it lacks.
MORE_2015 = {
    ("starting", "hold"),
    ("suspending", "hold"),
    ("unsuspending", "hold"),
    ("unholding", "hold"),
}
LESS_2015 = {("suspended", "complete"), ("held", "complete")}

LEADS_TO = {
    "reset": "resetting",
    "start": "starting",
    "stop": "stopping",
    "hold": "holding",
    "unhold": "unholding",
    "suspend": "suspending",
    "unsuspend": "unsuspending",
    "abort": "aborting",
    "clear": "clearing",
    "complete": "completing",
}

DONE = {
    "resetting": "idle",
    "starting": "execute",
    "completing": "complete",
    "holding": "held",
    "unholding": "execute",
    "suspending": "suspended",
    "unsuspending": "execute",
    "stopping": "stopped",
    "aborting": "aborted",
    "clearing": "stopped",
}

CODES = (
    "1 clearing 2 stopped 3 starting 4 idle 5 suspended 6 execute 7 stopping 8 aborting 9 aborted 10 holding 11 held "
    "12 unholding 13 suspending 14 unsuspending 15 resetting 16 completing 17 complete"
)
COMMAND_CODES = "1 reset 2 start 3 stop 4 hold 5 unhold 6 suspend 7 unsuspend 8 abort 9 clear 10 complete"


def legal(edition: Edition) -> set[tuple[str, str]]:
    pairs = set()
    for line in LEGAL_2022.strip().splitlines():
        states, _, commands = line.partition(":")
        pairs |= {(state, command) for state in states.split() for command in commands.split()}
    return pairs if edition is Edition.E2022 else (pairs | MORE_2015) - LESS_2015


def numbered(text: str) -> dict[str, int]:
    words = text.split()
    return dict(zip(words[1::2], map(int, words[::2]), strict=True))


@pytest.mark.parametrize("edition", Edition)
@pytest.mark.parametrize("command", StateCommand)
@pytest.mark.parametrize("state", State)
def test_every_command_in_every_state_does_what_the_standard_says(
    edition: Edition, state: State, command: StateCommand
) -> None:
    if (state.value, command.value) in legal(edition):
        assert after(state, command, edition) == LEADS_TO[command]
    else:
        with pytest.raises(Refused):
            after(state, command, edition)


@pytest.mark.parametrize("state", State)
def test_every_acting_state_leads_where_the_standard_says(state: State) -> None:
    assert completed(state) == DONE.get(state.value, state.value)
    assert (state in ACTING) == (state.value in DONE)


def test_the_codes_are_those_of_the_packtags() -> None:
    assert {state.value: code for state, code in CODE.items()} == numbered(CODES)
    assert {command.value: code for command, code in COMMAND_CODE.items()} == numbered(COMMAND_CODES)


class AnyOrder(RuleBasedStateMachine):
    """Commands and completions in any order, against the table above."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.expected = State.STOPPED, "stopped"

    @rule(command=st.sampled_from(list(StateCommand)))
    def command(self, command: StateCommand) -> None:
        is_legal = (self.expected, command.value) in legal(Edition.E2022)
        if is_legal:
            self.state, self.expected = after(self.state, command), LEADS_TO[command]
            return
        with pytest.raises(Refused) as refusal:
            after(self.state, command)
        assert all(word in str(refusal.value) for word in commands_in(self.state))

    @precondition(lambda self: self.expected in DONE)
    @rule()
    def work_is_done(self) -> None:
        self.state, self.expected = completed(self.state), DONE[self.expected]

    @invariant()
    def both_agree(self) -> None:
        assert self.state == self.expected

    @invariant()
    def abort_is_always_there_but_when_aborted(self) -> None:
        allowed = commands_in(self.state)
        assert (StateCommand.ABORT in allowed) == (self.expected not in ("aborting", "aborted"))


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
