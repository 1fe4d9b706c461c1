"""What is wrong with the paths of a recipe on a line, each finding at the step that waits, with the path in words.

The paths themselves are followed in `cellctl.compile.following`. They do not depend on the values of parameters, so
recipes and variants that differ in nothing else are followed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import msgspec
from msgspec.structs import replace

from cellctl.compile.branches import DONE
from cellctl.compile.casting import why_not
from cellctl.compile.codes import (
    AGAINST_BELT,
    COMPONENT_LEFT,
    ENDLESS,
    NEVER_DONE,
    NO_NEXT_PART,
    NOBODY_ASKED,
    NOT_ALL_FOLLOWED,
    STAYS_ON_LINE,
    TWICE_IN,
    WAITS_FOR_EVER,
)
from cellctl.compile.following import MOST, follow
from cellctl.compile.found import Followed, Found, Leg, Trouble
from cellctl.findings import Related, Span
from cellctl.line.model import Line
from cellctl.messages import LOST
from cellctl.recipe.executable import Executable, Step
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet
from cellctl.yamlsource import Mapping

TIMES = {1: "", 2: " twice"}


def check_paths(executable: Executable, line: Line, texts: Sequence[StepText], sheet: Sheet) -> None:
    """Follow every path of the recipe and report what is wrong; `texts` are its steps as they are written."""
    if executable.steps:
        _Findings(executable, line, texts, sheet).report(_followed(_Question.about(executable, line)))


@dataclass(frozen=True, eq=False)
class _Question:
    """A recipe without what makes no difference to its paths, on one line: two of the same bytes have one answer."""

    line: Line
    executable: Executable
    bytes: bytes

    @classmethod
    def about(cls, executable: Executable, line: Line) -> _Question:
        bare = replace(
            executable,
            recipe="",
            revision=0,
            variant="",
            steps=tuple(map(_bare, executable.steps)),
            scrap=tuple(map(_bare, executable.scrap)),
        )
        return cls(line, bare, msgspec.msgpack.encode(bare))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self.line is other.line and self.bytes == other.bytes

    def __hash__(self) -> int:
        return hash(self.bytes)


def _bare(step: Step) -> Step:
    return replace(step, parameters={}, references={}, timeout=None)


@lru_cache(maxsize=128)
def _followed(question: _Question) -> Followed:
    return follow(question.executable, question.line)


class _Findings:
    def __init__(self, executable: Executable, line: Line, texts: Sequence[StepText], sheet: Sheet) -> None:
        self.executable, self.line, self.sheet = executable, line, sheet
        self.texts = {text.name: text for text in texts}

    def report(self, followed: Followed) -> None:
        for found in _worst(followed.found):
            self._trouble(found)
        for name in () if followed.found else followed.idle:
            advice = "name it in a route (`on:`), or remove it"
            self.sheet.report.warn(NEVER_DONE, self._span(name), f"no path comes to {name!r}", advice)
        if not followed.is_whole:
            message = f"this recipe has too many paths: only the first {MOST:,} decisions were followed"
            advice = "what was followed has the findings that are shown; fewer routes make fewer paths"
            self.sheet.report.warn(NOT_ALL_FOLLOWED, self.sheet.key_span("steps"), message, advice)

    def _trouble(self, found: Found) -> None:
        after, step, where = in_words(found.path), found.step, found.place
        match found.trouble:
            case Trouble.STUCK:
                message = f"{after}, {step!r} waits for ever: {found.why}"
                self._add(WAITS_FOR_EVER, found, message, self._remedy(found))
            case Trouble.TWICE:
                message = (
                    f"{after} with its component in the part all the same, {step!r} puts in a second one"
                )
                self._add(
                    TWICE_IN, found, message, "let a person look: write `ask` as the route of the outcome"
                )
            case Trouble.AGAIN:
                message = f"{after}, {step!r} puts a second component into the part"
                advice = "begin the retry behind it, unless the part is to have several"
                self._warn(TWICE_IN, found, message, advice)
            case Trouble.BACK:
                message = f"{after}, {step!r} cannot bring the part to {where}: {found.why}"
                advice = (
                    "begin the retry with a step that works where the part is, or let an arm take it back"
                )
                self._add(AGAINST_BELT, found, message, advice)
            case Trouble.ENDLESS:
                again = (
                    f"{step!r} is tried again without end: nothing is done in between, and nobody is asked"
                )
                advice = "write how often, and what then: {retry: 2, then: scrap}, or ask"
                self.sheet.report.warn(ENDLESS, self._route(found), f"{after}, {again}", advice)
            case Trouble.NEXT:
                message = f"{after}, the next part can never begin: {step!r} waits, for {found.why}"
                self._add(NO_NEXT_PART, found, message, "let every path leave the line as it was")
            case Trouble.HANDS:
                message = f"{after}, {step!r} waits for a person, whom nobody asks: {found.why}"
                self._warn(NOBODY_ASKED, found, message, "write `ask` as what the route comes to")
            case Trouble.STAYS:
                message = f"{after}, the part ends as {found.why} and still stands at {where}"
                advice = "end every path with a step that brings it to a station with `sink: true`"
                self._warn(STAYS_ON_LINE, found, message, advice)
            case Trouble.LEFT:
                lies = "nobody knows where" if where == LOST else f"at {where}"
                message = f"{after}, a {found.why} is left behind: it lies {lies}"
                self._warn(COMPONENT_LEFT, found, message, "write `ask` as what the route comes to")

    def _add(self, code: str, found: Found, message: str, advice: str) -> None:
        """An error; where a person had a say on the way, who may say otherwise, a warning."""
        if _is_attended(found):
            self._warn(code, found, message, advice)
        else:
            self.sheet.error(code, self._span(found.step), message, advice, *self._cause(found))

    def _warn(self, code: str, found: Found, message: str, advice: str) -> None:
        self.sheet.report.warn(code, self._span(found.step), message, advice, *self._cause(found))

    def _cause(self, found: Found) -> tuple[Related, ...]:
        """The last outcome on the path that is not `done`: its route where one is written, else its step."""
        leg = _cause_of(found)
        if leg is None or leg.step not in self.texts:
            return ()
        on = self.texts[leg.step].node.items.get("on")
        if isinstance(on, Mapping) and leg.outcome in on.items:
            return (Related(on.items[leg.outcome].span, f"the route of {leg.outcome!r}"),)
        if leg.step == found.step:
            return ()
        return (Related(self._span(leg.step), f"may end {leg.outcome!r}"),)

    def _route(self, found: Found) -> Span:
        """The route that the path took last."""
        return next((related.span for related in self._cause(found)), self._span(found.step))

    def _remedy(self, found: Found) -> str:
        """Who lacks what, for a step that moves something from where it is."""
        step = self.executable.step(found.step)
        if not step.to or step.take or not found.place:
            return "choose another route, or bring the part to where the step works"
        among = {role: [self.line.modules[m] for m in names] for role, names in step.modules.items()}
        lacking = why_not(self.line, among, [found.place], step.to)
        return lacking or "choose another route, or clear the way first"

    def _span(self, name: str) -> Span:
        if name not in self.texts:
            return self.sheet.key_span("steps")
        node = self.texts[name].node
        return node.items["step"].span if "step" in node.items else node.span


def _worst(found: Sequence[Found]) -> list[Found]:
    """Without what has the same cause as something worse.

    Of what is left astray only what hinders most: a line that stops, a part that waits, a component; and where a part
    sticks with nobody asked, not that it may stick after a person's answers, too.
    """
    leaves = (Trouble.LEFT, Trouble.HANDS, Trouble.NEXT)
    astray = {_cause_of(e): e for trouble in leaves for e in reversed(found) if e.trouble is trouble}
    sticks = any(each.trouble is Trouble.STUCK and not _is_attended(each) for each in found)
    elsewise = {each.step for each in found if each.trouble is not Trouble.AGAIN}
    return [
        each
        for each in found
        if not (each.trouble in leaves and each not in astray.values())
        and not (each.trouble is Trouble.STUCK and sticks and _is_attended(each))
        and not (each.trouble is Trouble.AGAIN and each.step in elsewise)
    ]


def _is_attended(found: Found) -> bool:
    return any(leg.answer for leg in found.path)


def _cause_of(found: Found) -> Leg | None:
    """The last step on the path that left something astray; else the last that did not end well."""
    bad = [leg for leg in reversed(found.path) if leg.outcome != DONE]
    return next((leg for leg in bad if leg.leaves_astray), bad[0] if bad else None)


def in_words(path: Sequence[Leg]) -> str:
    """A path as people say it: the last things that went wrong, or the last step that was done."""
    if not path:
        return "at the beginning"
    if all(leg.outcome == DONE for leg in path):
        return f"after {path[-1].step!r}"
    said = [_said(leg) for leg, _ in groupby(path) if leg.outcome != DONE]
    last = path[-1]
    return f"after {' and '.join(said[-3:])}" + (f" and then {last.step!r}" if last.outcome == DONE else "")


def _said(leg: Leg) -> str:
    answered = f" (answered with `{leg.answer}`)" if leg.answer else ""
    return f"{leg.step!r} ended {leg.outcome!r}{TIMES.get(leg.times, f' {leg.times} times')}{answered}"
