"""Stages that nothing distinguishes, taken as one: the same held, the same moves, to stages that are the same again.

The coarsest bisimulation, by refinement (Kanellakis and Smolka 1990, Information and Computation 86, 43). Variants of a
recipe that differ in forces and colours fall together, and the states to search become fewer by orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cellctl.plan.resources import Move, Outcome, ResourceSystem

Block = Mapping[int, int]  # stage -> number of its block


def merged(system: ResourceSystem) -> tuple[ResourceSystem, tuple[int, ...]]:
    """The system with one stage for all that are the same, and for each stage of before the one that stands for it."""
    blocks = _blocks(system)
    first: dict[int, int] = {}
    for stage, block in blocks.items():
        first.setdefault(block, stage)
    stages = tuple(system.stages[stage] for stage in first.values())
    number = {block: n for n, block in enumerate(first)}
    of_stage = tuple(number[blocks[stage]] for stage in range(len(system.stages)))
    kept = set(first.values())
    moves: dict[object, Move] = {}
    for move in system.moves:
        if all(stage in kept for stage in move.takes) or len(move.takes) > 1:
            new = _renamed(move, of_stage)
            moves.setdefault(_look(new, dict(enumerate(range(len(stages))))), new)
    start = tuple(of_stage[stage] for stage in system.start)
    at_home = frozenset(of_stage[stage] for stage in system.at_home)
    return ResourceSystem(system.capacity, stages, tuple(moves.values()), start, at_home), of_stage


def _blocks(system: ResourceSystem) -> Block:
    by_stage: dict[int, list[Move]] = {stage: [] for stage in range(len(system.stages))}
    for move in system.moves:
        for stage in move.takes:
            by_stage[stage].append(move)
    blocks = _numbered(
        (stage, (tuple(sorted(found.holds.items())), stage in system.at_home))
        for stage, found in enumerate(system.stages)
    )
    while True:
        finer = _numbered(
            (stage, (blocks[stage], frozenset(_look(move, blocks) for move in moves)))
            for stage, moves in by_stage.items()
        )
        if len(set(finer.values())) == len(set(blocks.values())):
            return blocks
        blocks = finer


def _numbered(looks: Iterable[tuple[int, object]]) -> Block:
    numbers: dict[object, int] = {}
    return {stage: numbers.setdefault(look, len(numbers)) for stage, look in looks}


def _look(move: Move, blocks: Block) -> object:
    """What of a move matters: two that look the same do the same."""
    ends = frozenset(tuple(sorted(blocks[n] for n in outcome.stages)) for outcome in move.outcomes)
    takes = tuple(sorted(blocks[n] for n in move.takes))
    return takes, tuple(sorted(move.room.items())), ends, move.is_ours


def _renamed(move: Move, of_stage: tuple[int, ...]) -> Move:
    outcomes: dict[tuple[int, ...], Outcome] = {}
    for outcome in move.outcomes:
        stages = tuple(of_stage[n] for n in outcome.stages)
        outcomes.setdefault(tuple(sorted(stages)), Outcome(outcome.name, stages))
    takes = tuple(of_stage[n] for n in move.takes)
    return Move(move.name, takes, move.room, tuple(outcomes.values()), move.to, move.is_ours)
