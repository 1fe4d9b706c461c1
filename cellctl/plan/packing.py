"""States of a resource allocation system as single integers, so that a move is one addition.

An integer has a field for every stage (how many parts are in it) and one for every resource (how much of it is held).
A resource's field starts at such a value that its topmost bit is set exactly when more is held than there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cellctl.plan.errors import BadPlan
from cellctl.plan.resources import ResourceSystem


@dataclass(frozen=True, slots=True)
class PackedMove:
    """`present`: the fields that may not be zero; `room`: what is added to see whether it fits; `steps`: what each
    outcome adds."""

    present: tuple[int, ...]
    room: int
    steps: tuple[int, ...]


class Packing:
    """How the states of one system are packed."""

    def __init__(self, system: ResourceSystem) -> None:
        self.system = system
        self._offsets: dict[str, int] = {}
        self.guards = 0
        self.empty = 0  # no part and no carrier
        at = 0
        for name, capacity in system.capacity.items():
            width = capacity.bit_length() + 1
            self._offsets[name] = at
            self.guards |= 1 << (at + width - 1)
            self.empty |= ((1 << (width - 1)) - 1 - capacity) << at
            at += width
        self._fields: list[tuple[int, int]] = []  # offset and width by stage
        for stage in range(len(system.stages)):
            self._fields.append((at, system.most(stage).bit_length()))
            at += self._fields[-1][1]
        self.bits = at
        self.stage_steps = tuple(self._step(n) for n in range(len(system.stages)))
        self.start = self.empty + sum(self.stage_steps[n] for n in system.start)
        self.parts = sum(self.mask(n) for n in range(len(system.stages)) if n not in system.at_home)
        self.moves = tuple(self._packed(n) for n in range(len(system.moves)))

    def mask(self, stage: int) -> int:
        """The bits of a stage's count."""
        offset, width = self._fields[stage]
        return ((1 << width) - 1) << offset

    def counts(self, state: int) -> dict[int, int]:
        """How many parts are in each stage; those with none left out."""
        found = {n: (state >> at) & ((1 << width) - 1) for n, (at, width) in enumerate(self._fields)}
        return {stage: count for stage, count in found.items() if count}

    def _step(self, stage: int) -> int:
        return (1 << self._fields[stage][0]) + self._held(self.system.stages[stage].holds)

    def _held(self, holds: Mapping[str, int]) -> int:
        return sum(count << self._offsets[name] for name, count in holds.items())

    def _packed(self, number: int) -> PackedMove:
        move = self.system.moves[number]
        if len(set(move.takes)) < len(move.takes):
            raise BadPlan(move.name, "takes two parts of one stage", "give each a stage of its own")
        before = sum(self.stage_steps[n] for n in move.takes)
        steps = tuple(sum(self.stage_steps[n] for n in o.stages) - before for o in move.outcomes)
        room = {name: count for name, count in move.room.items() if count}
        too_much = any(count > self.system.capacity[name] for name, count in room.items())
        return PackedMove(
            tuple(self.mask(n) for n in move.takes),
            self.guards if too_much else self._held(room),
            steps,
        )
