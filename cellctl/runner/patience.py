"""The commands that the runner waits for no longer: those that take too long or are refused again and again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cellctl.flow.state import FlowState, Job
from cellctl.runner.remote import Remote


def overdue(state: FlowState, utc: float) -> dict[int, str]:
    """The commands that take longer than their recipe allows, at `utc` [s], and that in words.

    The time counts from the decision, which is journaled: no restart and no new lease makes it begin again.
    """
    found = {}
    for number, job in state.commands().items():
        limit = _limit(state, job)
        if limit is not None and job.at and utc - job.at > limit:
            found[number] = f"{job.step} on {job.module} takes longer than {limit:g} s"
    return found


def _limit(state: FlowState, job: Job) -> float | None:
    return state.executable(state.parts[job.parts[0]]).step(job.step).timeout if job.parts else None


def refused(state: FlowState, remotes: Iterable[Remote]) -> dict[int, str]:
    """The commands that a module refuses again and again, and that in words."""
    commands = state.commands()
    return {
        number: f"{remote.name} refuses {_described(commands[number])}: {why}"
        for remote in remotes
        for number, why in remote.refusing.items()
        if number in commands
    }


def _described(job: Job) -> str:
    return f"{job.step or job.skill} of {' and '.join(job.parts)}" if job.parts else job.skill


def by_source(texts: Mapping[int, str]) -> dict[str, str]:
    """As alarms name them: a command by its number."""
    return {str(number): text for number, text in texts.items()}
