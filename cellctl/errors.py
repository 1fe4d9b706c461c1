"""Every error that cellctl raises, one tree. Foreign exceptions are mapped to these where they enter.

Each error keeps its data as attributes and builds its message once: who, what, value, limit, unit.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The known names most like `name`, best first; at most `count` of them."""
    return tuple(difflib.get_close_matches(name, sorted(known), n=count, cutoff=0.6))


class CellctlError(Exception):
    """Root of all errors that a user can meet."""


class UnknownName(CellctlError):
    """A name that nothing answers to; says what kind it should have been and the nearest known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        close = nearest(name, self.known)
        hint = f"; did you mean {' or '.join(close)}?" if close else _listing(self.known)
        super().__init__(f"no {kind} is called {name!r}{hint}")


def _listing(known: tuple[str, ...]) -> str:
    if not known:
        return "; none is known"
    shown = ", ".join(known[:12])
    return f"; known: {shown}{', ...' if len(known) > 12 else ''}"


class UnitError(CellctlError):
    """A quantity that cannot be read, or of the wrong dimension."""


class DeploymentError(CellctlError):
    """What `cellctl up` wrote for the line's processes is missing or cannot be used."""


class PlugInError(CellctlError):
    """A driver, kind or link that cannot be loaded, or that lacks a declaration it must have."""


# --- time -------------------------------------------------------------------------------------------------


class DeadlineExceeded(CellctlError):
    """A deadline passed before the work inside it ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"not done within {seconds:g} s")


# --- devices ----------------------------------------------------------------------------------------------


class DeviceError(CellctlError):
    """Something went wrong with a device; names the device, its address and what was asked of it."""

    def __init__(self, device: str, address: str, what: str) -> None:
        self.device, self.address, self.what = device, address, what
        super().__init__(f"{device} at {address}: {what}")


class DeviceSilent(DeviceError):
    """The device did not answer in time, or its link is down."""


class DeviceRefused(DeviceError):
    """The device answered with an error."""

    def __init__(self, device: str, address: str, what: str, code: int) -> None:
        self.code = code
        super().__init__(device, address, what)


class DeviceFault(DeviceError):
    """The device reports a fault of its own (a tripped drive, an arm in error)."""

    def __init__(self, device: str, address: str, what: str, code: int) -> None:
        self.code = code
        super().__init__(device, address, what)


class LimitExceeded(CellctlError):
    """A value beyond what a device, joint or skill allows."""

    def __init__(self, who: str, what: str, value: float, lower: float, upper: float, unit: str) -> None:
        self.who, self.what, self.value = who, what, value
        self.lower, self.upper, self.unit = lower, upper, unit
        super().__init__(
            f"{who}: {what} {value:g} {unit} is outside {lower:g} {unit} to {upper:g} {unit}".replace(
                "  ", " "
            )
        )


# --- the record store ---------------------------------------------------------------------------------------


class StoreError(CellctlError):
    """The record store could not make a record durable, or could not be read. Stops the line."""


class StoreLocked(StoreError):
    """Another process holds this journal."""


class JournalBroken(StoreError):
    """A journal that cannot be believed: a record was changed, removed or torn, or a newer cellctl wrote it."""


class JournalShort(StoreError):
    """A journal came back shorter than a peer has already seen: records were lost."""


# --- the bus ------------------------------------------------------------------------------------------------


class BusError(CellctlError):
    """The bus cannot be used: an address in use, a missing key, a peer that cannot be reached."""


class PeerSilent(BusError):
    """A peer on the bus does not answer."""

    def __init__(self, peer: str, address: str = "", hint: str = "") -> None:
        self.peer, self.address = peer, address
        where = f" at {address}" if address else ""
        super().__init__(f"{peer}{where} does not answer{'; ' + hint if hint else ''}")


class Refused(CellctlError):
    """A request that was understood and turned down; nothing happened."""
