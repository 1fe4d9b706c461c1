"""The stages and moves of one executable recipe on a line, found by asking `cellctl.flow` in every stage of one part.

Nothing of what a step needs or does is written a second time here: the part stands alone on the line, every module
is ready, every feeder has a component lying ready, and `choices` and `apply` say what may be done and what it ends in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from cellctl.flow.binding import choices, continued, next_steps
from cellctl.flow.claims import reserved
from cellctl.flow.decide import verdict_on
from cellctl.flow.events import Answered, Dispatched
from cellctl.flow.fold import apply
from cellctl.flow.routes import scrapped
from cellctl.flow.stage import Stage, stage_of
from cellctl.flow.state import Component, FlowState, Order, Part
from cellctl.line.model import Line, station_of
from cellctl.messages import GONE, Move
from cellctl.plan.errors import NotModelled
from cellctl.recipe.executable import Executable, Step
from cellctl.skill import Ends, Works

OFTEN = 1_000_000  # failures after which no recipe tries again
MOST_STAGES = 200  # of one recipe: about 0.3 s
ORDER = "order"


class End(NamedTuple):
    """How a command may end: the stage of each of its parts then. `is_by_hand`: a person looks after them first."""

    outcome: str
    stages: tuple[Stage, ...]
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """One command in one stage: its step, where it goes ("": nowhere), what it keeps free, and what it ends in."""

    step: str
    target: str
    room: tuple[str, ...]  # stations, one for each place
    ends: tuple[End, ...]
    parts: int = 1


@dataclass
class Journey:
    """Everything that may become of a part of one recipe."""

    executable: Executable
    begins: list[Done] = field(default_factory=list)
    arrives: list[Stage] = field(default_factory=list)
    goes_on: dict[Stage, list[Done]] = field(default_factory=dict)


def journey(executable: Executable, line: Line) -> Journey:
    """All stages that parts of the recipe may come to on this line, and what may be done in each.

    Raises NotModelled where several parts wait for each other by the recipe, where even one alone cannot come to its
    end, or where the stages are too many.
    """
    _check(executable, line)
    alone = _Alone(executable, line)
    found = Journey(executable)
    if executable.announced:
        found.arrives = [Stage(alone.digest, place, frozenset()) for place in executable.arrives]
    else:
        found.begins = list(alone.what_may_be_done(Stage(alone.digest, GONE, frozenset())))
    todo = found.arrives + [stage for done in found.begins for stage in _stages(done)]
    while todo:
        stage = todo.pop()
        if stage in found.goes_on or not stage.is_begun:
            continue
        found.goes_on[stage] = [] if alone.has_ended(stage) else list(alone.what_may_be_done(stage))
        todo += [after for done in found.goes_on[stage] for after in _stages(done)]
        if len(found.goes_on) > MOST_STAGES:
            raise NotModelled(executable.recipe, f"has more than {MOST_STAGES} stages")
    _leave_out_what_only_hands_can_mend(found)
    if not _can_be_made(found):
        raise NotModelled(executable.recipe, "may come to a stage from which it cannot go on even alone")
    return found


def has_ended(executable: Executable, stage: Stage) -> bool:
    """Whether a part in this stage has left the line."""
    return verdict_on(*_there(executable, stage)) != ""


def _leave_out_what_only_hands_can_mend(found: Journey) -> None:
    """Without those ends from which a part could not go on even alone, where a person looks after it anyhow."""
    alive = _coming_to_end(found, set(found.goes_on), any)
    found.begins = [_mended(done, alive) for done in found.begins]
    found.goes_on = {
        stage: [_mended(done, alive) for done in steps] for stage, steps in found.goes_on.items()
    }


def _can_be_made(found: Journey) -> bool:
    """Whether a part alone has a way to its end that no outcome bars."""
    sure = set(found.goes_on)
    while (surer := _coming_to_end(found, sure, all)) != sure:
        sure = surer
    if found.arrives:
        return sure.issuperset(found.arrives)
    return any(_leads_into(done, sure, all) for done in found.begins)


def _coming_to_end(found: Journey, allowed: set[Stage], how_many: Callable[[list[bool]], bool]) -> set[Stage]:
    """The stages of parts that have ended, and those from which commands lead to such: those commands of which any,
    or all, outcomes are allowed."""
    alive = {stage for stage in found.goes_on if has_ended(found.executable, stage)}
    while True:
        more = {
            stage
            for stage in allowed - alive
            if any(
                _leads_into(done, allowed, how_many) and _leads_into(done, alive, any)
                for done in found.goes_on[stage]
            )
        }
        if not more:
            return alive
        alive |= more


def _leads_into(done: Done, stages: set[Stage], how_many: Callable[[list[bool]], bool]) -> bool:
    return how_many([_are_in(stages, end.stages) for end in done.ends])


def _are_in(some: set[Stage], stages: tuple[Stage, ...]) -> bool:
    return all(stage in some or not stage.is_begun for stage in stages)


def _mended(done: Done, alive: set[Stage]) -> Done:
    ends = tuple(end for end in done.ends if not end.is_by_hand or _are_in(alive, end.stages))
    return Done(done.step, done.target, done.room, ends, done.parts)


def _is_to_do_again(step: Step, stages: tuple[Stage, ...]) -> bool:
    """Whether the step is to be done again by parts that stand where it was to bring them: nobody will say so."""
    return any(step.name not in stage.done and not stage.is_scrapping for stage in stages)


def _stages(done: Done) -> list[Stage]:
    return [stage for end in done.ends for stage in end.stages]


def _check(executable: Executable, line: Line) -> None:
    if line.carriers:
        raise NotModelled(line.name, "has carriers that circulate")
    for step in (*executable.steps, *executable.scrap):
        if step.parts > 1 and step.works is not Works.MAKES:
            raise NotModelled(executable.recipe, f"{step.name} waits for {step.parts} parts")
        if any(line.stations[name].source for name in step.to):
            raise NotModelled(executable.recipe, f"{step.name} goes to a station that components come to")


def _there(executable: Executable, stage: Stage, count: int = 1) -> tuple[FlowState, Part]:
    """The state with nothing but parts in this stage, and the first of them."""
    parts = {
        f"p{n}": Part(
            f"p{n}",
            ORDER,
            stage.recipe,
            stage.station,
            tuple(step.name for step in (*executable.steps, *executable.scrap) if step.name in stage.done),
            scrapping=stage.is_scrapping,
        )
        for n in range(1, count + 1)
    }
    order = Order(ORDER, stage.recipe, count, begun=count)
    state = FlowState(recipes={stage.recipe: executable}, orders={ORDER: order}, parts=parts)
    return state, parts["p1"]


class _Alone:
    """Parts of one recipe alone on the line."""

    def __init__(self, executable: Executable, line: Line) -> None:
        self.executable, self.line, self.digest = executable, line, executable.digest
        self._everybody = frozenset(line.modules)
        self._components = {
            f"c{n}": Component(f"c{n}", station.source, station.name)
            for n, station in enumerate(s for s in line.stations.values() if s.source)
        }

    def has_ended(self, stage: Stage) -> bool:
        return has_ended(self.executable, stage)

    def what_may_be_done(self, stage: Stage) -> Iterator[Done]:
        """Every command that a part in this stage may get, one for each step and target."""
        state, part = _there(self.executable, stage)
        seen = set()
        for step in next_steps(state, part):
            for count in range(1, step.parts + 1):
                for done in self._done(stage, step, count):
                    if (done.step, done.target, done.parts) not in seen:
                        seen.add((done.step, done.target, done.parts))
                        yield done

    def _done(self, stage: Stage, step: Step, count: int) -> Iterator[Done]:
        state, _ = _there(self.executable, stage, count)
        state = replace(state, components=self._components)
        parts = tuple(state.parts.values())
        for event in choices(state, self.line, self._everybody, parts, step, 0.0):
            if isinstance(event, Dispatched):
                target = station_of(event.items[0].target) if event.items else ""
                room = self._room(state, event, step)
                yield Done(step.name, target, room, tuple(self._ends(state, event, step)), count)

    def _room(self, state: FlowState, event: Dispatched, step: Step) -> tuple[str, ...]:
        """The stations of which a place each is kept until the command has ended; for what is made, all of its own."""
        state = apply(state, event)
        kept = [station_of(place) for place in reserved(state, self.line, state.jobs[event.job])]
        if step.works is Works.MAKES:
            kept = [name for name in dict.fromkeys(kept) for _ in range(self.line.stations[name].capacity)]
        return tuple(name for name in kept if not self.line.stations[name].sink)

    def _ends(self, state: FlowState, event: Dispatched, step: Step) -> Iterator[End]:
        told = set()
        for outcome, ends, moves, after in self._states_after(state, event, step):
            is_anywhere = ends is Ends.ANYWHERE
            is_asked = any(after.parts[name].asking for name in event.parts)
            for stages in self._stages_of(after, event.parts):
                if stages not in told and not (is_anywhere and moves and _is_to_do_again(step, stages)):
                    told.add(stages)
                    yield End(outcome, stages, is_anywhere or is_asked)

    def _states_after(
        self, state: FlowState, event: Dispatched, step: Step
    ) -> Iterator[tuple[str, Ends, tuple[Move, ...], FlowState]]:
        moves = tuple(Move(item.id, item.target) for item in event.items if item.target)
        yield "done", Ends.AT_TARGET, moves, self._well_done(apply(state, event), event, moves)
        for outcome, ends in self._failures(event, step).items():
            for failures in (0, OFTEN):
                often = {f"{step.name}:{outcome}": failures}
                parts = {p: replace(state.parts[p], failures=often) for p in event.parts}
                before = apply(replace(state, parts=parts), event)
                for moved in self._ways(ends, moves):
                    yield outcome, ends, moved, apply(before, Answered(event.number, outcome, moved))

    def _ways(self, ends: Ends, moves: tuple[Move, ...]) -> list[tuple[Move, ...]]:
        """What may have moved. ANYWHERE is here where it was, or where it was to go unless that is a sink."""
        into_sink = any(self.line.stations[station_of(move.place)].sink for move in moves)
        match ends:
            case Ends.AT_ORIGIN:
                return [()]
            case Ends.AT_TARGET:
                return [moves]
            case Ends.ANYWHERE:
                return [()] if into_sink else [(), moves]

    def _well_done(self, state: FlowState, event: Dispatched, moves: tuple[Move, ...]) -> FlowState:
        """After all commands of the step."""
        while True:
            state = apply(state, Answered(state.jobs[event.job].command, "done", moves))
            if event.job not in state.jobs:
                return state
            state = apply(state, continued(state, event.job, 0.0))

    def _failures(self, event: Dispatched, step: Step) -> dict[str, Ends]:
        """Every way in which a command of the step may end that is not done, and where the part is then."""
        found = dict.fromkeys(step.routes, Ends.AT_ORIGIN)
        for role, name in step.phases or (("", step.skill),):
            skill = self.line.modules[event.modules[role]].kind.skill(name)
            outcomes = skill.outcomes if skill else {}
            found |= {outcome: what.ends for outcome, what in outcomes.items() if outcome != "done"}
        return found

    def _stages_of(self, state: FlowState, names: tuple[str, ...]) -> Iterator[tuple[Stage, ...]]:
        """The stages of the parts; for those that wait for a person, those that the person may send them to."""
        parts = [state.parts[name] for name in names]
        yield tuple(stage_of(state, part) for part in parts)
        if any(part.asking for part in parts) and self.executable.scrap:
            yield tuple(stage_of(state, scrapped(self.executable, part)) for part in parts)
