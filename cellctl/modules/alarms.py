"""The alarms of a module process: one table for the code, the displays and the documents; and those that stand now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cellctl.errors import DeviceError, DeviceFault, DeviceSilent
from cellctl.messages import Alarm
from cellctl.runtime import Runtime


@dataclass(frozen=True, slots=True)
class AlarmText:
    """What an alarm says. `text` may name `{source}` and `{detail}`."""

    text: str
    cause: str
    remedy: str


ALARMS = {
    "M001": AlarmText(
        "{source} does not answer: {detail}",
        "it has no power, its cable is out, or its address in the line file is another one",
        "check power, cable and address; it is tried again by itself; then clear and reset the module",
    ),
    "M002": AlarmText(
        "{source} reports a fault: {detail}",
        "the device stopped by itself and says why",
        "remove the cause at the device, then clear and reset the module; it goes on from where it was",
    ),
    "M003": AlarmText(
        "{source} failed: {detail}",
        "the device refused what it was asked for, or is not set up as the line file says",
        "compare the device with the line file, then clear and reset the module",
    ),
    "M010": AlarmText(
        "{source} asks: {detail}",
        "an action was interrupted, and neither the device nor a sensor can tell whether it was done",
        "look at the line and answer the question (`cellctl recover`); the module waits until then",
    ),
    "M011": AlarmText(
        "{source} cannot go on: {detail}",
        "software or line file do not fit the command that is in hand",
        "answer the question (`cellctl recover`); if it comes again, keep the log and report it",
    ),
    "M020": AlarmText(
        "{source} is open or tripped: {detail}",
        "a guard was opened or an emergency stop pressed (the safety hardware has stopped the machines), or its input "
        "cannot be read",
        "make the line safe, close the guard, then clear and reset the modules",
    ),
    "M030": AlarmText(
        "the lease of {source} is refused: {detail}",
        "the journal of the one who asks lost records that this module has seen",
        "compare the part map with the line (`cellctl recover`), then `cellctl recover accept MODULE`",
    ),
}


def code_of(error: DeviceError) -> str:
    """The alarm that a device's error raises."""
    match error:
        case DeviceSilent():
            return "M001"
        case DeviceFault():
            return "M002"
        case _:
            return "M003"


class Alarms:
    """The alarms that stand in one process. Each is shown by the modules that it concerns."""

    def __init__(
        self,
        runtime: Runtime,
        concerned: Callable[[str], tuple[str, ...]],
        tell: Callable[[str, Alarm | None, str], None],
    ) -> None:
        """`concerned(source)` are the modules that a source concerns; `tell(module, raised, cleared)` publishes."""
        self._runtime, self._concerned, self._tell = runtime, concerned, tell
        self._standing: dict[tuple[str, str], Alarm] = {}

    def raise_alarm(self, code: str, source: str, detail: str = "") -> None:
        """Something that an operator must know. One that stands already is not raised again."""
        if (code, source) in self._standing:
            return
        words = ALARMS[code]
        text = words.text.format(source=source, detail=detail)
        first_out = not self._standing
        alarm = Alarm(code, source, text, words.cause, words.remedy, self._runtime.utc(), first_out)
        self._standing[code, source] = alarm
        self._runtime.log.warning("alarm", code=code, source=source, text=text)
        for module in self._concerned(source):
            self._tell(module, alarm, "")

    def raise_error(self, error: DeviceError) -> None:
        """The alarm of a device's error."""
        self.raise_alarm(code_of(error), error.device, f"{error.address}: {error.what}")

    def clear(self, code: str, source: str) -> None:
        """The cause of an alarm is gone."""
        if self._standing.pop((code, source), None) is not None:
            self._runtime.log.info("alarm over", code=code, source=source)
            for module in self._concerned(source):
                self._tell(module, None, f"{code} {source}")

    def clear_all(self, codes: Iterable[str], module: str, but: Iterable[str] = ()) -> None:
        """Clear alarms of these codes that concern a module, but those of some sources."""
        for alarm in self.of(module):
            if alarm.code in codes and alarm.source not in but:
                self.clear(alarm.code, alarm.source)

    def of(self, module: str) -> tuple[Alarm, ...]:
        """The alarms that concern a module, oldest first."""
        return tuple(a for a in self._standing.values() if module in self._concerned(a.source))
