"""Whether the parts of an order mix can jam a line, decided before the run; and the table by which they do not.

`decide_jams` searches every state that parts of these recipes can reach on the line if nothing held them back but room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cellctl.flow.safe_states import SafeStates
from cellctl.line.model import Line
from cellctl.plan.errors import BadPlan, NotModelled
from cellctl.plan.jam import Jam, shortest_jam
from cellctl.plan.line_system import LineSystem, line_system
from cellctl.plan.packing import Packing
from cellctl.plan.reachable import Budget, Flags, Reach, finishable, reach, safe
from cellctl.recipe.executable import Executable


class Answer(StrEnum):
    """What is known of jams."""

    CANNOT = "cannot jam"
    CAN = "can jam"
    BOUNDED = "not decided"


@dataclass(frozen=True)
class Verdict:
    """`states` are those that can be reached if the line is not held back, `kept` the safe ones among them.

    `known` is what the runner asks before each command; None where the banker's rule has to do.
    """

    answer: Answer
    why: str = ""  # not decided, or why no rule helps
    states: int = 0
    kept: int = 0
    jam: Jam | None = None
    known: SafeStates | None = None

    def words(self) -> str:
        """The verdict for people, several lines where there is a jam to tell of."""
        match self.answer:
            case Answer.BOUNDED:
                return f"Whether parts can jam is not decided exactly: {self.why}. The banker's rule keeps them apart."
            case Answer.CANNOT:
                return f"Parts cannot jam: each of {self.states:,} states can be finished."
            case Answer.CAN:
                assert self.jam is not None
                return f"Left to themselves parts can jam:\n{self.jam.words()}\n{self._remedy()}"

    def _remedy(self) -> str:
        if self.known is None:
            return f"No rule of the runner prevents it: {self.why}."
        share = 100 * self.kept / self.states
        return f"The runner prevents it; it keeps to {self.kept:,} of {self.states:,} states ({share:.1f} %)."


def decide_jams(
    line: Line,
    executables: Iterable[Executable],
    work_in_process: int | None = None,
    budget: Budget | None = None,
) -> Verdict:
    """Whether any number of parts of these recipes can jam, at most `work_in_process` at a time (None: the line's own
    limit; 0: as many as there is room for)."""
    limit = line.work_in_process if work_in_process is None else work_in_process
    budget = budget or Budget()
    try:
        of_line = line_system(line, executables, limit)
        packing = Packing(of_line.system)
    except (BadPlan, NotModelled) as error:
        return Verdict(Answer.BOUNDED, str(error))
    found = reach(packing, budget)
    if found is None:
        return Verdict(Answer.BOUNDED, f"there are more than {budget.states:,} states, or too little time")
    return _verdict(of_line, found)


def _verdict(of_line: LineSystem, found: Reach) -> Verdict:
    kept = safe(found)
    count = int(np.count_nonzero(kept))
    if not kept[0]:
        why = "even the empty line is not safe, whatever the runner waits for"
        return Verdict(Answer.CAN, why, len(found), 0, shortest_jam(found, finishable(found)))
    known = _table(of_line, found, kept)
    if count == len(found):
        return Verdict(Answer.CANNOT, "", count, count, None, known)
    return Verdict(Answer.CAN, "", len(found), count, shortest_jam(found, finishable(found)), known)


def _table(of_line: LineSystem, found: Reach, kept: Flags) -> SafeStates:
    packing = found.packing
    steps = {stage: 0 if n is None else packing.stage_steps[n] for stage, n in of_line.of_stage.items()}
    after_work = {
        work: tuple(steps[stage] if stage.is_begun else 0 for stage in stages)
        for work, stages in of_line.after_work.items()
    }
    safe_ones = frozenset(state for state, is_kept in zip(found.states, kept, strict=True) if is_kept)
    unsafe = frozenset(found.states) - safe_ones
    return SafeStates(steps, after_work, packing.start, safe_ones, unsafe)
