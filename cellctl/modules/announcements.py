"""The parts that one module finds by itself: journaled, then announced to the lease holder until it has noted them.

One after another in the order in which they were found: the next when the one before was noted, since whoever takes
them tells by the number alone which it has. The numbers are those of actions: none is given twice, not even by a
journal that lost records. That a part has left is told in the same turn, by the same number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from cellctl.errors import DeadlineExceeded, DeviceError, DeviceSilent, StoreError
from cellctl.journal import Found, HandedOn, Left, LeftKnown
from cellctl.line.model import station_of
from cellctl.messages import Announced, Noted, Value, Withdrawn
from cellctl.modules.context import Context
from cellctl.modules.kind import Announcing
from cellctl.modules.lease import Lease
from cellctl.modules.work import Work
from cellctl.runtime import Channel, Event

AGAIN = (
    1.0  # [s] after which an announcement that was not noted is repeated, and a silent device watched again
)


class Announcements:
    """What a kind that announces is given as `announce`; and its `watch`, while the module executes."""

    def __init__(self, context: Context, lease: Lease, must_abort: Callable[[], None]) -> None:
        self._context, self._lease, self._must_abort = context, lease, must_abort
        self._inbox: Channel[tuple[Found, Event]] = context.runtime.channel()
        self._watching: Work | None = None

    # --- finding --------------------------------------------------------------------------------------------------

    async def __call__(
        self,
        place: str,
        recipe: str = "",
        variant: str = "",
        given: Mapping[str, Value] | None = None,
        mark: str = "",
    ) -> None:
        """`cellctl.modules.kind.Announce`. Raises UnknownName for a place that is not the module's own."""
        self._context.module.station(station_of(place))
        announced = Announced(self._context.name, 0, place, recipe, variant, dict(given or {}))
        durable = self._context.runtime.event()
        self._inbox.send((Found(announced, mark), durable))
        await durable.wait()

    async def withdraw(self, place: str, mark: str) -> None:
        """`cellctl.modules.kind.Announce.withdraw`."""
        number = self._context.ledger.number_of(place, mark)
        if number:
            await self._context.record(Left(self._context.name, number))
            self._tell()

    async def work(self) -> None:
        """Journal what is found, for ever, and repeat what is not noted. Never broken off, so that no sighting that is
        on its way to the journal is taken for a new one."""
        while True:
            try:
                async with self._context.runtime.deadline(AGAIN):
                    found, durable = await self._inbox.receive()
            except DeadlineExceeded:
                self._tell()
                continue
            if not self._is_on_record(found):
                announced = replace(found.announced, number=self._context.next_action())
                await self._context.record(Found(announced, found.mark))
                self._tell()
            durable.set()

    def _is_on_record(self, found: Found) -> bool:
        last = self._context.ledger.last_found.get(found.announced.place)
        return bool(found.mark) and last is not None and last.mark == found.mark

    # --- handing on -----------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        ledger = self._context.ledger
        oldest = min((*ledger.found, *ledger.left), default=0)
        if not oldest or not self._lease.peer:
            return
        has_left = oldest in ledger.left
        message = Withdrawn(ledger.module, oldest) if has_left else ledger.found[oldest].announced
        self._context.reply(self._lease.peer, message)

    async def noted(self, peer: str, message: Noted) -> None:
        """The lease holder has taken a part on, or knows that it left; anybody else's word, and what is known already,
        counts for nothing."""
        ledger, number = self._context.ledger, message.number
        if peer != self._lease.peer or number not in (ledger.left if message.withdrawn else ledger.found):
            return
        known = LeftKnown if message.withdrawn else HandedOn
        await self._context.record(known(ledger.module, number))
        self._tell()

    # --- watching -------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """The module executes: look out for parts, if it is of a kind that announces."""
        if self._context.module.kind.announces:
            before = self._watching
            self._watching = self._context.work(lambda: self._watch(before), "looks out for parts")

    def rest(self) -> None:
        """It executes no more."""
        if self._watching is not None:
            self._watching.break_off()

    async def _watch(self, before: Work | None) -> None:
        if before is not None:
            await before.ended.wait()
        alarms, kind = self._context.alarms, self._context.kind
        assert isinstance(kind, Announcing)
        while True:
            try:
                await kind.watch(self)
                return
            except DeviceSilent as error:  # as of a watched device: it may come back
                alarms.raise_error(error)
                await self._context.runtime.sleep(AGAIN)
            except DeviceError as error:
                alarms.raise_error(error)
                self._must_abort()
                return
            except StoreError:
                raise
            except Exception as error:  # of a kind or driver: it must not take the other modules with it
                self._context.runtime.log.error("watch failed", module=self._context.name, error=repr(error))
                alarms.raise_alarm("M011", self._context.name, str(error))
                self._must_abort()
                return
