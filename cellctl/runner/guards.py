"""Safety inputs that nobody reads count as open: the process that reads one may die while its members run elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from cellctl.line.model import Line, SafetyInput
from cellctl.packml import State
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.fleet import Fleet

OPEN, UNREAD = "M020", "R015"  # alarms: the reader says that it is off; the reader says nothing
_STAND = (State.ABORTING, State.ABORTED)
_REST = (*_STAND, State.STOPPED, State.IDLE)


class Guards:
    """Who reads the safety inputs, and which of them nobody reads. An alarm stands until its members stand, too: a
    reader that comes back at once makes nobody forget that it was away."""

    def __init__(self, line: Line, fleet: Fleet, alarms: AlarmBoard) -> None:
        self._line, self._fleet, self._alarms = line, fleet, alarms
        self.exist = bool(line.safety)

    def tripped(self, modules: Iterable[str]) -> tuple[str, ...]:
        """The inputs that are off, or were lost, and name one of these modules, in whatever process it is."""
        standing = {alarm.source for alarm in self._alarms if alarm.code in (OPEN, UNREAD)}
        named = set(modules)
        return tuple(
            safety.name
            for safety in self._line.safety
            if safety.name in standing and not named.isdisjoint(safety.modules)
        )

    def unread(self, module: str) -> tuple[str, ...]:
        """The inputs that name the module and that nobody has read yet, or any more."""
        return tuple(
            safety.name
            for safety in self._line.safety
            if module in safety.modules and not self._is_read(safety)
        )

    def lose(self, process: str) -> None:
        """A process fell silent: the members of what it reads are to be aborted, wherever they are."""
        for safety in self._line.safety:
            if safety.process == process:
                self._alarms.raise_alarm(UNREAD, safety.name, _unread(safety))

    def miss(self, process: str) -> None:
        """A process was never heard: so are members that run; others are not started."""
        for safety in self._line.safety:
            if safety.process == process and any(
                self._fleet[name].state not in (None, *_REST) for name in safety.modules
            ):
                self._alarms.raise_alarm(UNREAD, safety.name, _unread(safety))

    def settle(self) -> None:
        """What is read again, and has aborted its members as far as they are heard, stays so by their state."""
        for safety in self._line.safety:
            if self._is_read(safety) and self._all_stand(safety):
                self._alarms.clear(UNREAD, safety.name)

    def _is_read(self, safety: SafetyInput) -> bool:
        return all(
            remote.alive and remote.view is not None and safety.name not in remote.view.unread
            for remote in self._fleet.hosted_by(safety.process)
        )

    def _all_stand(self, safety: SafetyInput) -> bool:
        members = (self._fleet[name] for name in safety.modules)
        return all(remote.state in _STAND for remote in members if remote.alive)


def _unread(safety: SafetyInput) -> str:
    members = " and ".join(safety.modules)
    return (
        f"nobody reads {safety.name} ({safety.point}): the process {safety.process} does not answer; "
        f"{members} {'is' if len(safety.modules) == 1 else 'are'} aborted"
    )
