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

`when: {lid: lid-sealed}` takes a step only where the parameter has that value, or one of a list; all of several
parameters must. It is settled when the recipe is compiled, not while a part is made. Who needs a step that is not taken
needs what that step needs.

`repeat: 3` (or a number's `$parameter`) does a step again: `screw#1`, `screw#2`, `screw#3`, one behind the other; or
side by side, in any order, where the step says what it `needs`. A block `{repeat: 2, steps: [...]}` repeats several
together. From outside, the bare name means all of them in `needs` and the first in a route; a result names one:
`$screw#2.torque`.

`{include: {recipe: tighten, with: {torque: $torque}}}` stands for the steps of the sub-recipe `tighten.yaml` beside
this file, which are then called `tighten.screw` and so on. A sub-recipe has only parameters and steps:

    subrecipe: tighten
    parameters: {torque: {default: 0.8 Nm, max: 1.2 Nm}}
    steps:
      - {step: screw, do: run, program: fasten, torque: $torque}

Its first step needs what stands above the `include`, what follows needs its last. `step: left` beside `include` gives
it another name than the sub-recipe's, and it takes `when`, `repeat` and `needs`, too. A route to `left` leads to the
first of its steps, who needs `left` needs the last. A sub-recipe knows nothing of the recipe around it but what is
given to it `with`.

A variant sets parameters and changes steps by name. `steps: {press: {force: 55 N}}` changes keys of a step,
`{again: {after: press, do: run, ...}}` (or `before`) adds one, `{board: remove}` removes one. `extends` takes another
variant first. A step that is added beside one of a block belongs to that block.

An order may give values of parameters for single parts (lot size one): `cellctl order add thing --part force=40N --part
force=50N`. Each such part is checked and compiled by itself, and records the hash of its own recipe.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field, RootModel, StringConstraints

from cellctl.written import AnyQuantity, Duration, Written

NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
STEP_NAME = r"^[A-Za-z][A-Za-z0-9_-]*([.#][A-Za-z0-9][A-Za-z0-9_-]*)*$"  # such as `tighten.screw#2`
StepName = Annotated[str, StringConstraints(pattern=STEP_NAME, max_length=200)]
OneValue: TypeAlias = str | int | float
Wanted: TypeAlias = dict[Name, OneValue | tuple[OneValue, ...]]  # parameter -> the value, or one of several
MOST_TIMES = 100  # that a step may be repeated
MOST_STEPS = 1000  # of a recipe, after all that is included and repeated
MOST_VARIANTS = 200
MOST_OF_ALL = 4000  # steps of all variants together: so many are checked within a second
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
    start: StepName = Field(
        default="", alias="from", description="the step with which the new try begins; else the step itself"
    )
    then: StepName = Field(
        default=ASK,
        description="where it goes after that: `scrap`, `ask`, `next`, a step to rework from, or a scrap step",
    )


class WhenFile(RootModel[Wanted]):
    """Conditions: by parameter the value, or one of several, that it must have."""


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
    on: dict[Name, StepName | RouteFile] = Field(
        default={}, description="where the part goes after an outcome that is not `done`"
    )
    timeout: Duration | None = Field(
        default=None, description="after which the module is asked to stop, and an alarm says so"
    )
    parts: int = Field(default=1, ge=1, le=10_000, description="on how many parts at once it works")
    when: Wanted = Field(
        default={},
        description="by parameter: the value, or one of several, with which alone the step is taken",
    )
    repeat: int | str = Field(default=1, description="how often it is done: 1 to 100, or a `$parameter`")


class IncludeFile(Written):
    """Which sub-recipe is included, and with which values of its parameters."""

    recipe: Name = Field(description="the sub-recipe in the file of this name beside the recipe's")
    given: Keys = Field(
        default={}, alias="with", description="values of its parameters; the others have their usual ones"
    )


class BlockFile(Written):
    """Several steps together, in the place of one: written out under `steps`, or those of a sub-recipe."""

    step: Name = Field(
        default="", description="its name, which comes before those of its steps; else the sub-recipe's"
    )
    include: IncludeFile | None = Field(default=None, description="the sub-recipe that is meant")
    steps: tuple[Keys, ...] = Field(default=(), description="or its steps, written out")
    needs: str | tuple[str, ...] | None = Field(
        default=None,
        description="steps that must be done before its first; the one above when nothing is said",
    )
    when: Wanted = Field(
        default={}, description="by parameter: the value, or one of several, with which alone they are taken"
    )
    repeat: int | str = Field(default=1, description="how often they are done, one after the other")


class SubrecipeFile(Written):
    """A sub-recipe's whole file."""

    subrecipe: Name = Field(description="its name")
    description: str = Field(default="", description="for people")
    parameters: dict[Name, ParameterFile] = Field(
        default={}, description="what an `include` may set, used in steps as `$name`"
    )
    steps: tuple[Keys, ...] = Field(min_length=1, description="what it stands for, in order")


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
