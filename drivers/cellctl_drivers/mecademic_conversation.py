"""The conversation with a Mecademic controller: one reader of its link, any number of askers.

Replies go to the oldest asker who waits for their code. Command errors, stopping events and a lost connection end
the waiting of everybody. Nothing here commands a motion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cellctl.errors import DeadlineExceeded, DeviceError, DeviceFault, DeviceRefused, DeviceSilent
from cellctl.runtime import Channel, Runtime, Texts
from cellctl_drivers.maps import mecademic as codes
from cellctl_drivers.mecademic_codec import Reply, Unreadable, parse

V = TypeVar("V")

REPLY = 2.0  # [s] that a reply may take


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody who waits for one of some messages."""

    accepts: Callable[[Reply], bool]
    inbox: Channel[Reply | DeviceError]


@dataclass
class Conversation:
    """Who asks the controller of device `name` for something does it here."""

    name: str
    link: Texts
    runtime: Runtime
    losses: int = 0  # how often the connection was lost or begun anew: what was set up before then is void
    disturbances: int = (
        0  # how often anything was heard after which nothing is certain: a loss, an error, a stop
    )
    stops: set[int] = field(default_factory=set)  # stopping events that have not ended
    last_error: int = 0
    _waiters: list[Waiter] = field(default_factory=list)

    async def listen(self) -> None:
        """Hand every message to whom it concerns, for ever; run it in the background."""
        while True:
            try:
                text = await self.link.receive()
            except DeviceSilent as error:
                self._begin_anew()
                self._tell_all(self._silent(error.what))
                self.runtime.log.warning(
                    "device lost", device=self.name, address=self.link.address, why=error.what
                )
                continue
            try:
                self._hear(parse(text))
            except Unreadable as error:
                self.runtime.log.warning("device spoke unreadably", device=self.name, why=str(error))

    async def send(self, command: str) -> None:
        """Send a command that has no reply. Raises DeviceSilent."""
        try:
            await self.link.send(command)
        except DeviceSilent as error:
            raise self._silent(f"sending {command}: {error.what}") from None

    async def ask(self, command: str, *replies: int, within: float = REPLY) -> Reply:
        """Send a command and wait for one of its reply codes.

        Raises DeviceFault for an error of the controller, DeviceSilent when nothing comes `within` [s].
        """
        waiter = self.wait_for(lambda reply: reply.code in replies)
        try:
            await self.send(command)
            return await self.heard(waiter, within)
        except DeadlineExceeded:
            self.disturbances += 1
            self.stops.clear()  # what it did not say meanwhile may have been that they are over
            raise self._silent(f"no reply to {command} within {within:g} s") from None
        finally:
            self.stop_waiting(waiter)

    async def value(self, command: str, reply: int, read: Callable[[Reply], V]) -> V:
        """Ask and read the reply. Raises DeviceError, also when the reply cannot be read."""
        try:
            return read(await self.ask(command, reply))
        except Unreadable as error:
            raise DeviceError(self.name, self.link.address, f"{command}: {error}") from None

    def wait_for(self, accepts: Callable[[Reply], bool]) -> Waiter:
        """Begin to wait, before the command that leads to the message is sent. End it with `stop_waiting`."""
        waiter = Waiter(accepts, self.runtime.channel())
        self._waiters.append(waiter)
        return waiter

    async def heard(self, waiter: Waiter, within: float) -> Reply:
        """The message that was waited for. Raises DeviceError, DeadlineExceeded."""
        async with self.runtime.deadline(within):
            heard = await waiter.inbox.receive()
        if isinstance(heard, DeviceError):
            raise heard
        return heard

    def is_waiting(self, waiter: Waiter) -> bool:
        """Whether nothing has come for it yet."""
        return waiter in self._waiters

    def stop_waiting(self, waiter: Waiter) -> None:
        """The message is not wanted any more."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def fault(self, code: int) -> DeviceFault:
        """The controller's error as a fault of this device."""
        return DeviceFault(self.name, self.link.address, codes.words(code), code)

    def _hear(self, reply: Reply) -> None:
        if reply.code == codes.CONNECTED:
            self._begin_anew()
        elif reply.code == codes.OTHER_USER:
            refused = DeviceRefused(self.name, self.link.address, codes.words(reply.code), reply.code)
            self._tell_all(refused)
        elif reply.code in codes.STOPPING:
            self._note_stop(reply)
        elif 1000 <= reply.code < 2000:
            self.last_error = reply.code
            self._tell_all(self.fault(reply.code))
        else:
            self._hand_over(reply)

    def _hand_over(self, reply: Reply) -> None:
        for waiter in self._waiters:
            if waiter.accepts(reply):
                waiter.inbox.send(reply)
                self._waiters.remove(waiter)
                return

    def _note_stop(self, reply: Reply) -> None:
        if reply.fields[:1] == ("0",):
            self.disturbances += 1
            self.stops.discard(reply.code)
            return
        self.stops.add(reply.code)
        self.last_error = reply.code
        self._tell_all(self.fault(reply.code))

    def _begin_anew(self) -> None:
        self.losses += 1
        self.disturbances += 1
        self.stops.clear()
        self.last_error = 0

    def _tell_all(self, error: DeviceError) -> None:
        self.disturbances += 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.inbox.send(error)

    def _silent(self, what: str) -> DeviceSilent:
        return DeviceSilent(self.name, self.link.address, what)
