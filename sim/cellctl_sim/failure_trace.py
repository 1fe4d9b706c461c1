"""What happened around a failure, for reading: who was killed, what was said, journaled, and done to devices.

What is said over and over (the questions of a driver that looks at its device) is left out, and so is what lies well
before the first fault and well after the last.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from cellctl.flow.events import FlowEvent
from cellctl.journal import ModuleRecord
from cellctl.line.model import Line
from cellctl.messages import Event, Reply, Request, View, decode
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault
from cellctl_sim.runtime import LogRecord
from cellctl_sim.scenario import Scenario, flow
from cellctl_sim.trace import Happening

BEFORE, AFTER = 0.5, 3.0  # [s] around faults that are shown
ROUTINE = 25  # times that something is said in a run until it is routine
MOST = 800  # lines; of more, the first and the last
HEAD = 24  # bytes of a row before its record: its number and digest

_NUMBERS = re.compile(rb"[\d.+-]+")


def tell(
    line: Line,
    scenario: Scenario,
    happenings: Sequence[Happening],
    log: Sequence[LogRecord],
    struck: Iterable[ProcessFault] = (),
) -> list[str]:
    """The lines of the tale, in order of time."""
    names = {device.address: device.name for device in line.devices.values() if device.address}
    begins, ends = _window(scenario, happenings, struck)
    counts = Counter(map(_shape, happenings))
    told = [
        (happening.time / 1e9, names.get(happening.who, happening.who), text)
        for happening in happenings
        if begins <= happening.time / 1e9 <= ends and counts[_shape(happening)] <= ROUTINE
        for text in _told(happening)
    ]
    told += [(r.time, r.node, _logged(r)) for r in log if begins <= r.time <= ends]
    told += [(fault.at, *_named(fault)) for fault in scenario.faults]
    lines = [f"{time:11.6f} s  {who:24} {what}" for time, who, what in sorted(told, key=lambda line: line[0])]
    if len(lines) > MOST:
        left_out = f"... {len(lines) - MOST} lines are left out here"
        lines = [*lines[: MOST // 2], left_out, *lines[-MOST // 2 :]]
    return lines


def _named(fault: Fault | ProcessFault) -> tuple[str, str]:
    """At whom a fault is, and the fault as it is written."""
    return fault.process if isinstance(fault, ProcessFault) else fault.device, f"FAULT {flow(fault)}"


def _window(
    scenario: Scenario, happenings: Sequence[Happening], struck: Iterable[ProcessFault]
) -> tuple[float, float]:
    """The time around all faults; the whole run where there are none [s]."""
    faults = [*scenario.faults, *struck]
    last = happenings[-1].time / 1e9 if happenings else 0.0
    if not faults:
        return 0.0, last
    lasts = [min(fault.at + fault.lasts, last) if fault.lasts < 1e9 else fault.at for fault in faults]
    return min(fault.at for fault in faults) - BEFORE, max(lasts) + AFTER


def _shape(happening: Happening) -> tuple[str, str, bytes]:
    """What is alike of two happenings but for the numbers in them; journals and the bus have no routine."""
    if happening.what in ("receives", "sends"):
        return happening.who, happening.what, _NUMBERS.sub(b"#", happening.data[:40])
    return happening.who, str(happening.time), happening.data


def _told(happening: Happening) -> Iterator[str]:
    match happening.what:
        case "durable":
            yield f"journals {_record(happening.who, happening.data)}"
        case "unsynced rows lost":
            yield "loses rows that were not synced"
        case "arrives" | "lost":
            message = decode(happening.data)
            if not isinstance(message, SHOWN_ELSEWHERE):
                yield f"{brief(message)}{' is LOST' if happening.what == 'lost' else ''}"
        case "receives" | "sends":
            yield f"{happening.what} {happening.data.decode(errors='replace')}"
        case what:
            yield f"{what} {happening.data.hex(' ')}".rstrip()


def _record(name: str, row: bytes) -> str:
    kind: Any = FlowEvent if name == "runner" else ModuleRecord
    return brief(msgspec.msgpack.decode(row[HEAD:], type=kind))


def brief(struct: object) -> str:
    """A message or record in one line: its name, and the fields that say something."""
    fields = msgspec.to_builtins(struct)
    said = ((key, value) for key, value in fields.items() if key not in UNSAID and value not in QUIET)
    return " ".join([type(struct).__name__, *(f"{key}={_short(value)}" for key, value in said)])


QUIET: tuple[object, ...] = ("", 0, None, [], {}, (), False)
UNSAID = frozenset(
    {"type", "head", "seen", "proof", "digest", "at", "oldest", "executable", "started", "ended"}
)
SHOWN_ELSEWHERE = (
    View | Request | Reply | Event
)  # what they say stands in a journal, or is only a picture of it


def _short(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _logged(record: LogRecord) -> str:
    fields = "".join(f" {name}={value}" for name, value in record.fields.items())
    return f"says: {record.event}{fields}"
