"""Letting a loop of asyncio go round."""

from __future__ import annotations

import asyncio


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
