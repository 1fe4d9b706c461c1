"""Whether the time that a step is allowed is enough for what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from cellctl.compile.codes import TIMEOUT_TOO_SHORT
from cellctl.kinds import MachineOptions
from cellctl.line.model import Line, Module
from cellctl.recipe.executable import Step
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet

PROGRAM = "program"

Predicted: TypeAlias = Callable[
    [Step, Module], float | None
]  # [s] for the step's command there; None: not known


def programmed(step: Step, module: Module) -> float | None:
    """How long the step's program usually runs, as the line file says [s]; None where the step names none there."""
    name = step.parameters.get(PROGRAM)
    if not isinstance(module.options, MachineOptions) or not isinstance(name, str):
        return None
    program = module.options.programs.get(name)
    return None if program is None else program.time


def check_timeouts(
    steps: Sequence[Step],
    line: Line,
    texts: Sequence[StepText],
    sheet: Sheet,
    predicted: Predicted = programmed,
) -> None:
    """Report each step that would be stopped before it is done: on every module that can do it, or on some."""
    written = {text.name: text for text in texts}
    for step in steps:
        if step.timeout is None:
            continue
        times = _times(step, line, predicted)
        long = {name: time for name, time in times.items() if time > step.timeout}
        if not long:
            continue
        name, time = max(long.items(), key=lambda item: item[1])
        where = written[step.name].node.items.get("timeout", written[step.name].node).span
        message = f"{step.name!r} may take {step.timeout:g} s, but takes {time:g} s on {name}"
        add = sheet.error if len(long) == len(times) else sheet.report.warn
        add(TIMEOUT_TOO_SHORT, where, message, f"allow more than {time:g} s, or leave `timeout` out")


def _times(step: Step, line: Line, predicted: Predicted) -> dict[str, float]:
    """Module -> time of the command that it does in this step [s], where that is known."""
    modules = [line.modules[name] for names in step.modules.values() for name in names]
    times = {module.name: predicted(step, module) for module in modules}
    return {name: time for name, time in times.items() if time is not None}
