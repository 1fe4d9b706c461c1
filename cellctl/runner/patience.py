"""The commands that the runner waits for no longer: those that take too long or are refused again and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cellctl.flow.state import FlowState, Job
from cellctl.runner.remote import Remote


class Patience:
    """Since when each command is waited for, by the runner's own clock, which nobody sets: a new lease makes the time
    not begin again, only a restart of the runner does."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}  # command -> when it was decided, or met first [s]

    def begin(self, number: int, now: float) -> None:
        """A command was decided at `now` [s]."""
        self._since.setdefault(number, now)

    def overdue(self, state: FlowState, now: float) -> dict[int, str]:
        """The commands that take longer than their recipe allows, at `now` [s], and that in words."""
        commands = state.commands()
        self._since = {number: self._since.get(number, now) for number in commands}
        found = {}
        for number, job in commands.items():
            limit = _limit(state, job)
            if limit is not None and now - self._since[number] > limit:
                found[number] = f"{job.step} on {job.module} takes longer than {limit:g} s"
        return found


def _limit(state: FlowState, job: Job) -> float | None:
    return state.executable(state.parts[job.parts[0]]).step(job.step).timeout if job.parts else None


def refused(state: FlowState, remotes: Iterable[Remote]) -> dict[int, str]:
    """The commands that a module refuses again and again, and that in words."""
    refusing = [remote for remote in remotes if remote.refusals]
    commands = state.commands() if refusing else {}
    return {
        number: f"{remote.name} refuses {_described(commands[number])}: {why}"
        for remote in refusing
        for number, why in remote.refusing.items()
        if number in commands
    }


def _described(job: Job) -> str:
    return f"{job.step or job.skill} of {' and '.join(job.parts)}" if job.parts else job.skill


def by_module(state: FlowState, texts: Mapping[int, str]) -> dict[str, str]:
    """As alarms name them: the module of a command, with all that is said of its commands."""
    if not texts:
        return {}
    commands, found = state.commands(), dict[str, list[str]]()
    for number, text in texts.items():
        found.setdefault(commands[number].module, []).append(text)
    return {module: "; ".join(said) for module, said in found.items()}
