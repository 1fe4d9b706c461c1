"""Faults of processes, as data beside those of devices (`cellctl_sim.plant.faults`):

{at: 12 s, process: belt, fault: kill, for: 0.8 s}      of the process `all`: of the whole computer

    kill          it is killed, and started again after `for`

Between it and the runner; between people and the runner for the process `operator`; `weather` says what they do:

    cut           neither hears the other          lossy, doubled     share `value` of the messages
    deaf          it hears nothing                 late, disordered   by `value` s
    mute          it is not heard

Its disk (`disk`): `slow_disk` by `value` s, `full_disk`, `failed_sync`, `torn_disk` with share `value` of what is left.

Its clock (`clock`): `drift` makes it go too fast by share `value`, `jump` sets its time of day `value` s forward.

All but `jump` last for `for`, 0.2 s where nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cellctl_sim.aimed_kills import AimedKill, EffectKill, StepKill
from cellctl_sim.loop import nanoseconds
from cellctl_sim.plant.faults import Amount, Fault, Seconds
from cellctl_sim.universe import Universe

RESTART = 0.2  # [s] that the supervisor lets pass before it starts a process again
ALL, OPERATOR, RUNNER = "all", "operator", "runner"


class Kind(StrEnum):
    KILL = "kill"
    CUT = "cut"
    DEAF = "deaf"
    MUTE = "mute"
    LOSSY = "lossy"
    DOUBLED = "doubled"
    LATE = "late"
    DISORDERED = "disordered"
    SLOW_DISK = "slow_disk"
    FULL_DISK = "full_disk"
    FAILED_SYNC = "failed_sync"
    TORN_DISK = "torn_disk"
    DRIFT = "drift"
    JUMP = "jump"


LINES = frozenset({Kind.CUT, Kind.DEAF, Kind.MUTE})
WEATHER = frozenset({Kind.LOSSY, Kind.DOUBLED, Kind.LATE, Kind.DISORDERED})
DISKS = frozenset({Kind.SLOW_DISK, Kind.FULL_DISK, Kind.FAILED_SYNC, Kind.TORN_DISK})
SHARES = frozenset({Kind.LOSSY, Kind.DOUBLED, Kind.TORN_DISK})  # whose value is between 0 and 1
TIMES = frozenset({Kind.LATE, Kind.DISORDERED, Kind.SLOW_DISK})  # whose value is a time that passes
NUMBERS = frozenset({Kind.DRIFT, Kind.JUMP})


class ProcessFault(BaseModel):
    """One fault of one process; `for` is how long it lasts."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    process: str
    fault: Kind
    at: Seconds = Field(default=0.0, ge=0)
    lasts: Seconds = Field(default=RESTART, gt=0, alias="for")
    value: Amount = None

    @model_validator(mode="after")
    def _check_value(self) -> ProcessFault:
        if (self.value is not None) is not (self.fault in SHARES | TIMES | NUMBERS):
            raise ValueError(f"{self.fault} {'takes no' if self.value is not None else 'needs a'} value")
        least, most = (
            (0.0, 1.0) if self.fault in SHARES else (0.0, 1e6) if self.fault in TIMES else (-0.5, 0.5)
        )
        if self.value is not None and self.fault is not Kind.JUMP and not least <= self.value <= most:
            raise ValueError(f"the value of {self.fault} is between {least:g} and {most:g}")
        return self

    def happen_in(self, universe: Universe) -> None:
        """Have it happen at its time."""
        universe.at(self.at, lambda: self._strike(universe))

    def _strike(self, universe: Universe) -> None:
        ends = universe.now + self.lasts
        value = self.value or 0.0
        if self.fault in DISKS:
            universe.disk(self.process).spells.begin(self.fault, value, nanoseconds(ends))
        elif self.fault in WEATHER:
            stream = f"weather of {self.process}"
            weather = universe.bus.weather(*self._wire, lambda: universe.random(stream))
            weather.begin(self.fault, value, nanoseconds(ends))
        elif self.fault is Kind.JUMP:
            universe.clock(self.process).ahead += value
        else:
            self._begin(universe)
            universe.at(ends, lambda: self._end(universe))

    def _begin(self, universe: Universe) -> None:
        match self.fault:
            case Kind.KILL:
                for name in self._killed(universe):
                    universe.kill(name)
            case Kind.CUT:
                universe.bus.cut(*self._wire)
            case Kind.DRIFT:
                universe.clock(self.process).go(universe.now, 1.0 + (self.value or 0.0))
            case _:
                hears_nothing = (self.fault is Kind.DEAF) is not (self.process == OPERATOR)
                universe.bus.muffle(*self._wire, deaf=hears_nothing, mute=not hears_nothing)

    def _end(self, universe: Universe) -> None:
        match self.fault:
            case Kind.KILL:
                for name in self._killed(universe):
                    universe.restart(name)
            case Kind.CUT:
                universe.bus.mend(*self._wire)
            case Kind.DRIFT:
                universe.clock(self.process).go(universe.now, 1.0)
            case _:
                universe.bus.muffle(*self._wire)

    @property
    def _wire(self) -> tuple[str, str]:
        """Who connects to whom."""
        return (OPERATOR, RUNNER) if self.process == OPERATOR else (RUNNER, self.process)

    def _killed(self, universe: Universe) -> list[str]:
        if self.process == ALL:
            return [name for name in universe.names if name != OPERATOR]
        return [self.process]


Disturbance = Fault | ProcessFault | AimedKill


def read_faults(faults: Iterable[Mapping[str, object]]) -> list[Fault | ProcessFault]:
    """Faults from plain data, as a script or file has them. Raises pydantic.ValidationError."""
    return [
        ProcessFault.model_validate(fault) if "process" in fault else Fault.model_validate(fault)
        for fault in faults
    ]


def read_disturbances(faults: Iterable[Mapping[str, object]]) -> list[Disturbance]:
    """The same with kills that are aimed at what happens. Raises pydantic.ValidationError."""
    return [_read(fault) for fault in faults]


def _read(fault: Mapping[str, object]) -> Disturbance:
    if "effect" in fault:
        return EffectKill.model_validate(fault)
    if "step" in fault:
        return StepKill.model_validate(fault)
    return read_faults([fault])[0]
