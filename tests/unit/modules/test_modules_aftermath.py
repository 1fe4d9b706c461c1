"""Of each command that an earlier run left unfinished the log gives one of five answers, once."""

from __future__ import annotations

import pytest

from cellctl.device import Settlement
from cellctl.messages import Command, Item, Move
from cellctl.modules.aftermath import Aftermath
from cellctl.modules.ledger import PastAction, Unfinished

COMMAND = Command(7, "arm", 1, 1, "transfer", (Item("c1", "arm.a", "arm.b"),))
GRIP = PastAction(40, "arm.gripper", "grip", True)


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.told: list[str] = []

    def info(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))

    @property
    def stands(self) -> list[tuple[object, object]]:
        return [
            (fields["stands"], fields["why"]) for event, fields in self.lines if event == "unfinished command"
        ]


@pytest.fixture
def log() -> Log:
    return Log()


def aftermath(log: Log, *moves: Move, is_new: bool = False) -> Aftermath:
    return Aftermath(log, Unfinished(COMMAND, 0.0, moves=list(moves)), is_new, log.told.append)  # type: ignore[arg-type]


def test_a_first_run_is_nothing_to_report(log: Log) -> None:
    aftermath(log, is_new=True).goes_on()
    assert log.lines == []


def test_nothing_on_record_but_what_is_repeated_is_not_started(log: Log) -> None:
    run = aftermath(log)
    run.found(GRIP, is_repeatable=True)
    run.goes_on()
    run.goes_on()
    run.ended()
    assert log.stands == [("not started", "")]


def test_a_part_on_its_way_is_partly_done_and_its_place_is_named(log: Log) -> None:
    aftermath(log, Move("c1", "arm.gripper")).goes_on()
    assert log.stands == [("partly done", "c1 is at arm.gripper")]
    assert log.told == ["command 7 (transfer): partly done (c1 is at arm.gripper)"]


@pytest.mark.parametrize(
    ("settlement", "stands"),
    [
        (Settlement.DONE, "done"),
        (Settlement.NOT_STARTED, "not started"),
        (Settlement.RUNNING, "still running"),
        (Settlement.UNKNOWN, "in doubt"),
    ],
)
def test_the_evidence_decides_and_is_logged(log: Log, settlement: Settlement, stands: str) -> None:
    run = aftermath(log)
    run.settled(GRIP, settlement, "the gripper says so")
    run.ended()
    assert [answer for answer, _ in log.stands] == [stands]
    event, fields = log.lines[0]
    assert event == "settled"
    assert (fields["command"], fields["action"], fields["settlement"], fields["why"]) == (
        7, "grip", str(settlement), "the gripper says so",
    )  # fmt: skip


def test_what_goes_on_after_an_action_that_was_found_done_is_partly_done(log: Log) -> None:
    run = aftermath(log)
    run.settled(GRIP, Settlement.DONE, "it holds something")
    run.goes_on()
    assert [answer for answer, _ in log.stands] == ["partly done"]
