"""The shortest way into a jam, in words that say which part stands where and what it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cellctl.plan.reachable import Flags, Reach
from cellctl.plan.resources import Move, ResourceSystem


@dataclass(frozen=True, slots=True)
class Jam:
    """How parts jam: what happens, one sentence each, and then what each of the parts waits for."""

    steps: tuple[str, ...]
    waits: tuple[str, ...]

    def words(self) -> str:
        """Numbered lines, and the end of it."""
        told = [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([*told, *self.waits])


def shortest_jam(found: Reach, finishable: Flags) -> Jam | None:
    """The first that a breadth-first search comes to; None where all states are finishable."""
    system, packing = found.packing.system, found.packing
    dead = np.flatnonzero(~finishable).tolist()
    if not dead:
        return None
    first = next((n for n in dead if tangled(system, packing.counts(found.states[n]))), dead[0])
    story = _Story(system)
    for move, after in found.way_to(first):
        story.go_on(system.moves[move], packing.counts(after))
    caught = tangled(system, packing.counts(found.states[first]))
    return Jam(tuple(story.told), tuple(story.waits(set(caught) or set(story.where.values()))))


def tangled(system: ResourceSystem, counts: dict[int, int]) -> Counter[int]:
    """The parts, by stage, that wait for each other: even if all others left, none of them could go on."""
    parts = Counter({n: count for n, count in counts.items() if n not in system.at_home})
    while True:
        held = holding(system, parts)
        free = [n for n in parts if any(has_room(system, move, held) for move in moves_of(system, n))]
        if not free:
            return parts
        parts -= Counter(dict.fromkeys(free, max(parts.values())))


def holding(system: ResourceSystem, parts: Counter[int]) -> Counter[str]:
    """How much of each resource the parts hold."""
    held: Counter[str] = Counter()
    for stage, count in parts.items():
        for name, each in system.stages[stage].holds.items():
            held[name] += each * count
    return held


def has_room(system: ResourceSystem, move: Move, held: Counter[str]) -> bool:
    """Whether there is room for a move beside what is held."""
    return all(held[name] + count <= system.capacity[name] for name, count in move.room.items())


def moves_of(system: ResourceSystem, stage: int) -> list[Move]:
    """What a part in this stage may do."""
    return [move for move in system.moves if stage in move.takes]


def _are(parts: list[str]) -> str:
    return f"{' and '.join(parts)} {'stands' if len(parts) == 1 else 'stand'}"


class _Story:
    """Parts with names, followed through a sequence of moves."""

    def __init__(self, system: ResourceSystem) -> None:
        self.system = system
        self.where: dict[str, int] = {}  # part -> stage
        self.told: list[str] = []
        self._born = 0

    def go_on(self, move: Move, after: dict[int, int]) -> None:
        """One move, after which so many parts are in each stage."""
        movers = [next(p for p, at in self.where.items() if at == stage) for stage in move.takes]
        left = {part: at for part, at in self.where.items() if part not in movers}
        outcome = next(
            o for o in move.outcomes if Counter(left.values()) + Counter(o.stages) == Counter(after)
        )
        while len(movers) < len(outcome.stages):
            self._born += 1
            movers.append(f"p{self._born}")
        self.where = left | dict(zip(movers, outcome.stages, strict=False))
        self.told.append(self._sentence(movers, move, outcome.name, bool(move.takes)))

    def _sentence(self, movers: Iterable[str], move: Move, outcome: str, is_known: bool) -> str:
        who = " and ".join(part if is_known else self._introduced(part) for part in movers)
        ends = "" if outcome == "done" else f" ends with {outcome}"
        return f"{who}: {move.name}{f' to {move.to}' if move.to else ''}{ends}"

    def _introduced(self, part: str) -> str:
        return f"{part} ({self.system.stages[self.where[part]].name})" if part in self.where else part

    def waits(self, caught: set[int]) -> list[str]:
        """What each part in these stages waits for."""
        there = {part: stage for part, stage in self.where.items() if stage in caught}
        return [self._wait(part, stage, there) for part, stage in there.items()]

    def _wait(self, part: str, stage: int, there: dict[str, int]) -> str:
        at = self.system.stages[stage].place
        held = holding(self.system, Counter(there.values()))
        wanted = []
        for move in moves_of(self.system, stage):
            for name, count in move.room.items():
                if held[name] + count > self.system.capacity[name]:
                    holders = [p for p, n in there.items() if self.system.stages[n].holds.get(name)]
                    wanted.append(f"{name}, where {_are(holders)}")
        if not wanted:
            return f"{part} stands at {at} and nothing can be done with it there"
        return f"{part} stands at {at} and waits for {' or '.join(dict.fromkeys(wanted))}"
