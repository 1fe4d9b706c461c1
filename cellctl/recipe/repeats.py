"""Repeated steps written out: `screw` three times is `screw#1`, `screw#2`, `screw#3`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TypeAlias

from cellctl.recipe.codes import BAD_REPEAT, TOO_MANY_STEPS
from cellctl.recipe.file import MOST_STEPS, MOST_TIMES
from cellctl.recipe.nodes import Loop, StepNode
from cellctl.recipe.variant import substituted
from cellctl.sheet import Sheet
from cellctl.yamlsource import Node, Scalar


def looped(step: StepNode) -> StepNode:
    """The step with its own `repeat` as its innermost loop."""
    count = step.node.items.get("repeat")
    return replace(step, loops=(*step.loops, Loop(count))) if isinstance(count, Scalar) else step


# The steps, and those of them that what follows must need; when empty, only the last.
Written: TypeAlias = tuple[list[StepNode], tuple[str, ...]]


@dataclass
class Unrolling:
    """Writes out the loops of one variant. `all` and `first` say what a bare name stands for from outside."""

    sheet: Sheet
    values: Mapping[str, Scalar]
    all: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    size: int = 0

    def unrolled(self, *sections: list[StepNode]) -> list[list[StepNode]]:
        """Each list with its loops written out, and bare names of repeated steps replaced."""
        written = [self._written_out(steps, 0)[0] for steps in sections]
        needs = {name: self._all(name) for name in self.all}
        routes = {name: self._first(name) for name in self.first}
        return [[step.pointing(needs, routes) for step in steps] for steps in written]

    def _written_out(self, steps: list[StepNode], depth: int) -> Written:
        """Loops of this depth and deeper written out."""
        found, ends = list[StepNode](), tuple[str, ...]()
        for loop, group in groupby(steps, key=lambda step: step.loops[depth] if step.loops[depth:] else None):
            run = list(group)
            more, last = self._looped(loop, run, depth) if loop else (run, ())
            _append(found, ends, more)
            ends = last
        return found, ends

    def _looped(self, loop: Loop, run: list[StepNode], depth: int) -> Written:
        """The rounds one behind the other; side by side where the first step says what it needs."""
        rounds = [self._round(run, number, depth) for number in range(1, self._count(loop, run) + 1)]
        is_chain = run[0].needs is None
        self._note(run, len(rounds), is_chain)
        found, ends = list[StepNode](), tuple[str, ...]()
        for steps, last in rounds:
            _append(found, ends if is_chain else (), steps)
            ends = last if is_chain else (*ends, *(last or (steps[-1].name,)))
        return found, ends

    def _round(self, run: list[StepNode], number: int, depth: int) -> Written:
        names = {step.name: f"{step.name}#{number}" for step in run}
        return self._written_out([step.renamed(names[step.name], names) for step in run], depth + 1)

    def _note(self, run: list[StepNode], rounds: int, is_chain: bool) -> None:
        for step in run:
            names = tuple(f"{step.name}#{number}" for number in range(1, rounds + 1))
            self.first[step.name] = names[0]
            self.all[step.name] = names[-1:] if is_chain else names

    def _count(self, loop: Loop, run: list[StepNode]) -> int:
        """How often; once after a finding."""
        count = substituted(loop.count, self.values)
        value = count.value if isinstance(count, Scalar) else None
        if isinstance(value, str) and value.startswith("$") and "." not in value:
            return 1  # no such parameter, which is told with the other references
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_TIMES:
            message = (
                f"'repeat' must be a whole number from 1 to {MOST_TIMES}, not {_shown(loop.count, count)}"
            )
            self.sheet.error(BAD_REPEAT, count.span, message, "what may be left out has a `when` instead")
            return 1
        self.size += value * len(run)
        if self.size > MOST_STEPS:
            message = f"more than {MOST_STEPS} steps, when all that is repeated is written out"
            self.sheet.error(TOO_MANY_STEPS, count.span, message, "lower a `repeat`")
            return 1
        return value

    def _all(self, name: str) -> tuple[str, ...]:
        if name not in self.all:
            return (name,)
        return tuple(each for inner in self.all[name] for each in self._all(inner))

    def _first(self, name: str) -> str:
        return self._first(self.first[name]) if name in self.first else name


def _append(steps: list[StepNode], ends: tuple[str, ...], more: list[StepNode]) -> None:
    """Put more steps behind those that there are; the first of them needs all `ends` where it says nothing."""
    is_silent = bool(ends) and more[0].needs is None
    steps += [more[0].needing(ends), *more[1:]] if is_silent else more


def _shown(written: Node, meant: Node) -> str:
    texts = [node.text for node in (written, meant) if isinstance(node, Scalar)]
    return " = ".join(dict.fromkeys(texts)) or "a list or mapping"
