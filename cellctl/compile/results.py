"""Results of steps as parameters of later ones: whether there are such, and whether they measure what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cellctl.compile.codes import UNKNOWN_RESULT, WRONG_RESULT
from cellctl.compile.recipe_facts import doers, measure_of
from cellctl.compile.values import results_of
from cellctl.findings import Related, Span
from cellctl.line.model import Line
from cellctl.messages import Limits
from cellctl.recipe.executable import Step
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet
from cellctl.units import Dimension

PLAIN = {"number", Dimension.COUNT, Dimension.RATIO}  # each can be taken for the other


def check_results(steps: Sequence[Step], line: Line, texts: Sequence[StepText], sheet: Sheet) -> None:
    """Report each `$step.result` that its step does not give, or that is something else than its parameter."""
    made, written = {step.name: step for step in steps}, {text.name: text for text in texts}
    for step in steps:
        for parameter, reference in step.references.items():
            source = made.get(reference.rpartition(".")[0])
            if source is not None:
                where = written[step.name].parameters[parameter].span
                wanted = measure_of(line, step, parameter)
                _check(sheet, line, source, written[source.name], reference, parameter, wanted, where)


def _check(
    sheet: Sheet,
    line: Line,
    source: Step,
    text: StepText,
    reference: str,
    parameter: str,
    wanted: str,
    where: Span,
) -> None:
    result = reference.rpartition(".")[2]
    given = gives(line, source, text)
    origin = Related(
        text.node.items["step"].span if "step" in text.node.items else text.node.span, "the step"
    )
    if result not in given:
        sheet.unknown(UNKNOWN_RESULT, where, f"result of {source.name!r}", result, given, origin)
        return
    lacking = [name for name in _workers(source) if result not in _given_by(line, source, text, name)]
    if lacking:
        message = f"{lacking[0]}, which may do {source.name!r}, gives no {result!r}"
        sheet.error(UNKNOWN_RESULT, where, message, "choose the module: by: ...", origin)
    elif given[result] and wanted and given[result] != wanted and not {given[result], wanted} <= PLAIN:
        message = f"${reference} is {_noun(given[result])}, but {parameter!r} is {_noun(wanted)}"
        sheet.error(WRONG_RESULT, where, message, f"name a result that is {_noun(wanted)}", origin)


def gives(line: Line, step: Step, text: StepText) -> dict[str, str]:
    """What a step can give back, by name, with what it is: as its module says, else as its limits are."""
    found = {f.rpartition(".")[2]: v.dimension for f, v in step.parameters.items() if isinstance(v, Limits)}
    for module, skill in doers(line, step):
        for name, measure in results_of(skill, module, text).items():
            found[name] = measure or found.get(name, "")
    return found


def _workers(step: Step) -> tuple[str, ...]:
    """The modules that may do the work of the step: those of its last role."""
    return step.modules[list(step.modules)[-1]]


def _given_by(line: Line, step: Step, text: StepText, name: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for module, skill in doers(line, step):
        if module.name == name or name not in _workers(step):
            found |= results_of(skill, module, text)
    return found


def _noun(measure: str) -> str:
    named = {"text": "text", "number": "a plain number"}
    return named.get(measure) or Dimension(measure).noun
