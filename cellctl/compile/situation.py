"""What two states must have in common to go on alike: the key under which a search remembers that it was there. Pure.

Numbers and names of parts, components and commands, results, lots and counts of visits and failures do not matter;
their order does. What lies at its source lies there again when it is wanted.
"""

from __future__ import annotations

from collections.abc import Hashable

from cellctl.flow.state import Component, FlowState, Job, Part
from cellctl.line.model import Line, station_of


def situation(state: FlowState, line: Line) -> Hashable:
    """Equal for two states that go on alike."""
    ranks = {name: place for place, name in enumerate(state.parts)}
    return (
        tuple(_part(part, state) for part in state.parts.values()),
        tuple((c.material, c.place) for c in state.components.values() if not lies_ready(c, line)),
        tuple(_job(job, ranks) for job in state.jobs.values()),
        tuple(state.carriers.values()),
        tuple(order.open for order in state.orders.values()),
        state.empty,
        state.stuck,
    )


def lies_ready(component: Component, line: Line) -> bool:
    """Whether it lies where such components come from."""
    station = line.stations.get(station_of(component.place))
    return station is not None and bool(station.source)


def _part(part: Part, state: FlowState) -> Hashable:
    job = state.jobs.get(part.job)
    asking = part.asking.step if part.asking else ""
    done = frozenset(part.done)
    return part.place, done, job.step if job else "", part.scrapping, asking, part.removed


def _job(job: Job, ranks: dict[str, int]) -> Hashable:
    items = tuple((ranks.get(i.id, i.material or i.id), i.origin, i.target) for i in job.items)
    return job.step, items, tuple(job.modules.values()), job.phase, job.seen, job.is_between
