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
scrapped by that step and those that need it, such as one of several reject lanes. `scrap` names the first of them.

A variant sets parameters and changes steps by name. `steps: {press: {force: 55 N}}` changes keys of a step,
`{again: {after: press, do: run, ...}}` (or `before`) adds one, `{board: remove}` removes one. `extends` takes another
variant first.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field, StringConstraints

from cellctl.written import AnyQuantity, Duration, Written

NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
Keys: TypeAlias = dict[str, Any]  # read later, when it is known what they belong to

SCRAP, ASK, NEXT = "scrap", "ask", "next"


class ParameterFile(Written):
    """What variants may change: a material, a quantity, a text or a number, with its usual value."""

    material: str | None = Field(default=None, description="the usual material; one of the line's")
    default: AnyQuantity | None = Field(
        default=None, description="the usual quantity, or one with a tolerance"
    )
    min: AnyQuantity | None = Field(default=None, description="the least quantity that a variant may set")
    max: AnyQuantity | None = Field(default=None, description="the greatest")
    text: str | None = Field(default=None, description="the usual text")
    choices: tuple[str, ...] = Field(default=(), description="the only texts that a variant may set")
    number: int | float | None = Field(default=None, description="the usual number")


class RouteFile(Written):
    """Where a part goes after an outcome that is not `done`."""

    retry: int = Field(default=0, ge=0, le=100, description="how often it is tried again")
    start: Name = Field(
        default="", alias="from", description="the step with which the new try begins; else the step itself"
    )
    then: Name = Field(
        default=ASK,
        description="where it goes after that: `scrap`, `ask`, `next`, a step to rework from, or a scrap step",
    )


class StepFile(Written):
    """What every step has, besides the parameters of its skill."""

    step: Name = Field(description="its name")
    do: Name = Field(description="the skill")
    take: str = Field(default="", description="the material that is brought")
    to: str | tuple[str, ...] = Field(default=(), description="the station, or any of several, to which")
    into: str = Field(default="", description="the station where what is brought joins the part")
    at: str | tuple[str, ...] = Field(
        default=(), description="the station where it works, if that is not plain"
    )
    by: str | tuple[str, ...] | dict[Name, str | tuple[str, ...]] = Field(
        default=(), description="the only modules that may do it; else all that can"
    )
    needs: str | tuple[str, ...] | None = Field(
        default=None, description="steps that must be done before; the one above when nothing is said"
    )
    on: dict[Name, Name | RouteFile] = Field(
        default={}, description="where the part goes after an outcome that is not `done`"
    )
    timeout: Duration | None = Field(
        default=None, description="after which the module is asked to stop, and an alarm says so"
    )
    parts: int = Field(default=1, ge=1, le=10_000, description="on how many parts at once it works")


class RecipeFile(Written):
    """The whole file. `arrives` names the stations where parts are announced; without it the runner makes them."""

    recipe: Name = Field(description="its name")
    revision: int = Field(
        default=1, ge=1, description="counted up by whoever changes it; each part records it"
    )
    description: str = Field(default="", description="for people")
    arrives: str | tuple[str, ...] = Field(
        default=(), description="stations where parts are announced; else the runner makes them"
    )
    parameters: dict[Name, ParameterFile] = Field(
        default={}, description="what variants may change, used in steps as `$name`"
    )
    variants: dict[Name, Keys] = Field(
        default={}, description="by name: values of parameters, `extends`, and changes under `steps`"
    )
    steps: tuple[Keys, ...] = Field(min_length=1, description="what is done with a part, in order")
    scrap: tuple[Keys, ...] = Field(default=(), description="what is done with a part that is scrapped")


def listed(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """One name or several, as several; none when nothing is said."""
    return (value,) if isinstance(value, str) and value else tuple(value or ())
