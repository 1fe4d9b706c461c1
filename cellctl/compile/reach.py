"""Whether the arms that may do a step reach its stations; what each arm can reach is found once for a line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from cellctl.compile.codes import OUT_OF_REACH
from cellctl.kinds import ArmOptions
from cellctl.line.model import Line, Module, Tool
from cellctl.recipe.executable import Step
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet

if TYPE_CHECKING:
    from cellctl.plan.reach import Trouble

TOOL = "tool"
MOST_LINES = 8  # of which it is kept what their arms can reach


def check_reach(
    steps: Sequence[Step],
    line: Line,
    texts: Sequence[StepText],
    sheet: Sheet,
    stands: Mapping[str, Collection[str] | None],
) -> None:
    """Report each station of a step to which no arm comes that may do it; warn where only some, or not at all times.

    `stands` has for each step where the part may be when it begins, None where nobody knows.
    """
    written = {text.name: text for text in texts}
    told: set[tuple[str, bool]] = (
        set()
    )  # one station out of reach is one finding, however many steps go there
    for step in steps:
        modules = [line.modules[name] for names in step.modules.values() for name in names]
        arms = [module for module in modules if isinstance(module.options, ArmOptions) and module.tools]
        for station in _stations(step, line, stands.get(step.name)):
            troubles = {arm.name: _at(line, arm, step, station) for arm in arms if _has(line, arm, station)}
            worst = [found[0] for found in troubles.values() if found]
            if not worst:
                continue
            where = written[step.name].node.span
            is_sure = len(worst) == len(troubles) and all(trouble.always for trouble in worst)
            add = sheet.error if is_sure else sheet.report.warn
            if (station, is_sure) in told:
                continue
            told.add((station, is_sure))
            advice = "move the station or the arm's base, correct the pose, or give it a `via` or another `approach`"
            add(OUT_OF_REACH, where, f"{step.name!r}: {worst[0].words()}", advice)


def _stations(step: Step, line: Line, stands: Collection[str] | None) -> Iterator[str]:
    """Where a step may take from and bring to."""
    found = {*step.to, *step.at, *(() if step.take else stands or ())}
    found |= {name for name, station in line.stations.items() if step.take and station.source == step.take}
    return (name for name in line.stations if name in found)


def _has(line: Line, arm: Module, station: str) -> bool:
    return line.stations[station].pose_for(arm.name) is not None


def _at(line: Line, arm: Module, step: Step, station: str) -> tuple[Trouble, ...]:
    wanted = step.parameters.get(TOOL)
    tools = [tool for tool in arm.tools if wanted in (tool.name, tool.name.rpartition(".")[2])]
    known = _reach(_TheSame(line), arm.name, (tools or arm.tools)[0].name)
    return known.get(station, ())


class _TheSame:
    """A line, compared by identity: what it holds cannot be hashed."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def __hash__(self) -> int:
        return id(self.line)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _TheSame) and self.line is other.line


@lru_cache(maxsize=MOST_LINES)
def _reach(same: _TheSame, arm: str, tool: str) -> dict[str, tuple[Trouble, ...]]:
    from cellctl.plan.reach import troubles  # with numpy: only for lines that have an arm

    module = same.line.modules[arm]
    return troubles(same.line, module, _named(module, tool))


def _named(module: Module, tool: str) -> Tool:
    return next(each for each in module.tools if each.name == tool)
