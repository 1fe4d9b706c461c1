"""What may come of a command, as its skill declares it, and what a person may answer where one is asked. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cellctl.flow.binding import bind
from cellctl.flow.events import Answered, Dispatched
from cellctl.flow.fold import apply, decided
from cellctl.flow.state import FlowState, Job, Part
from cellctl.line.model import Line, station_of
from cellctl.messages import LOST, Move
from cellctl.recipe.executable import Route, Step
from cellctl.skill import Ends, Works

DONE = "done"
BY_A_PERSON = "failed"  # a person said so, who has looked where the item is
EMPTY = "empty"

Moves = tuple[Move, ...]


def endings(line: Line, job: Job) -> Iterator[Answered]:
    """Every answer that the job's command may get: each outcome, with the item where the outcome may leave it."""
    skill = line.modules[job.module].kind.skill(job.skill)
    for name, outcome in skill.outcomes.items() if skill else ():
        for moves in dict.fromkeys(_moves(outcome.ends, name, job)):
            yield Answered(job.command, name, moves, module=job.module)


def _moves(ends: Ends, outcome: str, job: Job) -> Iterator[Moves]:
    there = tuple(Move(item.id, item.target) for item in job.items if item.target)
    match ends:
        case Ends.AT_TARGET:
            yield there
        case Ends.AT_ORIGIN:
            yield ()
        case Ends.ANYWHERE:
            yield ()
            if outcome != DONE:  # else a later phase of the job brings it there
                yield there


def mishaps(line: Line, job: Job) -> Iterator[Answered]:
    """The answers that leave an item where only a person can take it from: in a gripper, or nobody knows where."""
    module = line.modules[job.module]
    skill = module.kind.skill(job.skill)
    moved = [item for item in job.items if item.target]
    for name, outcome in skill.outcomes.items() if skill and moved else ():
        if outcome.ends is Ends.ANYWHERE and name not in (DONE, BY_A_PERSON):
            for place in (*(tool.name for tool in module.tools[:1]), LOST):
                moves = tuple(Move(item.id, place) for item in moved)
                yield Answered(job.command, name, moves, module=job.module)


def afterwards(state: FlowState, job: Job, answer: Answered) -> Iterator[tuple[int, FlowState]]:
    """The states after an answer, and how often the step has ended so by then: once, and as often as ends its retries.

    Retries lead back to the step, so what lies behind them is found without counting in between; the counts are
    cleared, and states that differ only in them are one.
    """
    step = state.executable(state.parts[job.parts[0]]).step(job.step)
    route = step.routes.get(answer.outcome, Route())
    for count in dict.fromkeys((0, route.retry)) if answer.outcome != DONE else (0,):
        counted = _with_failures(state, job, {f"{job.step}:{answer.outcome}": count})
        yield count + 1, _with_failures(apply(counted, answer), job, {})


def joined_again(
    before: FlowState, after: FlowState, job: Job, answer: Answered
) -> Iterator[tuple[Step, bool]]:
    """The steps that put a component into a part and are to do so once more, though the part has it.

    True for the step that ended just now, in an outcome with which its component has come there all the same.
    """
    for name in job.parts:
        part = after.parts[name]
        executable = after.executable(part)
        if answer.outcome == DONE or part.asking is not None or part.scrapping:
            continue
        has_come = any(move.place == item.target for move in answer.moves for item in job.items if item.into)
        for step in executable.steps:
            if step.works is not Works.JOINS or step.name in part.done:
                continue
            if step.name == job.step and has_come:
                yield step, True
            elif step.name in before.parts[name].done:
                yield step, False


def is_endless(before: FlowState, after: FlowState, job: Job, answer: Answered, times: int) -> bool:
    """Whether the step begins again with its part as it was, after an outcome whose retries are used up.

    A rework, which does other steps in between, is not meant: after it the outcome may be another.
    """
    step = before.executable(before.parts[job.parts[0]]).step(job.step)
    if answer.outcome == DONE or times <= step.routes.get(answer.outcome, Route()).retry:
        return False
    return all(_as_it_was(before.parts[name], after.parts[name]) for name in job.parts)


def _as_it_was(before: Part, after: Part) -> bool:
    is_alike = (before.place, before.scrapping) == (after.place, after.scrapping)
    return is_alike and set(before.done) == set(after.done) and after.asking is None


def _with_failures(state: FlowState, job: Job, failures: dict[str, int]) -> FlowState:
    changed = {name: replace(state.parts[name], failures=failures) for name in job.parts}
    return replace(state, parts={**state.parts, **changed})


def unattended(line: Line, job: Job) -> Answered:
    """The answer to a command without a part: the component comes, the empty carrier goes on.

    Who has no skill to feed never brings one.
    """
    skill = line.modules[job.module].kind.skill(job.skill)
    if skill is None:
        return Answered(job.command, EMPTY, module=job.module)
    moves = tuple(Move(item.id, item.target) for item in job.items)
    return Answered(job.command, DONE, moves, module=job.module)


def elsewhere(state: FlowState, line: Line, event: Dispatched, ready: frozenset[str]) -> Iterator[Dispatched]:
    """The same step with other targets, which are chosen when the first is taken."""
    parts = tuple(state.parts[name] for name in event.parts)
    step = state.executable(parts[0]).step(event.step)
    choices = {Works.MOVES: step.to, Works.MAKES: step.at}.get(step.works, ())
    chosen = station_of(event.items[0].target)
    for target in choices if len(choices) > 1 else ():
        if target != chosen:
            only = _only(step, target)
            other = bind(state, line, ready, parts, only, 0.0)
            if isinstance(other, Dispatched):
                yield other


def _only(step: Step, target: str) -> Step:
    return replace(step, at=(target,)) if step.works is Works.MAKES else replace(step, to=(target,))


# --- persons ----------------------------------------------------------------------------------------------------


def answers(state: FlowState, line: Line) -> tuple[str, ...]:
    """What a sensible person may answer for the parts that wait for one.

    A part that has come to where its step was to bring it goes on; one that has not is not said to have.
    """
    choices = [
        _sensible(state, line, part, part.asking.step)
        for part in state.parts.values()
        if part.asking is not None
    ]
    return tuple(choice for choice in choices[0] if all(choice in each for each in choices))


def _sensible(state: FlowState, line: Line, part: Part, name: str) -> tuple[str, ...]:
    executable = state.executable(part)
    step, here = executable.step(name), state.station_of(part.place)
    if step.works in (Works.MOVES, Works.MAKES):
        has_come = here in (*step.to, *(step.at if step.works is Works.MAKES else ()))
        choices = ["next" if has_come else "retry"]
    else:
        choices = ["retry", "next"]
    has_left = here in line.stations and line.stations[here].sink
    if executable.scrap and not part.scrapping and not has_left:
        choices.append("scrap")
    return tuple(choices)


def told(state: FlowState, choice: str) -> FlowState:
    """The state after a person has answered this for all parts that wait for one."""
    parts = {
        name: decided(state, part, choice) if part.asking is not None else part
        for name, part in state.parts.items()
    }
    return replace(state, parts=parts)
