"""Rows that are appended to a store, by this process or by a program of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from cellctl.live.store import open_store

ROOT = Path(__file__).parents[2]

APPENDER = """
    import asyncio, os, sys
    from pathlib import Path
    from cellctl.errors import StoreError
    from cellctl.live.store import open_store, read_rows

    from cellctl.live import store as module

    module._CHECKPOINT = int(os.environ.get("CHECKPOINT", module._CHECKPOINT))

    async def write(store, number):
        for count in range(10**9):
            row = f"{number}-{count}"
            await store.append([row.encode() + b" " * 200, row.encode() + b" second"])
            os.write(1, row.encode() + b"\\n")

    async def main(path):
        async with open_store(path) as store:
            os.write(1, b"open\\n")
            await asyncio.gather(*(write(store, number) for number in range(4)))
"""


def child(program: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process that runs `program`, with its output to be read."""
    command = [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def append_all(path: Path, *appends: list[bytes]) -> None:
    async def main() -> None:
        async with open_store(path) as store:
            for rows in appends:
                await store.append(rows)

    asyncio.run(main())
