"""A recipe's variant and a line -> an executable recipe, or findings. Pure, and the same for the same two.

Steps are followed one by one from the first, with the stations where the part may be by then; then every path, with
every outcome, through `cellctl.flow`. Whether several parts on the line can jam is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec.structs import replace

from cellctl.compile.casting import doing
from cellctl.compile.codes import (
    NOBODY_ANNOUNCES,
    NOTHING_TO_SCRAP,
    UNKNOWN_OUTCOME,
)
from cellctl.compile.durations import check_timeouts
from cellctl.compile.names import station
from cellctl.compile.paths import check_paths
from cellctl.compile.reach import check_reach
from cellctl.compile.results import check_results
from cellctl.compile.step import Places, compiled_step
from cellctl.findings import Report
from cellctl.line.model import Line
from cellctl.plan.durations import quickest
from cellctl.recipe.codes import UNKNOWN_VARIANT
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.recipe.file import SCRAP, RouteFile
from cellctl.recipe.load import BASE, Recipe, Variant
from cellctl.recipe.reports import with_value
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet
from cellctl.skill import Ends
from cellctl.yamlsource import Mapping

DONE = "done"
GONE = frozenset({""})


def compile_recipe(recipe: Recipe, variant: str, line: Line, report: Report) -> Executable | None:
    """The executable recipe of this variant on this line; None after findings in `report`."""
    sheet = Sheet(recipe.root, report)
    if variant not in recipe.variants:
        known = [name for name in recipe.variants if name != BASE]
        where = sheet.key_span("variants") if sheet.has("variants") else recipe.span
        if not variant:
            advice = f"name one: {', '.join(f'{recipe.name}/{name}' for name in known)}"
            sheet.error(UNKNOWN_VARIANT, where, f"{recipe.name} has variants, and none is named", advice)
            return None
        sheet.unknown(UNKNOWN_VARIANT, where, f"variant of {recipe.name}", variant, known)
        return None
    scratch = Report()  # a mistake in a repeated step is told once
    sheet = Sheet(recipe.root, recipe.through(scratch))
    executable = _Compiler(recipe, recipe.variants[variant], line, sheet).executable()
    values = recipe.variants[variant].values
    for finding in {(finding.code, finding.span): finding for finding in reversed(scratch.findings)}.values():
        report.add(with_value(finding, recipe.source.references, values))
    return executable


def check_recipe(recipe: Recipe, line: Line, report: Report) -> dict[str, Executable]:
    """Every variant that the line can make; what is wrong with several variants alike is told once."""
    told = set()
    found = {}
    for name in recipe.variants:
        scratch = Report()
        executable = compile_recipe(recipe, name, line, scratch)
        for finding in scratch.findings:
            if (finding.code, finding.span) not in told:
                told.add((finding.code, finding.span))
                report.add(finding)
        if executable is not None:
            found[name] = executable
    return found


class _Compiler:
    def __init__(self, recipe: Recipe, variant: Variant, line: Line, sheet: Sheet) -> None:
        self.recipe, self.variant, self.line, self.sheet = recipe, variant, line, sheet
        self.stands: dict[str, Places] = {}  # step -> where the part may be when it begins
        self.scrapped: dict[str, set[str]] = {}  # scrap step -> where parts stand that a route sends there

    def executable(self) -> Executable | None:
        """The executable; None after findings."""
        arrives = self._arrives()
        start: Places = frozenset(arrives) or GONE
        steps = self._walked(_in_order(self.variant.steps), start)
        scrap = self._walked(_in_order(self.variant.scrap), None)
        check_results(steps, self.line, self.variant.steps, self.sheet)
        check_results(scrap, self.line, self.variant.scrap, self.sheet)
        if not self.sheet.is_well:
            return None
        executable = Executable(
            self.recipe.name,
            self.recipe.revision,
            self.variant.name,
            self.line.digest,
            tuple(steps),
            tuple(scrap),
            announced=bool(arrives),
            arrives=arrives,
        )
        texts = (*self.variant.steps, *self.variant.scrap)
        check_timeouts((*steps, *scrap), self.line, texts, self.sheet, partial(quickest, self.line))
        check_reach((*steps, *scrap), self.line, texts, self.sheet, self.stands)
        check_paths(executable, self.line, texts, self.sheet)
        return executable if self.sheet.is_well else None

    def _arrives(self) -> tuple[str, ...]:
        """The stations where a module announces parts."""
        where = self.sheet.span("arrives")
        found = []
        for name in self.recipe.arrives:
            full = station(self.line, self.sheet, name, where)
            if full is None:
                continue
            there = [
                m for m in self.line.modules.values() if full == m.at or full in (s.name for s in m.stations)
            ]
            if not any(module.kind.announces for module in there):
                advice = "name a station of a module that finds parts, or leave out `arrives`"
                self.sheet.error(NOBODY_ANNOUNCES, where, f"no module announces parts at {full}", advice)
            found.append(full)
        return tuple(found)

    def _walked(self, texts: Iterable[StepText], start: Places) -> list[Step]:
        """The steps. Each begins where those that it needs have left the part."""
        steps = []
        after: dict[str, Places] = {}
        for text in texts:
            needed = [name for name in after if name in text.needs]
            sent = frozenset(self.scrapped.get(text.name, ()))
            before = after[needed[-1]] if needed else sent or start
            self.stands[text.name] = before
            step, after[text.name] = compiled_step(self.line, self.sheet, text, before)
            if step is not None:
                steps.append(replace(step, routes=self._routes(text, before, after[text.name])))
        return steps

    # --- outcomes ---------------------------------------------------------------------------------------------

    def _routes(self, text: StepText, before: Places, after: Places) -> dict[str, Route]:
        """A route for each outcome that is not done: the recipe's, else the skill's own repeats and then a person."""
        what = doing(self.line, text.file.do)
        assert what is not None
        on = text.node.items.get("on")
        outcomes = {name: outcome for name, outcome in what.outcomes.items() if name != DONE}
        for name in text.file.on:
            if name not in outcomes and isinstance(on, Mapping):
                self.sheet.unknown(
                    UNKNOWN_OUTCOME, on.key_spans[name], f"outcome of {what.name}", name, outcomes
                )
        routes = {}
        for name, outcome in outcomes.items():
            route = text.file.on.get(name)
            if route is None:
                routes[name] = Route(retry=outcome.repeats)
                continue
            routes[name] = (
                Route(route.retry, route.start, route.then)
                if isinstance(route, RouteFile)
                else Route(then=route)
            )
            self._note_scrapped(text, routes[name].then, outcome.ends, before, after)
        return routes

    def _note_scrapped(self, text: StepText, then: str, ends: Ends, before: Places, after: Places) -> None:
        """Where the part stands when it is scrapped by this route, if it is."""
        names = [step.name for step in self.variant.scrap]
        if then == SCRAP and not names:
            where = text.node.items["on"].span
            advice = "add scrap: [{step: bin, do: transfer, to: ...}]"
            self.sheet.error(NOTHING_TO_SCRAP, where, "there are no scrap steps", advice)
        target = names[0] if then == SCRAP and names else then
        if target in names:
            places = set(before or ()) if ends is not Ends.AT_TARGET else set()
            places |= set(after or ()) if ends is not Ends.AT_ORIGIN else set()
            standing = {place for place in places if place and not self.line.stations[place].sink}
            self.scrapped.setdefault(target, set()).update(standing)


def _in_order(steps: Sequence[StepText]) -> list[StepText]:
    """The steps, each behind all that it needs, otherwise as the file has them."""
    waiting, placed = list(steps), dict[str, StepText]()
    names = {step.name for step in steps}
    while waiting:
        step = next(step for step in waiting if all(need in placed for need in step.needs if need in names))
        placed[step.name] = step
        waiting.remove(step)
    return list(placed.values())
