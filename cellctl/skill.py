"""Skills: what a module can do, declared as data. Compiler, runner, deadlock search and documents read the same.

A declaration says which arguments a step gives, what the module claims while it works, and for `done` and each named
failure where the item ends up. How it is done stands in the module kind's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel

from cellctl.device import Recovery


class Works(StrEnum):
    """What a skill works on, and so which keys its step has."""

    MOVES = "moves"  # `to`: brings the part, or with `take` a component that becomes the part, to a station
    JOINS = "joins"  # `take`, `into`: brings a component to the part's station, where it becomes part of it
    STAYS = "stays"  # works on the part where it is
    MAKES = "makes"  # parts come into being at the module's station (a printer's plate, a cut sheet)
    SUPPLIES = "supplies"  # brings a component to a source station; no part is involved


class Ends(StrEnum):
    """Where the moved item is after an outcome."""

    AT_TARGET = "at target"
    AT_ORIGIN = "at origin"  # nothing moved
    ANYWHERE = "anywhere"  # the answer's moves tell; may be "?" until a person says


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which a skill can end."""

    ends: Ends
    doc: str
    repeats: int = 0  # how often the runner tries again by itself where the recipe says nothing


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a skill. `dimension` is a `cellctl.units.Dimension` value, or "text", "number", "limits".

    `among` names the module's option, a list or mapping, whose entries or keys are the only values ("limits": the only
    names of features). Where that mapping's values say what they take and give (`takes`: name -> least and greatest,
    `gives`: name -> unit), the step has these parameters and results, too.
    """

    name: str
    dimension: str
    doc: str
    required: bool = False
    lower: float | None = None  # SI
    upper: float | None = None
    default: float | str | None = None
    among: str = ""


class Holds(StrEnum):
    """What of its module a skill claims for as long as it works, besides its stations."""

    MODULE = "module"  # the whole module: one such command at a time
    STATIONS = "stations"  # only origin and target: others may run beside it


@dataclass(frozen=True, slots=True)
class Skill:
    name: str
    doc: str
    works: Works
    outcomes: Mapping[str, Outcome]
    parameters: tuple[Parameter, ...] = ()
    open_parameters: bool = False  # takes further parameters, which the device knows
    results: Mapping[str, str] | tuple[str, ...] = ()  # with what each is, as of a parameter; or names alone
    holds: Holds = Holds.MODULE
    duration: float | None = None  # a guess [s] where the motion core has none


@dataclass(frozen=True, slots=True)
class Phase:
    """One command of a joint skill: which role does which of its own skills."""

    role: str
    skill: str


@dataclass(frozen=True, slots=True)
class JointSkill:
    """A skill of several modules: one-module commands in sequence, all roles reserved from first to last."""

    name: str
    doc: str
    works: Works
    roles: Mapping[str, str]  # role -> the skill that makes a module fit for it
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class StationKeys:
    """Which keys a kind's stations have in the line file; `options` are further ones of its own."""

    required: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    options: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class KindDeclaration:
    """A kind of module as data; its code is imported only in the process that runs it."""

    name: str
    doc: str
    code: str  # "package.module:Class"
    skills: tuple[Skill, ...]
    devices: Mapping[str, str]  # role -> the capability that it needs; a trailing "*" takes any number
    options: type[BaseModel]  # the module's own keys in the line file
    stations: StationKeys = StationKeys()
    actions: Mapping[str, Mapping[str, Recovery]] = field(
        default_factory=dict
    )  # its own, made of device actions
    announces: bool = False  # it finds parts at its stations that nobody brought it

    def skill(self, name: str) -> Skill | None:
        """The skill of this name, or None."""
        for skill in self.skills:
            if skill.name == name:
                return skill
        return None
