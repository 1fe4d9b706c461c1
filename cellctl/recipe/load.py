"""A recipe file -> a `Recipe` that is right in itself, whatever line it is for, or findings that say why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

from cellctl.findings import Report, Span
from cellctl.recipe.codes import (
    NAME_TWICE,
    RESERVED_NAME,
    UNKNOWN_VARIANT,
    UNUSED_PARAMETER,
    VARIANT_CIRCLE,
)
from cellctl.recipe.file import ASK, NEXT, SCRAP, RecipeFile, listed
from cellctl.recipe.parameters import VARIANT_KEYS, Parameter, check_value, read_parameters
from cellctl.recipe.steps import read_steps, referenced
from cellctl.recipe.variant import StepNode, StepText, overlaid, substituted
from cellctl.sheet import Sheet
from cellctl.yamlsource import Mapping, Node, Scalar, Sequence, load, parse

BASE = ""  # the one variant of a recipe that declares none


@dataclass(frozen=True)
class Variant:
    """One variant, overlaid and with its values in place."""

    name: str
    values: dict[str, Scalar]
    steps: tuple[StepText, ...]
    scrap: tuple[StepText, ...]


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

    @property
    def span(self) -> Span:
        """Where its name stands."""
        return Sheet(self.root, Report()).span("recipe")


def load_recipe(path: FilePath, report: Report) -> Recipe | None:
    """The recipe in the file at `path`; None after findings in `report`."""
    return _recipe(load(path, report), report)


def parse_recipe(text: str, file: str, report: Report) -> Recipe | None:
    """The recipe that `text` holds; `file` is what findings call it."""
    return _recipe(parse(text, file, report), report)


def _recipe(root: Node | None, report: Report) -> Recipe | None:
    if root is None:
        return None
    sheet = Sheet.just_read(root, report)
    file = sheet.read(RecipeFile)
    if file is None:
        return None
    parameters = read_parameters(sheet, file.parameters)
    is_well = sheet.is_well
    variants = {}
    told: set[tuple[str, Span]] = set()
    for name in file.variants or (BASE,):
        scratch = Report()  # what is wrong with a common step is wrong in every variant: it is told once
        variant = _Reading(Sheet(root, scratch), parameters, name).variant()
        for finding in scratch.findings:
            if (finding.code, finding.span) not in told:
                told.add((finding.code, finding.span))
                report.add(finding)
        if variant is None:
            is_well = False
        else:
            variants[name] = variant
    if not is_well:
        return None
    _warn_of_unused(sheet, parameters)
    return Recipe(
        file.recipe, file.revision, file.description, listed(file.arrives), parameters, variants, root
    )


def _warn_of_unused(sheet: Sheet, parameters: dict[str, Parameter]) -> None:
    used = {name for section in ("steps", "scrap", "variants") for name in _parameters_in(sheet, section)}
    for name in parameters:
        if name not in used:
            where = sheet.key_span("parameters", name)
            advice = f"use it as ${name}, or remove it"
            sheet.report.warn(UNUSED_PARAMETER, where, f"no step uses the parameter {name!r}", advice)


def _parameters_in(sheet: Sheet, section: str) -> list[str]:
    return [node.text[1:] for node in referenced(sheet.node(section))] if sheet.has(section) else []


class _Reading:
    """Reads one variant of a recipe."""

    def __init__(self, sheet: Sheet, parameters: dict[str, Parameter], name: str) -> None:
        self.sheet, self.parameters, self.name = sheet, parameters, name

    def variant(self) -> Variant | None:
        """The variant; None after findings."""
        chain = self._chain()
        values = {name: parameter.usual for name, parameter in self.parameters.items()}
        steps, scrap = self._base("steps"), self._base("scrap")
        for name in chain:
            values |= self._values(name)
            if self.sheet.has("variants", name, "steps"):
                steps = overlaid(self.sheet, steps, self.sheet.node("variants", name, "steps"))
        if not self._names_differ(steps, scrap):
            return None
        declared, routes = self.sheet.keys("parameters"), [ASK, NEXT]
        to_scrap = [SCRAP, *routes, *(step.name for step in scrap)]
        done = read_steps(self.sheet, [self._filled(step, values) for step in steps], declared, to_scrap)
        thrown = read_steps(self.sheet, [self._filled(step, values) for step in scrap], declared, routes)
        return Variant(self.name, values, done, thrown) if self.sheet.is_well else None

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
            if name not in known:
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
        if not isinstance(given, Mapping):
            return {}
        return {
            name: value
            for name, node in given.items.items()
            if name in self.parameters and (value := check_value(self.sheet, self.parameters[name], node))
        }

    def _base(self, section: str) -> list[StepNode]:
        """The steps as the file lists them; one without a name is reported when it is read."""
        node = self.sheet.node(section) if self.sheet.has(section) else None
        items = node.items if isinstance(node, Sequence) else ()
        return [StepNode(_name(item), item) for item in items if isinstance(item, Mapping)]

    def _names_differ(self, steps: list[StepNode], scrap: list[StepNode]) -> bool:
        """True if each step can be told from the others, and from what routes may lead to."""
        seen: set[str] = set()
        before = self.sheet.mistakes
        for step in (*steps, *scrap):
            where = step.node.items["step"].span if "step" in step.node.items else step.node.span
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
        node = substituted(step.node, values)
        assert isinstance(node, Mapping)
        return StepNode(step.name, node)


def _name(node: Mapping) -> str:
    name = node.items.get("step")
    return name.value if isinstance(name, Scalar) and isinstance(name.value, str) else ""
