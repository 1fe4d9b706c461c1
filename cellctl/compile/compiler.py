"""A recipe's variant and a line -> an executable recipe, or findings. Pure, and the same for the same two.

Steps are followed one by one from the first, with the stations where the part may be by then. What happens when
several parts share the line, and whether they can jam, is asked of `cellctl.flow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from cellctl.compile.casting import doing
from cellctl.compile.codes import (
    NOBODY_ANNOUNCES,
    NOTHING_TO_SCRAP,
    STAYS_ON_LINE,
    UNKNOWN_OUTCOME,
    UNKNOWN_RESULT,
)
from cellctl.compile.names import station
from cellctl.compile.step import Places, StepCompiler
from cellctl.findings import Report
from cellctl.line.model import Line
from cellctl.recipe.codes import UNKNOWN_VARIANT
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.recipe.file import SCRAP, RouteFile
from cellctl.recipe.load import BASE, Recipe, Variant
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
    return _Compiler(recipe, recipe.variants[variant], line, sheet).executable()


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
        self.scrapped: dict[str, set[str]] = {}  # scrap step -> where parts stand that a route sends there

    def executable(self) -> Executable | None:
        """The executable; None after findings."""
        arrives = self._arrives()
        start: Places = frozenset(arrives) or GONE
        steps, places = self._walked(_in_order(self.variant.steps), start)
        scrap, _ = self._walked(_in_order(self.variant.scrap), None)
        self._check_results(steps)
        if not self.sheet.is_well:
            return None
        self._check_end(places)
        return Executable(
            self.recipe.name,
            self.recipe.revision,
            self.variant.name,
            self.line.digest,
            tuple(steps),
            tuple(scrap),
            announced=bool(arrives),
            arrives=arrives,
        )

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

    def _walked(self, texts: Iterable[StepText], start: Places) -> tuple[list[Step], Places]:
        """The steps, and where the part may be after the last. Each begins where those that it needs have left it."""
        steps = []
        after: dict[str, Places] = {}
        for text in texts:
            needed = [name for name in after if name in text.needs]
            sent = frozenset(self.scrapped.get(text.name, ()))
            before = after[needed[-1]] if needed else sent or start
            compiler = StepCompiler(self.line, self.sheet, text, before)
            step, after[text.name] = compiler.compiled()
            if step is not None:
                steps.append(replace(step, routes=self._routes(text, before, after[text.name])))
        return steps, [*after.values()][-1] if after else start

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

    # --- the whole --------------------------------------------------------------------------------------------

    def _check_results(self, steps: Sequence[Step]) -> None:
        """Every `$step.result` names a result that the step gives."""
        texts = {text.name: text for text in self.variant.steps}
        for step in steps:
            for parameter, reference in step.references.items():
                source, _, result = reference.partition(".")
                gives = StepCompiler(self.line, self.sheet, texts[source], None).results()
                if result not in gives:
                    where = texts[step.name].parameters[parameter].span
                    self.sheet.unknown(UNKNOWN_RESULT, where, f"result of {source!r}", result, gives)

    def _check_end(self, places: Places) -> None:
        standing = [name for name in places or () if name and not self.line.stations[name].sink]
        if standing and self.variant.steps:
            last = self.variant.steps[-1].node
            advice = "end with a step that brings it to a station with `sink: true`"
            message = f"after the last step the part stands at {' or '.join(sorted(standing))}"
            self.sheet.report.warn(STAYS_ON_LINE, last.items["step"].span, message, advice)


def _in_order(steps: Sequence[StepText]) -> list[StepText]:
    """The steps, each behind all that it needs, otherwise as the file has them."""
    waiting, placed = list(steps), dict[str, StepText]()
    names = {step.name for step in steps}
    while waiting:
        step = next(step for step in waiting if all(need in placed for need in step.needs if need in names))
        placed[step.name] = step
        waiting.remove(step)
    return list(placed.values())
