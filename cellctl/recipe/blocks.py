"""The list under `steps`, flat: blocks and included sub-recipes replaced by their steps, which know what was said of
them together. The same for all variants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cellctl.findings import Span
from cellctl.recipe.codes import (
    BAD_BLOCK,
    INCLUDE_CIRCLE,
    NAME_TWICE,
    NO_SUBRECIPE,
    TOO_MANY_STEPS,
    UNKNOWN_REFERENCE,
    UNKNOWN_STEP,
)
from cellctl.recipe.conditions import conditional, conditions_in, without_when
from cellctl.recipe.file import ASK, MOST_STEPS, NEXT, SCRAP, BlockFile, IncludeFile, SubrecipeFile
from cellctl.recipe.nodes import Loop, StepNode, is_reference, references_in, routes_in
from cellctl.recipe.parameters import Parameter, check_value, read_parameters
from cellctl.recipe.subrecipes import Library
from cellctl.recipe.unused import warn_of_unused
from cellctl.recipe.variant import substituted
from cellctl.sheet import Sheet, suggestion
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Scalar, Sequence

DEEPEST = 16  # sub-recipes in each other


@dataclass(frozen=True)
class Binding:
    """A parameter of a sub-recipe that is given a parameter of the recipe around it."""

    sheet: Sheet  # of the sub-recipe
    parameter: Parameter
    given: Scalar


@dataclass
class Shared:
    """What the reading of one recipe and its sub-recipes has in common."""

    subrecipes: Library
    bindings: list[Binding] = field(default_factory=list)
    included_at: dict[str, tuple[Span, ...]] = field(
        default_factory=dict
    )  # file -> the `include`s that led to it
    files: dict[str, Node | None] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)  # sub-recipes whose unused parameters were told
    size: int = 0


@dataclass
class Listing:
    """Lists the steps of one file. `above` are the names of the sub-recipes that it is read for."""

    sheet: Sheet
    parameters: Mapping[str, Parameter]
    shared: Shared
    above: tuple[str, ...] = ()

    def listed(self, section: Node) -> list[StepNode]:
        """The steps under the node, in order; one that cannot be read is reported when its keys are."""
        items = section.items if isinstance(section, Sequence) else ()
        found: list[StepNode] = []
        names: set[str] = set()
        for item in items:
            if not isinstance(item, MappingNode):
                continue
            is_block = "include" in item.items or "steps" in item.items
            found += self._block(item, names) if is_block else [StepNode(_name(item), item)]
            self.shared.size += not is_block
            if self.shared.size > MOST_STEPS:
                message = f"more than {MOST_STEPS} steps, when all that is included is written out"
                self.sheet.error(TOO_MANY_STEPS, item.span, message, "remove an `include`")
                return []
        return found

    def _block(self, node: MappingNode, names: set[str]) -> list[StepNode]:
        file = self.sheet.read_node(BlockFile, without_when(node), _name(node) or "a block")
        if file is None:
            return []
        if (file.include is None) == (not file.steps):
            advice = "write {repeat: 2, steps: [...]} or {include: {recipe: ...}}"
            self.sheet.error(BAD_BLOCK, node.span, "a block has either `steps` or `include`", advice)
            return []
        steps = self._included(file.include, node) if file.include else self.listed(node.items["steps"])
        prefix = file.step or (file.include.recipe if file.include else "")
        if prefix in names:
            advice = "give this one another name: step: ..."
            self.sheet.error(NAME_TWICE, node.span, f"two blocks are called {prefix!r}", advice)
            return []
        names |= {prefix} - {""}
        return self._said_of_all(node, _prefixed(steps, prefix)) if steps else []

    def _said_of_all(self, node: MappingNode, steps: list[StepNode]) -> list[StepNode]:
        conditions = conditions_in(self.sheet, node, self.parameters)
        loops = (Loop(node.items["repeat"]),) if "repeat" in node.items else ()
        found = [
            replace(step, conditions=(*conditions, *step.conditions), loops=(*loops, *step.loops))
            for step in steps
        ]
        needs = StepNode("", node).needs
        if needs is not None and found[0].needs is not None:
            message = "what comes before is said twice: at the block and at its first step"
            self.sheet.error(BAD_BLOCK, node.items["needs"].span, message, "leave one of the `needs` out")
        elif needs is not None:
            found[0] = found[0].needing(needs)
        return found

    # --- sub-recipes ----------------------------------------------------------------------------------------------

    def _included(self, include: IncludeFile, block: MappingNode) -> list[StepNode]:
        node = block.items["include"]
        assert isinstance(node, MappingNode)
        sheet = self._sheet(include.recipe, node.items["recipe"].span)
        if sheet is None:
            return []
        file = sheet.read(SubrecipeFile)
        if file is None:
            self.sheet.mistakes += 1
            return []
        parameters = read_parameters(sheet, file.parameters)
        inner = Listing(sheet, parameters, self.shared, (*self.above, include.recipe))
        listed = inner.listed(sheet.node("steps"))
        steps = [conditional(sheet, step, parameters) for step in named_blocks(listed, listed)]
        steps = [_own(sheet, step, [each.name for each in steps], parameters) for step in steps]
        if include.recipe not in self.shared.told:
            self.shared.told.add(include.recipe)
            warn_of_unused(sheet, parameters)
        values = {name: each.usual for name, each in parameters.items()} | self._given(
            sheet, node, parameters
        )
        self.sheet.mistakes += sheet.mistakes
        return list(_filled(steps, values))

    def _sheet(self, name: str, where: Span) -> Sheet | None:
        """The sub-recipe's file; None after findings."""
        shared = self.shared
        if name in self.above or len(self.above) >= DEEPEST:
            told = " -> ".join((*self.above, name))
            self.sheet.error(
                INCLUDE_CIRCLE, where, f"sub-recipes include each other: {told}", "remove one `include`"
            )
            return None
        if name not in shared.subrecipes:
            message = f"no sub-recipe is called {name!r} here"
            self.sheet.error(NO_SUBRECIPE, where, message, suggestion(name, shared.subrecipes.names()))
            return None
        if name not in shared.files:
            shared.files[name] = shared.subrecipes.read(name, self.sheet.report)
        root = shared.files[name]
        if root is None:
            self.sheet.mistakes += 1
            return None
        if isinstance(root, MappingNode) and "recipe" in root.items:
            advice = "a sub-recipe begins with `subrecipe:` and has only parameters and steps"
            self.sheet.error(NO_SUBRECIPE, where, f"{name!r} is a recipe of its own", advice)
            return None
        around = shared.included_at.get(self.sheet.root.span.file, ()) if self.above else ()
        places = (*shared.included_at.get(root.span.file, ()), where, *around)
        shared.included_at[root.span.file] = tuple(dict.fromkeys(places))
        return Sheet.just_read(root, self.sheet.report)

    def _given(
        self, sheet: Sheet, include: MappingNode, parameters: Mapping[str, Parameter]
    ) -> dict[str, Scalar]:
        """What the `include` gives its parameters, as far as it fits."""
        given = include.items.get("with")
        found: dict[str, Scalar] = {}
        for name, node in given.items.items() if isinstance(given, MappingNode) else ():
            if name not in parameters:
                where = given.key_spans[name] if isinstance(given, MappingNode) else include.span
                self.sheet.unknown(
                    UNKNOWN_REFERENCE, where, f"parameter of {self._called(include)}", name, parameters
                )
            elif not isinstance(node, Scalar) or not is_reference(node):
                value = check_value(sheet, parameters[name], node)
                found |= {name: value} if value is not None else {}
            elif "." in node.text:
                found[name] = node  # a result; who uses it says whether it may be one
            elif node.text[1:] in self.parameters:
                self.shared.bindings.append(Binding(sheet, parameters[name], node))
                found[name] = node
            elif node.text[1:] not in self.sheet.keys("parameters"):
                known = [f"${each}" for each in self.parameters]
                message = f"there is no parameter {node.text!r}"
                self.sheet.error(UNKNOWN_REFERENCE, node.span, message, suggestion(node.text, known))
        return found

    def _called(self, include: MappingNode) -> str:
        return str(include.items["recipe"].plain)


def named_blocks(steps: list[StepNode], reached: list[StepNode]) -> list[StepNode]:
    """The steps with names of blocks replaced: who needs one needs its last step, a route to one leads to its first.

    `reached` are the steps to which routes may lead.
    """
    needs = {name: names[-1:] for name, names in _inside(steps).items()}
    routes = {name: names[0] for name, names in _inside(reached).items()}
    return [step.pointing(needs, routes) for step in steps]


def _inside(steps: Iterable[StepNode]) -> dict[str, tuple[str, ...]]:
    """The names of the steps in each named block, at any depth."""
    found: dict[str, tuple[str, ...]] = {}
    for step in steps:
        words = step.name.split(".")
        for depth in range(1, len(words)):
            block = ".".join(words[:depth])
            found[block] = (*found.get(block, ()), step.name)
    return found


def _name(node: MappingNode) -> str:
    """The name that it has; none if that looks like one of an included or repeated step, which is reported later."""
    name = node.items.get("step")
    text = name.value if isinstance(name, Scalar) else None
    return text if isinstance(text, str) and not {".", "#"} & set(text) else ""


def _prefixed(steps: Iterable[StepNode], prefix: str) -> list[StepNode]:
    names = {step.name: f"{prefix}.{step.name}" for step in steps} if prefix else {}
    return [step.renamed(names.get(step.name, step.name), names) for step in steps]


def _own(sheet: Sheet, step: StepNode, names: list[str], parameters: Mapping[str, Parameter]) -> StepNode:
    """The step without needs that are none of the sub-recipe's steps: it speaks of nothing but these and parameters."""
    strange = [need for need in step.needs or () if need not in names]
    for need in strange:
        sheet.unknown(UNKNOWN_STEP, step.node.items["needs"].span, "step", need, names)
    for route in routes_in(step.node):
        if route.text not in (*names, SCRAP, ASK, NEXT):
            sheet.unknown(UNKNOWN_STEP, route.span, "step", route.text, [SCRAP, ASK, NEXT, *names])
    for reference in references_in(step.node):
        source = reference.text[1:].rpartition(".")[0]
        if source and source not in names:
            sheet.unknown(UNKNOWN_REFERENCE, reference.span, "step", source, names)
        elif not source and reference.text[1:] not in sheet.keys("parameters"):
            message = f"there is no parameter {reference.text!r} in this sub-recipe"
            advice = suggestion(reference.text, [f"${name}" for name in parameters])
            sheet.error(UNKNOWN_REFERENCE, reference.span, message, advice)
    return step.needing(tuple(need for need in step.needs or () if need in names)) if strange else step


def _filled(steps: Iterable[StepNode], values: Mapping[str, Scalar]) -> Iterator[StepNode]:
    """The steps with the sub-recipe's parameters in place; of them nothing is left."""
    loops: dict[Loop, Loop] = {}
    first = ""
    for step in steps:
        node = substituted(step.node, values)
        assert isinstance(node, MappingNode)
        for loop in step.loops:
            loops.setdefault(loop, Loop(substituted(loop.count, values)))
        conditions = tuple(replace(each, given=_value(each.given, values)) for each in step.conditions)
        filled = replace(
            step, node=node, conditions=conditions, loops=tuple(loops[each] for each in step.loops)
        )
        yield filled.needing((first,)) if first and filled.needs == () else filled
        first = first or step.name


def _value(given: Scalar, values: Mapping[str, Scalar]) -> Scalar:
    value = substituted(given, values)
    assert isinstance(value, Scalar)
    return value
