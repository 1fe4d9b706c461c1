"""What drivers run in the background."""

import asyncio
import gc
from typing import Any

from cellctl.live.tasks import TaskGroup
from cellctl.modules.rack import Rack


class Runtime:
    """As much as a rack without devices asks for."""

    def event(self) -> asyncio.Event:
        return asyncio.Event()

    def channel(self) -> asyncio.Queue[Any]:
        return asyncio.Queue()


def test_work_that_is_broken_off_before_its_first_line_leaves_nothing_behind() -> None:
    begun = []

    async def work() -> None:
        begun.append(True)

    async def scenario() -> None:
        async with TaskGroup() as group:
            rack: Any = Rack(Runtime(), None, (), group, None)  # type: ignore[arg-type]
            rack.background(work, "too late").cancel()

    asyncio.run(scenario())
    gc.collect()  # a coroutine that was made and never run would warn now
    assert not begun
