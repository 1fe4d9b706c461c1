"""What a driver does when a motion is broken off: it stops the device before it lets go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType

from cellctl.errors import CellctlError


class stopped_if_broken_off:  # noqa: N801  # reads as the sentence that it is
    """Call `halt` when the block is left by a cancellation or an error. A failing `halt` does not hide why."""

    __slots__ = ("_halt",)

    def __init__(self, halt: Callable[[], Awaitable[None]]) -> None:
        self._halt = halt

    async def __aenter__(self) -> None:
        """Nothing is done before."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            with suppress(CellctlError):
                await self._halt()
