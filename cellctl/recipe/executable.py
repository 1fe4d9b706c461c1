"""The executable recipe: one variant, everything resolved against one line. Journaled by its digest and never reread
from the file. Made by `cellctl.compile`; read by flow, runner, deadlock search and reports.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import msgspec

from cellctl.messages import Value
from cellctl.skill import Works


class Route(msgspec.Struct, frozen=True):
    """Where a part goes after an outcome that is not `done`.

    First `retry` times back to `start` (a step's name; "" is the step itself), then to `then`: "ask" (an operator
    decides), "next" (go on as if done), the name of a step to rework from, or the name of a scrap step: of the scrap
    steps only that one is done, and those that need it. "scrap" means the first scrap step.
    """

    retry: int = 0
    start: str = ""
    then: str = "ask"


class Step(msgspec.Struct, frozen=True):
    """One step, resolved. `modules` are the candidates by role; a step of one module has the one role ""."""

    name: str
    skill: str
    works: Works
    modules: dict[str, tuple[str, ...]]
    phases: tuple[tuple[str, str], ...] = ()  # (role, skill) of a joint skill; empty: one command, role ""
    take: str = ""  # the material that is brought
    to: tuple[str, ...] = ()  # candidate target stations
    at: tuple[str, ...] = ()  # stations where the part must be (or comes into being); empty: wherever it is
    parameters: dict[str, Value] = {}
    references: dict[str, str] = {}  # parameter -> "step.result", read when the step is dispatched
    needs: tuple[str, ...] = ()
    routes: dict[str, Route] = {}
    timeout: float | None = None  # [s]
    parts: int = 1  # how many parts one command works on


class Executable(msgspec.Struct, frozen=True):
    """One variant of one recipe, ready to run on one line."""

    recipe: str
    revision: int
    variant: str
    line: str  # digest of the line it was compiled against
    steps: tuple[Step, ...]
    scrap: tuple[Step, ...] = ()
    announced: bool = False  # parts are announced by a module, not born by the runner
    arrives: tuple[str, ...] = ()  # the stations where they are announced

    @property
    def digest(self) -> str:
        """The content hash that every part made by it records.

        Of what is said, sorted by names: neither the layout of a file nor a field that a later release adds with its
        default changes it.
        """
        return hashlib.sha256(_canonical.encode(_said(self))).hexdigest()

    def step(self, name: str) -> Step:
        """The step of this name, scrap steps included."""
        for steps in (self.steps, self.scrap):
            for step in steps:
                if step.name == name:
                    return step
        raise KeyError(name)


def _said(value: Executable | Step | Route) -> dict[str, Any]:
    """The fields that differ from their defaults, at every depth."""
    usual = _defaults(type(value))
    told = {name: getattr(value, name) for name in value.__struct_fields__}
    return {name: _inside(given) for name, given in told.items() if name not in usual or given != usual[name]}


@cache
def _defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    found = {}
    for field in msgspec.structs.fields(kind):
        if field.default_factory is not msgspec.NODEFAULT:
            found[field.name] = field.default_factory()
        elif field.default is not msgspec.NODEFAULT:
            found[field.name] = field.default
    return found


def _inside(given: Any) -> Any:
    match given:
        case Step() | Route():
            return _said(given)
        case tuple():
            return tuple(_inside(each) for each in given)
        case dict():
            return {name: _inside(each) for name, each in given.items()}
        case _:
            return given


_canonical = msgspec.json.Encoder(order="deterministic")
