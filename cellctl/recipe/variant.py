"""What a variant makes of a recipe's steps, on the nodes of the file: so every value still knows where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cellctl.recipe.codes import BAD_CHANGE, NAME_TWICE, UNKNOWN_STEP
from cellctl.recipe.file import StepFile
from cellctl.sheet import Sheet, suggestion
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Refused, Scalar, Sequence

REMOVE = "remove"
PLACING = ("after", "before")


@dataclass(frozen=True)
class StepNode:
    """A step of one variant before its keys are read."""

    name: str
    node: MappingNode


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
        case Scalar(value="remove") if name in names:
            del steps[names.index(name)]
        case MappingNode() if any(key in change.items for key in PLACING):
            if name in names:
                message = f"there is a step {name!r} already"
                sheet.error(NAME_TWICE, where, message, "leave out where it goes, to change that step")
            else:
                _insert(sheet, steps, name, change, where_named=around)
        case MappingNode() if name in names:
            steps[names.index(name)] = StepNode(name, _merged(steps[names.index(name)].node, change))
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
    steps.insert(names.index(str(anchor)) + (key == "after"), StepNode(name, node))


def _merged(old: MappingNode, new: MappingNode) -> MappingNode:
    return MappingNode(
        {**old.items, **new.items},
        {**old.key_spans, **new.key_spans},
        old.span,
        old.is_whole and new.is_whole,
    )


def substituted(node: Node, values: Mapping[str, Scalar]) -> Node:
    """The node with every `$parameter` in it replaced by its value, which then stands where the reference stood."""
    match node:
        case Scalar(value=str(text)) if text.startswith("$") and text[1:] in values:
            value = values[text[1:]]
            return Scalar(value.value, node.span, value.text)
        case Sequence():
            return Sequence(tuple(substituted(item, values) for item in node.items), node.span)
        case MappingNode():
            items = {key: substituted(value, values) for key, value in node.items.items()}
            return MappingNode(items, node.key_spans, node.span, node.is_whole)
        case _:
            return node


@dataclass(frozen=True)
class StepText:
    """A step of one variant: its keys, the nodes of its skill's parameters, and where each stands."""

    file: StepFile
    node: MappingNode
    parameters: Mapping[str, Node]
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.file.step
