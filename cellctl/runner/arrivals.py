"""What modules found by themselves: taken on for an order, or an alarm says why the part waits; and parts that left."""

from __future__ import annotations

from cellctl.flow.arrivals import NoRoom, Unwanted, arrival, withdrawal
from cellctl.flow.events import PartBorn
from cellctl.line.model import Line
from cellctl.messages import Announced, Noted, Withdrawn
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.book import Book
from cellctl.runner.fleet import Fleet
from cellctl.runner.remote import Remote
from cellctl.runtime import Runtime

UNWANTED, NO_ROOM = "R023", "R024"
PATIENCE = 2.0  # [s]: what makes room may be done, and the word of it still on its way


class Arrivals:
    """Takes announcements. Modules repeat them until they are noted: so an order that comes later takes a part, too."""

    def __init__(self, runtime: Runtime, line: Line, book: Book, fleet: Fleet, alarms: AlarmBoard) -> None:
        self._runtime, self._line, self._book = runtime, line, book
        self._fleet, self._alarms = fleet, alarms
        self._without_room: dict[str, tuple[int, float]] = {}  # module -> announcement, since when [s]

    def take(self, remote: Remote, message: Announced) -> None:
        """A module found a part."""
        found = arrival(self._book.state, self._line, message, self._runtime.utc())
        if isinstance(found, PartBorn):
            self._book.record(found)
        unwanted = {remote.name: found.why} if isinstance(found, Unwanted) else {}
        full = self._in_earnest(message, found.why) if isinstance(found, NoRoom) else {}
        self._show(remote, unwanted, full)
        if message.number <= self._book.state.announced.get(message.module, 0):
            self._fleet.send(remote, Noted(message.module, message.number))

    def withdraw(self, remote: Remote, message: Withdrawn) -> None:
        """A part left the place where a module had found it."""
        event = withdrawal(self._book.state, message, self._runtime.utc())
        if event is not None:
            self._book.record(event)
        self._show(remote, {}, {})
        self._fleet.send(remote, Noted(message.module, message.number, withdrawn=True))

    def _in_earnest(self, message: Announced, why: str) -> dict[str, str]:
        number, since = self._without_room.get(message.module, (0, 0.0))
        if number != message.number:
            self._without_room[message.module] = (message.number, self._runtime.now())
            return {}
        return {message.module: why} if self._runtime.now() - since >= PATIENCE else {}

    def _show(self, remote: Remote, unwanted: dict[str, str], full: dict[str, str]) -> None:
        for code, standing in ((UNWANTED, unwanted), (NO_ROOM, full)):
            if remote.name in standing:
                self._alarms.raise_alarm(code, remote.name, standing[remote.name])
            else:
                self._alarms.clear(code, remote.name)
