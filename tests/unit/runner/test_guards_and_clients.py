"""Guards that nobody reads count as open; clients go into the records under names that are theirs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cellctl.line.model import SafetyInput
from cellctl.messages import View
from cellctl.packml import Mode, State
from cellctl.runner.clients import recorded_as
from cellctl.runner.guards import Guards
from cellctl.runner.remote import Remote
from cellctl.runner.standstill import standstill

DOOR = SafetyInput("door", "io1.di7", ("arm", "press"), process="io1")


class Board(dict[tuple[str, str], str]):
    """Alarms that stand."""

    def __iter__(self) -> Any:
        return iter([SimpleNamespace(code=code, source=source) for code, source in self.keys()])

    def raise_alarm(self, code: str, source: str, text: str) -> None:
        self[code, source] = text

    def clear(self, code: str, source: str) -> None:
        self.pop((code, source), None)


class Fleet:
    def __init__(self) -> None:
        self.remotes = {name: Remote(name, name, alive=True) for name in ("io1", "arm", "press")}
        for name in self.remotes:
            self.see(name, State.EXECUTE)

    def see(self, name: str, state: State, unread: tuple[str, ...] = ()) -> None:
        self.remotes[name].view = View(name, state, Mode.PRODUCTION, unread=unread)

    def __getitem__(self, name: str) -> Remote:
        return self.remotes[name]

    def hosted_by(self, process: str) -> list[Remote]:
        return [remote for remote in self.remotes.values() if remote.process == process]


def guards() -> tuple[Guards, Fleet, Board]:
    fleet, board = Fleet(), Board()
    return Guards(SimpleNamespace(safety=(DOOR,)), fleet, board), fleet, board  # type: ignore[arg-type]


def test_a_lost_guard_is_open_until_it_is_read_again_and_every_member_that_is_heard_stands():
    watched, fleet, board = guards()
    fleet["io1"].lose()
    watched.lose("io1")
    assert watched.tripped(["arm"]) == watched.unread("arm") == ("door",)
    assert "the process io1 does not answer; arm and press are aborted" in board["R015", "door"]
    fleet["io1"].alive = True
    fleet.see("io1", State.STOPPED, unread=("door",))
    fleet.see("arm", State.ABORTED)
    fleet.see("press", State.ABORTED)
    watched.settle()
    assert watched.tripped(["arm"]) == ("door",)
    fleet.see("io1", State.STOPPED)
    fleet.see("press", State.EXECUTE)
    watched.settle()
    assert watched.tripped(["arm"]) == ("door",)
    fleet["press"].lose()
    watched.settle()
    assert watched.tripped(["arm"]) == watched.unread("arm") == ()


@pytest.mark.parametrize(
    ("state", "lost"), [(State.EXECUTE, True), (State.HELD, True), (State.STOPPED, False)]
)
def test_a_reader_that_was_never_heard_aborts_only_members_that_do_not_rest(state: State, lost: bool):
    watched, fleet, board = guards()
    fleet.see("arm", state)
    fleet.see("press", State.IDLE)
    fleet["io1"].lose()
    watched.miss("io1")
    assert bool(board) == lost


def test_a_guard_of_other_modules_concerns_nobody_else():
    watched, _, _ = guards()
    watched.lose("io1")
    assert watched.tripped(["gauge"]) == watched.unread("gauge") == ()


# --- why a module does not work -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "state", "mode", "who", "said"),
    [
        (State.EXECUTE, State.HELD, Mode.PRODUCTION, "anna", "arm is held by anna while the line runs"),
        (State.STARTING, State.HELD, Mode.PRODUCTION, "", "arm is held by somebody while the line runs"),
        (State.EXECUTE, State.EXECUTE, Mode.MAINTENANCE, "anna", "arm is in maintenance mode"),
        (State.EXECUTE, State.HELD, Mode.PRODUCTION, "in doubt", ""),  # its question is its alarm
        (State.HELD, State.HELD, Mode.PRODUCTION, "runner", ""),
        (State.EXECUTE, State.EXECUTE, Mode.PRODUCTION, "anna", ""),
    ],
)
def test_a_module_that_keeps_a_running_line_waiting_is_named_with_its_reason(line, state, mode, who, said):
    found = standstill(line, View("arm", state, mode, entered_by=who))
    assert found.startswith(said)
    assert bool(found) == bool(said)


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "key", "recorded"),
    [
        ("anna", "", "anna"),
        ("anna", "operator", "anna (key operator)"),
        ("anna (key boss)", "", "anna [key boss]"),
        ("anna (key boss)", "operator", "anna [key boss] (key operator)"),
        ("safety", "", "'safety'"),
        ("runner", "operator", "'runner' (key operator)"),
        ("  fault\n", "", "'fault'"),
        ("", "", "''"),
        ("a" * 1000, "", "a" * 64),
    ],
)
def test_nobody_is_recorded_under_a_name_of_the_program_or_a_key_that_was_not_shown(claimed, key, recorded):
    assert recorded_as(claimed, key) == recorded
