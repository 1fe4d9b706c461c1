"""What would set the pace of a line if one variant were made over and over, and the best order of its work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cellctl.flow.state import Turn
from cellctl.line.model import Line
from cellctl.plan.errors import BadPlan, NoSchedule, NotProved
from cellctl.plan.flow_run import FlowRun, Wanted, flow_run
from cellctl.plan.line_cycle import LineCycle, LineStep, cycle_time
from cellctl.plan.line_order import best_line_cycle
from cellctl.plan.pace import capacities, greatest_load, line_table
from cellctl.plan.setups import with_ways
from cellctl.plan.timing import USUAL, Talk
from cellctl.plan.ways import Ways, in_order
from cellctl.recipe.executable import Executable

WORTH = 1e-3  # relative: what a better order must be able to gain, to be searched
SEARCH = 20.0  # [s] for the best order of a recipe's work
ENOUGH = 20  # parts that are run on paper to see the steady state of one variant

Turns = Mapping[str, tuple[Turn, ...]]  # by module, for `cellctl.flow.turns`


@dataclass(frozen=True, slots=True)
class Pace:
    """What would set the pace if only this variant were made, or why that is not known (`unknown`).

    `cycle` serves in the recipe's order; `best`, where it was asked for, in the best order that is the same for every
    part. `turns` are that order as a runner follows it, `followed` what it then comes to from part to part [s], in
    a run on paper.
    """

    variant: str
    cycle: LineCycle | None = None
    best: LineCycle | None = None
    turns: Turns = field(default_factory=dict)
    followed: float | None = None
    unknown: str = ""


def pace(
    line: Line, run: FlowRun, executable: Executable, order: str, optimal: bool, talk: Talk = USUAL
) -> Pace:
    """The pace of one order of a run.

    Raises MotionError, NoStraightWay where an arm cannot go from one step to another.
    """
    variant = f"{executable.recipe}/{executable.variant}" if executable.variant else executable.recipe
    try:
        table, ways = _one_parts_table(line, run, executable, order, talk)
        room = capacities(line, table)
        cycle = _as_written(line, table, ways, room)
        if not optimal:
            return Pace(variant, cycle)
        best = _best(table, ways, room, cycle)
    except (BadPlan, NoSchedule, NotProved) as error:
        return Pace(variant, unknown=str(error))
    turns = turns_of(line, executable, best)
    followed = flow_run(line, [Wanted(executable, ENOUGH, turns)], talk=talk).steady_cycle
    return Pace(variant, cycle, best, turns, followed)


def best_turns(line: Line, executable: Executable) -> Turns:
    """The turns of the best order of one variant's work.

    Raises BadPlan where parts share commands, carriers or modules, are found by a module, or no module has two steps;
    NoSchedule, NotProved; MotionError, NoStraightWay.
    """
    run = flow_run(line, [Wanted(executable, ENOUGH)])
    table, ways = _one_parts_table(line, run, executable, "1", USUAL)
    room = capacities(line, table)
    turns = turns_of(line, executable, _best(table, ways, room, _as_written(line, table, ways, room)))
    if not turns:
        raise BadPlan(executable.recipe, "no module does two of its steps, so there is no order to follow")
    return turns


def turns_of(line: Line, executable: Executable, cycle: LineCycle) -> dict[str, tuple[Turn, ...]]:
    """The order of each module that does several steps of the recipe; feeding is not one."""
    steps = {step.name for step in executable.steps}
    found = {}
    for name, turns in cycle.order.items():
        own = [(turn.step.partition(":")[0], turn.behind) for turn in turns]
        if name in line.modules and steps.issuperset(step for step, _ in own):
            newest = min(behind for _, behind in own)
            found[name] = tuple(Turn(step, behind - newest) for step, behind in own)
    return found


def _one_parts_table(
    line: Line, run: FlowRun, executable: Executable, order: str, talk: Talk
) -> tuple[tuple[LineStep, ...], Ways]:
    """Of a part from the middle of the run. Raises BadPlan."""
    parts = [part for part, whose in run.orders.items() if whose == order]
    if not parts:
        raise BadPlan(executable.recipe, "no part of it was begun")
    part = parts[len(parts) // 2]
    return with_ways(line, run, part, line_table(line, run, executable, part, talk), talk)


def _as_written(line: Line, table: Sequence[LineStep], ways: Ways, room: Mapping[str, int]) -> LineCycle:
    """The cycle in the recipe's order, with the bound that holds for every order."""
    shortest = cycle_time(table, room)
    bound = max(shortest.bound, greatest_load(line, table, ways))
    cycle = cycle_time(in_order(table, ways, shortest.order), room, shortest.order)
    return replace(cycle, bound=min(bound, cycle.period))


def _best(table: Sequence[LineStep], ways: Ways, room: Mapping[str, int], cycle: LineCycle) -> LineCycle:
    """The best order; the recipe's own where that can be no better, or where none is found in time."""
    if cycle.period <= cycle.bound * (1.0 + WORTH):
        return cycle
    try:
        found = best_line_cycle(table, room, SEARCH, ways)
    except NotProved:
        return cycle
    best = min(found, cycle, key=lambda each: each.period)
    return replace(best, bound=min(max(found.bound, cycle.bound), best.period))
