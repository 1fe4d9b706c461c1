"""A resource allocation system: stages that parts stand in, the resources that each stage holds, and the moves between.

What a line is when only waiting for each other counts (Reveliotis 2005, Real-Time Management of Resource Allocation
Systems). A move needs room for what it newly holds while it still has what it held, and then comes out in one of its
outcomes, which nobody can choose. Where a command lasts some time, others run beside it; since it holds all that any
of its outcomes holds, the states in which no command is under way are those that moves reach one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cellctl.plan.errors import BadPlan


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a part is on its way, and how much of each resource it holds there."""

    name: str  # of the part's kind, for people: "sensor-puck/tall"
    place: str
    holds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a move may end: the stages that its parts (and carriers) are in then; none: they have left."""

    name: str
    stages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """What may happen next to the parts in `takes`, each of another stage; none: parts are begun."""

    name: str
    takes: tuple[int, ...]
    room: Mapping[str, int]  # what must be free for it, over what the taken stages hold
    outcomes: tuple[Outcome, ...]
    to: str = ""  # the place that it goes to, for people
    is_ours: bool = True  # whether the line decides on it; a part that a camera finds comes unasked


@dataclass(frozen=True, slots=True)
class ResourceSystem:
    """Resources with their capacity, stages, and moves. `start` are stages that are filled before the first part.

    Raises BadPlan where a stage holds nothing, so that any number of parts could be in it, or an outcome holds more
    than its move made room for.
    """

    capacity: Mapping[str, int]
    stages: tuple[Stage, ...]
    moves: tuple[Move, ...]
    start: tuple[int, ...] = ()
    at_home: frozenset[int] = field(default=frozenset())  # stages of what is no part: empty carriers

    def __post_init__(self) -> None:
        for stage in self.stages:
            if not any(stage.holds.values()):
                raise BadPlan(
                    stage.name, f"any number of parts may wait at {stage.place or 'no station'}", "set `wip`"
                )
        for move in self.moves:
            for outcome in move.outcomes:
                self._check_room(move, outcome)

    def _check_room(self, move: Move, outcome: Outcome) -> None:
        for name in self.capacity:
            had = sum(self.stages[n].holds.get(name, 0) for n in move.takes) + move.room.get(name, 0)
            has = sum(self.stages[n].holds.get(name, 0) for n in outcome.stages)
            if has > had:
                raise BadPlan(
                    move.name, f"ends in {outcome.name} with {has} of {name}, but has room for {had}"
                )

    def most(self, stage: int) -> int:
        """How many parts there can be in a stage at a time."""
        holds = self.stages[stage].holds
        return min(self.capacity[name] // count for name, count in holds.items() if count)
