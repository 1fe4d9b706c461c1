"""Safety inputs are reported here, never implemented here: guards and emergency stops belong to safety hardware.

An input is on while it is safe (closed circuit). When it goes off, or cannot be read, its member modules abort and
one alarm says which input was first; until it is on again they refuse to be cleared. Members in other processes are
aborted by the runner, which sees the alarm, and which takes the silence of this process for an open guard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cellctl.line.model import SafetyInput
from cellctl.modules.alarms import Alarms
from cellctl.modules.equipment import Input
from cellctl.runtime import Event, Runtime

POLL = 0.05  # [s]
RETRY = 1.0  # [s] after the device did not answer


class Safety:
    """The safety inputs that one process reads, and which of them are off. `looked` is set when each was tried once."""

    def __init__(self, runtime: Runtime, alarms: Alarms, inputs: Sequence[SafetyInput]) -> None:
        self._runtime, self._alarms = runtime, alarms
        self._off: dict[str, SafetyInput] = {}
        self._untried = {safety.name for safety in inputs}
        self.looked: Event = runtime.event()
        if not inputs:
            self.looked.set()

    @property
    def unread(self) -> tuple[str, ...]:
        """The inputs that were not read since this process began: nobody knows whether they are on."""
        return tuple(sorted(self._untried))

    def off(self, module: str) -> tuple[str, ...]:
        """The inputs that name this module and are off, or cannot be read."""
        return tuple(name for name, safety in self._off.items() if module in safety.modules)

    async def watch(
        self, safety: SafetyInput, point: Input, tried: Event, aborts: Mapping[str, Callable[[], None]]
    ) -> None:
        """Watch one input for ever, once its device was `tried` to be opened; `aborts` are the hosted modules."""
        await tried.wait()
        while True:
            try:
                is_on = await point.read()
                if is_on:
                    self._rise(safety)
                else:
                    self._trip(safety, f"{safety.point} is off", aborts)
                await point.until(not is_on, POLL)
            except Exception as error:  # of a driver, too: what nobody can read is not safe
                self._trip(safety, f"{safety.point} cannot be read: {str(error) or repr(error)}", aborts)
                await self._runtime.sleep(RETRY)

    def _trip(self, safety: SafetyInput, why: str, aborts: Mapping[str, Callable[[], None]]) -> None:
        self._note(safety)
        if safety.name in self._off:
            return
        self._off[safety.name] = safety
        self._alarms.raise_alarm("M020", safety.name, why)
        for module in safety.modules:
            if module in aborts:
                aborts[module]()

    def _rise(self, safety: SafetyInput) -> None:
        self._note(safety)
        if self._off.pop(safety.name, None) is not None:
            self._alarms.clear("M020", safety.name)

    def _note(self, safety: SafetyInput) -> None:
        self._untried.discard(safety.name)
        if not self._untried:
            self.looked.set()
