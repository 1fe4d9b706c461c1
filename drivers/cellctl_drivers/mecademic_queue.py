"""The queue of a Mecademic controller: commands put into it, waited for, and watched over until the last is done.

What the controller has shown by a run that ended well is not asked or said again: that it is ready to move, and which
settings are in force. All of it is void as soon as a run does not end well, or the controller says anything of an
error, a stop or a new connection (`Conversation.disturbances`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cellctl.errors import DeadlineExceeded, DeviceError, DeviceFault, DeviceSilent
from cellctl.runtime import Channel, Runtime
from cellctl_drivers.breaking_off import stopped_if_broken_off
from cellctl_drivers.maps import mecademic as codes
from cellctl_drivers.mecademic_codec import Status, command
from cellctl_drivers.mecademic_conversation import Conversation, Waiter

_ENDS = (codes.CHECKPOINT, codes.CHECKPOINT_DISCARDED)


@dataclass(slots=True)
class Known:
    """What is known of the controller since a run ended well: it was ready then, and had done these settings."""

    disturbances: int
    settings: dict[str, str] = field(default_factory=dict)  # command -> how it was last said


class Queue:
    """The queue of one controller. `conversation()` gives it, set up; `halt` stops the arm."""

    def __init__(
        self,
        runtime: Runtime,
        conversation: Callable[[], Awaitable[Conversation]],
        halt: Callable[[], Awaitable[None]],
        watchdog: float,
    ) -> None:
        """`watchdog`: after so much silence the controller stops a motion [s]."""
        self._runtime, self._conversation, self._halt = runtime, conversation, halt
        self._watchdog = watchdog
        self._known: Known | None = None
        self._checkpoint = 0
        self._runs = 0  # begun so far
        self._running = 0
        self.has_watchdog = False
        self._wound_for: int | None = None  # the connection (`Conversation.losses`) whose watchdog runs
        self._wound: Channel[Conversation] = runtime.channel()  # it was started

    def forget(self) -> None:
        """Nothing is known of the controller any more."""
        self._known = None

    # --- its state ----------------------------------------------------------------------------------------------

    async def status(self) -> Status:
        """The controller's status. Raises DeviceError."""
        conversation = await self._conversation()
        return await conversation.value("GetStatusRobot", codes.STATUS_ROBOT, Status.of)

    async def demand_ready(self) -> None:
        """Raise DeviceFault unless the arm can move; take it out of a pause."""
        conversation = await self._conversation()
        known, status = Known(conversation.disturbances), await self.status()
        if conversation.stops:
            raise conversation.fault(min(conversation.stops))
        if status.has_error:
            raise conversation.fault(conversation.last_error or codes.ALREADY_IN_ERROR)
        if not status.is_activated:
            raise conversation.fault(codes.NOT_ACTIVATED)
        if not status.is_homed:
            raise conversation.fault(codes.NOT_HOMED)
        if status.is_paused:
            await conversation.ask("ResumeMotion", codes.RESUMED)
        await conversation.send("SetEob(0)")  # checkpoints say what is over; an activation has set it to 1
        self._known = known

    # --- running ------------------------------------------------------------------------------------------------

    async def run(self, settings: Sequence[str], *commands: str) -> None:
        """Queue settings that are not in force, then commands, and wait until the last is done.

        Stops the arm if that is broken off. Raises DeviceError.
        """
        conversation = await self._conversation()
        self._checkpoint = self._checkpoint % codes.LAST_CHECKPOINT + 1
        mark = (str(self._checkpoint),)
        waiter = conversation.wait_for(lambda reply: reply.code in _ENDS and reply.fields == mark)
        self._running += 1
        try:
            async with stopped_if_broken_off(self._halt):
                known = await self._ready(conversation)
                news = {_name(text): text for text in settings if text not in known.settings.values()}
                await self._begin_watch(conversation)
                for text in (*news.values(), *commands, f"SetCheckpoint({self._checkpoint})"):
                    await conversation.send(text)
                await self._until_end(conversation, waiter)
        finally:
            self._running -= 1
            conversation.stop_waiting(waiter)
        known.settings |= news
        self._known = None if self._running else known  # what runs beside may have changed it

    async def _ready(self, conversation: Conversation) -> Known:
        """What is known of a controller that is ready to move; from now on nothing, until the run has ended well.

        Raises DeviceFault when it is not ready.
        """
        if self._known is None or self._known.disturbances != conversation.disturbances:
            await self.demand_ready()
        known, self._known = self._known, None
        return known or Known(conversation.disturbances)

    async def _until_end(self, conversation: Conversation, waiter: Waiter) -> None:
        while True:
            try:
                reply = await conversation.heard(waiter, self._watchdog)
            except DeadlineExceeded:
                await self._see_whether_it_ends(conversation, waiter)
                continue
            if reply.code == codes.CHECKPOINT_DISCARDED:
                raise self._fault(conversation, "somebody cleared its motions", reply.code)
            return

    async def _see_whether_it_ends(self, conversation: Conversation, waiter: Waiter) -> None:
        """Raise DeviceSilent when the controller does not answer, or has nothing left to do and never said so."""
        status = await self.status()
        if not conversation.is_waiting(waiter):
            return
        if status.is_paused:
            raise self._fault(conversation, "somebody paused its motions; reset")
        if status.is_done:
            what = "its word that the motion is over was lost"
            raise DeviceSilent(conversation.name, conversation.link.address, what)

    def _fault(self, conversation: Conversation, what: str, code: int = 0) -> DeviceFault:
        return DeviceFault(conversation.name, conversation.link.address, what, code)

    # --- the controller's watchdog ------------------------------------------------------------------------------

    async def _begin_watch(self, conversation: Conversation) -> None:
        """Let the controller's watchdog run, if it does not yet; `keep_watch` sees to the rest."""
        self._runs += 1
        if self.has_watchdog and self._wound_for != conversation.losses:
            await self._wind(conversation, self._watchdog)
            self._wound.send(conversation)

    async def keep_watch(self) -> None:
        """Wind the watchdog up while something is run, and stop it soon after; for ever, in the background.

        It outlasts the pause between two motions, so that not every motion has to start and to stop it.
        """
        while True:
            conversation = await self._wound.receive()
            while self._wound_for == conversation.losses:
                runs = self._runs
                await self._runtime.sleep(self._watchdog / 2)
                is_busy = self._running or self._runs != runs
                with suppress(DeviceError):  # whoever runs something hears of it
                    await self._wind(conversation, self._watchdog if is_busy else 0.0)

    async def _wind(self, conversation: Conversation, seconds: float) -> None:
        """Wind the controller's watchdog up; 0 stops it."""
        self._wound_for = None
        await conversation.send(command("ConnectionWatchdog", seconds))
        self._wound_for = conversation.losses if seconds else None


def _name(text: str) -> str:
    """The name of a command."""
    return text.partition("(")[0]
