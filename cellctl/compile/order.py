"""An order's recipe, compiled from the texts that the order carries: of its parts alike, or of each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cellctl.compile.compiler import compile_recipe
from cellctl.errors import Refused
from cellctl.findings import Finding, Related, Report
from cellctl.line.model import Line
from cellctl.recipe.codes import BAD_PARTS
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import Recipe, given_to, parse_recipe
from cellctl.recipe.reports import Around, beside
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Scalar, Sequence, parse

MOST_DIFFERENT = 100  # sets of values in one order: each is compiled while the line waits


class RecipeRefused(Refused):
    """A recipe that this line cannot make; `report` has the findings, the message shows them."""

    def __init__(self, source: str, variant: str, line: str, report: Report) -> None:
        self.source, self.variant, self.report = source, variant, report
        what = f"{source}{f', variant {variant},' if variant else ''}"
        super().__init__(f"{what} cannot be made on the line {line}\n\n{report.render()}".rstrip())


@dataclass(frozen=True)
class OrderText:
    """What is to be made, as an order carries it. The sources are what findings call the texts.

    `parts` is YAML: a list with one mapping for each part, the values of the recipe's parameters that are its own.
    """

    text: str
    source: str
    variant: str = ""
    included: Mapping[str, str] = field(default_factory=dict)  # sub-recipes by name
    parts: str = ""
    parts_source: str = "parts"


@dataclass(frozen=True)
class PartGiven:
    """One part with values of its own, as they were written, and how it is made."""

    values: Mapping[str, str]
    executable: Executable


def compile_order_text(text: str, source: str, variant: str, line: Line) -> Executable:
    """The executable recipe of the variant; `source` names the text in messages. Raises RecipeRefused."""
    return compile_order(OrderText(text, source, variant), line)[0]


def compile_order(
    order: OrderText, line: Line, quantity: int = 1
) -> tuple[Executable, tuple[PartGiven, ...]]:
    """The executable recipe of the variant, and that of each part when the order gives values for single ones.

    Parts are checked as the variant is, and each is told of where its values stand. Raises RecipeRefused.
    """
    report = Report()
    recipe = parse_recipe(order.text, order.source, report, order.included)
    executable = compile_recipe(recipe, order.variant, line, report) if recipe else None
    parts = None
    if recipe is not None and executable is not None:
        parts = _parts(order, recipe, executable, quantity, line, report) if order.parts else ()
    if executable is None or parts is None:
        raise RecipeRefused(order.source, order.variant, line.name, report)
    return executable, parts


def _parts(
    order: OrderText, recipe: Recipe, usual: Executable, quantity: int, line: Line, report: Report
) -> tuple[PartGiven, ...] | None:
    nodes = _nodes(parse(order.parts, order.parts_source, report), usual, quantity, report)
    made: dict[str, Executable] = {}
    found = []
    for node in nodes:
        values = {name: value.text for name, value in node.items.items() if isinstance(value, Scalar)}
        key = repr(node.plain)
        if key not in made:
            executable = _made(recipe, order.variant, node, line, report)
            if executable is None:
                continue
            made[key] = executable
        found.append(PartGiven(values, made[key]))
    return tuple(found) if not report.has_errors else None


def _nodes(root: Node | None, usual: Executable, quantity: int, report: Report) -> list[MappingNode]:
    """The mapping of each part; none after findings."""
    if root is None:
        return []
    items = root.items if isinstance(root, Sequence) else ()
    found = [item for item in items if isinstance(item, MappingNode)]
    if not items or len(found) < len(items):
        message = "what is given for single parts must be a list of mappings, one for each part"
        report.error(BAD_PARTS, root.span, message, "write - {parameter: value}")
    elif len(found) != quantity:
        message = f"{len(found)} parts are given values, but {quantity} are ordered"
        report.error(BAD_PARTS, root.span, message, "write {} for a part with the usual values")
    elif usual.announced:
        message = (
            f"a module announces the parts of {usual.recipe}, in no order: nobody knows which is the first"
        )
        report.error(BAD_PARTS, root.span, message, "order them by variants")
    elif len({repr(item.plain) for item in found}) > MOST_DIFFERENT:
        message = f"more than {MOST_DIFFERENT} different parts in one order"
        report.error(BAD_PARTS, root.span, message, "give several orders")
    else:
        return found
    return []


def _made(recipe: Recipe, variant: str, node: MappingNode, line: Line, report: Report) -> Executable | None:
    """How the part is made; None after findings, which show where its values stand."""
    given = Related(node.span, "given for this part")

    def told(finding: Finding) -> Finding:
        places = (finding.span, *(other.span for other in finding.related))
        is_shown = any(place.file == node.span.file for place in places)
        return finding if is_shown else beside(finding, given)

    around = Around(report, told)
    own = given_to(recipe, variant, node, around)
    return compile_recipe(own, variant, line, around) if own is not None else None
