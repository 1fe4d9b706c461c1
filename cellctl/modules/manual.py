"""Manual mode: a panel moves a device by hand for as long as it says so, several times a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cellctl.errors import CellctlError, DeadlineExceeded, DeviceError, Refused, StoreError
from cellctl.messages import Jog, JogEnded
from cellctl.modules.context import Context
from cellctl.modules.lease import Lease
from cellctl.modules.work import Work
from cellctl.runtime import Channel, Event

VOID_AFTER = 0.2  # [s] after it was sent a jog message is void; without a fresh one everything stops
CEASED = f"its jog messages ceased for {VOID_AFTER * 1e3:g} ms"


@dataclass(frozen=True, slots=True)
class Over:
    """The press has ended: `why` it broke off, "" when its motion came to its end."""

    why: str = ""


class Jogging:
    """The presses of the panel that has the lease of one module, one at a time."""

    def __init__(self, context: Context, lease: Lease, check: Callable[[], None]) -> None:
        """`check()` raises Refused where nothing may be moved by hand."""
        self._context, self._lease, self._check = context, lease, check
        self._press: Press | None = None
        self._ended = (0, 0, "")  # the epoch and number of the last press that ended, and why it did

    @property
    def is_moving(self) -> bool:
        """Whether something is moved by hand now."""
        return self._press is not None

    def jog(self, peer: str, message: Jog) -> None:
        """Begin a press, or go on with it; one that has ended is answered so again.

        Raises Refused for who does not have the lease, and where nothing may be moved by hand.
        """
        self._check()
        if not self._lease.allows(peer, message.epoch):
            raise Refused(f"{message.who} does not have the lease of {self._context.name} (any more)")
        sent = self._lease.granted_at + message.at  # at the latest: the grant took its time, too
        if self._press is not None:
            self._press.take(message, sent)
        elif (message.epoch, message.press) <= self._ended[:2]:
            self._context.reply(peer, JogEnded(self._context.name, message.press, self._ended[2]))
        elif sent + VOID_AFTER <= self._context.runtime.now():
            self._end(peer, message, "its jog message came too late to begin with; press again")
        else:
            self._press = Press(self._context, message, sent, lambda why: self._end(peer, message, why))

    def end(self, why: str) -> Event | None:
        """Stop what is moved by hand; set when it stands. None when nothing is."""
        if self._press is None:
            return None
        self._press.break_off(why)
        return self._press.work.ended

    def _end(self, peer: str, last: Jog, why: str) -> None:
        self._press, self._ended = None, (last.epoch, last.press, why)
        self._context.reply(peer, JogEnded(self._context.name, last.press, why))


class Press:
    """One press: follows its messages, and halts the module when it ends, for whatever reason."""

    def __init__(self, context: Context, first: Jog, sent: float, ended: Callable[[str], None]) -> None:
        self._context, self._first, self._ended = context, first, ended
        self._news: Channel[Jog | Over] = context.runtime.channel()
        self._motion: Work | None = None
        self._is_broken_off = False  # that motion; a second cancellation would break off its stopping
        self.take(first, sent)
        self.work = context.work(self._follow, "is moved by hand")

    def take(self, message: Jog, sent: float) -> None:
        """A message of this press, sent then. Raises Refused for one of another press."""
        if (message.epoch, message.press) != (self._first.epoch, self._first.press):
            raise Refused(f"{self._context.name} is being moved; let go before another motion")
        self._void_at = sent + VOID_AFTER
        self._news.send(message)

    def break_off(self, why: str) -> None:
        """Stop now."""
        self._break_motion_off()
        self._news.send(Over(why))

    async def _follow(self) -> None:
        why = CEASED
        try:
            why = await self._until_over()
        finally:
            why = await self._halt() or why
            self._ended(why)

    async def _until_over(self) -> str:
        followed: tuple[str, str, float, float] | None = None
        while True:
            news = await self._next()
            if isinstance(news, Over):
                return news.why
            asked = (news.device, news.motion, news.speed, news.distance)
            if asked != followed:
                await self._stop_following()
                followed, self._is_broken_off = asked, False
                self._motion = self._context.work(lambda jog=news: self._move(jog), "moves")  # type: ignore[misc]

    async def _next(self) -> Jog | Over:
        left = self._void_at - self._context.runtime.now()
        if left <= 0:
            return Over(CEASED)
        try:
            async with self._context.runtime.deadline(left):
                return await self._news.receive()
        except DeadlineExceeded:
            return Over(CEASED)

    async def _move(self, jog: Jog) -> None:
        why = ""
        try:
            await self._context.kind.jog(jog, self._context.errand(by_hand=True))
        except StoreError:
            raise
        except CellctlError as error:
            if isinstance(error, DeviceError):
                self._context.alarms.raise_error(error)
            why = str(error)
        except Exception as error:  # of a kind or driver: it must not take the other modules with it
            name = self._context.name
            self._context.runtime.log.error("jog failed", module=name, error=repr(error))
            why = f"the kind of {name} failed: {error!r}"
        self._news.send(Over(why))

    def _break_motion_off(self) -> None:
        if self._motion is not None and not self._is_broken_off:
            self._is_broken_off = True
            self._motion.break_off()

    async def _stop_following(self) -> None:
        self._break_motion_off()
        if self._motion is not None:
            await self._motion.ended.wait()

    async def _halt(self) -> str:
        """Stop all motion; why it could not be."""
        await self._stop_following()
        return await self._context.halt()
