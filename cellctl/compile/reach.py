"""Whether the arms that may do a step reach its stations; what each arm can reach is found once for a line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cellctl.compile.codes import OUT_OF_REACH
from cellctl.kinds import ArmOptions
from cellctl.line.model import Line, Module, Tool
from cellctl.line.once import once
from cellctl.recipe.executable import Step
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet

if TYPE_CHECKING:
    from cellctl.plan.reach import Trouble

TOOL = "tool"


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
    told: set[tuple[str, bool]] = set()  # a station is told of once, however many steps go there
    for step in steps:
        for doubt in _doubts(line, _Way.of(step, stands.get(step.name))):
            is_lost = _reaches_nothing(line, doubt.trouble.arm, doubt.trouble.tool)
            about = doubt.trouble.arm if is_lost else doubt.station, doubt.is_sure
            if about in told:
                continue
            told.add(about)
            add = sheet.error if doubt.is_sure else sheet.report.warn
            message = f"{step.name!r}: {doubt.trouble.words()}"
            message += "; it reaches none of its stations" if is_lost else ""
            advice = "move the station or the arm's base, correct the pose, or give it a `via` or another `approach`"
            add(OUT_OF_REACH, written[step.name].node.span, message, advice)


class _Way(NamedTuple):
    """What of a step decides who goes where: steps that have it in common have one answer."""

    modules: tuple[str, ...]
    tool: str
    material: str
    places: frozenset[str]  # where it may take from and bring to; the sources of its material besides

    @classmethod
    def of(cls, step: Step, stands: Collection[str] | None) -> _Way:
        modules = tuple(name for names in step.modules.values() for name in names)
        tool = step.parameters.get(TOOL)
        places = frozenset((*step.to, *step.at, *(() if step.take else stands or ())))
        return cls(modules, tool if isinstance(tool, str) else "", step.take, places)


class _Doubt(NamedTuple):
    """A station that is out of reach: for all that may do the step at all times, or for some, or at times."""

    station: str
    trouble: Trouble
    is_sure: bool


@once
def _doubts(line: Line, way: _Way) -> tuple[_Doubt, ...]:
    modules = [line.modules[name] for name in way.modules]
    arms = [module for module in modules if isinstance(module.options, ArmOptions) and module.tools]
    found = []
    for station in _stations(line, way) if arms else ():
        able = [arm for arm in arms if line.stations[station].pose_for(arm.name) is not None]
        troubles = [_reach(line, arm.name, _tool(arm, way.tool).name).get(station, ()) for arm in able]
        worst = [each[0] for each in troubles if each]
        if worst:
            is_sure = len(worst) == len(able) and all(trouble.always for trouble in worst)
            found.append(_Doubt(station, worst[0], is_sure))
    return tuple(found)


def _stations(line: Line, way: _Way) -> Iterator[str]:
    for name, station in line.stations.items():
        if name in way.places or (way.material and station.source == way.material):
            yield name


def _tool(arm: Module, wanted: str) -> Tool:
    """The tool of this name, in full or not; else the first."""
    named = [tool for tool in arm.tools if wanted in (tool.name, tool.name.rpartition(".")[2])]
    return (named or arm.tools)[0]


@once
def _reach(line: Line, arm: str, tool: str) -> dict[str, tuple[Trouble, ...]]:
    from cellctl.plan.reach import troubles  # with numpy: only for lines that have an arm

    module = line.modules[arm]
    return troubles(line, module, _tool(module, tool))


@once
def _reaches_nothing(line: Line, arm: str, tool: str) -> bool:
    """Whether the arm reaches no station with this tool: then it is its base or the tool that is wrong."""
    stations = [name for name, station in line.stations.items() if station.pose_for(arm) is not None]
    troubles = _reach(line, arm, tool)
    return len(stations) > 1 and all(any(each.always for each in troubles.get(name, ())) for name in stations)
