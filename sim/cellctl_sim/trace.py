"""Everything that happened in a simulated world, in order, as one hash; as a list too, where somebody reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

AT_ONCE = 2_000  # pieces that are hashed together


@dataclass(frozen=True, slots=True)
class Happening:
    """One effect: when [ns], by or to whom, what ("sends", "durable", "write", ...), and its bytes."""

    time: int
    who: str
    what: str
    data: bytes = b""

    def __str__(self) -> str:
        return f"{self.time / 1e9:.6f} {self.who} {self.what} {self.data!r}"


@dataclass(slots=True)
class Trace:
    """SHA-256 over all happenings. `keep` also keeps them, in `happenings`; `watch(who, what)` hears of each."""

    keep: bool = False
    happenings: list[Happening] = field(default_factory=list)
    count: int = 0
    watch: Callable[[str, str], None] | None = None
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    _unhashed: list[bytes] = field(default_factory=list)

    def add(self, time: int, who: str, what: str, data: bytes = b"") -> None:
        """Something happened at `time` [ns]."""
        self._unhashed += f"{time} {who} {what} {len(data)} ".encode(), data
        self.count += 1
        if len(self._unhashed) > AT_ONCE:
            self._settle()
        if self.keep:
            self.happenings.append(Happening(time, who, what, data))
        if self.watch is not None:
            self.watch(who, what)

    @property
    def digest(self) -> str:
        """The hash of everything so far."""
        self._settle()
        return self._hash.hexdigest()

    def _settle(self) -> None:
        self._hash.update(b"".join(self._unhashed))
        self._unhashed.clear()

    def lines(self) -> str:
        """The kept happenings, one a line."""
        return "\n".join(map(str, self.happenings))
