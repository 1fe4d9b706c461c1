"""The ways of the arms between the steps of one part: the table with the shortest ways, and what the others add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cellctl.flow.events import Dispatched
from cellctl.line.model import Line
from cellctl.plan.courses import Asked
from cellctl.plan.durations import timed
from cellctl.plan.flow_run import FlowRun
from cellctl.plan.line_cycle import LineStep
from cellctl.plan.pace import first_piece
from cellctl.plan.timing import USUAL, Talk, Timings
from cellctl.plan.ways import Ways


def with_ways(
    line: Line, run: FlowRun, part: str, table: Sequence[LineStep], talk: Talk = USUAL
) -> tuple[tuple[LineStep, ...], Ways]:
    """The table of a part (`cellctl.plan.pace.line_table`) with the shortest way to each step, and what others add.

    Raises MotionError, NoStraightWay where an arm cannot go from one step to another.
    """
    setups = _Setups(line, run, part, table, talk)
    begins = {
        arm: {row: {before: setups.begins(arm, before, row) for before in rows} for row in rows}
        for arm, rows in setups.commands.items()
    }
    least = {row: min(after.values()) for own in begins.values() for row, after in own.items()}
    ways = {
        arm: {row: {before: t - least[row] for before, t in after.items()} for row, after in own.items()}
        for arm, own in begins.items()
    }
    shorter = {row: least[row] - setups.usual[row] for row in least}
    return tuple(replace(s, duration=s.duration + shorter.get(s.name, 0.0)) for s in table), ways


class _Setups:
    def __init__(self, line: Line, run: FlowRun, part: str, table: Sequence[LineStep], talk: Talk) -> None:
        self._line, self._timings, self._talk = line, Timings(line, talk), talk
        self.commands: dict[
            str, dict[str, list[Dispatched]]
        ] = {}  # arm -> row with which a step begins -> all
        self.usual: dict[str, float] = {}  # such a row -> how long its first piece took in the run [s]
        for done in run.done:
            if part in done.command.parts and line.modules[done.command.module].tools:
                self._note(done.command, first_piece(done.course.acts, talk), table)

    def _note(self, command: Dispatched, seconds: float, table: Sequence[LineStep]) -> None:
        row = next(row.name for row in table if row.name.partition(":")[0] == command.step)
        if command.phase == 0:
            self.usual[row] = seconds
            self.commands.setdefault(command.module, {})[row] = []
        if row in (own := self.commands.get(command.module, {})):
            own[row].append(command)

    def begins(self, arm: str, before: str, row: str) -> float:
        """How long the first piece of a step takes behind another step [s]."""
        unit = timed(self._line, self._line.modules[arm], self._timings)
        for command in self.commands[arm][before]:
            unit.course(_asked(command), 0.0)
        course = unit.course(_asked(self.commands[arm][row][0]), 0.0)
        return first_piece(course.acts, self._talk)


def _asked(command: Dispatched) -> Asked:
    return Asked(command.skill, command.items, command.parameters)
