"""The stops of a belt: what it takes to let a part go and to see one arrive, as actions that survive a crash.

A stopper's output on lowers it; it goes off, and the stopper up, when the controller falls silent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cellctl.device import Action, Recovery, Settled, Settlement
from cellctl.errors import DeadlineExceeded
from cellctl.line.model import Station
from cellctl.modules.equipment import Input, Output
from cellctl.runtime import Runtime

POLL = 0.02  # [s] at 1 m/s a part moves 20 mm meanwhile


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop with its eye, and its stopper if it has one."""

    station: Station
    eye: Input
    stopper: Output | None

    async def is_lowered(self) -> bool:
        """Whether the stopper lets parts pass."""
        return await self.stopper.read() if self.stopper else False

    async def lower(self, value: bool, number: int) -> None:
        """Lower or raise the stopper, inside action `number`."""
        if self.stopper:
            await self.stopper.set(value, number)

    @property
    def device(self) -> str:
        """Whose action it is to let a part go or see it."""
        return (self.stopper or self.eye).device


def release(
    stop: Stop,
    runtime: Runtime,
    patience: float,
    run: Callable[[int], Awaitable[None]],
    seen: Callable[[], None] = lambda: None,
) -> Action[bool]:
    """Let the part that stands at a stop go: lower the stopper until the eye is clear, and raise it again.

    False when nothing stands there, or it does not leave within `patience` [s]; then it is still there. Observable:
    an eye that sees it says that it has not left, a clear one that it has. `seen()` is called when it still stands
    there, so that whatever becomes of it happens from now on.
    """

    async def perform(number: int) -> bool:
        await run(number)
        if await stop.eye.read():
            seen()
            await stop.lower(True, number)
            left = await clears()
        else:
            left = await stop.is_lowered()  # by an earlier attempt that was broken off
        await stop.lower(False, number)
        return left

    async def clears() -> bool:
        try:
            async with runtime.deadline(patience):
                await stop.eye.until(False, POLL)
        except DeadlineExceeded:
            return False
        return True

    async def settle(number: int) -> Settled[bool]:
        if await stop.eye.read():
            return Settled(Settlement.NOT_STARTED, why=f"{stop.station.eye} sees it at {stop.station.name}")
        if await stop.is_lowered():
            return Settled(Settlement.RUNNING, why=f"{stop.station.stopper} is still lowered")
        return Settled(Settlement.DONE, True, f"{stop.station.eye} does not see it any more")

    return Action(stop.device, f"release {stop.station.name}", Recovery.OBSERVABLE, perform, settle, True)


def arrival(
    stop: Stop,
    runtime: Runtime,
    limit: float,
    run_on: float,
    run: Callable[[int], Awaitable[None]],
    check_drive: Callable[[], Awaitable[None]],
    was_watched: bool = True,
    passed_since: float = 0.0,
) -> Action[bool]:
    """Run the belt until the eye sees the part, and `run_on` [s] longer so that it rests against the stopper.

    False when it is not seen within `limit` [s]. Recoverable: running on until the eye sees it brings a known state
    whatever happened. What fell into a sink while nobody looked is there when nothing comes any more; but only if it
    can have passed the eye meanwhile, which it can from `passed_since` on (UTC [s]). Else it did not arrive.
    """
    is_recovering = not was_watched

    async def perform(number: int) -> bool:
        may_be_there = is_recovering and stop.station.sink and runtime.utc() >= passed_since
        await run(number)
        try:
            async with runtime.deadline(limit):
                await stop.eye.until(True, POLL)
        except DeadlineExceeded:
            await check_drive()
            return may_be_there
        if not stop.station.sink:
            await runtime.sleep(run_on)
        return True

    async def settle(number: int) -> Settled[bool]:
        nonlocal is_recovering
        is_recovering = True
        return Settled(Settlement.RUNNING, why="the belt runs on until the eye sees it")

    return Action(stop.device, f"arrive {stop.station.name}", Recovery.RECOVERABLE, perform, settle, True)
