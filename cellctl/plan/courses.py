"""What a command does, action by action, and how long each takes; and where it leaves the module that did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cellctl.messages import Item, Move, Value
from cellctl.plan.timing import NO_TIME, Duration, Talk


@dataclass(frozen=True, slots=True)
class Act:
    """One action. The moves come true with its end."""

    what: str
    takes: Duration
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """All actions of a command in their order. `is_guess` where only its skill's own guess was there to go by."""

    acts: tuple[Act, ...]
    is_guess: bool = False

    def takes(self, talk: Talk) -> Duration:
        """From the command's arrival at its module to its end there, as the journal has it."""
        return sum((act.takes + talk.action for act in self.acts), NO_TIME + talk.record)


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as far as its duration depends on it."""

    skill: str
    items: tuple[Item, ...]
    parameters: Mapping[str, Value] = field(default_factory=dict)
    standing: Mapping[str, str] = field(default_factory=dict)  # carrier -> the place where it stands


class Timed(Protocol):
    """A module as a planner sees it: where it stands when one command ends is where the next begins."""

    def course(self, asked: Asked, at: float) -> Course:
        """How this command goes when its first action begins at `at` [s].

        Raises BadPlan, MotionError, NoStraightWay for one that cannot be done or is not known.
        """

    def rest(self, at: float) -> float:
        """The last command has ended at `at`: until when the module begins no other [s]."""


def guess(skill: str, seconds: float | None, moves: tuple[Move, ...]) -> Course:
    """The course of a skill of which only its declared duration is known, and that not well."""
    about = Duration(0.0, seconds or 0.0, 3.0 * (seconds or 0.0))
    return Course((Act(skill, about, moves),), is_guess=True)


def moved(asked: Asked) -> tuple[Move, ...]:
    """Every item to where it shall be."""
    return tuple(Move(item.id, item.target) for item in asked.items if item.target)
