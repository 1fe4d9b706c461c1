"""Kills that are aimed at what happens instead of at an instant: after an effect, or before a step of the loop.

{effect: 1203, after: 1 ms, for: 0.5 s}      whose effect it is, 1 ms after effect number 1203 of the world
{step: 4711, process: arm, for: 0.7 s}       the arm's process, just before step number 4711

Effects are those of the trace: a message has left or arrived, rows are durable, a device was written to.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from cellctl.line.model import Line
from cellctl_sim.plant.faults import Seconds
from cellctl_sim.universe import Universe


class EffectKill(BaseModel):
    """A kill `delay` [s] after effect number `effect`, of the process whose effect it is; back after `away` [s]."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    effect: int = Field(ge=0)
    delay: Seconds = Field(default=0.0, ge=0, alias="after")
    away: Seconds = Field(gt=0, alias="for")


class StepKill(BaseModel):
    """A kill of `process` just before step number `step` of the loop; back after `away` [s]."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    step: int = Field(ge=0)
    process: str
    away: Seconds = Field(gt=0, alias="for")


AimedKill = EffectKill | StepKill


class Assassin:
    """Carries the aimed kills out; `struck` has who was killed when [s] and for how long [s]."""

    def __init__(self, universe: Universe, line: Line, kills: Iterable[AimedKill]) -> None:
        self._universe = universe
        self.struck: list[tuple[str, float, float]] = []
        self._due: list[EffectKill] = []
        self._seen = 0
        self._owners = {name: name for name in (*line.processes, "runner")}
        for module in line.modules.values():
            for device in module.devices.values():
                self._owners[line.devices[device].address] = module.process
        for kill in kills:
            self._prepare(kill)
        self._due.sort(key=lambda kill: kill.effect, reverse=True)
        if self._due:
            universe.trace.watch = self.see

    def _prepare(self, kill: AimedKill) -> None:
        match kill:
            case EffectKill():
                self._due.append(kill)
            case StepKill(step=step, process=process, away=away):
                self._universe.at_step(step, lambda: self._strike(process, away))

    def see(self, who: str, what: str) -> None:
        """An effect."""
        if not self._due:
            return
        self._seen += 1
        name = self._owner(who)
        if name and self._seen > self._due[-1].effect:
            kill = self._due.pop()
            self._universe.at(self._universe.now + kill.delay, lambda: self._strike(name, kill.away))

    def _strike(self, name: str, away: float) -> None:
        now = self._universe.now
        self.struck.append((name, now, away))
        self._universe.kill(name)
        self._universe.at(now + away, lambda: self._universe.restart(name))

    def _owner(self, who: str) -> str:
        """The process behind the name of an effect: its own, its disk's, its device's, or the sender's."""
        return self._owners.get(who.partition(">")[0], "")
