"""An indexing belt: everything on it moves by one pitch at a time, so one command moves many items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from cellctl.device import Action, MotorDrive, Recovery, Settled, Settlement
from cellctl.errors import DeadlineExceeded
from cellctl.kinds import ConveyorOptions
from cellctl.line.model import station_of
from cellctl.messages import Item
from cellctl.modules.stops import POLL, Stop
from cellctl.runtime import Runtime


class Indexing:
    """Moves a belt by one pitch. The eyes must see the pattern of the items' targets afterwards."""

    def __init__(
        self,
        device: str,
        drive: MotorDrive,
        check_drive: Callable[[], Awaitable[None]],
        options: ConveyorOptions,
        stops: Mapping[str, Stop],
        runtime: Runtime,
    ) -> None:
        self._device, self._drive, self._options = device, drive, options
        self._check_drive = check_drive
        self._stops, self._runtime = stops, runtime

    def action(self, items: Sequence[Item]) -> Action[bool]:
        """One index. False when the pattern does not come in time.

        Observable by the eyes: they see the pattern before, the one after, or something between (then it goes on).
        Where both patterns are the same, a belt full of parts, nobody but a person can know.
        """
        before = frozenset(station_of(item.origin) for item in items)
        after = frozenset(station_of(item.target) for item in items)

        async def perform(number: int) -> bool:
            await self._drive.run(self._options.speed).perform(number)
            try:
                return await self._until_moved(before, after)
            finally:
                await self._drive.stop().perform(number)

        async def settle(number: int) -> Settled[bool]:
            seen = await self._pattern()
            if before == after and seen == after:
                return Settled(Settlement.UNKNOWN, why="every place looks the same before and after")
            if seen == after:
                return Settled(Settlement.DONE, True, "the parts are seen at their targets")
            if seen == before:
                return Settled(Settlement.NOT_STARTED, why="the parts are seen where they were")
            return Settled(Settlement.RUNNING, why="the belt stands between two positions")

        return Action(self._device, "index", Recovery.OBSERVABLE, perform, settle, True)

    async def _until_moved(self, before: frozenset[str], after: frozenset[str]) -> bool:
        """First something must leave, unless it has left already; then all targets must be covered."""
        pitch = self._options.pitch or 0.0
        try:
            async with self._runtime.deadline(1.5 * pitch / self._options.speed + self._options.patience):
                if await self._pattern() == before:
                    await self._stops[min(before)].eye.until(False, POLL)
                for place in sorted(after):
                    await self._stops[place].eye.until(True, POLL)
        except DeadlineExceeded:
            await self._check_drive()
            return False
        return True

    async def _pattern(self) -> frozenset[str]:
        return frozenset([name for name, stop in self._stops.items() if await stop.eye.read()])
