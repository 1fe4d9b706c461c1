"""What a variant makes of a recipe's steps, on the nodes of the file: so every value still knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from cellctl.recipe.codes import BAD_CHANGE, NAME_TWICE, UNKNOWN_STEP
from cellctl.recipe.file import StepFile
from cellctl.recipe.nodes import StepNode, is_reference, mapped, references_in
from cellctl.sheet import Sheet, suggestion
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Refused, Scalar

REMOVE = "remove"
PLACING = ("after", "before")


def overlaid(sheet: Sheet, base: list[StepNode], changes: Node) -> list[StepNode]:
    """The steps with a variant's changes of them; what cannot be done is reported."""
    steps = list(base)
    if not isinstance(changes, MappingNode):
        if not isinstance(changes, Refused):
            sheet.error(BAD_CHANGE, changes.span, "'steps' must be a mapping of step names to changes")
        return steps
    for name, change in changes.items.items():
        _change(sheet, steps, name, change, changes)
    return steps


def _change(sheet: Sheet, steps: list[StepNode], name: str, change: Node, around: MappingNode) -> None:
    names, where = [step.name for step in steps], around.key_spans[name]
    match change:
        case MappingNode(items={"step": other}):
            sheet.error(BAD_CHANGE, other.span, f"a change cannot rename the step {name!r}", "remove `step`")
        case Scalar(value="remove") if name in names:
            del steps[names.index(name)]
        case MappingNode() if any(key in change.items for key in PLACING):
            if name in names:
                message = f"there is a step {name!r} already"
                sheet.error(NAME_TWICE, where, message, "leave out where it goes, to change that step")
            else:
                _insert(sheet, steps, name, change, where_named=around)
        case MappingNode() if name in names:
            place = names.index(name)
            steps[place] = replace(steps[place], node=_merged(steps[place].node, change))
        case Scalar(value="remove") | MappingNode():
            advice = suggestion(name, names)
            advice += "" if isinstance(change, Scalar) else "; a new step says where it goes: after: ..."
            sheet.error(UNKNOWN_STEP, where, f"no step is called {name!r}", advice)
        case Refused():
            sheet.mistakes += 1
        case _:
            advice = "write {key: value}, {after: step, do: ...} or remove"
            sheet.error(BAD_CHANGE, change.span, f"this is no change of the step {name!r}", advice)


def _insert(
    sheet: Sheet, steps: list[StepNode], name: str, change: MappingNode, where_named: MappingNode
) -> None:
    key = next(key for key in PLACING if key in change.items)
    anchor, names = change.items[key].plain, [step.name for step in steps]
    if all(each in change.items for each in PLACING):
        sheet.error(
            BAD_CHANGE, change.key_spans["before"], f"{name!r} goes after one step and before another"
        )
    if anchor not in names:
        sheet.unknown(UNKNOWN_STEP, change.items[key].span, "step", str(anchor), names)
        return
    own_name = Scalar(name, where_named.key_spans[name], name)
    items: dict[str, Node] = {"step": own_name, **{k: v for k, v in change.items.items() if k not in PLACING}}
    node = MappingNode(items, {**change.key_spans, "step": own_name.span}, change.span, change.is_whole)
    beside = steps[names.index(str(anchor))]  # it is repeated and left out with that step
    added = StepNode(name, node, beside.conditions, beside.loops)
    steps.insert(names.index(str(anchor)) + (key == "after"), added)


def _merged(old: MappingNode, new: MappingNode) -> MappingNode:
    return MappingNode(
        {**old.items, **new.items},
        {**old.key_spans, **new.key_spans},
        old.span,
        old.is_whole and new.is_whole,
    )


def substituted(node: Node, values: Mapping[str, Scalar]) -> Node:
    """The node with every `$parameter` in it replaced by its value, which then stands where the reference stood."""

    def valued(scalar: Scalar) -> Scalar:
        value = values.get(scalar.text[1:]) if is_reference(scalar) else None
        return Scalar(value.value, scalar.span, value.text) if value is not None else scalar

    return mapped(node, valued)


@dataclass(frozen=True)
class StepText:
    """A step of one variant: its keys, the nodes of its skill's parameters, and where each stands."""

    name: str  # with those of the sub-recipe and of the repetition around: `tighten.screw#2`
    file: StepFile
    node: MappingNode
    parameters: Mapping[str, Node]
    needs: tuple[str, ...]

    @cached_property
    def content(self) -> str:
        """All that it says, wherever it stands: two steps with the same are compiled alike."""
        return repr((self.name, self.node.plain, self.needs))

    @cached_property
    def references(self) -> tuple[tuple[str, Scalar], ...]:
        """What it still refers to, each with the key under which it does: results of other steps."""
        return tuple((key, each) for key, node in self.node.items.items() for each in references_in(node))
