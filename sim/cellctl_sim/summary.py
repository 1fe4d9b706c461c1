"""What a simulated run came to, as plain data: the keys of `cellctl sim --json`, which studies and comparisons read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cellctl.runner.report import report as report_of

if TYPE_CHECKING:
    from cellctl.line.model import Line
    from cellctl_sim.simulation import Result

Body = dict[str, Any]


def summary(result: Result, seed: int, line: Line | None = None) -> Body:
    """The report of the run with what only a simulation knows; of a line that is given, with what was predicted.

    Times in seconds; `throughput_per_hour` counts good parts over the makespan, None before anything was done;
    `modules` is each module's share of the makespan in which it did something, 0 to 1.
    """
    report: Body = msgspec.to_builtins(result.report if line is None else report_of(result.events, line))
    made, makespan = report["parts_made"], report["makespan_s"]
    return report | {
        "throughput_per_hour": round(3600.0 * made / makespan, 4) if makespan else None,
        "alarms": alarms(result),
        "complete": result.complete,
        "seed": seed,
        "trace_sha256": result.trace,
        "virtual_s": round(result.ended, 6),
        "wall_s": round(result.wall, 3),
        "counters": result.counters,
        "incidents": [{"at": at, "what": what} for at, what in result.incidents],
        "waiting": [] if result.complete else _waiting(result),
        "simulated": True,
    }


def alarms(result: Result) -> list[Body]:
    """Every alarm of the run in the order in which they were raised; `stands` is whether it does at the end.

    One that says something else than before is raised again.
    """
    standing = {(alarm["code"], alarm["source"]) for alarm in result.status.get("alarms", ())}
    raised = (record for record in result.log if record.event == "alarm")
    return [
        {
            "at_s": round(record.time, 6),
            **{key: record.fields[key] for key in ("code", "source", "text")},
            "stands": (record.fields["code"], record.fields["source"]) in standing,
        }
        for record in raised
    ]


def _waiting(result: Result) -> list[str]:
    return [f"{part['part']} at {part['place']}: {part['waits']}" for part in result.status.get("parts", [])]
