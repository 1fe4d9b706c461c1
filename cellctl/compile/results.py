"""Results of steps as parameters of later ones: whether they measure the same, as far as that is known before."""

from __future__ import annotations

from collections.abc import Iterable

from cellctl.compile.codes import WRONG_RESULT
from cellctl.compile.recipe_facts import dimension_of
from cellctl.line.model import Line
from cellctl.messages import Limits
from cellctl.recipe.executable import Step
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet
from cellctl.units import Dimension


def check_dimension(
    sheet: Sheet, line: Line, steps: Iterable[Step], step: Step, parameter: str, text: StepText
) -> None:
    """A finding where the parameter that refers to a result measures something else than the result."""
    reference = step.references[parameter]
    given, wanted = measured(steps, reference), dimension_of(line, step, parameter)
    if given is None or wanted is None or given is wanted:
        return
    message = f"${reference} is {given.noun}, but {parameter!r} is {wanted.noun}"
    sheet.error(
        WRONG_RESULT, text.parameters[parameter].span, message, f"name a result that is {wanted.noun}"
    )


def measured(steps: Iterable[Step], reference: str) -> Dimension | None:
    """What a result measures: a feature what its limits do. None for other results, which only the device knows."""
    source, _, result = reference.rpartition(".")
    for step in steps:
        for name, limits in step.parameters.items() if step.name == source else ():
            if isinstance(limits, Limits) and limits.dimension and name.rpartition(".")[2] == result:
                return Dimension(limits.dimension)
    return None
