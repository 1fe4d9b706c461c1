"""A journal begun again: the few records from which a replay comes to what the whole journal said. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cellctl.journal import (
    ActionBegan,
    Answered,
    Asked,
    BeganAgain,
    Entered,
    Forgot,
    Found,
    HandedOn,
    LeaseTaken,
    Left,
    LeftKnown,
    ModuleRecord,
    Taken,
    Told,
)
from cellctl.messages import Question
from cellctl.modules.ledger import Book, Ledger, Unfinished, ended


def says_the_same(book: Book) -> tuple[ModuleRecord, ...]:
    """Records that fold to `book`, whatever came before them."""
    last = ActionBegan("", 0, book.last_action, 0, "", "")
    return (BeganAgain(), last, *(record for ledger in book.ledgers.values() for record in _ledger(ledger)))


def _ledger(ledger: Ledger) -> Iterator[ModuleRecord]:
    yield LeaseTaken(ledger.module, ledger.commander, ledger.epoch, ledger.seen)
    if ledger.holder != ledger.commander:
        yield LeaseTaken(ledger.module, ledger.holder, ledger.epoch, by_hand=True)
    yield Entered(ledger.module, ledger.state, ledger.mode, ledger.entered_by)
    yield Forgot(ledger.module, ledger.below)
    for answer in ledger.answers.values():
        yield Answered(answer)
    for entry in ledger.unfinished.values():
        yield from _unfinished(ledger, entry)
    for question in ledger.questions.values():
        yield Asked(ledger.module, question)
    yield from _found(ledger)


def _found(ledger: Ledger) -> Iterator[Found | HandedOn | Left | LeftKnown]:
    module = ledger.module
    last = {found.announced.number: found for found in ledger.last_found.values()}
    for number, found in sorted((last | ledger.handed_on | ledger.found).items()):
        yield found
        if number in ledger.handed_on:
            yield HandedOn(module, number)
        elif number not in ledger.found:  # only its mark counts still
            yield from (Left(module, number), LeftKnown(module, number))
    for number in ledger.left:
        yield Left(module, number)


def _unfinished(ledger: Ledger, entry: Unfinished) -> Iterator[ModuleRecord]:
    module, number = ledger.module, entry.command.number
    yield Taken(entry.command, entry.at)
    moves, device_time = tuple(entry.moves), entry.device_time
    for index, past in sorted(entry.actions.items()):
        yield ActionBegan(module, number, past.number, index, past.device, past.name, past.at)
        if past.ended:  # the command's moves and times only count in sum
            yield ended(module, number, past.number, past.result, moves, device_time)
            moves, device_time = (), 0.0
        if past.number in ledger.told:
            yield Told(module, past.number, ledger.told[past.number], "")
    if entry.is_given_up:
        question = Question(0, number, "", "", {})
        yield Asked(module, question)
        yield Told(module, question.number, "failed", "")
