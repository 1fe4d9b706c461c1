"""Whether arms reach the stations of steps, and those that no step uses; what each reaches is found once for a line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cellctl.compile.codes import OUT_OF_REACH
from cellctl.findings import Report
from cellctl.kinds import ArmOptions
from cellctl.line.model import Line, Module, Station, Tool
from cellctl.line.once import once
from cellctl.recipe.executable import Step
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet
from cellctl.yamlsource import load

if TYPE_CHECKING:
    from cellctl.plan.reach import Trouble

TOOL = "tool"
NONE_AT_ALL = "; it reaches none of its stations"
ADVICE = "move the station or the arm's base, correct the pose, or give it a `via` or another `approach`"


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
            message += NONE_AT_ALL if is_lost else ""
            add(OUT_OF_REACH, written[step.name].node.span, message, ADVICE)


def check_stations(line: Line, file: Path, report: Report) -> None:
    """Warn of each station to which no arm comes that has a pose for it, whether a step uses it or not.

    `file` is that of the line. What `report` says of a station already, at a step, is not said again.
    """
    told = [finding.message for finding in report.findings if finding.code == OUT_OF_REACH]
    unreached = [each for each in _unreached(line) if not any(each.is_in(message) for message in told)]
    root = load(file, Report()) if unreached else None  # again, to know where they stand
    if root is None:
        return
    sheet = Sheet(root, report)
    for each in unreached:
        report.warn(OUT_OF_REACH, sheet.key_span(*each.written), each.message, ADVICE)


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


class _Unreached(NamedTuple):
    """A station that no arm reaches, or an arm that reaches none."""

    written: tuple[str, ...]  # its keys in the line file
    message: str
    words: tuple[str, ...]  # of which a finding has one when it is about the same

    def is_in(self, message: str) -> bool:
        return any(words in message for words in self.words)


def _unreached(line: Line) -> Iterator[_Unreached]:
    """First the arms that reach nothing; their stations are left out."""
    arms = [m for m in line.modules.values() if isinstance(m.options, ArmOptions) and m.tools]
    lost = [arm for arm in arms if all(_reaches_nothing(line, arm.name, tool.name) for tool in arm.tools)]
    for arm in lost:
        words = [each[0].words() for t in arm.tools for each in _reach(line, arm.name, t.name).values()]
        yield _Unreached(("modules", arm.name), words[0] + NONE_AT_ALL, tuple(words))
    for station in line.stations.values():
        for among in _expected(station, [arm for arm in arms if arm not in lost]):
            words = [found.words() for arm in among for found in _hindrances(line, arm, station)]
            if words and all(_hindrances(line, arm, station) for arm in among):
                local = station.name.removeprefix(f"{station.module}.")
                yield _Unreached(("modules", station.module, "stations", local), words[0], tuple(words))


def _expected(station: Station, arms: Sequence[Module]) -> Iterator[Sequence[Module]]:
    """The arms of which one is to reach the station: each with a pose of its own there, and any of the others."""
    yield from ([arm] for arm in arms if arm.name in station.poses)
    others = [arm for arm in arms if arm.name not in station.poses and station.pose_for(arm.name) is not None]
    if others:
        yield others


def _hindrances(line: Line, arm: Module, station: Station) -> list[Trouble]:
    """What keeps the arm from the station, with each of its tools; nothing where it can come with one of them."""
    found = [_reach(line, arm.name, tool.name).get(station.name, ()) for tool in arm.tools]
    return [each[0] for each in found] if all(found) else []


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
