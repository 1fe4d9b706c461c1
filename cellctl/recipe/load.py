"""A recipe file -> a `Recipe` that is right in itself, whatever line it is for, or findings that say why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path as FilePath

from cellctl.findings import Report, Span
from cellctl.recipe.blocks import Binding, Listing, Shared, named_blocks
from cellctl.recipe.codes import (
    NAME_TWICE,
    NO_STEPS,
    NO_SUBRECIPE,
    RESERVED_NAME,
    TOO_MANY_STEPS,
    UNKNOWN_REFERENCE,
    UNKNOWN_VARIANT,
    VARIANT_CIRCLE,
)
from cellctl.recipe.conditions import Tally, conditional, taken
from cellctl.recipe.file import ASK, MOST_OF_ALL, MOST_VARIANTS, NEXT, SCRAP, RecipeFile, listed
from cellctl.recipe.nodes import StepNode, references_in
from cellctl.recipe.parameters import VARIANT_KEYS, Parameter, check_value, read_parameters
from cellctl.recipe.repeats import Unrolling, looped
from cellctl.recipe.reports import Around, included_here, with_value
from cellctl.recipe.steps import Known, read_steps
from cellctl.recipe.subrecipes import Beside, Library, Texts
from cellctl.recipe.unused import warn_of_unused
from cellctl.recipe.variant import StepText, overlaid, substituted
from cellctl.sheet import Sheet
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Scalar, Sequence, load, parse

BASE = ""  # the one variant of a recipe that declares none


@dataclass(frozen=True)
class Variant:
    """One variant, overlaid and with its values in place."""

    name: str
    values: dict[str, Scalar]
    steps: tuple[StepText, ...]
    scrap: tuple[StepText, ...]


@dataclass(frozen=True)
class Source:
    """What the variants of a recipe are made of: once read, the same for all of them."""

    sheet: Sheet
    parameters: dict[str, Parameter]
    steps: list[StepNode]
    scrap: list[StepNode]
    bindings: list[Binding]
    known: Known = field(default_factory=dict)  # steps as they were read, which variants share

    @cached_property
    def references(self) -> dict[Span, str]:
        """Where the file refers to something by `$`, and to what."""
        return {reference.span: reference.text[1:] for reference in references_in(self.sheet.root)}


@dataclass(frozen=True)
class Recipe:
    """A recipe that is right in itself. Where something stands, its `root` knows."""

    name: str
    revision: int
    description: str
    arrives: tuple[str, ...]
    parameters: dict[str, Parameter]
    variants: dict[str, Variant]
    root: Node
    source: Source
    included_at: Mapping[str, tuple[Span, ...]]  # a sub-recipe's file -> the `include`s that led to it

    @property
    def span(self) -> Span:
        """Where its name stands."""
        return Sheet(self.root, Report()).span("recipe")

    def through(self, report: Report) -> Report:
        """`report` with the `include`s beside what is found in sub-recipes."""
        return Around(report, lambda finding: included_here(finding, self.included_at))


def load_recipe(path: FilePath, report: Report) -> Recipe | None:
    """The recipe in the file at `path`, sub-recipes from beside it; None after findings in `report`."""
    return _recipe(load(path, report), Beside(path), report)


def parse_recipe(
    text: str, file: str, report: Report, included: Mapping[str, str] | None = None
) -> Recipe | None:
    """The recipe that `text` holds; `file` is what findings call it, `included` are the sub-recipes by name."""
    return _recipe(parse(text, file, report), Texts(included or {}), report)


def given_to(recipe: Recipe, variant: str, given: MappingNode, report: Report) -> Recipe | None:
    """The recipe with this variant as it is for one part, for which an order gives values of parameters.

    None after findings in `report`.
    """
    source = recipe.source
    sheet = Sheet(recipe.root, recipe.through(report))
    values = {}
    for name, node in given.items.items():
        if name not in source.parameters:
            sheet.unknown(
                UNKNOWN_REFERENCE,
                given.key_spans[name],
                f"parameter of {recipe.name}",
                name,
                source.parameters,
            )
        elif value := check_value(sheet, source.parameters[name], node):
            values[name] = value
    made = (
        _Reading(sheet, source, variant, values, Tally()).variant()
        if sheet.is_well and given.is_whole
        else None
    )
    return replace(recipe, variants={**recipe.variants, variant: made}) if made is not None else None


def _recipe(root: Node | None, library: Library, outer: Report) -> Recipe | None:
    if root is None:
        return None
    shared = Shared(library)
    report = Around(outer, lambda finding: included_here(finding, shared.included_at))
    sheet = Sheet(root, report)
    sheet.mistakes = Sheet.just_read(root, outer).mistakes
    if sheet.has("subrecipe"):
        message = "this is a sub-recipe: it is made only where a recipe includes it"
        sheet.error(NO_SUBRECIPE, sheet.key_span("subrecipe"), message, "check or order a recipe that does")
        return None
    file = sheet.read(RecipeFile)
    if file is None:
        return None
    parameters = read_parameters(sheet, file.parameters)
    listing = Listing(sheet, parameters, shared)
    steps, scrap = (
        listing.listed(sheet.node(part)) if sheet.has(part) else [] for part in ("steps", "scrap")
    )
    source = Source(sheet, parameters, steps, scrap, shared.bindings)
    is_well, tally = sheet.is_well, Tally()
    variants = dict[str, Variant]()
    told = {finding.span for finding in outer.findings}
    for name in file.variants or (BASE,):
        if len(file.variants) > MOST_VARIANTS or _size(variants) > MOST_OF_ALL:
            message = (
                f"more than {MOST_VARIANTS} variants, or than {MOST_OF_ALL:,} steps in all variants together"
            )
            advice = "an order may give values for single parts"
            sheet.error(TOO_MANY_STEPS, sheet.key_span("variants"), message, advice)
            return None
        scratch = Report()  # what is wrong with a common step is wrong in every variant: it is told once
        reading = _Reading(Sheet(root, scratch), source, name, {}, tally)
        variant = reading.variant()
        for finding in scratch.findings:
            if finding.span not in told:
                told.add(finding.span)
                report.add(with_value(finding, source.references, reading.values))
        if variant is None:
            is_well = False
        else:
            variants[name] = variant
    if not is_well:
        return None
    warn_of_unused(sheet, parameters)
    if file.variants:
        tally.warn(sheet)
    return Recipe(
        file.recipe,
        file.revision,
        file.description,
        listed(file.arrives),
        parameters,
        variants,
        root,
        source,
        shared.included_at,
    )


def _size(variants: dict[str, Variant]) -> int:
    return sum(len(variant.steps) + len(variant.scrap) for variant in variants.values())


class _Reading:
    """Reads one variant of a recipe; `given` are values that come after those of the variant."""

    def __init__(
        self, sheet: Sheet, source: Source, name: str, given: Mapping[str, Scalar], tally: Tally
    ) -> None:
        self.sheet, self.source, self.name, self.given, self.tally = sheet, source, name, given, tally
        self.parameters = source.parameters
        self.values = {name: parameter.usual for name, parameter in self.parameters.items()}

    def variant(self) -> Variant | None:
        """The variant; None after findings."""
        chain, values = self._chain(), self.values
        steps, scrap = list(self.source.steps), list(self.source.scrap)
        for name in chain:
            values |= self._values(name)
            if self.sheet.has("variants", name, "steps"):
                steps = overlaid(self.sheet, steps, self.sheet.node("variants", name, "steps"))
        values |= self.given
        self._check_bindings(values)
        if not self._names_differ(steps, scrap):
            return None
        steps, scrap = self._settled(steps, scrap, values)
        if not steps and self.sheet.is_well:
            where = self.sheet.key_span("variants", self.name) if self.name else self.sheet.key_span("steps")
            self.sheet.error(NO_STEPS, where, "no step is left", "keep one, or remove the variant")
        declared, routes = self.sheet.keys("parameters"), [ASK, NEXT]
        to_scrap = [SCRAP, *routes, *(step.name for step in scrap)]
        steps, scrap = ([self._filled(step, values) for step in each] for each in (steps, scrap))
        done = read_steps(self.sheet, steps, declared, to_scrap, self.source.known)
        thrown = read_steps(self.sheet, scrap, declared, routes, self.source.known)
        return Variant(self.name, values, done, thrown) if self.sheet.is_well else None

    def _settled(
        self, steps: list[StepNode], scrap: list[StepNode], values: Mapping[str, Scalar]
    ) -> list[list[StepNode]]:
        """Repeated steps written out, those whose conditions are not met left out."""
        steps, scrap = named_blocks(steps, [*steps, *scrap]), named_blocks(scrap, scrap)
        ready = [
            [looped(conditional(self.sheet, step, self.parameters)) for step in each]
            for each in (steps, scrap)
        ]
        written = Unrolling(self.sheet, values).unrolled(*ready)
        return [taken(self.sheet, each, values, self.tally) for each in written]

    def _check_bindings(self, values: Mapping[str, Scalar]) -> None:
        """What sub-recipes are given fits their parameters, too."""
        for binding in self.source.bindings:
            value = values.get(binding.given.text[1:])
            if value is not None:
                sheet = Sheet(binding.sheet.root, self.sheet.report)
                check_value(sheet, binding.parameter, Scalar(value.value, binding.given.span, value.text))
                self.sheet.mistakes += sheet.mistakes

    def _chain(self) -> list[str]:
        """The variants to apply, the farthest ancestor first."""
        chain, name = list[str](), self.name
        known = self.sheet.keys("variants")
        while name in known:
            if name in chain:
                self._report_circle(chain[chain.index(name) :], known)
                return []
            chain.append(name)
            if not self.sheet.has("variants", name, "extends"):
                break
            above = self.sheet.node("variants", name, "extends")
            name = above.text if isinstance(above, Scalar) else ""
            if isinstance(above, MappingNode | Sequence):
                advice = "name one; that may extend another"
                self.sheet.error(UNKNOWN_VARIANT, above.span, "a variant extends one variant", advice)
            elif name not in known:
                others = [other for other in known if other not in chain]
                self.sheet.unknown(UNKNOWN_VARIANT, above.span, "variant", name, others)
        return chain[::-1]

    def _report_circle(self, circle: list[str], known: tuple[str, ...]) -> None:
        """Alike whichever variant is read: it begins with the one that stands first in the file."""
        start = circle.index(min(circle, key=known.index))
        told = [*circle[start:], *circle[: start + 1]]
        where = self.sheet.span("variants", told[0], "extends")
        message = f"variants extend each other: {' -> '.join(told)}"
        self.sheet.error(VARIANT_CIRCLE, where, message, "remove one `extends`")

    def _values(self, variant: str) -> dict[str, Scalar]:
        path = ("variants", variant)
        (given,) = self.sheet.parts(path, variant, (*VARIANT_KEYS, *self.sheet.keys("parameters")))
        if not isinstance(given, MappingNode):
            return {}
        return {
            name: value
            for name, node in given.items.items()
            if name in self.parameters and (value := check_value(self.sheet, self.parameters[name], node))
        }

    def _names_differ(self, steps: list[StepNode], scrap: list[StepNode]) -> bool:
        """True if each step can be told from the others, and from what routes may lead to."""
        seen: set[str] = set()
        before = self.sheet.mistakes
        for step in (*steps, *scrap):
            where = step.span
            if step.name in seen:
                self.sheet.error(
                    NAME_TWICE, where, f"two steps are called {step.name!r}", "rename one of them"
                )
            if step.name in (SCRAP, ASK, NEXT):
                message = f"a step cannot be called {step.name!r}: it would mean something else in a route"
                self.sheet.error(RESERVED_NAME, where, message, "choose another name")
            if step.name:
                seen.add(step.name)
        return self.sheet.mistakes == before

    def _filled(self, step: StepNode, values: dict[str, Scalar]) -> StepNode:
        if not step.refers:
            return step
        node = substituted(step.node, values)
        assert isinstance(node, MappingNode)
        return replace(step, node=node)
