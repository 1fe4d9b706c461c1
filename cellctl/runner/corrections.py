"""Whether an item may be put right: where a person says that it is, and although a command has it."""

from __future__ import annotations

from cellctl.errors import Refused, UnknownName
from cellctl.flow.state import Job
from cellctl.messages import GONE, LOST
from cellctl.packml import State
from cellctl.runner.shell import Runner

AT_REST = (State.STOPPED, State.IDLE, State.ABORTED, State.HELD)


def check_place(runner: Runner, item: str, place: str) -> None:
    """Raises UnknownName for a place that is none, Refused for one that is taken."""
    name, _, nest = place.partition("#")
    carrier = next((carrier for carrier in runner.line.carriers if carrier.id == name), None)
    station = None if carrier else runner.line.station(name)
    nests = carrier.nests if carrier else station.capacity if station else 0
    numbered = [f"{name}#{number}" for number in range(nests)]
    if (nest or carrier) and place not in numbered:
        raise UnknownName("nest", place, numbered)
    if station is not None and station.sink:
        return
    there = [other for other, at in runner.state.places().items() if other != item and at not in (GONE, LOST)]
    same = [other for other in there if runner.state.places()[other] == place]
    inside = [other for other in there if runner.state.places()[other].partition("#")[0] == name]
    taken_by = same if nest or nests == 1 else inside if len(inside) >= nests else []
    if taken_by:
        raise Refused(f"{place} is taken by {' and '.join(taken_by)}; say first where that is")


def check_may_end(runner: Runner, item: str, job: Job) -> None:
    """An item in a command may be put right while the module of that command is at rest: the command ends with it.

    Raises Refused while it goes on, or asks a question about it.
    """
    view = runner.fleet[job.module].view
    what = f"{item} is in command {job.command} of {job.module}"
    if view is not None and any(question.command == job.command for question in view.questions):
        raise Refused(f"{what}, which asks a question about it; answer that first")
    if job.is_between or (view is not None and view.state not in AT_REST):
        raise Refused(f"{what}; stop {job.module} first, then put {item} right")
