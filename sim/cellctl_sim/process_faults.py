"""Faults of processes, as data beside those of devices (`cellctl_sim.plant.faults`):

{at: 12 s, process: belt, fault: kill, for: 0.8 s}     killed; started again 0.8 s later
{at: 30 s, process: arm, fault: cut, for: 3 s}         runner and process do not hear each other
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from cellctl_sim.plant.faults import Fault, Seconds
from cellctl_sim.universe import Universe

RESTART = 0.2  # [s] that the supervisor lets pass before it starts a process again


class Kind(StrEnum):
    KILL = "kill"
    CUT = "cut"


class ProcessFault(BaseModel):
    """One fault of one process; `for` is how long it is away."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    process: str
    fault: Kind
    at: Seconds = Field(default=0.0, ge=0)
    lasts: Seconds = Field(default=RESTART, gt=0, alias="for")

    def happen_in(self, universe: Universe) -> None:
        """Have it happen at its time."""
        name, bus = self.process, universe.bus
        match self.fault:
            case Kind.KILL:
                universe.at(self.at, lambda: universe.kill(name))
                universe.at(self.at + self.lasts, lambda: universe.restart(name))
            case Kind.CUT:
                universe.at(self.at, lambda: bus.cut("runner", name))
                universe.at(self.at + self.lasts, lambda: bus.mend("runner", name))


def read_faults(faults: Iterable[Mapping[str, object]]) -> list[Fault | ProcessFault]:
    """Faults from plain data, as a script or file has them. Raises pydantic.ValidationError."""
    return [
        ProcessFault.model_validate(fault) if "process" in fault else Fault.model_validate(fault)
        for fault in faults
    ]
