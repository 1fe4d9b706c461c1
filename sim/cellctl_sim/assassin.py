"""Carries out the kills that are aimed at what happens (`cellctl_sim.aimed_kills`)."""

from __future__ import annotations

from collections.abc import Iterable

from cellctl.line.model import Line
from cellctl_sim.aimed_kills import AimedKill, EffectKill, StepKill
from cellctl_sim.process_faults import Kind, ProcessFault
from cellctl_sim.universe import Universe


class Assassin:
    """Carries the aimed kills out; `struck` has them at the instants at which they fell."""

    def __init__(self, universe: Universe, line: Line, kills: Iterable[AimedKill]) -> None:
        self._universe = universe
        self.struck: list[ProcessFault] = []
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
        self.struck.append(ProcessFault(process=name, fault=Kind.KILL, at=now, **{"for": away}))
        self._universe.kill(name)
        self._universe.at(now + away, lambda: self._universe.restart(name))

    def _owner(self, who: str) -> str:
        """The process behind the name of an effect: its own, its disk's, its device's, or the sender's."""
        return self._owners.get(who.partition(">")[0], "")
