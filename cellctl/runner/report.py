"""The report of a line: counts, yield, cycle times and utilisation, as a fold over the runner's journal. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import mean, median
from typing import Any

import msgspec

from cellctl.flow.events import (
    Answered,
    Dispatched,
    FlowEvent,
    OrderTaken,
    PartBorn,
    PartEnded,
    RecipeTaken,
    Snapshot,
)
from cellctl.flow.state import Job
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable


class StepTimes(msgspec.Struct):
    """How long one step took, over all parts [s]; `predicted_s` is what the plan says of the same commands."""

    step: str
    count: int
    mean_s: float
    min_s: float
    max_s: float
    predicted_s: float | None = None


class Report(msgspec.Struct):
    """What was made, how well and how fast. Times in seconds; `modules` gives utilisation, 0 to 1."""

    parts_made: int
    parts_scrapped: int
    parts_removed: int
    parts_in_flight: int
    by_variant: dict[str, dict[str, int]]
    retries: int
    yield_ratio: float | None
    cycle_time_s: float | None  # between parts that end good, mean over the run
    makespan_s: float
    busiest_module: str
    modules: dict[str, float]
    steps: list[StepTimes]
    overhead_p50_s: float | None  # command time less device time
    alarms: list[dict[str, Any]] = []


class _Tally:
    """What the journal's events add up to, from `since` on: UTC [s]."""

    def __init__(self, since: float) -> None:
        self._since = since
        self.recipes: dict[str, Executable] = {}
        self.orders: dict[str, str] = {}  # order -> digest of its recipe
        self.parts: dict[str, str] = {}  # part -> its order
        self.on_the_line: dict[str, None] = {}
        self.ended: list[PartEnded] = []
        self.commands: dict[int, Dispatched | Job] = {}
        self.answers: list[tuple[Dispatched | Job, Answered]] = []

    def add(self, event: FlowEvent) -> None:
        match event:
            case Snapshot():
                self._begin_with(event)
            case RecipeTaken(digest, executable):
                self.recipes[digest] = executable
            case OrderTaken(order, recipe):
                self.orders[order] = recipe
            case PartBorn(part, order):
                self.parts[part] = order
                self.on_the_line[part] = None
            case PartEnded(part):
                self.on_the_line.pop(part, None)
                if event.at >= self._since:
                    self.ended.append(event)
            case Dispatched(number):
                self.commands[number] = event
            case Answered(number):
                command = self.commands.pop(number, None)
                if command is not None and event.ended >= self._since:
                    self.answers.append((command, event))
            case _:
                pass

    def _begin_with(self, snapshot: Snapshot) -> None:
        """What stood before it need not have been read."""
        state = snapshot.state
        self.recipes |= state.recipes
        self.orders |= {order.id: order.recipe for order in state.orders.values()}
        self.parts |= {part.id: part.order for part in state.parts.values()}
        self.on_the_line |= dict.fromkeys(state.parts)
        self.commands |= state.commands()

    def variant(self, part: str) -> str:
        return self.recipes[self.orders[self.parts[part]]].variant


def report(events: Iterable[FlowEvent], line: Line | None = None, since: float = 0.0) -> Report:
    """The report over these events of a runner's journal; of a line that is given, with what was predicted.

    The events begin with the journal or with a snapshot. What ended before `since` (UTC [s]) is not counted.
    """
    tally = _Tally(since)
    events = events if line is None else tuple(events)
    for event in events:
        tally.add(event)
    verdicts = Counter(event.verdict for event in tally.ended)
    inspected = verdicts["good"] + verdicts["scrap"]
    makespan = _makespan(tally)
    modules = _utilisation(tally, makespan)
    overheads = [max(0.0, a.ended - a.started - a.device_time) for _, a in tally.answers]
    return Report(
        parts_made=verdicts["good"],
        parts_scrapped=verdicts["scrap"],
        parts_removed=verdicts["removed"],
        parts_in_flight=len(tally.on_the_line),
        by_variant=_by_variant(tally),
        retries=sum(command.attempt > 1 and command.phase == 0 for command, _ in tally.answers),
        yield_ratio=verdicts["good"] / inspected if inspected else None,
        cycle_time_s=_cycle_time(tally),
        makespan_s=round(makespan, 3),
        busiest_module=max(modules, key=lambda name: modules[name], default=""),
        modules=modules,
        steps=_step_times(tally, _predicted(line, events)),
        overhead_p50_s=round(median(overheads), 6) if overheads else None,
    )


def _makespan(tally: _Tally) -> float:
    started = [command.at for command, _ in tally.answers]
    ended = [answer.ended for _, answer in tally.answers]
    return max(ended) - min(started) if ended else 0.0


def _utilisation(tally: _Tally, makespan: float) -> dict[str, float]:
    """The share of the makespan in which each module did something (overlapping commands counted once)."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for command, answer in tally.answers:
        spans[command.module].append((answer.started, answer.ended))
    return {
        name: round(_covered(sorted(times)) / makespan, 4) if makespan else 0.0
        for name, times in sorted(spans.items())
    }


def _covered(spans: list[tuple[float, float]]) -> float:
    total, reached = 0.0, float("-inf")
    for start, end in spans:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _by_variant(tally: _Tally) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for event in tally.ended:
        found[tally.variant(event.part)][event.verdict] += 1
    return {variant: dict(sorted(counts.items())) for variant, counts in sorted(found.items())}


def _cycle_time(tally: _Tally) -> float | None:
    times = sorted(event.at for event in tally.ended if event.verdict == "good")
    if len(times) < 2:
        return None
    return round((times[-1] - times[0]) / (len(times) - 1), 3)


def _predicted(line: Line | None, events: Iterable[FlowEvent]) -> dict[str, float]:
    if line is None:
        return {}
    from cellctl.runner.prediction import predicted_times  # with numpy: only where it is asked for

    return predicted_times(line, events)


def _step_times(tally: _Tally, predicted: dict[str, float]) -> list[StepTimes]:
    times: dict[str, list[float]] = defaultdict(list)
    for command, answer in tally.answers:
        if command.step and answer.outcome == "done":
            times[command.step].append(answer.ended - answer.started)
    return [
        StepTimes(
            step,
            len(t),
            round(mean(t), 3),
            round(min(t), 3),
            round(max(t), 3),
            round(predicted[step], 3) if step in predicted else None,
        )
        for step, t in times.items()
    ]
