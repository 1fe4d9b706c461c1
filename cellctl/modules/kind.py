"""What a kind of module is to the shell: plain methods, made as `Class(module, line, rack)`. It keeps no record of its
own: whatever must survive a crash goes through `act`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from cellctl.device import Act
from cellctl.messages import Command, Jog, Value
from cellctl.modules.equipment import Complaint, Equipment

__all__ = ["Announce", "Announcing", "Complaint", "Equipment", "Kind", "Ran"]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: "done" or one of its skill's named failures."""

    outcome: str = "done"
    results: Mapping[str, Value] = field(default_factory=dict)
    detail: str = ""


class Kind(Protocol):
    """One module at work. The shell calls nothing but this."""

    def check(self, command: Command) -> None:
        """Raise a CellctlError when the command cannot be done here; it is then refused and nothing happens."""

    async def prepare(self, act: Act) -> None:
        """Make the devices able to work: activation, homing. In Resetting, and again after an abort."""

    async def run(self, command: Command, act: Act) -> Ran:
        """Do a command. Called again from the top after a crash or abort: so it decides by nothing but the command
        and what `act` returned, and acts one action after another."""

    async def idle(self, act: Act) -> None:
        """The last command has ended: let rest what need not run. No command begins before this returns."""

    async def halt(self) -> None:
        """Stop all motion at once, as well as the devices can. Raises DeviceError when one cannot be reached."""

    async def occupied(self) -> dict[str, bool | None]:
        """What the sensors say of the module's own stations, grippers included; None where they cannot tell."""

    async def faults(self) -> list[Complaint]:
        """What the devices complain of. Raises DeviceError when one does not answer."""

    async def jog(self, jog: Jog, act: Act) -> None:
        """Move by hand; returns when that motion is over. One that lasts until it is let go is cancelled then, and
        `halt` follows in any case. Raises Refused for what cannot be moved so."""


class Announce(Protocol):
    """Says that a part was found which nobody brought."""

    async def __call__(
        self,
        place: str,
        recipe: str = "",
        variant: str = "",
        given: Mapping[str, Value] | None = None,
        mark: str = "",
    ) -> None:
        """Durable when it returns: the part will be announced until somebody takes it on.

        `place` is a station of the module; `recipe` and `variant` are said where the module can tell; `given` are
        parameters of this part, by "skill.parameter". `mark` is what the device knows the sighting by: the last one
        at a place, coming again because a crash came before the device was told, is no other part. Raises UnknownName
        for a place that is not the module's own.
        """

    async def withdraw(self, place: str, mark: str) -> None:
        """Durable when it returns: what was found there by this mark has left by itself (it went past the window).

        Whoever took it on is told; a command that is in hand for it ends as the device says. Does nothing for a mark
        that is not known there any more.
        """


@runtime_checkable
class Announcing(Protocol):
    """What a kind whose declaration says `announces` has besides."""

    async def watch(self, announce: Announce) -> None:
        """Look out for parts and announce each. Runs beside the commands while the module executes in production
        mode; broken off when it no longer does, and called anew. It only looks: what moves goes through `act`."""
