"""The stops of a belt: what it takes to let a part go and to see one arrive, as actions that survive a crash.

A stopper's output on lowers it; it goes off, and the stopper up, when the controller falls silent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf

from cellctl.device import Action, Recovery, Settled, Settlement
from cellctl.errors import DeadlineExceeded
from cellctl.line.model import Station
from cellctl.modules.equipment import Input, Output
from cellctl.runtime import Runtime

POLL = 0.02  # [s] at 1 m/s a part moves 20 mm meanwhile
BRIEFEST = 3 * POLL  # [s] that a part covers an eye: a look that takes no longer than `POLL` misses none


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


@dataclass(slots=True)
class Watch:
    """Whether a part can have passed an eye between two looks at it.

    It covers the eye for `covers` [s] or longer, some time between `soonest` and `latest` [s of `now`]. Nobody has
    looked from `unwatched_since` on.
    """

    now: Callable[[], float]
    covers: float
    soonest: float
    latest: float
    unwatched_since: float = inf
    may_have_missed: bool = False

    def looked(self, seconds: float) -> None:
        """A look that took so long has ended. What it saw was so at any time of it, and the same holds for the
        look before it, which took no longer, or has been judged itself."""
        ended = self.now()
        began = min(self.unwatched_since, ended - 2 * seconds - POLL)
        self.unwatched_since = inf
        is_blind = ended - began > self.covers
        self.may_have_missed |= is_blind and began <= self.latest and ended >= self.soonest


@dataclass(frozen=True, slots=True)
class Belt:
    """What carries a part from stop to stop.

    `run(number)` has it run, inside action `number`; `check_drive` raises DeviceFault when its drive does not do so.
    In `run_on` [s] it goes as far as from an eye to the stopper behind it, or farther: so long after its eye has seen
    its front a part rests there, and so long after its eye has seen the last of it it has left the place.
    """

    run: Callable[[int], Awaitable[None]]
    check_drive: Callable[[], Awaitable[None]]
    run_on: float


def release(
    stop: Stop,
    runtime: Runtime,
    patience: float,
    belt: Belt,
    seen: Callable[[float], None] = lambda at: None,
) -> Action[bool]:
    """Let the part that stands at a stop go: lower the stopper until the eye is clear, raise it again, and run on
    until the place is free.

    The stopper goes up first, or a part that follows close behind would come by. A drive that stops meanwhile has left
    the part where it is in the way of the next one: that is no end.

    False when nothing stands there, or it does not leave within `patience` [s]; then it is still there. Observable:
    an eye that sees it says that it has not left. Behind a clear one nobody knows how far it has come, so the belt
    runs on by the whole length once more. `seen(at)` is told when it surely still was there (UTC [s]), so that
    whatever becomes of it happens from then on.
    """
    has_left = False

    async def perform(number: int) -> bool:
        await belt.run(number)
        asked = runtime.utc()
        if await stop.eye.read():
            seen(asked)
            await stop.lower(True, number)
            left = await clears()
        else:
            left = has_left or await stop.is_lowered()  # by an earlier attempt that was broken off
        await stop.lower(False, number)
        if left:
            await runtime.sleep(belt.run_on)
        await belt.check_drive()
        return left

    async def clears() -> bool:
        longest = 0.0

        def looked(seconds: float) -> None:
            nonlocal longest
            longest = max(longest, seconds)

        began = runtime.utc()
        try:
            async with runtime.deadline(patience):
                await stop.eye.until(False, POLL, looked)
        except DeadlineExceeded:
            return False
        seen(max(began, runtime.utc() - 2 * longest - POLL))  # the last look but one saw it
        return True

    async def settle(number: int) -> Settled[bool]:
        nonlocal has_left
        has_left = not await stop.eye.read()
        if has_left:
            return Settled(
                Settlement.RUNNING, why=f"{stop.station.eye} is clear; the belt runs on until the place is"
            )
        return Settled(Settlement.NOT_STARTED, why=f"{stop.station.eye} sees it at {stop.station.name}")

    return Action(stop.device, f"release {stop.station.name}", Recovery.OBSERVABLE, perform, settle, True)


@dataclass(frozen=True, slots=True)
class Journey:
    """How long a part may take to a stop. It comes within `slowest` [s], and counts as jammed after `limit` [s].

    Before `passed_since` (UTC [s]) it cannot have come; None when it is on its way already and has been watched so far.
    """

    slowest: float
    limit: float
    passed_since: float | None = None


def arrival(stop: Stop, runtime: Runtime, journey: Journey, belt: Belt) -> Action[bool]:
    """Run the belt until the eye sees the part, and on until it rests against the stopper.

    False when it is not seen in time. Recoverable: running on until the eye sees it brings a known state whatever
    happened. What can have fallen into a sink while nobody looked is there when nothing comes any more: during an
    outage, before the first look at the eye, or between two that were further apart than a part takes to pass it.
    Else it did not arrive.
    """
    is_recovering = False

    async def perform(number: int) -> bool:
        soonest = runtime.now() + (journey.passed_since or 0.0) - runtime.utc()
        was_unwatched = is_recovering or journey.passed_since is not None
        await belt.run(number)
        latest = runtime.now() + journey.slowest
        unwatched_since = soonest if was_unwatched else inf
        watch = Watch(runtime.now, max(belt.run_on, BRIEFEST), soonest, latest, unwatched_since)
        try:
            async with runtime.deadline(journey.limit):
                await stop.eye.until(True, POLL, watch.looked)
        except DeadlineExceeded:
            watch.looked(0.0)  # a driver that tells of no look leaves the whole way unwatched
            await belt.check_drive()
            return stop.station.sink and watch.may_have_missed
        if not stop.station.sink:
            await runtime.sleep(belt.run_on)
            await belt.check_drive()  # one that stopped meanwhile has left it before the stopper
        return True

    async def settle(number: int) -> Settled[bool]:
        nonlocal is_recovering
        is_recovering = True
        return Settled(Settlement.RUNNING, why="the belt runs on until the eye sees it")

    return Action(stop.device, f"arrive {stop.station.name}", Recovery.RECOVERABLE, perform, settle, True)
