"""The steps of one variant: their keys read, and what they say of each other checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TypeAlias

from cellctl.recipe.codes import (
    BAD_ROUTE,
    NEEDS_CIRCLE,
    RESULT_TOO_EARLY,
    UNKNOWN_REFERENCE,
    UNKNOWN_STEP,
)
from cellctl.recipe.file import RouteFile, StepFile, listed
from cellctl.recipe.nodes import StepNode
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet, suggestion
from cellctl.yamlsource import Mapping, Node

Known: TypeAlias = dict[
    tuple[int, str, str], StepText
]  # by its node, which it keeps; its name; the step above


def read_steps(
    sheet: Sheet,
    nodes: Sequence[StepNode],
    parameters: Collection[str],
    routes: Collection[str],
    known: Known,
) -> tuple[StepText, ...]:
    """The steps that can be read, in their order; what is wrong with them is reported.

    `routes` are the names that their routes may lead to, besides those of the steps. Steps that have been read for
    another variant are `known`.
    """
    names = [node.name for node in nodes]
    steps = [
        step
        for node, above in zip(nodes, ("", *names), strict=False)
        if (step := _read(sheet, node, above, known))
    ]
    is_whole = len(steps) == len(nodes) and all(need in names for step in steps for need in step.needs)
    for step in steps:
        _check_needs(sheet, step, names)
        _check_routes(sheet, step, names, [*routes, *names])
        if is_whole:  # else it is not known what comes before what
            _check_retries(sheet, step, steps)
    circle = _circle(steps)
    if circle:
        inside = [step for step in steps if step.name in circle]
        saying = next((step for step in inside if "needs" in step.node.items), inside[-1])
        where = saying.node.items.get("needs", saying.node).span
        sheet.error(
            NEEDS_CIRCLE, where, f"steps need each other: {' -> '.join(circle)}", "remove one of the `needs`"
        )
        return ()
    for step in steps:
        if step.references:
            earlier = before(step, steps) if is_whole else set(names)
            _check_references(sheet, step, earlier, names, parameters)
    return tuple(steps)


def _read(sheet: Sheet, step: StepNode, above: str, known: Known) -> StepText | None:
    node, alike = step.node, (id(step.node), step.name, above)
    if alike in known:
        return known[alike]
    own = {key: value for key, value in node.items.items() if key in StepFile.model_fields}
    file = sheet.read_node(
        StepFile, Mapping(own, node.key_spans, node.span, node.is_whole), step.name or "a step"
    )
    if file is None:
        return None
    parameters = {key: value for key, value in node.items.items() if key not in own}
    needs = listed(above if file.needs is None else file.needs)
    known[alike] = StepText(step.name, file, node, parameters, needs)
    return known[alike]


def _check_needs(sheet: Sheet, step: StepText, names: Collection[str]) -> None:
    for name in step.needs:
        if name not in names:
            where = step.node.items.get("needs", step.node).span
            others = [other for other in names if other != step.name]
            sheet.unknown(UNKNOWN_STEP, where, "step", name, others)


def _check_routes(sheet: Sheet, step: StepText, names: Collection[str], targets: Collection[str]) -> None:
    """Every route leads to something that there is."""
    for node, route in _routes(step):
        for key, target, known in (("then", route.then, targets), ("from", route.start, names)):
            if target and target not in known:
                sheet.unknown(UNKNOWN_STEP, _inside(node, key).span, "step", target, known)


def _check_retries(sheet: Sheet, step: StepText, steps: Sequence[StepText]) -> None:
    """A retry begins with the step itself or with one before it, and happens at least once."""
    names = {each.name for each in steps}
    for node, route in _routes(step):
        if route.start in names - before(step, steps) - {step.name}:
            message = (
                f"{route.start!r} does not come before {step.name!r}, so nothing is tried again from there"
            )
            sheet.error(BAD_ROUTE, _inside(node, "from").span, message, "name a step that this one needs")
        if route.start and not route.retry:
            sheet.error(BAD_ROUTE, _inside(node, "from").span, "`from` without `retry`", "add retry: 1")


def _routes(step: StepText) -> Iterator[tuple[Node, RouteFile]]:
    on = step.node.items.get("on")
    for outcome, route in step.file.on.items():
        if isinstance(on, Mapping) and outcome in on.items:
            yield on.items[outcome], route if isinstance(route, RouteFile) else RouteFile(then=route)


def _inside(node: Node, key: str) -> Node:
    return node.items.get(key, node) if isinstance(node, Mapping) else node


def _circle(steps: Sequence[StepText]) -> list[str]:
    """The names along one circle of needs, its first again at the end; empty when there is none."""
    needs = {step.name: step.needs for step in steps}
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        waiting = [iter((start,))]
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                if path:
                    done.add(path.pop())
            elif name in path:
                return [*path[path.index(name) :], name]
            elif name not in done:
                path.append(name)
                waiting.append(iter(needs.get(name, ())))
    return []


def before(step: StepText, steps: Sequence[StepText]) -> set[str]:
    """The names of all steps that must be done before this one."""
    needs = {each.name: each.needs for each in steps}
    found: set[str] = set()
    waiting = list(step.needs)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return found


# --- references ---------------------------------------------------------------------------------------------


def _check_references(
    sheet: Sheet,
    step: StepText,
    earlier: Collection[str],
    names: Collection[str],
    parameters: Collection[str],
) -> None:
    """What is still a reference must be a result; parameters have been put in their places before."""
    for key, reference in step.references:
        source, _, result = reference.text[1:].rpartition(".")
        if reference.text[1:] in parameters:
            continue  # it has a finding where it is declared or set
        if not source or not result:
            known = [f"${name}" for name in parameters]
            message = f"there is no parameter {reference.text!r}"
            sheet.error(UNKNOWN_REFERENCE, reference.span, message, suggestion(reference.text, known))
        elif source not in names:
            sheet.unknown(UNKNOWN_REFERENCE, reference.span, "step", source, sorted(earlier))
        elif source not in earlier:
            message = f"{reference.text!r} is not known yet: {step.name!r} does not need {source!r}"
            sheet.error(RESULT_TOO_EARLY, reference.span, message, f"add needs: [{source}]")
        elif key not in step.parameters:
            message = f"{key!r} cannot be a result of another step"
            sheet.error(RESULT_TOO_EARLY, reference.span, message, "only parameters of a skill can")
