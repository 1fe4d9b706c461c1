"""Manual mode: a hand on a panel moves a device for as long as it says so, several times a second."""

from __future__ import annotations

from collections.abc import Callable

from cellctl.errors import CellctlError, DeviceError, Refused
from cellctl.messages import Jog
from cellctl.modules.context import Context
from cellctl.packml import Mode

VOID_AFTER = 0.2  # [s] after the last jog message everything stops


class Jogging:
    """Takes jog messages in manual mode; without another within 200 ms the module halts."""

    def __init__(self, context: Context, mode: Callable[[], Mode]) -> None:
        self._context, self._mode = context, mode
        self._last: Jog | None = None
        self._heard = 0.0
        self._is_moving = False

    def jog(self, message: Jog) -> None:
        """Move, or go on moving. Raises Refused outside manual mode."""
        if self._mode() is not Mode.MANUAL:
            raise Refused(f"{self._context.name} is in {self._mode()} mode; jogging is for manual mode")
        self._last, self._heard = message, self._context.runtime.now()
        if not self._is_moving:
            self._is_moving = True
            self._context.work(self._move, "jogs")

    async def _move(self) -> None:
        """Follow the messages until they cease, then halt."""
        try:
            followed: tuple[str, str, float] | None = None
            while self._last is not None and self._is_wanted():
                asked = (self._last.device, self._last.motion, self._last.speed)
                if asked != followed:
                    await self._context.kind.jog(self._last, self._context.errand(by_hand=True))
                    followed = asked
                else:
                    left = self._heard + VOID_AFTER - self._context.runtime.now()
                    await self._context.runtime.sleep(max(left, 0.001))
            await self._context.kind.halt()
        except DeviceError as error:
            self._context.alarms.raise_error(error)
        except CellctlError as error:
            self._context.runtime.log.warning("not jogged", module=self._context.name, why=str(error))
        finally:
            self._is_moving, self._last = False, None

    def _is_wanted(self) -> bool:
        is_fresh = self._context.runtime.now() - self._heard < VOID_AFTER
        return is_fresh and self._mode() is Mode.MANUAL
