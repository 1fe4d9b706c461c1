"""Conditions of steps, `when: {lid: lid-sealed}`: read, settled by a variant's values, and what follows for the others.

A step that is not taken is as if it were not there: who needs it needs what it needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cellctl.findings import Related, Span
from cellctl.recipe.codes import ALWAYS_TAKEN, NEVER_TAKEN, NOT_TAKEN, RESULT_TOO_EARLY, UNKNOWN_REFERENCE
from cellctl.recipe.file import WhenFile
from cellctl.recipe.nodes import Condition, StepNode, is_reference, references_in, routes_in
from cellctl.recipe.parameters import Parameter, ValueKind, check_value
from cellctl.sheet import Sheet
from cellctl.units import UnreadableQuantity, parse
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Scalar
from cellctl.yamlsource import Sequence as SequenceNode


def conditional(sheet: Sheet, step: StepNode, parameters: Mapping[str, Parameter]) -> StepNode:
    """The step with the conditions under its `when`, which is taken out of its node."""
    if "when" not in step.node.items:
        return step
    conditions = (*step.conditions, *conditions_in(sheet, step.node, parameters))
    return replace(step, conditions=conditions, node=without_when(step.node))


def without_when(node: MappingNode) -> MappingNode:
    """The node without its `when`."""
    return replace(node, items={key: value for key, value in node.items.items() if key != "when"})


def conditions_in(
    sheet: Sheet, node: MappingNode, parameters: Mapping[str, Parameter]
) -> tuple[Condition, ...]:
    """The conditions under the node's `when`; what is wrong with them is reported."""
    when = node.items.get("when")
    if when is None or sheet.read_node(WhenFile, when, "when") is None or not isinstance(when, MappingNode):
        return ()
    found = []
    for name, wanted in when.items.items():
        where = when.key_spans[name]
        if name in parameters:
            each = wanted.items if isinstance(wanted, SequenceNode) else (wanted,)
            values = [value for node in each if (value := check_value(sheet, parameters[name], node))]
            span = where._replace(end_line=wanted.span.end_line, end_column=wanted.span.end_column)
            given = Scalar(f"${name}", where, f"${name}")
            found.append(Condition(parameters[name], given, tuple(values), span))
        elif name not in sheet.keys("parameters"):  # those have their findings
            sheet.unknown(UNKNOWN_REFERENCE, where, "parameter", name, parameters)
    return tuple(found)


def is_met(condition: Condition, values: Mapping[str, Scalar]) -> bool:
    """Whether the parameter has one of the wanted values: `55 N` is as good as `0.055 kN`."""
    given = condition.given
    value = values.get(given.text[1:], given) if is_reference(given) else given
    return any(_same(condition.parameter, value, wanted) for wanted in condition.wanted)


def _same(parameter: Parameter, one: Scalar, other: Scalar) -> bool:
    if parameter.kind is not ValueKind.QUANTITY:
        return one.value == other.value
    try:
        return parse(one.text) == parse(other.text)
    except UnreadableQuantity:
        return False


@dataclass
class Tally:
    """For each condition, by its place, whether the variants met it."""

    found: dict[Span, tuple[Condition, set[bool]]] = field(default_factory=dict)

    def note(self, condition: Condition, met: bool) -> None:
        """One variant meets the condition, or not."""
        self.found.setdefault(condition.span, (condition, set()))[1].add(met)

    def warn(self, sheet: Sheet) -> None:
        """Tell of the recipe's own conditions that come out alike in all its variants."""
        for span, (condition, results) in self.found.items():
            if span.file != sheet.root.span.file or len(results) > 1:
                continue
            name = condition.parameter.name
            declared = Related(sheet.key_span("parameters", name), "declared here")
            if True in results:
                advice = "remove the `when`, or check its values"
                message = f"every variant has such a {name!r}: the condition excludes nothing"
                sheet.report.warn(ALWAYS_TAKEN, span, message, advice, declared)
            else:
                advice = "check the value, or let a variant set it; single parts of an order still may"
                message = f"no variant has such a {name!r}: the step can never run"
                sheet.report.warn(NEVER_TAKEN, span, message, advice, declared)


def taken(
    sheet: Sheet, steps: Sequence[StepNode], values: Mapping[str, Scalar], tally: Tally
) -> list[StepNode]:
    """The steps whose conditions are met, needing what those that are left out needed."""
    left_out = {}
    for step in steps:
        _check_given(sheet, step, values)
        results = [(condition, is_met(condition, values)) for condition in step.conditions]
        for condition, met in results:
            tally.note(condition, met)
        if not all(met for _, met in results):
            left_out[step.name] = step
    if not left_out:
        return list(steps)
    above = [(), *((step.name,) for step in steps)]
    needs = {
        s.name: s.needs if s.needs is not None else usual for s, usual in zip(steps, above, strict=False)
    }
    kept = []
    for step in steps:
        if step.name not in left_out:
            _check_targets(sheet, step, left_out)
            inherits = not left_out.keys().isdisjoint(needs[step.name])
            kept.append(step.needing(_inherited(step.name, needs, left_out)) if inherits else step)
    return kept


def _check_given(sheet: Sheet, step: StepNode, values: Mapping[str, Scalar]) -> None:
    for condition in step.conditions:
        if is_reference(condition.given) and condition.given.text[1:] not in values:
            message = f"a condition cannot wait for a result: {condition.parameter.name!r} is {condition.given.text!r}"
            advice = "it is settled before a part is made; use a parameter"
            sheet.error(RESULT_TOO_EARLY, condition.span, message, advice)


def _inherited(
    name: str, needs: Mapping[str, tuple[str, ...]], left_out: Mapping[str, StepNode]
) -> tuple[str, ...]:
    """What the step needs of those that are taken; not what it only inherits and something else of it needs anyway."""
    own = [each for each in needs[name] if each not in left_out]
    inherited = [each for each in _before(needs[name], needs, left_out) if each not in (*left_out, *own)]
    found = [*own, *inherited]
    implied = {each for other in found for each in _before(needs.get(other, ()), needs)}
    return (*own, *(each for each in inherited if each not in implied))


def _before(
    names: Iterable[str], needs: Mapping[str, tuple[str, ...]], through: Collection[str] | None = None
) -> list[str]:
    """The named steps and all that they need; only `through` these where given. In the order of coming upon them."""
    found, waiting = dict[str, None](), list(names)
    while waiting:
        each = waiting.pop(0)
        if each not in found:
            found[each] = None
            waiting[:0] = needs.get(each, ()) if through is None or each in through else ()
    return list(found)


def _check_targets(sheet: Sheet, step: StepNode, left_out: Mapping[str, StepNode]) -> None:
    for route in routes_in(step.node):
        if route.text in left_out:
            _tell(sheet, route, left_out[route.text], f"the route leads to {route.text!r}")
    for key, node in step.node.items.items():
        for reference in references_in(node) if key not in ("when", "repeat") else ():
            source = reference.text[1:].rpartition(".")[0]
            if source and source in left_out:
                _tell(sheet, reference, left_out[source], f"{reference.text!r} is a result of {source!r}")


def _tell(sheet: Sheet, where: Scalar, left_out: StepNode, what: str) -> None:
    advice = "give both steps the same `when`, or name one that is always taken"
    condition = Related(left_out.conditions[0].span, "its condition")
    sheet.error(NOT_TAKEN, where.span, f"{what}, which is not taken in some variant", advice, condition)
