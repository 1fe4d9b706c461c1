"""A client of the simulated plant's control socket: JSON lines over TCP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from cellctl.errors import DeviceSilent, Refused

PATIENCE = 5.0  # [s]


async def ask(control: str, do: str, **what: Any) -> Any:
    """Ask the plant at `control` (host:port) for its counters, its items, or a fault; what it answers.

    Raises Refused with the plant's reason, DeviceSilent when it is not there.
    """
    host, _, port = control.removeprefix("tcp://").rpartition(":")
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(json.dumps({"do": do, **what}).encode() + b"\n")
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise DeviceSilent("the simulated plant", control, f"no answer: {error}") from error
    if answer.get("error"):
        raise Refused(str(answer["error"]))
    return answer
