"""How long the commands of a line's modules take, and how long a step of a recipe does.

A prediction of what happens when all goes well: nothing is missed, jammed or tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from cellctl.errors import CellctlError
from cellctl.kinds import ArmOptions, ConveyorOptions, InspectionOptions, MachineOptions
from cellctl.line.model import Line, Module, station_of
from cellctl.line.once import once
from cellctl.messages import GONE, Item
from cellctl.plan.belt_course import BeltCourse
from cellctl.plan.courses import Act, Asked, Course, Timed, guess, moved
from cellctl.plan.errors import BadPlan
from cellctl.plan.timing import (
    USUAL,
    ArmTiming,
    DriveTiming,
    Duration,
    FeederTiming,
    GaugeTiming,
    GripperTiming,
    MachineTiming,
    Talk,
    Timings,
)
from cellctl.recipe.executable import Executable, Step
from cellctl.skill import Works


def timed(line: Line, module: Module, timings: Timings) -> Timed:
    """The module, standing where it is after homing. Where its drivers say too little, its skills' guesses do."""
    match module.options:
        case ArmOptions() if _says_enough(module, timings):
            from cellctl.plan.arm_course import ArmCourse  # with numpy: only for lines that have an arm

            return ArmCourse(line, module, timings)
        case ConveyorOptions() if isinstance(timings.of(module.devices["drive"]), DriveTiming):
            return BeltCourse(line, module, timings)
        case MachineOptions():
            return _Stationary(module, timings, _program)
        case InspectionOptions():
            return _Stationary(module, timings, _measurement)
        case _:
            return _Stationary(module, timings, _feed)


def _says_enough(module: Module, timings: Timings) -> bool:
    """Whether the drivers of an arm and of all its grippers say how long they take."""
    controller = timings.of(module.devices.get("controller", ""))
    grippers = (timings.of(tool.device) for tool in module.tools)
    return isinstance(controller, ArmTiming) and all(isinstance(g, GripperTiming) for g in grippers)


LONG_AGO = 1e6  # [s]

Known = Callable[[Module, Timings, Asked], Course | None]


class _Stationary:
    """A module whose commands always begin alike. Where its devices say nothing the skill's own guess is taken."""

    def __init__(self, module: Module, timings: Timings, known: Known) -> None:
        self._module, self._timings, self._known = module, timings, known

    def course(self, asked: Asked, at: float) -> Course:
        """As its devices say."""
        found = self._known(self._module, self._timings, asked)
        if found is not None:
            return found
        skill = self._module.kind.skill(asked.skill)
        moves = moved(asked) if skill is None or skill.works is not Works.STAYS else ()
        return guess(asked.skill, skill.duration if skill else None, moves)

    def rest(self, at: float) -> float:
        """Nothing runs on."""
        return at


def _program(module: Module, timings: Timings, asked: Asked) -> Course | None:
    machine = timings.of(module.devices.get("plc", ""))
    assert isinstance(module.options, MachineOptions)
    program = module.options.programs.get(str(asked.parameters.get("program", "")))
    if program is None or not isinstance(machine, MachineTiming):
        return None
    moves = moved(asked) if asked.skill == "make" else ()
    return Course((Act("run", machine.run(program.time), moves),))


def _measurement(module: Module, timings: Timings, asked: Asked) -> Course | None:
    gauge = timings.of(module.devices.get("head", ""))
    assert isinstance(module.options, InspectionOptions)
    if not isinstance(gauge, GaugeTiming):
        return None
    expected = [name for name in asked.parameters if name.startswith("expect.")]
    features = expected or module.options.features
    return Course(tuple(Act(f"measure {name}", gauge.measure) for name in features))


def _feed(module: Module, timings: Timings, asked: Asked) -> Course | None:
    if asked.skill != "feed":
        return None
    station = module.station(station_of(asked.items[0].target))
    named = [station.device] if station.device else list(module.devices.values())
    found = [timing for name in named if isinstance(timing := timings.of(name), FeederTiming)]
    return Course((Act("present", found[0].present, moved(asked)),)) if len(found) == 1 else None


# --- one step of a recipe ------------------------------------------------------------------------------------------


def predicted(
    line: Line, executable: Executable, step: str, origin: str = "", target: str = "", talk: Talk = USUAL
) -> Duration:
    """How long a step takes from the arrival of its command at the module to its end there.

    Between these two stations where they are named, and else between any that it may be for; from wherever a module
    may stand then, and on any module that may do it. That is its uncertainty, with that of the devices.

    Raises BadPlan for a step that nothing is known of; MotionError, NoStraightWay where an arm cannot do it.
    """
    found = executable.step(step)
    timings = Timings(line, talk)
    durations = [
        duration
        for module in _doers(line, found)
        for asked in _asked(line, found, module, origin, target)
        for duration in _from_anywhere(line, module, timings, asked)
    ]
    if not durations:
        raise BadPlan(step, "no module can do it between these stations", "name others, or none")
    return Duration.among(durations)


def quickest(line: Line, step: Step, module: Module) -> float | None:
    """How long the command that this module does in a step takes at least [s]; None where nobody knows."""
    timings = _usual(line)
    roles = [role for role, names in step.modules.items() if module.name in names]
    skills = [skill for role, skill in step.phases if role in roles] or [step.skill]
    try:
        found = [
            duration.least
            for skill in skills
            for asked in _asked(line, replace(step, skill=skill, phases=()), module, "", "")
            for duration in _from_anywhere(line, module, timings, asked)
        ]
    except CellctlError:  # what cannot be done at all is told elsewhere
        return None
    return min(found, default=None)


@once
def _usual(line: Line) -> Timings:
    return Timings(line)


def _doers(line: Line, step: Step) -> Iterator[Module]:
    for names in step.modules.values():
        yield from (line.modules[name] for name in names)


def _asked(line: Line, step: Step, module: Module, origin: str, target: str) -> Iterator[Asked]:
    """The commands that the step may become on this module."""
    skill = dict(step.phases).get("", step.skill)
    targets = [target] if target else list(step.to or step.at or (module.at,))
    for start in [origin] if origin else _origins(line, step, module):
        for end in targets:
            if start != end or step.works is Works.STAYS:
                yield Asked(
                    skill, (Item("", start, end if step.works is not Works.STAYS else ""),), step.parameters
                )


def _origins(line: Line, step: Step, module: Module) -> list[str]:
    if step.take:
        return [name for name, station in line.stations.items() if station.source == step.take]
    if step.works is Works.MAKES:
        return [GONE]
    return list(step.at) or [station.name for station in module.stations]


def _from_anywhere(line: Line, module: Module, timings: Timings, asked: Asked) -> Iterator[Duration]:
    """From every place where the module may stand when the command comes."""
    for unit in _standing_anywhere(line, module, timings):
        yield unit.course(asked, 0.0).takes(timings.talk)


def _standing_anywhere(line: Line, module: Module, timings: Timings) -> Iterator[Timed]:
    """An arm after homing or above any of its stations, a belt at rest or running."""
    unit = timed(line, module, timings)
    yield unit
    if isinstance(unit, BeltCourse):
        unit.rest(0.0)
        unit.course(Asked("expect", (Item("", "", ""),)), -LONG_AGO)
        yield unit
    elif isinstance(module.options, ArmOptions):
        from cellctl.plan.arm_course import ArmCourse

        stations = line.stations.values() if isinstance(unit, ArmCourse) else ()
        for station in stations:
            if isinstance(unit, ArmCourse) and station.pose_for(module.name) is not None:
                unit.stand_above(station.name)
                yield unit
