"""What of a part matters for where it may go next: its recipe, where it stands, and what is done."""

from __future__ import annotations

from typing import NamedTuple

from cellctl.flow.routes import scrapped
from cellctl.flow.state import FlowState, Job, Part
from cellctl.messages import GONE
from cellctl.skill import Works


class Stage(NamedTuple):
    """Parts in the same stage have the same future. How often a step has failed is left out: it may fail again."""

    recipe: str  # digest
    station: str  # through the carrier where it is on one; "" for none
    done: frozenset[str]
    is_scrapping: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether anything of the part is there; else it is as if it were not begun yet."""
        return bool(self.station or self.done or self.is_scrapping)


def stage_of(state: FlowState, part: Part) -> Stage:
    """The stage of a part that nothing is done to."""
    return Stage(part.recipe, state.station_of(part.place), frozenset(part.done), part.scrapping)


def stage_before(state: FlowState, job: Job, part: Part) -> Stage:
    """The stage in which a part was when its job began, whatever was told of the job since."""
    step = state.executable(part).step(job.step)
    origins = [item.origin for item in job.items if item.id == part.id]
    place = origins[0] if origins else part.place
    if step.works is Works.MAKES or (step.works is Works.MOVES and step.take):
        place = GONE
    return Stage(part.recipe, state.station_of(place), frozenset(part.done), part.scrapping)


def stages_after_asking(state: FlowState, part: Part) -> tuple[Stage, ...]:
    """The stages from which a part goes on that waits for a person: as it is, or as scrap where it can be scrapped."""
    executable = state.executable(part)
    again = stage_of(state, part)
    return (again, stage_of(state, scrapped(executable, part))) if executable.scrap else (again,)
