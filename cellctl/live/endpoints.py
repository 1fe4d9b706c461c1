"""The two ends of the bus on their sockets: a server's ROUTER and XPUB, a peer's DEALER and SUB.

Heartbeats stay in here. Whatever comes in and is no message is counted, logged ever more seldom, and goes no further.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial

import zmq

from cellctl.errors import BusError
from cellctl.live.curve import rarely
from cellctl.live.deployment import Addresses
from cellctl.live.liveness import EVERY, Presence, Reach, incarnation_in
from cellctl.live.rights import may_say, name_in, owner_of
from cellctl.live.sockets import LoopSocket
from cellctl.live.tasks import Channel
from cellctl.messages import MAX_MESSAGE_BYTES, Message, Reply, decode, encode
from cellctl.messages import Event as BusEvent
from cellctl.runtime import Incoming, Log

_MANY = 1000  # senders of what was rejected that are counted one by one before the counts start anew
_LONGEST_ID = 1000  # of a request that was answered at too great a length


class BusServer:
    """Fulfils `cellctl.runtime.Server`. `rejected` counts what came in and was no message."""

    def __init__(
        self,
        addresses: Addresses,
        commands: zmq.Socket[bytes],
        events: zmq.Socket[bytes],
        beat: bytes,
        log: Log,
        *,
        has_keys: bool = False,
    ) -> None:
        """With keys each peer has to go by the name of its key."""
        self.addresses = addresses
        self.requests: Channel[Incoming] = Channel()
        self.rejected = self.dropped = 0
        self._rejected_of: Counter[str] = Counter()
        self._presence, self._beat, self._log = Presence(), beat, log
        self._commands = LoopSocket(commands, self._take, names_users=has_keys)
        self._events = LoopSocket(events, self._subscribed)
        self._has_keys = has_keys
        self._commands.watch(_FAILED_AT_SERVER, self._not_understood)
        self._pulse = Pulse(self._look)

    def reply(self, peer: str, message: Message) -> None:
        """Send to one peer; dropped when it is gone or 10,000 messages behind.

        One that is too large is not sent, as what a peer asks must never end a server; a Reply is replaced by its
        error.
        """
        try:
            data = packed(message)
        except BusError as error:
            self._log.error("not sent on the bus", peer=peer, why=str(error))
            self.dropped += 1
            if isinstance(message, Reply) and len(message.id) < _LONGEST_ID:
                self.reply(peer, Reply(message.id, error=f"the answer cannot be sent: {error}"))
            return
        if not self._commands.send(peer.encode(), data):
            self.dropped += 1

    def publish(self, event: BusEvent) -> None:
        """Tell every subscriber; dropped for those that are 10,000 events behind, and when it is too large."""
        try:
            self._events.send(packed(event))
        except BusError as error:
            self._log.error("not published on the bus", number=event.number, why=str(error))
            self.dropped += 1

    def close(self) -> None:
        self._pulse.stop()
        self._commands.close()
        self._events.close()

    def _take(self, frames: list[bytes]) -> None:
        peer = name_in(frames[0])
        if peer is None or len(frames) != 2:
            self._reject(peer, f"{len(frames)} frames from {'a peer' if peer else 'one without a name'}")
            return
        if self._has_keys and owner_of(peer) != self._commands.user:
            self._reject(peer, f"it holds the key of {self._commands.user} and goes by another name")
            return
        if incarnation_in(frames[1]) is not None:
            self._notice(peer)
            self._commands.send(frames[0], self._beat)
            return
        try:
            message = decode(frames[1])
        except BusError as error:
            self._reject(peer, str(error))
            return
        if not may_say(peer, message):
            self._reject(peer, f"a {type(message).__name__} is for the runner to send")
            return
        self._notice(peer)
        key = self._commands.user if self._has_keys else ""
        self.requests.send(Incoming(peer, message, key=key))

    def _notice(self, peer: str) -> None:
        if self._presence.hear(peer, self._pulse.awake):
            self.requests.send(Incoming(peer, None, alive=True))

    def _look(self) -> None:
        self._events.send(self._beat)
        for peer in self._presence.fallen_silent(self._pulse.awake):
            self.requests.send(Incoming(peer, None, alive=False))

    def _subscribed(self, frames: list[bytes]) -> None:
        match frames:
            case [b"\x01"]:
                self._events.send(self._beat)
            case [b"\x00"]:
                pass
            case _:
                self._reject(None, "something other than a subscription on the events socket")

    def _not_understood(self, event: int, value: int, endpoint: str) -> None:
        self._reject(None, f"a connection to {endpoint} broke off, speaks another protocol or has no keys")

    def _reject(self, peer: str | None, why: str) -> None:
        self.rejected += 1
        sender = peer or "unknown"
        if len(self._rejected_of) > _MANY:
            self._rejected_of.clear()
        self._rejected_of[sender] += 1
        if rarely(self._rejected_of[sender]):
            self._log.warning("rejected on the bus", peer=sender, why=why, times=self._rejected_of[sender])


class BusPeer:
    """Fulfils `cellctl.runtime.Peer`. `rejected` counts what came in and was no message; `known_as` is what the server
    calls this process."""

    def __init__(
        self,
        name: str,
        known_as: str,
        addresses: Addresses,
        commands: zmq.Socket[bytes],
        events: zmq.Socket[bytes],
        beat: bytes,
        log: Log,
    ) -> None:
        self.name, self.known_as, self.addresses = name, known_as, addresses
        self.inbox: Channel[Incoming] = Channel()
        self.rejected = self.dropped = 0
        self._reach, self._beat, self._log = Reach(), beat, log
        self._failures = 0
        self._commands = LoopSocket(commands, lambda frames: self._take("commands", frames))
        self._events = LoopSocket(events, lambda frames: self._take("events", frames))
        self._commands.watch(_HANDSHAKES, partial(self._shaken, self._commands, addresses.commands))
        self._events.watch(_HANDSHAKES, partial(self._shaken, self._events, addresses.events))
        self._pulse = Pulse(self._look)

    def send(self, message: Message) -> None:
        """Send a request; lost when the server is away or 10,000 messages behind. Raises BusError: too large."""
        if not self._commands.send(packed(message)):
            self.dropped += 1

    def close(self) -> None:
        self._pulse.stop()
        self._commands.close()
        self._events.close()

    def _take(self, path: str, frames: list[bytes]) -> None:
        if len(frames) != 1:
            self._reject(f"{len(frames)} frames on its {path} socket")
            return
        incarnation = incarnation_in(frames[0])
        if incarnation is not None:
            self._tell(self._reach.hear(path, self._pulse.awake, incarnation))
            return
        try:
            message = decode(frames[0])
        except BusError as error:
            self._reject(str(error))
            return
        self._tell(self._reach.hear(path, self._pulse.awake))
        self.inbox.send(Incoming(self.name, message))

    def _tell(self, changed: bool | None) -> None:
        if changed is not None:
            self.inbox.send(Incoming(self.name, None, changed))

    def _look(self) -> None:
        self._commands.send(self._beat)
        self._tell(self._reach.look(self._pulse.awake))

    def _shaken(self, socket: LoopSocket, address: str, event: int, value: int, endpoint: str) -> None:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._failures = 0
            if socket is self._commands:
                socket.send(self._beat)
            return
        if event in _GIVES_UP:
            asyncio.get_running_loop().call_later(RETRY, socket.reconnect, address)
        self._failures += 1
        if rarely(self._failures):
            self._log.error(_WHY_NOT[event], peer=self.name, address=address, times=self._failures)

    def _reject(self, why: str) -> None:
        self.rejected += 1
        if rarely(self.rejected):
            self._log.warning("rejected on the bus", peer=self.name, why=why, times=self.rejected)


_WHY_NOT: dict[int, str] = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: (
        "the server does not trust our key; run `cellctl keys trust` with our public key where it runs"
    ),
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "the server speaks another protocol, or only one side uses keys",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: (
        "the server broke off the handshake; is the key that we trust its key still, and do both sides use keys?"
    ),
}
_HANDSHAKES = int(zmq.EVENT_HANDSHAKE_SUCCEEDED) + sum(int(event) for event in _WHY_NOT)
_GIVES_UP = (
    zmq.EVENT_HANDSHAKE_FAILED_AUTH,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
)  # libzmq does not try again
_FAILED_AT_SERVER = int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL) + int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL)
RETRY = 1.0  # after which we do, as the key may be trusted by then [s]


class Pulse:
    """Calls `beat` at once and then every 0.2 s of the running loop, until stopped.

    `awake` is the time [s] in which this process could have heard others: it stands still while the process is
    held up, so that the others are not taken for silent then. It is as coarse as the beat.
    """

    def __init__(self, beat: Callable[[], None]) -> None:
        self.awake = 0.0
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._next = self._loop.call_soon(self._tick)

    def stop(self) -> None:
        self._next.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        self.awake += min(now - self._last, 2 * EVERY)
        self._last = now
        self._next = self._loop.call_later(EVERY, self._tick)
        self._beat()


def packed(message: Message) -> bytes:
    """The message as it travels. Raises BusError when no receiver would take it."""
    data = encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        kind = type(message).__name__
        raise BusError(
            f"a {kind} of {len(data)} bytes is larger than the allowed {MAX_MESSAGE_BYTES}; split it"
        )
    return data
