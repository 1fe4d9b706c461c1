"""One step on one line: who can do it, with which values, and where the part is afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from cellctl.compile.belts import why_not_carried
from cellctl.compile.candidates import Candidates, candidates, with_values
from cellctl.compile.casting import ALONE, Doing, Reach, doing, reach, skills_of, why_not, works_at
from cellctl.compile.codes import (
    AGAINST_BELT,
    NO_SUCH_MATERIAL,
    NOBODY_CAN,
    NOT_THERE,
    TOO_MANY_PARTS,
    UNKNOWN_SKILL,
    WRONG_KEY,
)
from cellctl.compile.keys import keys_fit
from cellctl.compile.names import stations
from cellctl.findings import Report
from cellctl.line.model import Line
from cellctl.line.once import once
from cellctl.recipe.executable import Step
from cellctl.recipe.file import listed
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet, suggestion
from cellctl.skill import Works

Places: TypeAlias = (
    "frozenset[str] | None"  # stations where the part may be; {""}: not there yet; None: not known
)

MOST_KNOWN = 2000  # compiled steps that are kept for a line


def compiled_step(line: Line, sheet: Sheet, text: StepText, places: Places) -> tuple[Step | None, Places]:
    """The step without its routes for a part that may be at `places`, and where the part may be after it.

    None for either after findings in `sheet`. Steps that say the same, in whatever recipe, are compiled once for a
    line.
    """
    known, alike = _compiled(line), (text.content, places)
    if alike in known:
        return known[alike]
    own = Sheet(sheet.root, Report())
    compiled = StepCompiler(line, own, text, places).compiled()
    if own.report.findings:
        sheet.take(own)
    elif len(known) < MOST_KNOWN:
        known[alike] = compiled
    return compiled


@once
def _compiled(line: Line) -> dict[tuple[str, Places], tuple[Step | None, Places]]:
    """Steps without findings, by what they say and where the part may be."""
    return {}


class StepCompiler:
    """Compiles one step for a part that may be at `places`; of a part that may be anywhere, no place is demanded."""

    def __init__(self, line: Line, sheet: Sheet, text: StepText, places: Places) -> None:
        self.line, self.sheet, self.text, self.places, self.file = line, sheet, text, places, text.file

    def compiled(self) -> tuple[Step | None, Places]:
        """The step without its routes, and where the part may be after it; None for either after findings."""
        what = self._doing()
        if what is None:
            return None, None
        before = self.sheet.mistakes
        step, after = self._compiled(what)
        return (step if self.sheet.mistakes == before else None), after

    def _doing(self) -> Doing | None:
        what = doing(self.line, self.file.do)
        if what is None:
            where = self.text.node.items["do"].span
            self.sheet.unknown(UNKNOWN_SKILL, where, "skill of this line", self.file.do, skills_of(self.line))
        elif what.works is Works.SUPPLIES:
            message = f"{what.name!r} is no step: modules with it bring components by themselves, when they are needed"
            self.sheet.error(WRONG_KEY, self.text.node.items["do"].span, message, "leave the step out")
            return None
        elif not keys_fit(self.sheet, self.text, what):
            return None
        return what

    # --- by what the skill works on -----------------------------------------------------------------------------

    def _compiled(self, what: Doing) -> tuple[Step | None, Places]:
        to, at = self._stations("to") + self._stations("into"), self._stations("at")
        if len(to) + len(at) < sum(len(listed(getattr(self.file, key))) for key in ("to", "into", "at")):
            return None, None
        among = candidates(self.line, self.sheet, self.text, what)
        values, among = with_values(self.sheet, self.text, what, among)
        if values is None or not all(among.values()):
            return None, frozenset(to) or self.places
        match what.works:
            case Works.MOVES:
                modules, to, after = self._moving(what, among, to, at)
            case Works.JOINS:
                modules, to, after = self._joining(what, among, to)
            case Works.STAYS:
                modules, at, after = self._staying(among, at)
            case _:
                modules, at, after = self._making(among, at)
        if not modules or not all(modules.values()):
            return None, after
        step = Step(
            self.text.name,
            what.name,
            what.works,
            modules,
            phases=tuple((phase.role, phase.skill) for phase in what.phases),
            take=self.file.take,
            to=to,
            at=at,
            parameters=values.given,
            references=values.references,
            needs=self.text.needs,
            timeout=self.file.timeout,
            parts=self.file.parts,
        )
        return step, after

    def _moving(
        self, what: Doing, among: Candidates, to: tuple[str, ...], at: tuple[str, ...]
    ) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], Places]:
        if self.file.take:
            self._demand_place(
                frozenset({""}), "take", f"{what.name!r} brings a component that becomes the part"
            )
            origins: Iterable[str] | None = self._sources()
        else:
            self._demand_part()
            origins = at or self._known_places()
            if at:
                self._demand_place(frozenset(at), "at", f"{self.text.name!r} works there")
        after = frozenset(to)
        if origins is not None and not origins:
            return {}, to, after
        found = reach(self.line, what, among, origins, to)
        is_stranded = bool(found.stranded) and not self.file.take
        if is_stranded or not all(found.modules.values()):
            self._nobody(what, among, found.stranded or tuple(origins or ()), to)
            return {}, to, self._hoped(to)
        if len(found.targets) < len(to):
            self._nobody(what, among, origins or (), [name for name in to if name not in found.targets])
        is_carried = bool(self.file.take) or self._is_carried(found, origins or ())
        return found.modules, found.targets, frozenset(found.targets) if is_carried else None

    def _hoped(self, to: tuple[str, ...]) -> Places:
        """Where steps that follow may take the part to be, when this one cannot be done: nobody has removed it."""
        return None if any(self.line.stations[name].sink for name in to) else frozenset(to)

    def _is_carried(self, found: Reach, origins: Iterable[str]) -> bool:
        """Whether a belt that is to do it by itself runs that way; it is reported where none does."""
        for origin in sorted(origins):
            for target in found.targets:
                doers = found.modules.get(ALONE, ())
                why = [why_not_carried(self.line, name, origin, target) for name in doers]
                if why and all(why):
                    where = self.text.node.items["to"].span
                    message = f"{self.text.name!r} cannot bring the part to {target}: {why[0]}"
                    advice = "name a stop further on, or let an arm take it"
                    self.sheet.error(AGAINST_BELT, where, message, advice)
                    return False
        return True

    def _joining(
        self, what: Doing, among: Candidates, into: tuple[str, ...]
    ) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], Places]:
        self._demand_part()
        self._demand_place(frozenset(into), "into", f"{self.file.take} is to join it there")
        sources = self._sources()
        if not sources:
            return {}, into, self.places
        found = reach(self.line, what, among, sources, into)
        if not all(found.modules.values()):
            self._nobody(what, among, sources, into)
        return found.modules, found.targets, self.places

    def _staying(
        self, among: Candidates, at: tuple[str, ...]
    ) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], Places]:
        self._demand_part()
        if at:
            self._demand_place(frozenset(at), "at", f"{self.text.name!r} works there")
        places = frozenset(at) or self._known_places() or frozenset(self.line.stations)
        fit = {
            role: tuple(m.name for m in modules if any(works_at(self.line, m, place) for place in places))
            for role, modules in among.items()
        }
        workable = tuple(
            place
            for place in self.line.stations
            if place in places
            and all(any(works_at(self.line, m, place) for m in modules) for modules in among.values())
        )
        left = sorted(places - set(workable))
        if (self.places is not None or at) and left:
            self._nobody_at(among, left)
        return fit, workable, self.places

    def _making(
        self, among: Candidates, at: tuple[str, ...]
    ) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], Places]:
        self._demand_place(frozenset({""}), "do", f"{self.file.do!r} makes new parts")
        own = {m.name: [m.at] if m.at else [s.name for s in m.stations] for m in among[ALONE]}
        there = [s for places in own.values() for s in places if not at or s in at]
        modules = tuple(name for name, places in own.items() if any(s in there for s in places))
        if not modules:
            self._nobody_at(among, sorted(at) or ["any station"])
        small = [s for s in there if self.line.stations[s].capacity < self.file.parts]
        if small:
            where = self.text.node.items["parts"].span
            message = f"{self.file.parts} parts at once, but {small[0]} holds {self.line.stations[small[0]].capacity}"
            self.sheet.error(TOO_MANY_PARTS, where, message, "lower `parts`, or give the station a `grid`")
        return {ALONE: modules}, tuple(there), frozenset(there)

    # --- where the part is --------------------------------------------------------------------------------------

    def _known_places(self) -> Places:
        return None if self.places is None else frozenset(place for place in self.places if place)

    def _demand_part(self) -> None:
        """The part is there, and still on the line; where it is not, steps after this one are not blamed for it."""
        if self.places == frozenset({""}):
            where = self.text.node.items["step"].span
            advice = (
                "begin with a step that brings one (`take`), makes one, or say where parts arrive (`arrives`)"
            )
            self.sheet.error(
                NOT_THERE, where, f"{self.text.name!r} needs a part, but there is none yet", advice
            )
            self.places = None
            return
        left = sorted(place for place in self.places or () if place and self.line.stations[place].sink)
        if left:
            where = self.text.node.items["step"].span
            message = f"{self.text.name!r} needs the part, but it has left the line at {left[0]}"
            self.sheet.error(NOT_THERE, where, message, "put this step before that")
            self.places = None

    def _demand_place(self, wanted: frozenset[str], key: str, why: str) -> None:
        is_missing = not self._known_places() and wanted != {""}  # which is another finding
        if self.places is None or self.places <= wanted or is_missing:
            return
        standing = " or ".join(sorted(place for place in self.places if place)) or "not there"
        where = self.text.node.items.get(key, self.text.node).span
        if wanted == {""}:
            message, advice = (
                f"{why}, but the part stands at {standing} already",
                "a component joins it with `insert`",
            )
        else:
            message, advice = (
                f"the part is at {standing} by then, not only at {' or '.join(sorted(wanted))}: {why}",
                "",
            )
        self.sheet.error(NOT_THERE, where, message, advice)

    def _sources(self) -> tuple[str, ...]:
        """The stations that yield the material that the step takes."""
        material, where = self.file.take, self.text.node.items["take"].span
        found = tuple(s.name for s in self.line.stations.values() if s.source == material)
        if material not in self.line.materials:
            self.sheet.unknown(
                NO_SUCH_MATERIAL, where, "material of this line", material, self.line.materials
            )
        elif not found:
            yielded = [s.source for s in self.line.stations.values() if s.source]
            message = f"no station of this line yields {material!r}"
            self.sheet.error(NO_SUCH_MATERIAL, where, message, suggestion(material, yielded))
        return found

    # --- nobody -------------------------------------------------------------------------------------------------

    def _stations(self, key: str) -> tuple[str, ...]:
        return stations(self.line, self.sheet, self.text, key)

    def _nobody(self, what: Doing, among: Candidates, origins: Iterable[str], to: Iterable[str]) -> None:
        starts, ends = sorted(origins), sorted(to)
        message = f"no module can {what.name} from {' or '.join(starts) or 'there'} to {' or '.join(ends)}"
        where = self.text.node.items.get("to", self.text.node.items.get("into", self.text.node)).span
        self.sheet.error(NOBODY_CAN, where, message, why_not(self.line, among, starts, ends))

    def _nobody_at(self, among: Candidates, stations: Iterable[str]) -> None:
        modules = [module for role in among.values() for module in role]
        where = self.text.node.items.get("at", self.text.node.items["do"]).span
        works = "; ".join(f"{m.name} works at {m.at or 'its own stations'}" for m in modules)
        message = f"no module can {self.file.do} at {' or '.join(stations)}, where the part may be"
        self.sheet.error(NOBODY_CAN, where, message, works)
