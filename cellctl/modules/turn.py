"""One after another: what may be done by one task at a time takes its turn."""

from __future__ import annotations

from types import TracebackType

from cellctl.runtime import Channel, Runtime


class Turn:
    """`async with turn:` waits until nobody else is inside. First come, first served."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: list[Channel[None]] = []
        self._is_taken = False

    async def __aenter__(self) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        call: Channel[None] = self._runtime.channel()
        self._waiting.append(call)
        try:
            await call.receive()
        except BaseException:
            if call in self._waiting:
                self._waiting.remove(call)
            else:
                self._pass_on()  # it was called, and is cancelled in the same moment
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        if self._waiting:
            self._waiting.pop(0).send(None)
        else:
            self._is_taken = False
