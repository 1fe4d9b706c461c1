"""What the journal says of one module, and of all modules of one process. Pure: live and on replay the same `apply`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

import msgspec
from msgspec.structs import replace

from cellctl.device import ActionResult
from cellctl.errors import StoreError
from cellctl.journal import (
    ActionBegan,
    ActionEnded,
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
from cellctl.messages import Answer, Command, Head, Move, Question, Value
from cellctl.packml import Mode, State

LAST_ACTION = 2**32 - 1  # action numbers fit the registers of a handshake
HANDED_ON = 100  # announced parts taken on last, which may still be said to have left
AFRESH = 1_000_000  # how far numbers may leap where a journal begins, or lost records


class PastAction(msgspec.Struct, frozen=True):
    """An action on record: begun, and ended when `ended`."""

    number: int
    device: str
    name: str
    ended: bool = False
    result: ActionResult = None
    at: float = 0.0  # when it began, UTC [s]; 0 where the journal does not say


@dataclass(slots=True)
class Unfinished:
    """A command that was accepted and is not answered, with its actions by index."""

    command: Command
    at: float  # UTC [s]
    actions: dict[int, PastAction] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    device_time: float = 0.0  # [s]
    is_given_up: bool = False  # a person said that it failed


class Ledger:
    """What the journal says of one module."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.holder, self.epoch = "", 0
        self.commander = ""  # who had the lease last that was no panel
        self.seen = Head()  # the end of the commander's journal, as far as it was seen
        self.state, self.mode, self.entered_by = State.STOPPED, Mode.PRODUCTION, ""
        self.below = 0  # commands below this number are forgotten
        self.unfinished: dict[int, Unfinished] = {}
        self.answers: dict[int, Answer] = {}
        self.questions: dict[int, Question] = {}  # open
        self.told: dict[int, str] = {}  # question -> the choice of the person who settled it
        self.found: dict[int, Found] = {}  # announcements that nobody has taken on, by number
        self.last_found: dict[str, Found] = {}  # place -> what was found there last
        self.handed_on: dict[int, Found] = {}  # announcements that were taken on last
        self.left: dict[int, None] = {}  # parts that left, which nobody knows yet

    def apply(self, record: ModuleRecord) -> None:
        """Take a durable record into account."""
        match record:  # the frequent ones first
            case ActionBegan():
                self._began(record)
            case ActionEnded():
                self._ended(record)
            case Taken(command, at):
                self.unfinished[command.number] = Unfinished(command, at)
                self._see(command.head)
            case Answered(answer):
                self._answered(answer)
            case Forgot(_, below):
                self.below = max(self.below, below)
                self.answers = {n: answer for n, answer in self.answers.items() if n >= self.below}
            case LeaseTaken(_, holder, epoch, by_hand=True):
                self.holder, self.epoch = holder, epoch
            case LeaseTaken(_, holder, epoch, seen):
                self.holder, self.epoch = holder, epoch
                self.commander, self.seen = holder, seen
            case Entered(_, state, mode, who):
                self.state, self.mode, self.entered_by = state, mode, who
            case Asked(_, question):
                self.questions[question.number] = question
            case Told(_, question, choice):
                self._told(question, choice)
            case Found(announced):
                self.found[announced.number] = self.last_found[announced.place] = record
            case HandedOn(_, number):
                self._handed_on(number)
            case Left(_, number):
                self.found.pop(number, None)
                self.handed_on.pop(number, None)
                self.left[number] = None
            case LeftKnown(_, number):
                self.left.pop(number, None)

    def number_of(self, place: str, mark: str) -> int:
        """The announcement of what was found there by this mark, and has not left; 0 where there is none."""
        known = (self.handed_on | self.found).values()
        marked = (found.announced for found in known if mark and found.mark == mark)
        return next((announced.number for announced in marked if announced.place == place), 0)

    def _handed_on(self, number: int) -> None:
        found = self.found.pop(number, None)
        if found is not None:
            self.handed_on[number] = found
            for oldest in list(self.handed_on)[:-HANDED_ON]:
                del self.handed_on[oldest]

    def _see(self, head: Head) -> None:
        if head.sequence > self.seen.sequence:
            self.seen = head

    def _began(self, record: ActionBegan) -> None:
        entry = self.unfinished.get(record.command)
        if entry is not None:
            entry.actions[record.index] = PastAction(record.action, record.device, record.name, at=record.at)

    def _ended(self, record: ActionEnded) -> None:
        entry = self.unfinished.get(record.command)
        if entry is None:
            return
        for index, past in reversed(entry.actions.items()):
            if past.number == record.action:
                result = record.result if record.results is None else record.results
                entry.actions[index] = replace(past, ended=True, result=result)
                break
        entry.moves += record.moves
        entry.device_time += record.device_time

    def _answered(self, answer: Answer) -> None:
        self.unfinished.pop(answer.number, None)
        self.answers[answer.number] = answer
        asked = [n for n, question in self.questions.items() if question.command == answer.number]
        for number in asked:
            del self.questions[number]

    def _told(self, number: int, choice: str) -> None:
        question = self.questions.pop(number, None)
        self.told[number] = choice
        if question is not None and choice == "failed" and question.command in self.unfinished:
            self.unfinished[question.command].is_given_up = True


class Book:
    """The ledgers of one process, and the numbers of its actions: each is given once, for ever."""

    def __init__(self, modules: Iterable[str]) -> None:
        self.ledgers = {name: Ledger(name) for name in modules}
        self._last_action = 0

    def apply(self, record: ModuleRecord) -> None:
        """Take a durable record into account. Records of a module that is not here any more are passed over."""
        number = 0
        match record:
            case ActionBegan(module, action=number):
                pass
            case Taken(command):
                module = command.module
            case Answered(answer):
                module = answer.module
            case Asked(module, question):
                number = question.number
            case Found(announced):
                module, number = announced.module, announced.number
            case BeganAgain():
                self.ledgers = {name: Ledger(name) for name in self.ledgers}
                return
            case _:
                module = record.module
        if number > self._last_action:
            self._last_action = number
        ledger = self.ledgers.get(module)
        if ledger is not None:
            ledger.apply(record)

    @property
    def last_action(self) -> int:
        """The greatest number that was given."""
        return self._last_action

    def number_afresh(self, draw: Callable[[int], int]) -> ActionBegan:
        """The record after which numbers go on far above all that were given, `draw(n)` being one of 0 to n - 1.

        For a journal that is new or lost records: a device may keep numbers that this journal does not know.
        """
        return ActionBegan("", 0, min(self._last_action + 1 + draw(AFRESH), LAST_ACTION), 0, "", "")

    def next_action(self) -> int:
        """A number that no action of this journal ever had. Raises StoreError when none is left."""
        if self._last_action >= LAST_ACTION:
            raise StoreError(
                "this journal has used all 2^32 action numbers; empty the line and start a new one"
            )
        self._last_action += 1
        return self._last_action


def ended(
    module: str, command: int, number: int, result: object, moves: tuple[Move, ...], device_time: float
) -> ActionEnded:
    """The record of an action's end."""
    value = cast(ActionResult, result)
    if isinstance(value, dict):
        return ActionEnded(module, command, number, None, moves, device_time, dict[str, Value](value))
    return ActionEnded(module, command, number, value, moves, device_time)
