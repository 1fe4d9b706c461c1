"""Each checker can fail: the evidence of a sound run is tampered with, and the checker concerned speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from cellctl.flow.events import Answered, Dispatched, LineEntered, PartBorn, PartEnded
from cellctl.flow.fold import fold
from cellctl.journal import ActionBegan, ActionEnded, Asked, Entered, LeaseTaken, Taken
from cellctl.journal import Answered as ModuleAnswered
from cellctl.line.model import Line
from cellctl.messages import Head, Move, Question
from cellctl.packml import State
from cellctl_sim.checkers import CHECKERS, check
from cellctl_sim.crash_search import Recipe, evidence_of
from cellctl_sim.evidence import Entry, Evidence, gather
from cellctl_sim.simulation import Order, Result, simulate

Tamper = Callable[[Evidence], Evidence]
Change = Callable[[Any], Any]


@pytest.fixture(scope="module")
def result(puck_line: Line, puck_recipe: Recipe) -> Result:
    order = Order("o1", puck_recipe.text, puck_recipe.source, "indoor", 1)
    return simulate(puck_line, [order], seed=1)


@pytest.fixture
def evidence(puck_line: Line, result: Result) -> Evidence:
    return evidence_of(puck_line, result)


def test_a_sound_run_gives_no_finding(evidence: Evidence) -> None:
    assert check(evidence) == []


def of_events(kind: type[Any], change: Change, which: int = 0) -> Tamper:
    """One event of the runner's journal as another; None removes it, a list takes its place."""

    def tamper(evidence: Evidence) -> Evidence:
        index = [i for i, (_, event) in enumerate(evidence.events) if isinstance(event, kind)][which]
        head, event = evidence.events[index]
        events = list(evidence.events)
        events[index : index + 1] = [(head, new) for new in _several(change(event))]
        return replace(evidence, events=events, state=fold(event for _, event in events))

    return tamper


def of_records(kind: type[Any], change: Change, process: str = "press", which: int = -1) -> Tamper:
    """The same in the journal of a module process."""

    def tamper(evidence: Evidence) -> Evidence:
        entries = list(evidence.entries[process])
        index = [i for i, entry in enumerate(entries) if isinstance(entry.record, kind)][which]
        old = entries[index]
        entries[index : index + 1] = [Entry(process, old.head, new) for new in _several(change(old.record))]
        return replace(evidence, entries={**evidence.entries, process: entries})

    return tamper


def _several(changed: Any) -> list[Any]:
    return changed if isinstance(changed, list) else [] if changed is None else [changed]


def counting(name: str, more: int) -> Tamper:
    return lambda e: replace(e, counters={**e.counters, name: e.counters.get(name, 0) + more})


def with_fields(**fields: Any) -> Change:
    return lambda record: msgspec.structs.replace(record, **fields)


def gone(record: object) -> None:
    return None


def twice(record: object) -> list[object]:
    return [record, record]


def moved_item(evidence: Evidence) -> Evidence:
    items = [dict(item) for item in evidence.items]
    next(item for item in items if item["place"] == "belt.exit")["place"] = "belt.gauge"
    return replace(evidence, items=items)


def pressed_again(evidence: Evidence) -> Evidence:
    items = [dict(item) for item in evidence.items]
    item = next(item for item in items if item["place"] == "belt.exit")
    item["history"] = [*item["history"], {"at": 20.0, "what": "pressed with 40 N"}]
    return replace(evidence, items=items)


def ran_another(evidence: Evidence) -> Evidence:
    return replace(evidence, runs={"press.plc": {**evidence.runs["press.plc"], 4711: 1}})


def ran_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, runs={"press.plc": dict.fromkeys(evidence.runs["press.plc"], 2)})


def never_ran(evidence: Evidence) -> Evidence:
    return replace(evidence, runs={"press.plc": {}})


def broken_chain(evidence: Evidence) -> Evidence:
    return replace(evidence, broken=["journal press: record 3 does not fit the records before it"])


def shortened(evidence: Evidence) -> Evidence:
    chain = evidence.chains["belt"]
    return replace(evidence, chains={**evidence.chains, "belt": {n: chain[n] for n in sorted(chain)[:5]}})


def an_incident(evidence: Evidence) -> Evidence:
    return replace(evidence, incidents=[(3.0, "belt.load: put down onto the edge of a part")])


def two_at_a_station(evidence: Evidence) -> Evidence:
    """The map has a second part at the press, while the first is there."""
    place = Move("p1", "belt.press")
    index = next(
        i for i, (_, e) in enumerate(evidence.events) if isinstance(e, Answered) and place in e.moves
    )
    head = evidence.events[index][0]
    born = PartBorn("p2", "o1", "belt.press")
    events = [*evidence.events[: index + 1], (head, born), *evidence.events[index + 1 :]]
    return replace(evidence, events=events)


def asks_of_a_repeatable_action(evidence: Evidence) -> Evidence:
    began = next(r for e, r in evidence.records(ActionBegan) if e.process == "press" and r.name == "run")
    question = Question(began.action, began.command, began.name, "was 'run' of press.plc done?", {})
    entry = Entry("press", Head(), Asked("press", question))
    return replace(evidence, entries={**evidence.entries, "press": [*evidence.entries["press"], entry]})


TAMPERS: list[tuple[str, str, Tamper]] = [
    ("every_order_ends", "a part that never ends", of_events(PartEnded, gone)),
    ("every_part_is_accounted_for", "a part born twice", of_events(PartBorn, twice)),
    ("items_are_where_the_part_map_says", "an item elsewhere", moved_item),
    ("parts_are_made_as_the_journal_says", "a part pressed once more", pressed_again),
    ("actions_are_numbered_once", "an action begun twice", of_records(ActionBegan, twice)),
    ("actions_are_numbered_once", "an action ended twice", of_records(ActionEnded, twice)),
    ("programs_ran_once", "a program that no journal has", ran_another),
    ("programs_ran_once", "a program run twice", ran_twice),
    ("programs_ran_once", "a program never run", never_ran),
    ("what_is_seen_happened_once", "a stopper passed once more", counting("belt.press.passed", 1)),
    ("what_is_seen_happened_once", "a grip too many", counting("arm.gripper.gripped", 1)),
    ("what_is_seen_happened_once", "a release that never was", counting("arm.gripper.released", -1)),
    ("what_is_seen_happened_once", "something dropped", counting("arm.gripper.dropped", 1)),
    ("what_may_be_repeated_was_done", "an end that is not on record", of_records(ActionEnded, gone)),
    (
        "what_was_cancelled_had_not_begun",
        "a command cancelled in the midst",
        of_records(
            ModuleAnswered, lambda r: ModuleAnswered(msgspec.structs.replace(r.answer, outcome="cancelled"))
        ),
    ),
    ("measurements_were_taken", "a measurement less", counting("gauge.head.measured", -1)),
    ("journals_agree", "an answer that no module gave", of_records(ModuleAnswered, gone)),
    ("journals_agree", "a command that nobody sent", of_events(Dispatched, gone, which=-1)),
    ("journals_agree", "another outcome", of_events(Answered, with_fields(outcome="failed"), which=-1)),
    ("journals_agree", "an answer given too early", of_events(Answered, with_fields(head=Head(1, "")))),
    ("no_journal_lost_a_record", "a chain that does not hold", broken_chain),
    ("no_journal_lost_a_record", "a shortened journal", shortened),
    ("leases_rise", "an epoch twice", of_records(LeaseTaken, twice)),
    ("leases_rise", "a command of no lease", of_records(LeaseTaken, gone)),
    ("states_are_legal", "held from stopped", of_records(Entered, with_fields(state=State.HELD), which=0)),
    ("states_are_legal", "a line that skips", of_events(LineEntered, with_fields(state=State.HOLDING))),
    ("stations_hold_what_they_can", "two at a station", two_at_a_station),
    ("stations_hold_what_they_can", "an incident", an_incident),
    ("nobody_waits_for_a_person", "a question too many", asks_of_a_repeatable_action),
    (
        "nobody_waits_for_a_person",
        "a contradiction",
        lambda e: replace(e, alarms=["R012 belt.load: nothing"]),
    ),
]


@pytest.mark.parametrize(
    ("checker", "tamper"),
    [(checker, tamper) for checker, _, tamper in TAMPERS],
    ids=[f"{checker}: {what}" for checker, what, _ in TAMPERS],
)
def test_a_checker_finds_what_it_is_there_for(evidence: Evidence, checker: str, tamper: Tamper) -> None:
    assert checker in {finding.checker for finding in check(tamper(evidence))}


def test_every_checker_is_shown_to_fail() -> None:
    assert {checker.__name__ for checker in CHECKERS} == {checker for checker, _, _ in TAMPERS}


def test_a_row_that_was_changed_on_the_disk_is_a_finding(puck_line: Line, result: Result) -> None:
    journals = {name: list(rows) for name, rows in result.journals.items()}
    journals["belt"][3] = journals["belt"][3][:-1] + b"\x00"
    evidence = gather(puck_line, journals, result.counters, result.runs, result.items, result.incidents)
    assert any("belt" in text for text in evidence.broken)
    assert "no_journal_lost_a_record" in {finding.checker for finding in check(evidence)}


def test_a_command_taken_under_another_number_is_found(evidence: Evidence) -> None:
    def renumber(record: Taken) -> Taken:
        return msgspec.structs.replace(record, command=msgspec.structs.replace(record.command, number=4711))

    found = check(of_records(Taken, renumber)(evidence))
    assert "journals_agree" in {finding.checker for finding in found}
