"""Why a module, or the line, must not be brought on now: a guard is open, or sensors contradict the part map."""

from __future__ import annotations

from collections.abc import Iterable

from cellctl.errors import Refused
from cellctl.line.model import Line
from cellctl.packml import StateCommand
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.book import Book
from cellctl.runner.comparison import Comparison
from cellctl.runner.fleet import Fleet
from cellctl.runner.remote import Remote

C = StateCommand

_MOVES = (C.RESET, C.START, C.UNHOLD, C.UNSUSPEND)
_GOES_ON = (C.CLEAR, *_MOVES)
_TRIPPED = "M020"


class Clearance:
    """Asked before every command that brings a module or the line on; never before one that brings it to rest."""

    def __init__(
        self, line: Line, book: Book, fleet: Fleet, alarms: AlarmBoard, comparison: Comparison
    ) -> None:
        self._line, self._book, self._fleet = line, book, fleet
        self._alarms, self._comparison = alarms, comparison

    def tripped(self, modules: Iterable[str]) -> tuple[str, ...]:
        """The safety inputs that are off and name one of these modules, in whatever process it is."""
        standing = {alarm.source for alarm in self._alarms if alarm.code == _TRIPPED}
        named = set(modules)
        return tuple(
            safety.name
            for safety in self._line.safety
            if safety.name in standing and not named.isdisjoint(safety.modules)
        )

    def check(self, command: StateCommand, modules: Iterable[str]) -> None:
        """A person's command to these modules. Raises Refused while it must not be given."""
        modules = set(modules)
        tripped = self.tripped(modules) if command in _GOES_ON else ()
        if tripped:
            names = " and ".join(tripped)
            raise Refused(f"{names} is open or tripped; make the line safe and close it before you {command}")
        if command in _MOVES and self._comparison.contradictions:
            where = ", ".join(self._comparison.contradictions)
            raise Refused(
                f"journal and sensors disagree about {where}; `cellctl recover` shows both views, "
                f"put it right before you {command}"
            )
        if command in _MOVES and (ending := self._ending(modules)):
            raise Refused(f"command {ending[0]} is being ended because its items were put right; try again")

    def allows(self, command: StateCommand, remote: Remote) -> bool:
        """Whether the runner may give a module this command by itself now; what is not known yet is waited for."""
        if command in _GOES_ON and (self.tripped((remote.name,)) or not self._is_watched(remote.name)):
            return False
        if command not in _MOVES:
            return True
        return remote.is_compared and not self._comparison.doubtful and not self._ending({remote.name})

    def _ending(self, modules: set[str]) -> list[int]:
        """The commands of these modules whose items a person put right: they must end before anything moves."""
        jobs = self._book.state.commands().values()
        return [job.command for job in jobs if job.corrected and job.module in modules]

    def _is_watched(self, module: str) -> bool:
        """Whether every safety input that names the module has a process that is heard."""
        readers = {s.process for s in self._line.safety if module in s.modules and s.process}
        return all(
            remote.alive and remote.view is not None
            for process in readers
            for remote in self._fleet.hosted_by(process)
        )
