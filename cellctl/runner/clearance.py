"""Why a module, or the line, must not be brought on now: a guard is open, or sensors contradict the part map."""

from __future__ import annotations

from collections.abc import Iterable

from cellctl.errors import Refused
from cellctl.packml import StateCommand
from cellctl.runner.book import Book
from cellctl.runner.comparison import Comparison
from cellctl.runner.guards import Guards
from cellctl.runner.remote import Remote

C = StateCommand

_MOVES = (C.RESET, C.START, C.UNHOLD, C.UNSUSPEND)
_GOES_ON = (C.CLEAR, *_MOVES)


class Clearance:
    """Asked before every command that brings a module or the line on; never before one that brings it to rest."""

    def __init__(self, book: Book, guards: Guards, comparison: Comparison) -> None:
        self._book, self._guards, self._comparison = book, guards, comparison

    def check(self, command: StateCommand, modules: Iterable[str]) -> None:
        """A person's command to these modules. Raises Refused while it must not be given."""
        modules = set(modules)
        tripped = self._guards.tripped(modules) if command in _GOES_ON else ()
        if tripped:
            names = " and ".join(tripped)
            raise Refused(
                f"{names} is open, tripped or read by nobody; make the line safe and close it before you {command}"
            )
        if command in _MOVES and self._comparison.contradictions:
            where = ", ".join(self._comparison.contradictions)
            raise Refused(
                f"journal and sensors disagree about {where}; `cellctl recover` shows both views, "
                f"put it right before you {command}"
            )
        if command in _MOVES and (ending := self._ending(modules)):
            raise Refused(f"command {ending[0]} is being ended because its items were put right; try again")

    def check_module(self, command: StateCommand, module: str) -> None:
        """A person's command to one module, which does it at once. Raises Refused while it must not be given."""
        self.check(command, (module,))
        unread = self._guards.unread(module) if command in _GOES_ON else ()
        if unread:
            raise Refused(
                f"nobody has read {' and '.join(unread)} yet; {module} goes on only when it is read"
            )

    def allows(self, command: StateCommand, remote: Remote) -> bool:
        """Whether the runner may give a module this command by itself now; what is not known yet is waited for."""
        if command in _GOES_ON and not self.is_guarded(remote.name):
            return False
        if command not in _MOVES:
            return True
        return remote.is_compared and not self._comparison.doubtful and not self._ending({remote.name})

    def _ending(self, modules: set[str]) -> list[int]:
        """The commands of these modules whose items a person put right: they must end before anything moves."""
        jobs = self._book.state.commands().values()
        return [job.command for job in jobs if job.corrected and job.module in modules]

    def is_guarded(self, module: str) -> bool:
        """Whether every safety input that names the module is read, and none of them is off."""
        if not self._guards.exist:
            return True
        return not self._guards.tripped((module,)) and not self._guards.unread(module)
