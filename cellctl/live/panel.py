"""A panel: takes a module's lease in manual mode and moves a device by hand, for as long as somebody presses.

The module decides when a press is over: a panel that dies, hangs or is cut off stops by being silent.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from msgspec.structs import replace

from cellctl.errors import DeploymentError, PeerSilent, Refused
from cellctl.live.bus import Bus
from cellctl.live.client import KEY, LastWarning, user_name
from cellctl.live.deployment import Deployment
from cellctl.live.endpoints import BusPeer
from cellctl.live.line_file import read_line
from cellctl.live.rights import is_panel
from cellctl.messages import (
    Jog,
    JogEnded,
    LeaseDenied,
    LeaseGranted,
    LeaseRequest,
    LeaseReturned,
    Message,
    Refusal,
    View,
)

EVERY = 0.05  # [s] between two jog messages: three may be late before the module stops
PATIENCE = 5.0  # [s] for the module to be heard, to grant its lease, and to stand still
PROMPT = (
    0.1  # [s] a grant that takes longer makes every message look old to the module: it is asked for again
)
ASKS = 5  # times, at most
NO_END = inf  # [s] of a press that lasts until it is released


@dataclass(frozen=True, slots=True)
class Pressed:
    """How a press ended: whether its motion came to its end, else `why` it broke off; "" when it was let go."""

    is_done: bool
    why: str = ""


class Panel:
    """One panel with one module's lease, made by `open_panel`. One press at a time."""

    def __init__(self, module: str, peer: BusPeer, address: str, who: str, warned: LastWarning) -> None:
        self._module, self._peer, self._address, self._warned = module, peer, address, warned
        self.who, self.name = who, f"{who}'s panel at {socket.gethostname()} ({os.getpid()})"
        self._loop = asyncio.get_running_loop()
        self._epoch = self._press = 0
        self._granted = 0.0

    async def take_lease(self) -> None:
        """Raises Refused with the reason, and with the name of the panel that has it; PeerSilent."""
        await self._heard()
        for _ in range(ASKS):
            asked = self._loop.time()
            self._peer.send(LeaseRequest(self._module, self.name, by_hand=True))
            answer = await self._until(LeaseGranted, LeaseDenied)
            if isinstance(answer, LeaseDenied):
                holder = f"{answer.holder} has it: " if answer.holder else ""
                raise Refused(f"no lease of {self._module}: {holder}{answer.why}")
            assert isinstance(answer, LeaseGranted)
            self._epoch, self._granted, self._press = answer.epoch, self._loop.time(), 0
            if self._granted - asked < PROMPT:
                return

    async def press(self, jog: Jog, seconds: float, released: asyncio.Event) -> Pressed:
        """Move until the motion is over, it is `released`, or so many seconds have passed.

        Raises Refused with the module's reason, PeerSilent when it fell silent.
        """
        self._press += 1
        jog = replace(jog, epoch=self._epoch, press=self._press)
        ends = self._loop.time() + seconds
        while not released.is_set() and (now := self._loop.time()) < ends:
            self._peer.send(replace(jog, at=now - self._granted))
            ended = await self._ended_before(min(now + EVERY, ends))
            if ended is not None:
                return Pressed(not ended.why, ended.why)
        return Pressed(False)

    async def give_back(self) -> None:
        """Stop, and give the lease up; returns when the device stands. Raises PeerSilent."""
        if self._epoch:
            self._peer.send(LeaseReturned(self._module, self._epoch))
            self._epoch = 0
            while not (isinstance(view := await self._until(View), View) and view.holder != self.name):
                pass

    async def _ended_before(self, until: float) -> JogEnded | None:
        try:
            async with asyncio.timeout_at(until):
                while True:
                    match await self._next():
                        case JogEnded(_, press) as ended if press == self._press:
                            return ended
                        case Refusal(_, _, why):
                            raise Refused(why)
        except TimeoutError:
            return None

    async def _until(self, *kinds: type[Message]) -> Message:
        """The next message of one of these kinds about the module. Raises PeerSilent."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not isinstance(message := await self._next(), kinds):
                    if isinstance(message, Refusal):
                        raise Refused(message.why)
                return message
        except TimeoutError:
            raise self._silent(f"no answer within {PATIENCE:g} s; look with `cellctl status`") from None

    async def _next(self) -> Message:
        """The next message about the module. Raises PeerSilent."""
        while True:
            incoming = await self._peer.inbox.receive()
            if incoming.message is None and not incoming.alive:
                self._epoch = 0
                raise self._silent("it fell silent; what it moved has stopped, or its device stops it")
            if incoming.message is not None and getattr(incoming.message, "module", "") == self._module:
                return incoming.message

    async def _heard(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not (await self._peer.inbox.receive()).alive:
                    pass
        except TimeoutError:
            raise self._silent(self._warned.text or "is the line up? look with `cellctl status`") from None

    def _silent(self, hint: str) -> PeerSilent:
        return PeerSilent(f"the process of {self._module}", self._address, hint)


@asynccontextmanager
async def open_panel(
    deployment: Deployment, module: str, who: str = "", key: str = KEY
) -> AsyncIterator[Panel]:
    """A panel that has the lease of a module of a deployed line; given back at the end, when all stands.

    Raises UnknownName for no module, Refused with the reason why it has no lease, PeerSilent, BusError.
    """
    if deployment.keys and not is_panel(key):
        raise Refused(f"the key {key} may not move modules by hand; only operator, panel and panel-... may")
    process = _process_of(deployment, module)
    warned = LastWarning()
    bus = Bus(key, warned, Path(deployment.keys) if deployment.keys else None)
    try:
        async with bus.connect(process, deployment.process(process)) as peer:
            address = deployment.process(process).commands
            panel = Panel(module, peer, address, who or user_name(), warned)
            try:
                await panel.take_lease()
                yield panel
            finally:
                await panel.give_back()
    finally:
        bus.close()


def _process_of(deployment: Deployment, module: str) -> str:
    line, _ = read_line(Path(deployment.line))
    if line is None:
        raise DeploymentError(
            f"{deployment.line} cannot be read any more; see `cellctl check {deployment.line}`"
        )
    return line.module(module).process
