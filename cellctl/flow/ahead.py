"""What a part may still be given to do, however its steps end: each step, and where the part may stand then. Pure.

One part alone, from step to step and from station to station. Steps that do not need each other may come in any order,
each may fail, a person may scrap whatever asks. So it may hold more than what will happen, and never less: after each
event it is a part of what it was before. The rule against jams stands on that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cellctl.flow.casts import can_be_done, targets_from
from cellctl.flow.routes import depending_on
from cellctl.flow.stage import Stage
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable, Step
from cellctl.skill import Works


class Ahead(NamedTuple):
    """A step that a part may be given while it stands at a station ("" for none)."""

    step: str
    place: str
    is_again: bool = False  # after a failure: a move to where the part stands already counts as done


def what_lies_ahead(line: Line, executable: Executable, stage: Stage) -> frozenset[Ahead]:
    """Every step that a part in this stage may come to, and where."""
    course = _Course(line, executable, stage)
    found: set[Ahead] = set()
    todo = list(course.begins(stage))
    while todo:
        ahead = todo.pop()
        if ahead not in found and ahead.step in course.to_come:
            found.add(ahead)
            todo += course.after(ahead)
    return frozenset(ahead for ahead in found if not course.is_passed_over(ahead))


class _Course:
    """The steps of one recipe in the order of their needs, as one part may still go through them."""

    def __init__(self, line: Line, executable: Executable, stage: Stage) -> None:
        self._line, self._executable = line, executable
        self._steps = {step.name: step for step in (*executable.steps, *executable.scrap)}
        self._on_scrap = frozenset(step.name for step in executable.scrap)
        self._later = {
            name: depending_on(executable, name, scrapping=name in self._on_scrap) - {name}
            for name in self._steps
        }
        self.to_come = self._to_come(stage)

    def begins(self, stage: Stage) -> Iterator[Ahead]:
        """The steps that may come next."""
        route = self._executable.scrap if stage.is_scrapping else self._executable.steps
        for step in route:
            if step.name not in stage.done and stage.done.issuperset(step.needs):
                yield Ahead(step.name, stage.station)

    def after(self, ahead: Ahead) -> Iterator[Ahead]:
        """What may come after it, however it ends."""
        step, place = self._steps[ahead.step], ahead.place
        if self.is_passed_over(ahead):
            yield from (Ahead(name, place, True) for name in self._following(step.name))
            return
        if not can_be_done(self._line, step, place):  # it waits for a person, who brings it elsewhere
            return
        targets = self._places_after(step, place)
        yield from (Ahead(name, target) for target in targets for name in self._following(step.name))
        for where in {place, *(target for target in targets if not self._is_sink(target))}:
            yield from self._after_failure(step, where)

    def is_passed_over(self, ahead: Ahead) -> bool:
        step = self._steps[ahead.step]
        return ahead.is_again and step.works is Works.MOVES and not step.take and ahead.place in step.to

    def _after_failure(self, step: Step, place: str) -> Iterator[Ahead]:
        again = {
            start for route in step.routes.values() for start in _restarts(step, route.start, route.then)
        }
        for start in again - self._on_scrap:
            if not (self._steps[start].take and place in self._steps[start].to):  # as nobody would say
                yield from (Ahead(name, place, True) for name in (start, *self._beside(start)))
        if any(route.then == "next" for route in step.routes.values()):
            yield from (Ahead(name, place) for name in self._following(step.name))
        if place and step.name not in self._on_scrap:
            starts = {scrap.name for scrap in self._executable.scrap[:1]} | (again & self._on_scrap)
            yield from (Ahead(name, place) for name in starts)

    def _places_after(self, step: Step, place: str) -> tuple[str, ...]:
        """Where the part may stand when the step is done."""
        if step.works is Works.MAKES:
            modules = [self._line.modules[name] for names in step.modules.values() for name in names]
            made_at = [s for m in modules for s in ([m.at] if m.at else [each.name for each in m.stations])]
            return tuple(name for name in made_at if not step.at or name in step.at)
        if step.works is not Works.MOVES or (step.take and place):
            return (place,)
        return targets_from(self._line, step, place)

    def _following(self, name: str) -> Iterator[str]:
        """The steps that may come right after this one: those that need it first, and those beside it."""
        later = self._later[name]
        yield from (each for each in later if not any(each in self._later[between] for between in later))
        yield from self._beside(name)

    def _beside(self, name: str) -> Iterator[str]:
        """The steps that neither need this one nor are needed by it, and yet are done on the same route."""
        for each, later in self._later.items():
            is_apart = each not in self._later[name] and name not in later and each != name
            if is_apart and self._are_on_one_route(each, name):
                yield each

    def _are_on_one_route(self, one: str, other: str) -> bool:
        """Of the scrap steps a part does those that need the one with which it began."""
        if one not in self._on_scrap or other not in self._on_scrap:
            return one not in self._on_scrap and other not in self._on_scrap
        return any({one, other} <= self._later[start] for start in self._on_scrap)

    def _to_come(self, stage: Stage) -> frozenset[str]:
        """Every step that the part may still do, with those that a retry repeats."""
        if stage.is_scrapping:
            return self._on_scrap - stage.done
        names = {step.name for step in self._executable.steps if step.name not in stage.done}
        todo = list(names)
        while todo:
            step = self._steps[todo.pop()]
            for route in step.routes.values():
                for start in _restarts(step, route.start, route.then) - self._on_scrap:
                    again = {start, *self._later[start]} - names
                    names |= again
                    todo += again
        return self._on_scrap | names

    def _is_sink(self, place: str) -> bool:
        return place in self._line.stations and self._line.stations[place].sink


def _restarts(step: Step, start: str, then: str) -> set[str]:
    """The steps from which a route goes on: itself or an earlier one, and the one it goes to in the end."""
    return {start or step.name} | ({then} - {"scrap", "ask", "next"})
