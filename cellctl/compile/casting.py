"""Which modules can do a step, from where the part may be to where it is to go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cellctl.flow.casts import serves
from cellctl.kinds import JOINT_SKILLS
from cellctl.line.model import Line, Module
from cellctl.line.once import once
from cellctl.skill import JointSkill, Outcome, Phase, Skill, Works

ALONE = ""  # the one role of a step of one module


@dataclass(frozen=True)
class Doing:
    """What a step does: a skill of one module, or of several in turn."""

    name: str
    works: Works
    roles: dict[str, str]  # role -> the skill that makes a module fit for it
    phases: tuple[Phase, ...]
    outcomes: dict[str, Outcome]


@once
def doing(line: Line, name: str) -> Doing | None:
    """The skill of this name on the line, or None."""
    if name in JOINT_SKILLS:
        return _jointly(line, JOINT_SKILLS[name])
    skill = next((skill for module in line.modules.values() if (skill := module.kind.skill(name))), None)
    if skill is None:
        return None
    outcomes = {n: o for each in _declared(line, name) for n, o in each.outcomes.items()}
    return Doing(name, skill.works, {ALONE: name}, (), outcomes)


def skills_of(line: Line) -> list[str]:
    """Every skill that a step on this line may name."""
    single = [s.name for m in line.modules.values() for s in m.kind.skills if s.works is not Works.SUPPLIES]
    return [*dict.fromkeys(single), *(name for name, joint in JOINT_SKILLS.items() if _jointly(line, joint))]


def _jointly(line: Line, joint: JointSkill) -> Doing | None:
    if not all(_declared(line, skill) for skill in joint.roles.values()):
        return None
    outcomes = {
        n: o for phase in joint.phases for s in _declared(line, phase.skill) for n, o in s.outcomes.items()
    }
    return Doing(joint.name, joint.works, dict(joint.roles), joint.phases, outcomes)


def _declared(line: Line, name: str) -> list[Skill]:
    return [skill for module in line.modules.values() if (skill := module.kind.skill(name))]


@once
def able(line: Line, skill: str) -> tuple[Module, ...]:
    """The modules that have the skill."""
    return tuple(module for module in line.modules.values() if module.kind.skill(skill))


def works_at(line: Line, module: Module, station: str) -> bool:
    """Whether a module works on a part that stands at `station`."""
    return module.at == station if module.at else serves(line, module, station)


@dataclass(frozen=True)
class Reach:
    """Who can move something from the origins to the targets. Empty sets where nobody can."""

    modules: dict[str, tuple[str, ...]]
    targets: tuple[str, ...]
    stranded: tuple[str, ...]  # origins from which nobody can


def reach(
    line: Line,
    what: Doing,
    candidates: dict[str, list[Module]],
    origins: Iterable[str] | None,
    targets: Iterable[str],
) -> Reach:
    """Who of the candidates moves from any of the origins (None: wherever it is) to any of the targets."""
    roles = list(what.roles)
    first, last = roles[0], roles[-1]
    starts = None if origins is None else list(origins)
    ends = list(targets)
    takers = [m for m in candidates[first] if starts is None or any(serves(line, m, o) for o in starts)]
    bringers = [m for m in candidates[last] if any(serves(line, m, t) for t in ends)]
    if first == last:
        takers = bringers = [module for module in takers if module in bringers]
    reached = tuple(t for t in ends if any(serves(line, m, t) for m in bringers))
    stranded = tuple(o for o in starts or () if not any(serves(line, m, o) for m in takers))
    modules = {first: tuple(m.name for m in takers), last: tuple(m.name for m in bringers)}
    return Reach(modules, reached, stranded)


def why_not(
    line: Line, candidates: dict[str, list[Module]], origins: Iterable[str], targets: Iterable[str]
) -> str:
    """What each candidate lacks: its first role takes at the origins, its last one brings to the targets."""
    roles, said = list(candidates), []
    starts, ends = list(origins), list(targets)
    for role, modules in candidates.items():
        stations = [*(starts if role == roles[0] else ()), *(ends if role == roles[-1] else ())]
        for module in modules:
            missing = [s for s in dict.fromkeys(stations) if s and not serves(line, module, s)]
            if missing:
                lacks = "has no pose for" if module.tools else "does not serve"
                said.append(f"{module.name} {lacks} {' and '.join(missing)}")
    return "; ".join(said)
