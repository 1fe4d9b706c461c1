"""How long the exact search for jams takes, and how much of what is safe the banker's rule keeps.

Run `python tests/benchmarks/bench_deadlock.py`; it takes two seconds. The system is the flexible manufacturing system
of Ezpeleta, Colom and Martinez (1995): three robots, four machines of two, three routes of which one forks. Its numbers
of reachable and of safe states are those of the literature; the program exits with 1 when they differ. The banker here
asks for each part in turn whether some way to its end is free.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from time import perf_counter

from cellctl.plan.packing import Packing
from cellctl.plan.reachable import Budget, reach, safe
from cellctl.plan.resources import Move, Outcome, ResourceSystem, Stage

FIGURES = json.loads(Path(__file__).parents[1].joinpath("data", "ezpeleta_1995.json").read_text())


def system() -> ResourceSystem:
    """Each part holds one place and one of the so many parts of its type that there may be."""
    numbers: dict[tuple[str, str, tuple[str, ...]], int] = {}
    stages: list[Stage] = []
    moves: dict[tuple[object, ...], Move] = {}
    for kind, routes in FIGURES["routes"].items():
        for route in routes:
            before: tuple[int, ...] = ()
            for place, resource in enumerate(route):
                # the first stage of a type's routes is one; the last, too; others belong to their route
                own = () if place in (0, len(route) - 1) else tuple(route)
                key = (kind, f"{place}", own)
                if key not in numbers:
                    numbers[key] = len(stages)
                    stages.append(Stage(kind, resource, {resource: 1, kind: 1}))
                room = {resource: 1} | ({} if before else {kind: 1})
                after = (numbers[key],)
                moves[before, after] = Move(kind, before, room, (Outcome("done", after),), resource)
                before = after
            moves[before, ()] = Move(kind, before, {}, (Outcome("done"),))
    return ResourceSystem(FIGURES["capacity"] | FIGURES["limits"], tuple(stages), tuple(moves.values()))


class Banker:
    """Whether parts can be finished one after another, each by some way that is free."""

    def __init__(self, of: ResourceSystem) -> None:
        self.system = of
        self.capacity = {name: of.capacity[name] for name in FIGURES["capacity"]}
        self.onward: dict[int, list[int]] = {n: [] for n in range(len(of.stages))}
        for move in of.moves:
            for stage in move.takes:
                self.onward[stage] += move.outcomes[0].stages or (-1,)
        self.ways = cache(self._ways)

    def _ways(self, stage: int) -> frozenset[frozenset[str]]:
        """The sets of resources of which each lets a part in this stage come to its end."""
        found = set()
        for after in self.onward[stage]:
            if after < 0:
                return frozenset([frozenset()])
            found |= {way | {self.system.stages[after].place} for way in self.ways(after)}
        return frozenset(found)

    def is_safe(self, counts: dict[int, int]) -> bool:
        free = Counter(self.capacity)
        for stage, count in counts.items():
            free[self.system.stages[stage].place] -= count
        waiting = dict(counts)
        while waiting:
            through = next((stage for stage in waiting if self._is_free(stage, free)), None)
            if through is None:
                return False
            free[self.system.stages[through].place] += waiting.pop(through)
        return True

    def _is_free(self, stage: int, free: Counter[str]) -> bool:
        own = self.system.stages[stage].place
        return any(all(free[name] > 0 or name == own for name in way) for way in self.ways(stage))


def main() -> None:
    """Print the figures; exit with 1 where they are not the literature's."""
    packing = Packing(system())
    begun = perf_counter()
    found = reach(packing, Budget())
    searched = perf_counter()
    assert found is not None
    kept = safe(found)
    ended = perf_counter()
    count = int(kept.sum())
    print(
        f"{len(found)} states in {searched - begun:.3f} s, {count} of them safe in {ended - searched:.3f} s"
    )
    banker = Banker(packing.system)
    counts = [packing.counts(state) for state in found.states]
    begun = perf_counter()
    allowed = [banker.is_safe(each) for each in counts]
    each = (perf_counter() - begun) / len(found)
    wrong = sum(a and not k for a, k in zip(allowed, kept, strict=True))
    share = 100 * sum(allowed) / count
    print(
        f"the banker allows {sum(allowed)} of them ({share:.1f} %), {1e6 * each:.0f} us each; {wrong} unsafe"
    )
    figures = (FIGURES["reachable"], FIGURES["maximally_permissive"], 0)
    sys.exit((len(found), count, wrong) != figures)


if __name__ == "__main__":
    main()
