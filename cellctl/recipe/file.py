"""The recipe file as people write it: its keys, and what they mean. `cellctl.recipe.load` reads it.

    recipe: sensor-puck
    revision: 3
    parameters:                                # what variants may change; used in steps as `$name`
      lid: {material: lid-black}
      force: {default: 40 N, min: 20 N, max: 60 N}
      height: {default: 18.20 mm ± 0.15 mm}
      program: {text: close}
    variants:
      indoor: {}
      outdoor: {lid: lid-sealed, force: 55 N}
      tall: {extends: outdoor, height: 24.00 mm ± 0.20 mm, steps: {settle: {after: press, do: run, program: close}}}
    steps:                                     # each needs the one above unless it says what it `needs`
      - {step: load, do: transfer, take: housing, to: belt.load}
      - {step: press, do: run, program: close, force: $force, timeout: 6 s}
      - {step: measure, do: measure, expect: {height: $height}, on: {reject: {retry: 1, then: scrap}}}
    scrap:                                     # what becomes of a part that a route sends to `scrap`
      - {step: bin, do: transfer, to: arm.bin}

A step names a skill (`do`), what is brought (`take`) and where (`to`, or `into` when it joins the part there), the
station where it works if that is not plain (`at`), and the skill's parameters beside these keys. A value may be a
`$parameter`, a parameter's also an earlier `$step.result`; there are no expressions.

After an outcome that is not `done` the part takes the step's route for it: `on: {missed: {retry: 2, then: ask}}`, or
shortly `on: {reject: scrap}`. `retry` tries again, from an earlier step with `from: press`; `then` is `scrap`, `ask`
(an operator), `next` (go on as if done), the name of a step to rework from, or the name of a scrap step: the part is
scrapped by that step and those that need it, such as one of several reject lanes.

A variant sets parameters and changes steps by name. `steps: {press: {force: 55 N}}` changes keys of a step,
`{again: {after: press, do: run, ...}}` (or `before`) adds one, `{board: remove}` removes one. `extends` takes another
variant first.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cellctl.reading import AnyQuantity, Duration

NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
Keys: TypeAlias = dict[str, Any]  # read later, when it is known what they belong to

SCRAP, ASK, NEXT = "scrap", "ask", "next"


class Written(BaseModel):
    """Anything that people write: no key that is not known, nothing that changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ParameterFile(Written):
    """What variants may change: a material, a quantity, a text or a number, with its usual value."""

    material: str | None = None
    default: AnyQuantity | None = None
    min: AnyQuantity | None = None
    max: AnyQuantity | None = None
    text: str | None = None
    choices: tuple[str, ...] = ()
    number: int | float | None = None


class RouteFile(Written):
    """Where a part goes after an outcome that is not `done`."""

    retry: Annotated[int, Field(ge=0, le=100)] = 0
    start: Annotated[Name, Field(alias="from")] = ""
    then: Name = ASK


class StepFile(Written):
    """What every step has, besides the parameters of its skill."""

    step: Name
    do: Name
    take: str = ""
    to: str | tuple[str, ...] = ()
    into: str = ""
    at: str | tuple[str, ...] = ()
    by: str | tuple[str, ...] | dict[Name, str | tuple[str, ...]] = ()
    needs: str | tuple[str, ...] | None = None
    on: dict[Name, Name | RouteFile] = {}
    timeout: Duration | None = None
    parts: Annotated[int, Field(ge=1, le=10_000)] = 1


class RecipeFile(Written):
    """The whole file. `arrives` names the stations where parts are announced; without it the runner makes them."""

    recipe: Name
    revision: Annotated[int, Field(ge=1)] = 1
    description: str = ""
    arrives: str | tuple[str, ...] = ()
    parameters: dict[Name, ParameterFile] = {}
    variants: dict[Name, Keys] = {}
    steps: Annotated[tuple[Keys, ...], Field(min_length=1)]
    scrap: tuple[Keys, ...] = ()


def listed(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """One name or several, as several; none when nothing is said."""
    return (value,) if isinstance(value, str) and value else tuple(value or ())
