"""What following the paths of a recipe shows: troubles, each with the path that leads there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """What may be wrong with a path."""

    STUCK = "stuck"  # a part waits for something that never happens
    HANDS = "hands"  # nobody is asked, but an item lies where only a person can take it from
    STAYS = "stays"  # a part ends where it takes up room
    LEFT = "left"  # a component lies somewhere when all parts have ended
    TWICE = "twice"  # a component comes into a part once more, though a failed step left one there
    AGAIN = "again"  # the same, after the step was done
    BACK = "back"  # a belt is to carry it against its direction
    ENDLESS = "endless"  # a step is tried again and again, and nothing is done in between
    NEXT = "next"  # after all parts have ended, the line is not such that a next one can begin


@dataclass(frozen=True, slots=True)
class Leg:
    """How a step ended on a path, how often in turn, and what a person answered; "" where nobody was asked."""

    step: str
    outcome: str
    answer: str = ""
    times: int = 1
    leaves_astray: bool = False  # an item in a gripper, or nobody knows where


@dataclass(frozen=True, slots=True)
class Found:
    """One trouble, at the step that waits or came last, with the path that leads there."""

    trouble: Trouble
    step: str
    why: str
    path: tuple[Leg, ...]
    place: str = ""  # where the part stands


@dataclass(frozen=True, slots=True)
class Followed:
    """What following all paths has shown."""

    found: tuple[Found, ...]
    idle: tuple[str, ...]  # steps that no path comes to
    is_whole: bool  # False: there were too many paths, and not all were followed
