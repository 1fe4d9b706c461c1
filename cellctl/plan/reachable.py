"""Every state that a resource allocation system can reach, and those from which all parts can still be finished.

The safe states are the largest set in which (a) from every state some moves lead to the empty line, and (b) no outcome
of a move that is made, and nothing that happens unasked, leaves the set: the supremal controllable and nonblocking
behaviour of Ramadge and Wonham (1987, SIAM J. Control 25, 206). Births are left out of (a): that a part can still be
finished may not rest on further orders.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellctl.plan.packing import Packing

Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Budget:
    """How far a search may go: so many states, and until `is_over` says so (it is asked every thousand states)."""

    states: int = 1_000_000
    is_over: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Reach:
    """States in the order of a breadth-first search, and the moves between them.

    Move `m` leaves state `source[m]` by the system's move `kind[m]`; outcome `e` belongs to move `move_of[e]` and leads
    to `target[e]`. A state was first come to by the outcome `first[state]` (-1: the start).
    """

    packing: Packing
    states: list[int]
    source: Indices
    kind: Indices
    move_of: Indices
    target: Indices
    first: Indices

    def __len__(self) -> int:
        return len(self.states)

    def way_to(self, state: int) -> list[tuple[int, int]]:
        """The shortest way to a state: for each move the system's number for it and the packed state after it."""
        way = []
        while self.first[state] >= 0:
            edge = self.first[state]
            move = self.move_of[edge]
            way.append((int(self.kind[move]), self.states[state]))
            state = int(self.source[move])
        return way[::-1]


def reach(packing: Packing, budget: Budget) -> Reach | None:
    """Every state that can be reached when every move is made that there is room for; None beyond the budget."""
    numbers, states = {packing.start: 0}, [packing.start]
    source, kind, move_of, target, first = (array("q") for _ in range(5))
    first.append(-1)
    by_stage, births = _grouped(packing)
    guards = packing.guards
    for here, state in enumerate(states):
        if here % 1000 == 999 and budget.is_over():
            return None
        moves = [m for mask, group in by_stage if state & mask for m in group]
        for number, others, room, steps in births + moves:
            if (state + room) & guards or not all(state & mask for mask in others):
                continue
            for step in steps:
                after = numbers.get(state + step)
                if after is None:
                    after = numbers[state + step] = len(states)
                    states.append(state + step)
                    first.append(len(target))
                move_of.append(len(source))
                target.append(after)
            source.append(here)
            kind.append(number)
        if len(states) > budget.states:
            return None
    columns = (np.array(column, np.int64) for column in (source, kind, move_of, target, first))
    return Reach(packing, states, *columns)


Group = list[tuple[int, tuple[int, ...], int, tuple[int, ...]]]


def _grouped(packing: Packing) -> tuple[list[tuple[int, Group]], Group]:
    """The moves by the first stage that they need, and those that need none."""
    groups: dict[int, Group] = {}
    for number, move in enumerate(packing.moves):
        first, others = (move.present[0], move.present[1:]) if move.present else (0, ())
        groups.setdefault(first, []).append((number, others, move.room, tuple(dict.fromkeys(move.steps))))
    births = groups.pop(0, [])
    return list(groups.items()), births


def finishable(found: Reach) -> Flags:
    """The states from which all parts may still be finished, if things go well and nothing else is begun; (n,)."""
    everything = np.ones(len(found), np.bool_)
    return _finishing(found, everything, np.ones(len(found.source), np.bool_))


def safe(found: Reach) -> Flags:
    """The safe states, shape (n,)."""
    moves = found.packing.system.moves
    is_ours = np.array([move.is_ours for move in moves], np.bool_)[found.kind]
    inside = np.ones(len(found), np.bool_)
    while True:
        is_made = np.ones(len(found.source), np.bool_)
        is_made[found.move_of[~inside[found.target]]] = False
        left = inside.copy()
        left[found.source[~is_made & ~is_ours]] = False
        left &= _finishing(found, left, is_made)
        if np.array_equal(left, inside):
            return inside
        inside = left


def _finishing(found: Reach, inside: Flags, is_made: Flags) -> Flags:
    """The states inside from which moves that are made lead, inside, to the line without parts."""
    packing = found.packing
    works = np.array([bool(move.takes) for move in packing.system.moves], np.bool_)[found.kind]
    edges = (is_made & works)[found.move_of]
    origin, target = found.source[found.move_of[edges]], found.target[edges]
    reached = np.array([not state & packing.parts for state in found.states], np.bool_) & inside
    while True:
        new = origin[reached[target] & ~reached[origin] & inside[origin]]
        if not len(new):
            return reached
        reached[new] = True
