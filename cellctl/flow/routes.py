"""Where a part goes on after a step ended badly: retry, rework, scrap, on as if done, or a person is asked."""

from __future__ import annotations

from msgspec.structs import replace

from cellctl.flow.state import Asking, FlowState, Part
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Works


def after_failure(state: FlowState, part: Part, step: Step, outcome: str, detail: str) -> Part:
    """The part after `step` ended in `outcome`, which is not `done`."""
    route = step.routes.get(outcome, Route())
    key = f"{step.name}:{outcome}"
    count = part.failures.get(key, 0) + 1
    part = replace(part, failures={**part.failures, key: count})
    if count <= route.retry:
        return reset_from(state, part, route.start or step.name)
    match route.then:
        case "scrap":
            return scrapped(state.executable(part), part)
        case "next":
            return replace(part, done=(*part.done, step.name))
        case "ask":
            return replace(part, asking=Asking(step.name, outcome, detail))
        case target if target in (scrap.name for scrap in state.executable(part).scrap):
            return scrapped(state.executable(part), part, target)
        case target:
            return reset_from(state, part, target)


def scrapped(executable: Executable, part: Part, start: str = "") -> Part:
    """The part on the scrap route: of its steps only `start`, or else the first, and those that need it."""
    start = start or next((step.name for step in executable.scrap), "")
    wanted = depending_on(executable, start, scrapping=True)
    passed_over = tuple(step.name for step in executable.scrap if step.name not in wanted)
    return replace(part, scrapping=True, done=passed_over)


def reset_from(state: FlowState, part: Part, name: str) -> Part:
    """The part with the step `name`, and all that builds on it, to be done again."""
    again = depending_on(state.executable(part), name, part.scrapping)
    return _already_there(state, replace(part, done=tuple(step for step in part.done if step not in again)))


def _already_there(state: FlowState, part: Part) -> Part:
    """The part with those moves done that would bring it to where it stands."""
    here = state.station_of(part.place)
    for step in state.route(part):
        is_next = step.name not in part.done and all(need in part.done for need in step.needs)
        if is_next and step.works is Works.MOVES and not step.take and here in step.to:
            part = replace(part, done=(*part.done, step.name))
    return part


def depending_on(executable: Executable, name: str, scrapping: bool = False) -> frozenset[str]:
    """The step `name` and every step that needs it, directly or not."""
    steps = executable.scrap if scrapping else executable.steps
    found = {name}
    for step in steps:  # a step stands after all that it needs
        if not found.isdisjoint(step.needs):
            found.add(step.name)
    return frozenset(found)
