"""A simulated run as a Gantt picture: what each module did when, as the runner journaled it; faults and alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isinf

from cellctl.flow.events import Answered, Dispatched, FlowEvent
from cellctl.line.model import Line
from cellctl.plan.gantt import Bar, Row, gantt
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.process_faults import Disturbance, ProcessFault
from cellctl_sim.runtime import START
from cellctl_sim.simulation import Result
from cellctl_sim.summary import alarms

LEAST = 0.004  # of the run's time: the width of what happened at an instant
STAYING = frozenset({*map(str, Manner), "stuck"})  # faults that last for good where no end is said


def draw(line: Line, result: Result, faults: Sequence[Disturbance] = ()) -> str:
    """The text of an SVG file; a dashed line wherever a fault or an alarm began."""
    rows = [*_work(line, result)]
    timed = [fault for fault in faults if isinstance(fault, Fault | ProcessFault)]
    disturbed = tuple(_fault_bars([*timed, *result.struck], result.ended))
    raised = tuple(_alarm_bars(result))
    rows += [Row(name, bars) for name, bars in (("faults", disturbed), ("alarms", raised)) if bars]
    made = result.report.parts_made
    title = f"{line.name}: {made} part{'' if made == 1 else 's'} in {result.ended:.1f} s, simulated"
    return gantt(rows, title, [bar.start for bar in (*disturbed, *raised)])


def _work(line: Line, result: Result) -> Iterator[Row]:
    """A row for each module in the order of the line file; parts differ in colour."""
    bars: dict[str, list[Bar]] = {module: [] for module in line.modules}
    for module, bar in _commands(result.events, result.ended):
        bars.setdefault(module, []).append(bar)
    yield from (Row(module, tuple(own)) for module, own in bars.items())


def _commands(events: Sequence[FlowEvent], ended: float) -> Iterator[tuple[str, Bar]]:
    """Each command from its start to its end; one without an answer from its dispatch to the end of the run."""
    open_: dict[int, Dispatched] = {}
    for event in events:
        if isinstance(event, Dispatched):
            open_[event.number] = event
        elif isinstance(event, Answered) and event.number in open_:
            command = open_.pop(event.number)
            if event.started:  # else it was given up before it began
                outcome = "" if event.outcome == "done" else event.outcome
                yield command.module, _bar(command, event.started, event.ended, outcome)
    for command in open_.values():
        yield command.module, _bar(command, command.at, START + ended, "not answered")


def _bar(command: Dispatched, start: float, end: float, outcome: str) -> Bar:
    parts = " ".join(command.parts)
    done = f"{command.step or command.skill} {parts}".strip()
    return Bar(start - START, end - START, f"{done}: {outcome}" if outcome else done, parts or "feed")


def _fault_bars(faults: Sequence[Fault | ProcessFault], ended: float) -> Iterator[Bar]:
    for fault in faults:
        if fault.at > ended:
            continue
        who = fault.process if isinstance(fault, ProcessFault) else fault.device
        for_good = isinf(fault.lasts) and fault.fault in STAYING
        lasts = ended if for_good else LEAST * ended if isinf(fault.lasts) else fault.lasts
        yield Bar(fault.at, min(fault.at + lasts, ended), f"{who} {fault.fault} at {fault.at:g} s", "fault")


def _alarm_bars(result: Result) -> Iterator[Bar]:
    for alarm in alarms(result):
        at = alarm["at_s"]
        label = f"{alarm['code']} {alarm['source']} at {at:.3f} s: {alarm['text']}"
        yield Bar(at, min(at + LEAST * result.ended, result.ended), label, "alarm")
