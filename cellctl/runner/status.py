"""The line as a display shows it, and the part map with both views. Plain data, made from the runner's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cellctl.flow.binding import Wait, bind, next_steps
from cellctl.flow.decide import by_urgency, is_waiting
from cellctl.flow.state import Job, Part
from cellctl.messages import GONE, LOST
from cellctl.runner.steering import is_there

if TYPE_CHECKING:
    from cellctl.runner.remote import Remote
    from cellctl.runner.shell import Runner


FINISHED_SHOWN = 20  # finished orders in a status


def status(runner: Runner) -> dict[str, Any]:
    """Line, orders, modules, parts with what each waits for, alarms."""
    state = runner.state
    commands = [*state.commands().values()]
    return {
        "line": runner.line.name,
        "state": str(state.packml),
        "waits_for": waits_for(runner),
        "draining": state.draining,
        "orders": [_order(runner, name) for name in _shown_orders(runner)],
        "modules": [_module(runner, remote, commands) for remote in runner.fleet],
        "parts": [_part(runner, part) for part in by_urgency(state)],
        "empty": list(state.empty),
        "alarms": [msgspec.to_builtins(alarm) for alarm in runner.alarms],
        "utc": runner.runtime.utc(),
    }


def waits_for(runner: Runner) -> list[str]:
    """The modules that keep the line in an acting state, with their states."""
    used = [remote for remote in runner.fleet if remote.name not in runner.state.out]
    return [
        f"{remote.name} ({remote.state or 'unknown'})"
        for remote in used
        if remote.state is None or not is_there(runner.state.packml, remote.state)
    ]


def _shown_orders(runner: Runner) -> list[str]:
    """The open orders, and the last finished ones."""
    orders = runner.state.orders.values()
    finished = [order.id for order in orders if order.is_complete]
    return finished[-FINISHED_SHOWN:] + [order.id for order in orders if not order.is_complete]


def _order(runner: Runner, name: str) -> dict[str, Any]:
    order = runner.state.orders[name]
    executable = runner.state.recipes[order.recipe]
    return {
        "order": name,
        "recipe": executable.recipe,
        "variant": executable.variant,
        "quantity": order.quantity,
        "begun": order.begun,
        "good": order.good,
        "scrapped": order.scrapped,
        "removed": order.removed,
        "cancelled": order.cancelled,
        "complete": order.is_complete,
        "in_turns": bool(order.turns),
    }


def _module(runner: Runner, remote: Remote, commands: list[Job]) -> dict[str, Any]:
    doing = [job for job in commands if job.module == remote.name]
    view = remote.view
    return {
        "module": remote.name,
        "process": remote.process,
        "alive": remote.alive,
        "state": str(view.state) if view else "unknown",
        "mode": str(view.mode) if view else "unknown",
        "out": remote.name in runner.state.out,
        "doing": [f"{job.step or job.skill} {' '.join(job.parts)}".strip() for job in doing],
        "finishing": view.finishing if view else "",
        "settled": list(view.settled) if view else [],
        "refusal": remote.refusal,
    }


def _part(runner: Runner, part: Part) -> dict[str, Any]:
    state = runner.state
    executable = state.executable(part)
    job = state.jobs.get(part.job)
    return {
        "part": part.id,
        "order": part.order,
        "recipe": executable.recipe,
        "variant": executable.variant,
        "place": part.place,
        "step": job.step if job else "",
        "module": job.module if job else "",
        "done": len(part.done),
        "steps": len(state.route(part)),
        "waits": why_waiting(runner, part),
    }


def why_waiting(runner: Runner, part: Part) -> str:
    """What a part waits for, in words; empty while it is being worked on."""
    if part.job:
        return ""
    if part.asking is not None:
        return f"an operator's decision: {part.asking.step} ended with {part.asking.outcome}"
    if not is_waiting(part):
        return ""
    for step in next_steps(runner.state, part):
        known = runner.foresight.known(runner.state)
        answer = bind(runner.state, runner.line, runner.ready(), (part,), step, 0.0, known)
        return answer if isinstance(answer, Wait) else ""
    return ""


def part_map(runner: Runner) -> dict[str, Any]:
    """Every item with both views, contradictions, open questions and decisions."""
    state = runner.state
    seen: dict[str, bool | None] = {}
    for remote in runner.fleet:
        seen |= remote.seen
    items = []
    for item, place in state.places().items():
        shown = {GONE: "not on the line", LOST: "unknown"}.get(place, place)
        sensor = seen.get(state.station_of(place))
        items.append({"item": item, "journal": shown, "sensor": sensor})
    return {
        "items": items,
        "stations": seen,
        "seen_at": min(
            (remote.seen_at for remote in runner.fleet if remote.alive), default=runner.runtime.utc()
        ),
        "contradictions": [
            {"station": c.station, "items": list(c.items), "occupied": c.occupied, "text": str(c)}
            for c in runner.comparison.contradictions.values()
        ],
        "journals": [{"module": module, "text": text} for module, text in runner.trust.in_question()],
        "questions": [
            {"module": r.name, **msgspec.to_builtins(q)}
            for r in runner.fleet
            for q in (r.view.questions if r.view else ())
        ],
        "lost": [item for item, place in state.places().items() if place == LOST],
        "decisions": [
            {"part": p.id, "step": p.asking.step, "outcome": p.asking.outcome, "detail": p.asking.detail}
            for p in state.parts.values()
            if p.asking is not None
        ],
    }
