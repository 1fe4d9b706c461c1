"""Who is there: pure bookkeeping of signs of life, with the time as an argument.

A heartbeat carries the incarnation of the process that sends it, so that a server which died and came back within the
silence limit is noticed all the same.
"""

from __future__ import annotations

EVERY = 0.2  # a heartbeat is sent so often [s]
SILENCE = 1.0  # who has not been heard for so long is away [s]

_MARK = b"\xc1"  # the one byte that no MessagePack message begins with
_INCARNATION_BYTES = 8


def heartbeat(incarnation: bytes) -> bytes:
    """The frame that says "I am here" for the process's `incarnation` (8 bytes, different at each start)."""
    return _MARK + incarnation


def incarnation_in(frame: bytes) -> bytes | None:
    """The incarnation in a heartbeat frame; None when it is not one."""
    if len(frame) == 1 + _INCARNATION_BYTES and frame.startswith(_MARK):
        return frame[1:]
    return None


class Presence:
    """The peers of a server; one that died and came back is another peer. Times in seconds, of any monotonic clock."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}  # peer -> when heard

    def hear(self, peer: str, now: float) -> bool:
        """A sign of life; whether the peer has come with it."""
        has_come = peer not in self._last
        self._last[peer] = now
        return has_come

    def fallen_silent(self, now: float) -> list[str]:
        """The peers that have been silent for too long, each told once, in the order in which they came."""
        gone = [peer for peer, heard in self._last.items() if now - heard > SILENCE]
        for peer in gone:
            del self._last[peer]
        return gone


class Reach:
    """One server as seen through its two sockets: it is there when both are heard, from the same incarnation.

    So whoever is told that it is there will miss no event published from then on.
    """

    def __init__(self) -> None:
        self._paths: dict[str, tuple[float, bytes]] = {}
        self.alive = False

    def hear(self, path: str, now: float, incarnation: bytes = b"") -> bool | None:
        """A sign of life on "commands" or "events"; the new state when it changed, else None."""
        known = self._paths.get(path, (now, b""))[1]
        self._paths[path] = (now, incarnation or known)
        return self._judge()

    def look(self, now: float) -> bool | None:
        """Forget the paths that have been silent for too long; the new state when it changed, else None."""
        self._paths = {path: last for path, last in self._paths.items() if now - last[0] <= SILENCE}
        return self._judge()

    def _judge(self) -> bool | None:
        incarnations = [incarnation for _, incarnation in self._paths.values()]
        alive = len(incarnations) == 2 and incarnations[0] == incarnations[1] != b""
        if alive == self.alive:
            return None
        self.alive = alive
        return alive
