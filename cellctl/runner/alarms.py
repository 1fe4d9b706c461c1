"""The alarms of a line: those that the runner raises, as one table, and the board of all that stand now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cellctl.messages import Alarm, Event
from cellctl.runtime import Runtime, Server

Key = tuple[str, str]  # code, source

COMES_BACK = 3.0  # [s] that a process or module is given to come back by itself (the on-delay of ISA-18.2)


class AlarmText(NamedTuple):
    """What an alarm says; `text` describes what the runner fills in."""

    text: str
    cause: str
    remedy: str


ALARMS = {
    "R001": AlarmText(
        "a process does not answer",
        "its process ended, hangs, or cannot be reached",
        "cellctl up starts it again by itself; if it does not come back, read its log and run `cellctl doctor`",
    ),
    "R010": AlarmText(
        "the line was running when its runner stopped",
        "power, process or machine failed while the line was running",
        "look at the line, then `cellctl recover`; when the part map is right, `cellctl start`",
    ),
    "R011": AlarmText(
        "a module's journal came back shorter than it was",
        "the module's journal lost records that the runner has seen",
        "do not guess: compare the part map with the line (`cellctl recover`), then `cellctl recover accept MODULE`",
    ),
    "R012": AlarmText(
        "journal and sensor disagree about a station",
        "a part was taken away or put there by hand, or a sensor fails",
        "`cellctl recover` shows both views; put the part back, or say where it is",
    ),
    "R013": AlarmText(
        "a module stopped while the line was running",
        "its process ended or lost its power, a person stopped it, or a guard was opened",
        "look at the module, then `cellctl clear MODULE` if it is aborted, `cellctl reset MODULE` and "
        "`cellctl start MODULE`",
    ),
    "R014": AlarmText(
        "the runner's journal lost records that a module has seen",
        "the runner's journal was put back from a copy, removed, or its disk lost its end",
        "do not guess: compare the part map with the line (`cellctl recover`), then `cellctl recover accept MODULE`",
    ),
    "R015": AlarmText(
        "nobody reads a safety input",
        "the process that reads it ended, hangs, or cannot be reached; nobody knows whether the guard is closed",
        "see to the process (its alarm R001), make the line safe, then clear and reset the modules",
    ),
    "R016": AlarmText(
        "the line waits for a module that a person holds",
        "it was held, or put into another mode, and nobody has let it go on",
        "`cellctl unhold MODULE` when it may go on, or back to production mode (`cellctl mode MODULE production`); "
        "`cellctl out MODULE` to go on without it",
    ),
    "R020": AlarmText(
        "a step takes longer than the recipe allows",
        "the device is slower than the recipe allows, or waits for something",
        "look at the module; the step is not freed before it has answered",
    ),
    "R021": AlarmText(
        "a module refuses a command again and again",
        "it cannot do what the recipe or the line file asks of it",
        "read what it says; its part asks for a decision when the command is taken back (`cellctl recover`)",
    ),
    "R022": AlarmText(
        "a source station is empty",
        "its feeder had nothing to give",
        "refill it, then `cellctl load MATERIAL --at STATION --lot LOT --qty QUANTITY`",
    ),
    "R023": AlarmText(
        "an announced part is wanted by no order",
        "no open order is for what the module found; the parts behind it wait, too",
        "order its recipe and variant (`cellctl order add`), or take the part away so that the module withdraws it",
    ),
    "R024": AlarmText(
        "an announced part has no room at its place",
        "the journal has as many parts there as the line file allows, or the line file has no such place",
        "compare the part map with the line (`cellctl recover`); it is taken on as soon as there is room",
    ),
    "R025": AlarmText(
        "an empty carrier did not come to its next stop",
        "it jams, its stopper or an eye fails, or it was taken off",
        "put it at a stop and say at which: `cellctl recover correct CARRIER STATION`; until then it is not sent again",
    ),
    "R030": AlarmText(
        "a part waits for a decision",
        "the recipe says to ask a person when this step ends so",
        "`cellctl recover` lists the choices: retry, scrap, next, remove, or a step to go on from",
    ),
}


class _Coming(NamedTuple):
    """An alarm whose delay is not over."""

    due: float  # [s]
    text: str
    first_out: bool  # nothing else was wrong when its cause came


class AlarmBoard:
    """The alarms that stand now, of the runner and of the modules. Changes of the runner's own are published."""

    def __init__(self, runtime: Runtime, server: Server) -> None:
        self._runtime, self._server = runtime, server
        self._own: dict[Key, Alarm] = {}
        self._coming: dict[Key, _Coming] = {}
        self._of_modules: dict[str, dict[Key, Alarm]] = {}
        self._published = 0

    def __iter__(self) -> Iterator[Alarm]:
        """Each alarm once, also when several modules show it."""
        shown = {key: alarm for alarms in self._of_modules.values() for key, alarm in alarms.items()}
        return iter((self._own | shown).values())

    def raise_alarm(self, code: str, source: str, text: str, delay: float = 0.0) -> None:
        """Something that an operator must know, once it has lasted `delay` [s]; raised once until it is cleared."""
        if (code, source) in self._own:
            return
        if not delay:
            self._coming.pop((code, source), None)
            self._raise(code, source, text, first_out=not [*self])
        elif (code, source) not in self._coming:
            first_out = not self._coming and not [*self]
            self._coming[code, source] = _Coming(self._runtime.now() + delay, text, first_out)

    def ripen(self) -> None:
        """Raise the alarms whose delay is over, the oldest first."""
        for (code, source), coming in [*self._coming.items()]:
            if self._runtime.now() >= coming.due:
                del self._coming[code, source]
                self._raise(code, source, coming.text, coming.first_out)

    def _raise(self, code: str, source: str, text: str, first_out: bool) -> None:
        _, cause, remedy = ALARMS[code]
        alarm = Alarm(code, source, text, cause, remedy, self._runtime.utc(), first_out)
        self._own[code, source] = alarm
        self._publish(alarm=alarm)
        self._runtime.log.warning("alarm", code=code, source=source, text=text)

    def clear(self, code: str, source: str) -> None:
        """The cause of an alarm is gone."""
        self._coming.pop((code, source), None)
        if self._own.pop((code, source), None):
            self._publish(cleared=f"{code} {source}")

    def sources(self, code: str) -> tuple[str, ...]:
        """Who has an alarm of this code, of the runner's own."""
        return tuple(source for found, source in self._own if found == code)

    def show(self, code: str, standing: Mapping[str, str], delay: float = 0.0) -> None:
        """The alarms of this code that stand now, source to text; those of other sources are over."""
        if not standing and not self._own and not self._coming:  # as in nearly every turn of the runner
            return
        for source, text in standing.items():
            self.raise_alarm(code, source, text, delay)
        for found, source in [*self._own, *self._coming]:
            if found == code and source not in standing:
                self.clear(code, source)

    def take_event(self, module: str, event: Event) -> None:
        """A module raised an alarm, or says that one is over."""
        shown = self._of_modules.setdefault(module, {})
        if event.alarm is not None:
            shown[event.alarm.code, event.alarm.source] = event.alarm
        if event.cleared:
            code, _, source = event.cleared.partition(" ")
            shown.pop((code, source), None)

    def take_all(self, module: str, alarms: tuple[Alarm, ...]) -> None:
        """These are all the alarms that a module has."""
        self._of_modules[module] = {(alarm.code, alarm.source): alarm for alarm in alarms}

    def _publish(self, alarm: Alarm | None = None, cleared: str = "") -> None:
        self._published += 1
        self._server.publish(Event(self._published, "runner", alarm=alarm, cleared=cleared))
